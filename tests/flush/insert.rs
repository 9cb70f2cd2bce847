//! How many statements, and what a column that was left out becomes: SEMANTICS 5.1, 5.3.

use orm_core::schema;
use orm_tests::backend_tests;

use crate::models::{Pulse, Setting};

backend_tests! {
    /// SEMANTICS 5.1: one statement per chunk.
    async fn rule_5_1_rows_of_one_shape_go_in_chunks(db) {
        db.create(&schema![Setting]).await?;
        let mut session = db.session();
        let added = session.add_all((0..1201).map(|at| Setting::draft().name(format!("s{at}"))));
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), db.per_statement("INSERT settings", 1201));
        for (at, handle) in added.iter().enumerate() {
            assert_eq!(session[*handle].id(), at as i64 + 1);
            assert_eq!(session[*handle].name, format!("s{at}"));
        }
    }

    /// SEMANTICS 5.1: the boundary of a chunk.
    async fn rule_5_1_a_full_chunk_is_one_statement(db) {
        db.create(&schema![Setting]).await?;
        let full = db.capabilities.rows_per_statement;
        for (rows, statements) in [(1, 1), (full, 1), (full + 1, 2)] {
            let mut session = db.session();
            session.add_all((0..rows).map(|at| Setting::draft().name(format!("s{at}"))));
            let log = db.log();
            session.commit().await?;
            assert_eq!(log.emitted().len(), statements, "{rows} rows");
        }
    }

    /// SEMANTICS 5.1: one statement per shape, however they are mixed, and each value where it
    /// belongs.
    async fn rule_5_1_many_shapes(db) {
        db.create(&schema![Setting]).await?;
        let mut session = db.session();
        let mut added = Vec::new();
        for at in 0..64_i64 {
            let mut draft = Setting::draft().name(format!("s{at}"));
            // Columns without a default of the server are always given and make no shape.
            if at & 1 != 0 {
                draft = draft.by_server(at);
            }
            if at & 2 != 0 {
                draft = draft.nullable_by_server(at);
            }
            if at & 4 != 0 {
                draft = draft.nullable(at);
            }
            if at & 8 != 0 {
                draft = draft.by_application(at);
            }
            added.push(session.add(draft));
        }
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT settings"; 4]);

        let mut other = db.session();
        for (at, handle) in (0..64_i64).zip(added) {
            let id = session[handle].id();
            let read = other.require::<Setting>(id).await?;
            for setting in [&session[handle], &other[read]] {
                let given = |bit: i64, other: i64| if at & bit != 0 { at } else { other };
                assert_eq!(setting.name, format!("s{at}"));
                assert_eq!(setting.by_server, given(1, 20));
                assert_eq!(setting.nullable_by_server, Some(given(2, 50)));
                assert_eq!(setting.nullable, (at & 4 != 0).then_some(at));
                assert_eq!(setting.by_application, given(8, 10));
            }
        }
    }

    /// SEMANTICS 5.1: rows that leave everything to the server are rows of one shape, too.
    async fn rule_5_1_rows_without_a_column_go_together(db) {
        db.create(&schema![Pulse]).await?;
        let mut session = db.session();
        let one = session.add(Pulse::draft());
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT pulses"]);
        assert_eq!((session[one].id(), session[one].strength), (1, 1));
        let many = session.add_all((0..20).map(|_| Pulse::draft()));
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT pulses"]);
        let ids: Vec<i64> = many.iter().map(|pulse| session[*pulse].id()).collect();
        assert_eq!(ids, (2..22).collect::<Vec<i64>>());
        assert!(many.iter().all(|pulse| session[*pulse].strength == 1));
    }

    /// SEMANTICS 5.3: who fills in a column that nobody set.
    async fn rule_5_3_an_unset_column(db) {
        db.create(&schema![Setting]).await?;
        let mut session = db.session();
        let setting = session.add(Setting::draft().name("unset"));
        // The application's defaults are there at once; what only the server knows isn't.
        assert_eq!(session[setting].by_application, 10);
        assert_eq!(session[setting].by_both, 30);
        assert_eq!(session[setting].nullable_by_application, Some(40));
        session.commit().await?;
        let mut other = db.session();
        let read = other.require::<Setting>(session[setting].id()).await?;
        for setting in [&session[setting], &other[read]] {
            assert_eq!(setting.by_application, 10);
            assert_eq!(setting.by_server, 20);
            assert_eq!(setting.by_both, 30);
            assert_eq!(setting.nullable, None);
            assert_eq!(setting.nullable_by_application, Some(40));
            assert_eq!(setting.nullable_by_server, Some(50));
        }
    }

    /// SEMANTICS 5.3: `None` is a value, which no default replaces.
    async fn rule_5_3_none_is_not_unset(db) {
        db.create(&schema![Setting]).await?;
        let mut session = db.session();
        let setting = session.add(
            Setting::draft()
                .name("none")
                .nullable(None)
                .nullable_by_application(None)
                .nullable_by_server(None),
        );
        session.commit().await?;
        let mut other = db.session();
        let read = other.require::<Setting>(session[setting].id()).await?;
        for setting in [&session[setting], &other[read]] {
            assert_eq!(setting.nullable, None);
            assert_eq!(setting.nullable_by_application, None);
            assert_eq!(setting.nullable_by_server, None);
        }
    }

    /// SEMANTICS 5.3: a value given after `add` counts if it is another than the placeholder, and
    /// `set` always does.
    async fn rule_5_3_values_given_after_add(db) {
        db.create(&schema![Setting]).await?;
        let mut session = db.session();
        let [left, changed, set] =
            ["left", "changed", "set"].map(|name| session.add(Setting::draft().name(name)));
        // Reading through a mutable access gives nothing a value.
        session[left].name.push('!');
        session[changed].by_server = 21;
        session.set(set, Setting::by_server, 0);
        session.set(set, Setting::nullable_by_server, None);
        session.commit().await?;
        for (handle, expected) in [(left, 20), (changed, 21), (set, 0)] {
            assert_eq!(session[handle].by_server, expected);
            let stored = Setting::select()
                .filter(Setting::id.eq(session[handle].id()))
                .columns((Setting::by_server, Setting::nullable_by_server))
                .one(&mut session)
                .await?;
            let nullable = if handle == set { None } else { Some(50) };
            assert_eq!(stored, (expected, nullable));
        }
        assert_eq!(session[left].name, "left!");
    }

    /// SEMANTICS 5.3: a whole struct gives every column.
    async fn rule_5_3_a_whole_struct_is_given_in_every_column(db) {
        db.create(&schema![Setting]).await?;
        let mut session = db.session();
        let setting = session.add(Setting {
            name: "struct".into(),
            by_application: 0,
            by_server: 0,
            by_both: 0,
            nullable: None,
            nullable_by_application: None,
            nullable_by_server: None,
        });
        session.commit().await?;
        assert_eq!(session[setting].by_server, 0);
        assert_eq!(session[setting].nullable_by_server, None);
        assert_eq!(Setting::select().filter(Setting::by_server.eq(0)).count(&mut session).await?, 1);
    }
}
