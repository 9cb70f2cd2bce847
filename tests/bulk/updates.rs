//! `Member::update()`: SEMANTICS 12.1, 5.4, 6.2.

use orm_core::schema;
use orm_tests::backend_tests;
use serde_json::json;

use crate::models::*;

/// What a bulk UPDATE emits where the session holds objects of the table: a SELECT locks them
/// before, where nothing comes back.
fn update_of_held(db: &orm_tests::Database, table: &str) -> Vec<String> {
    let mut emitted = vec![format!("UPDATE {table}")];
    if !db.capabilities.returning_on_update {
        emitted.insert(0, format!("SELECT {table}"));
    }
    emitted
}

backend_tests! {
    /// SEMANTICS 12.1: one statement for all rows, those in the session and the others, and the
    /// former hold what the database computed.
    async fn rule_12_1_an_update_is_one_statement_and_objects_follow(db) {
        members(&db, &["ada", "bob", "eve"]).await?;
        let mut session = db.session();
        let ada = session.require::<Member>(1).await?;
        let eve = session.require::<Member>(3).await?;
        let before = session[ada].updated_at();
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        let log = db.log();
        let updated = Member::update()
            .set(Member::score, Member::score * 10)
            .set(Member::grade, Grade::Senior)
            .filter(Member::score.lt(3))
            .execute(&mut session)
            .await?;
        assert_eq!(updated, 2);
        assert_eq!(log.emitted(), update_of_held(&db, "members"));
        assert_eq!(session[ada].score, 10);
        assert_eq!(session[ada].grade, Some(Grade::Senior));
        assert!(session[ada].updated_at() > before, "6.2: `on_update` applies");
        assert_eq!((session[eve].score, session[eve].grade), (3, None));
        session.commit().await?;
        assert_eq!(log.emitted(), [""; 0], "nothing is left to be flushed");
        assert_eq!(scores(&db).await?, [("ada".into(), 10), ("bob".into(), 20), ("eve".into(), 3)]);
        let mut other = db.session();
        let same = other.require::<Member>(1).await?;
        assert_eq!(other[same].updated_at(), session[ada].updated_at(), "5.4: to the microsecond");
    }

    /// SEMANTICS 12.1: where the session holds no object of the table, nothing is asked for.
    async fn rule_12_1_an_update_of_strangers_is_one_statement_everywhere(db) {
        members(&db, &["ada", "bob"]).await?;
        let mut session = db.session();
        session.require::<Team>(1).await.unwrap_err();
        let log = db.log();
        let update = Member::update().set(Member::score, 0).all_rows();
        assert_eq!(session.execute(update).await?, 2);
        assert_eq!(log.all(), ["BEGIN", "UPDATE members"]);
        assert!(!log.texts().concat().contains("RETURNING"));
        session.commit().await?;
        assert_eq!(scores(&db).await?, [("ada".into(), 0), ("bob".into(), 0)]);
    }

    /// SEMANTICS 12.1: rows that are found are counted, not rows that change.
    async fn rule_12_1_rows_matched_are_counted(db) {
        members(&db, &["ada", "bob"]).await?;
        let mut session = db.session();
        let update = Member::update().set(Member::score, Member::score).all_rows();
        assert_eq!(update.clone().on(&db.engine).execute().await?, 2);
        assert_eq!(update.clone().execute(&mut session).await?, 2);
        session.require::<Member>(1).await?;
        assert_eq!(update.execute(&mut session).await?, 2);
        let nobody = Member::update().set(Member::score, 7).filter(Member::name.eq("nobody"));
        assert_eq!(nobody.execute(&mut session).await?, 0);
    }

    /// SEMANTICS 12.1: a bulk statement begins the transaction and is committed or undone with it.
    async fn rule_12_1_it_belongs_to_the_unit_of_work(db) {
        members(&db, &["ada"]).await?;
        let mut session = db.session();
        let log = db.log();
        Member::update().set(Member::score, 5).all_rows().execute(&mut session).await?;
        session.rollback().await?;
        assert_eq!(log.all(), ["BEGIN", "UPDATE members", "ROLLBACK"]);
        assert_eq!(scores(&db).await?, [("ada".into(), 1)]);
        log.all();
        Member::update().set(Member::score, 6).all_rows().execute(&mut session).await?;
        session.commit().await?;
        assert_eq!(log.all(), ["BEGIN", "UPDATE members", "COMMIT"]);
        assert_eq!(scores(&db).await?, [("ada".into(), 6)]);
    }

    /// SEMANTICS 12.1, 6.5: the version goes up, in memory too: a flush that follows finds the row,
    /// and whoever has read it before learns of the change.
    async fn rule_12_1_the_version_goes_up(db) {
        members(&db, &["ada"]).await?;
        let mut session = db.session();
        let task = session.add(Task::draft().title("write").member_id(1));
        session.commit().await?;
        let mut other = db.session();
        let stale = other.require::<Task>(session[task].id()).await?;
        Task::update().set(Task::done, true).all_rows().execute(&mut session).await?;
        assert_eq!((session[task].done, session[task].revision), (true, 2));
        session[task].title = "rewrite".into();
        session.commit().await?;
        assert_eq!(session[task].revision, 3);
        other[stale].title = "too late".into();
        let error = other.commit().await.unwrap_err();
        assert!(matches!(error, orm_core::Error::StaleData(_)), "{error}");
    }

    /// SEMANTICS 12.1: a column that `on_update` would set keeps what it is given.
    async fn rule_12_1_an_assigned_column_is_not_generated(db) {
        members(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<Member>(1).await?;
        let then = chrono::DateTime::from_timestamp(1_000_000_000, 123_456_789).unwrap();
        Member::update().set(Member::updated_at, then).all_rows().execute(&mut session).await?;
        assert_eq!(session[ada].updated_at().timestamp_subsec_nanos(), 123_456_000, "cut, as stored");
        session.commit().await?;
        session.refresh(ada).await?;
        assert_eq!(session[ada].updated_at().timestamp_subsec_nanos(), 123_456_000);
    }

    /// SEMANTICS 12.1, 6.6: every expression sees the old row, whatever the order of assignments;
    /// the last assignment to a column counts.
    async fn rule_12_1_expressions_see_the_old_row(db) {
        members(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<Member>(1).await?;
        Member::update()
            .set(Member::bonus, 7)
            .set(Member::score, 40)
            .set(Member::bonus, Member::score + 1)
            .filter(Member::id.eq(1))
            .execute(&mut session)
            .await?;
        assert_eq!((session[ada].score, session[ada].bonus), (40, 2));
        Member::update()
            .set(Member::score, Member::bonus)
            .set(Member::bonus, Member::score)
            .all_rows()
            .execute(&mut session)
            .await?;
        assert_eq!((session[ada].score, session[ada].bonus), (2, 40), "swapped");
        session.commit().await?;
        session.refresh(ada).await?;
        assert_eq!((session[ada].score, session[ada].bonus), (2, 40));
    }

    /// SEMANTICS 12.1: every kind of value can be set, NULL too, and memory holds what the row does.
    async fn rule_12_1_values_of_every_kind(db) {
        members(&db, &["ada", "bob"]).await?;
        let mut session = db.session();
        let ada = session.require::<Member>(1).await?;
        let labels = vec!["a,b".to_owned(), "\"c\"".to_owned(), String::new()];
        let notes = json!({"tags": ["x"], "n": 1.5});
        Member::update()
            .set(Member::name, "countess")
            .set(Member::grade, Grade::Junior)
            .set(Member::labels, labels.clone())
            .set(Member::notes, notes.clone())
            .filter(Member::name.eq("ada"))
            .execute(&mut session)
            .await?;
        for _ in 0..2 {
            assert_eq!(session[ada].name, "countess");
            assert_eq!(session[ada].grade, Some(Grade::Junior));
            assert_eq!(session[ada].labels.as_ref(), Some(&labels));
            assert_eq!(session[ada].notes.as_ref(), Some(&notes));
            session.commit().await?;
            session.refresh(ada).await?;
        }
        Member::update()
            .set(Member::grade, None)
            .set(Member::labels, None)
            .set(Member::notes, None)
            .all_rows()
            .execute(&mut session)
            .await?;
        for _ in 0..2 {
            assert_eq!((session[ada].grade, &session[ada].labels), (None, &None));
            assert_eq!(session[ada].notes, None);
            session.commit().await?;
            session.refresh(ada).await?;
        }
    }

    /// SEMANTICS 12.1: keys of two columns.
    async fn rule_12_1_composite_keys(db) {
        db.create(&schema![Seat, Ticket]).await?;
        let mut session = db.session();
        let seats: Vec<_> = [(1, "a"), (1, "b"), (2, "a")]
            .into_iter()
            .map(|(row, number)| {
                session.add(Seat::draft().row(row).number(number).code(format!("{row}{number}")))
            })
            .collect();
        session.commit().await?;
        let update = Seat::update().set(Seat::price, Seat::price + Seat::row);
        assert_eq!(update.filter(Seat::row.eq(1)).execute(&mut session).await?, 2);
        let prices: Vec<_> = seats.iter().map(|seat| session[*seat].price).collect();
        assert_eq!(prices, [1, 1, 0]);
    }

    /// SEMANTICS 12.1: thousands of objects follow one statement.
    async fn rule_12_1_many_objects_follow(db) {
        create(&db).await?;
        let mut session = db.session();
        let many: Vec<_> = (0..3000)
            .map(|number| session.add(Member::draft().name(format!("m{number}")).score(number)))
            .collect();
        session.commit().await?;
        let log = db.log();
        let update = Member::update().set(Member::score, Member::score + 1);
        assert_eq!(update.filter(Member::score.ge(1000)).execute(&mut session).await?, 2000);
        assert_eq!(log.emitted(), update_of_held(&db, "members"));
        for (number, member) in (0..).zip(many) {
            let expected = if number < 1000 { number } else { number + 1 };
            assert_eq!(session[member].score, expected);
        }
    }

    /// SEMANTICS 12.1: on an engine, a transaction of its own.
    async fn rule_12_1_without_a_session(db) {
        members(&db, &["ada", "bob"]).await?;
        let log = db.log();
        let update = Member::update().set(Member::score, 9).filter(Member::name.eq("bob"));
        assert_eq!(update.on(&db.engine).execute().await?, 1);
        assert_eq!(log.all(), ["BEGIN", "UPDATE members", "COMMIT"]);
        let delete = Member::delete().filter(Member::score.eq(9));
        assert_eq!(delete.on(&db.engine).execute().await?, 1);
        assert_eq!(log.all(), ["BEGIN", "DELETE members", "COMMIT"]);
        assert_eq!(scores(&db).await?, [("ada".into(), 1)]);
    }

    /// SEMANTICS 10.1: an expired object stays expired, and reads the new row.
    async fn rule_12_1_expired_objects_stay_expired(db) {
        members(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<Member>(1).await?;
        session.expire(ada);
        Member::update().set(Member::score, 8).all_rows().execute(&mut session).await?;
        assert!(session.try_get(ada).is_err());
        session.get::<Member>(1).await?;
        assert_eq!(session[ada].score, 8);
    }
}
