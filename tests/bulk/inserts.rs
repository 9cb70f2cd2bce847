//! `User::insert(rows)`: SEMANTICS 12.2, and what writes give back.

use orm_core::query::excluded;
use orm_core::{Error, HookContext, Hooks, Model, Result, schema};
use orm_tests::{Database, backend_tests};

use crate::models::*;

/// A page by its path, which also has a code that is unique.
#[derive(Debug, Model)]
#[orm(hooks)]
struct Page {
    #[orm(unique, length = 40)]
    path: String,
    #[orm(default = 0)]
    hits: i64,
    #[orm(server_default = "'draft'", length = 20)]
    state: String,
    note: Option<String>,
    #[orm(version)]
    revision: i64,
}

impl Hooks for Page {
    fn before_insert(&mut self, _context: &HookContext<'_>) -> Result<()> {
        self.path = self.path.to_lowercase();
        Ok(())
    }
}

/// A row with two keys besides the generated one.
#[derive(Model)]
struct Badge {
    #[orm(unique, length = 20)]
    code: String,
    #[orm(unique, length = 20)]
    holder: String,
}

/// A seat by its two numbers.
#[derive(Model)]
#[orm(base = none)]
struct Seat {
    #[orm(primary_key)]
    row: i32,
    #[orm(primary_key)]
    number: i32,
    guest: Option<String>,
}

fn page(path: &str, hits: i64) -> impl Into<orm_core::session::New<Page>> + use<> {
    Page::draft().path(path).hits(hits)
}

async fn pages(db: &Database) -> Result<Vec<(String, i64, String, i64)>> {
    Page::select()
        .order_by(Page::path.asc())
        .columns((Page::path, Page::hits, Page::state, Page::revision))
        .on(&db.engine)
        .all()
        .await
}

fn row(path: &str, hits: i64, state: &str, revision: i64) -> (String, i64, String, i64) {
    (path.to_owned(), hits, state.to_owned(), revision)
}

backend_tests! {
    /// SEMANTICS 12.2: rows of one shape are one statement; defaults, hooks and base columns are
    /// those of `add`; nothing becomes an object.
    async fn rule_12_2_rows_are_inserted_in_few_statements(db) {
        db.create(&schema![Page]).await?;
        let mut session = db.session();
        let log = db.log();
        let rows = (0..30).map(|at| page(&format!("/A{at:02}"), at));
        assert_eq!(Page::insert(rows).execute(&mut session).await?, 30);
        assert_eq!(log.emitted(), db.per_statement("INSERT pages", 30));
        session.commit().await?;
        let found = pages(&db).await?;
        assert_eq!(found.len(), 30);
        assert_eq!(found[7], row("/a07", 7, "draft", 1));
        assert_eq!(Page::insert(Vec::<Page>::new()).execute(&mut session).await?, 0);
        let whole = Page { path: "/whole".into(), hits: 1, state: "live".into(), note: None, revision: 1 };
        assert_eq!(Page::insert([whole]).on(&db.engine).execute().await?, 1);
        let error = Page::insert([page("/whole", 0)]).execute(&mut session).await.unwrap_err();
        assert!(error.violates(Page::path), "{error}");
        session.rollback().await?;
        let long = Page::draft().path("x".repeat(41));
        let error = Page::insert([long]).execute(&mut session).await.unwrap_err();
        assert!(matches!(error, Error::Type { .. }), "{error}");
    }

    /// SEMANTICS 12.2: rows that exist are updated, with what they hold and what was to be
    /// inserted; `on_update` and the version are those of any UPDATE.
    async fn rule_12_2_rows_that_exist_are_updated(db) {
        db.create(&schema![Page]).await?;
        let mut session = db.session();
        let old = session.add(Page::draft().path("/b").hits(10).state("live"));
        session.commit().await?;
        let log = db.log();
        let written = Page::insert([page("/a", 1), page("/B", 2), page("/c", 3)])
            .on_conflict(Page::path)
            .update_with(Page::hits, Page::hits + excluded(Page::hits))
            .update_with(Page::note, "again")
            .execute(&mut session)
            .await?;
        assert_eq!(written, 3);
        let reads = usize::from(!db.capabilities.returning_on_insert);
        assert_eq!(log.emitted(), ["INSERT pages", "SELECT pages"][..=reads]);
        // The object follows.
        assert_eq!((session[old].hits, session[old].revision), (12, 2));
        assert_eq!(session[old].note.as_deref(), Some("again"));
        session.commit().await?;
        let expected =
            [row("/a", 1, "draft", 1), row("/b", 12, "live", 2), row("/c", 3, "draft", 1)];
        assert_eq!(pages(&db).await?, expected);

        // Columns take the new row's values; on an engine in a transaction of its own.
        let rows = [Page::draft().path("/b").hits(5).state("gone")];
        let rows = Page::insert(rows).on_conflict(Page::path).update((Page::hits, Page::state));
        assert_eq!(rows.on(&db.engine).execute().await?, 1);
        assert_eq!(pages(&db).await?[1], row("/b", 5, "gone", 3));
        session.refresh(old).await?;
        session[old].hits = 6;
        session.commit().await?;
    }

    /// SEMANTICS 12.2: what was pending until the statement is in step with it too.
    async fn rule_12_2_rows_that_were_pending_are_in_step(db) {
        db.create(&schema![Page]).await?;
        let mut session = db.session();
        let page = session.add(Page::draft().path("/").hits(2));
        Page::insert([Page::draft().path("/").hits(3)])
            .on_conflict(Page::path)
            .update_with(Page::hits, Page::hits + excluded(Page::hits))
            .execute(&mut session)
            .await?;
        assert_eq!(session[page].hits, 5);
    }

    /// SEMANTICS 12.2: rows that exist are left as they are, and give no handle.
    async fn rule_12_2_rows_that_exist_are_left(db) {
        db.create(&schema![Page]).await?;
        let mut session = db.session();
        session.add(Page::draft().path("/b").hits(10));
        session.commit().await?;
        session.expunge_all();
        let rows = || [page("/c", 1), page("/b", 2), page("/a", 3), page("/C", 4)];
        let new = Page::insert(rows())
            .on_conflict(Page::path)
            .nothing()
            .returning()
            .all(&mut session)
            .await?;
        let found: Vec<(&str, i64)> = new.iter().map(|it| (&*session[*it].path, session[*it].hits)).collect();
        assert_eq!(found, [("/c", 1), ("/a", 3)], "duplicates are folded, the first counts");
        assert_eq!(session[new[0]].state, "draft");
        let none = Page::insert(rows()).on_conflict(Page::path).nothing().execute(&mut session).await?;
        assert_eq!(none, 0);
        session.commit().await?;
        session[new[1]].hits = 30;
        session.commit().await?;
        assert_eq!(pages(&db).await?.iter().map(|page| page.1).collect::<Vec<_>>(), [30, 10, 1]);
    }

    /// SEMANTICS 12.2: rows that somebody else is about to commit are waited for.
    async fn rule_12_2_a_row_of_a_concurrent_writer_is_left(db) {
        db.create(&schema![Page]).await?;
        let nothing = |rows: Vec<&'static str>| {
            let rows = rows.into_iter().map(|path| page(path, 1));
            Page::insert(rows).on_conflict(Page::path).nothing()
        };
        let mut first = db.session();
        assert_eq!(nothing(vec!["/x"]).execute(&mut first).await?, 1);
        let engine = db.engine.clone();
        let second = tokio::spawn(async move {
            nothing(vec!["/w", "/x", "/y"]).returning_columns(Page::path).on(&engine).all().await
        });
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        assert!(!second.is_finished());
        first.commit().await?;
        assert_eq!(second.await.expect("it doesn't panic")?, ["/w", "/y"]);
        assert_eq!(pages(&db).await?.len(), 3);
    }

    /// SEMANTICS 12.2: what was updated or inserted gives handles in the order of the rows, of the
    /// objects that the session knows already where it does.
    async fn rule_12_2_returning_gives_handles_in_the_order_of_the_rows(db) {
        db.create(&schema![Page]).await?;
        let mut session = db.session();
        let old = session.add(Page::draft().path("/b").hits(10));
        session.commit().await?;
        let upsert = |rows: Vec<(&'static str, i64)>| {
            Page::insert(rows.into_iter().map(|(path, hits)| page(path, hits)))
                .on_conflict(Page::path)
                .update(Page::hits)
        };
        let all = upsert(vec![("/z", 1), ("/b", 2), ("/a", 3)]).returning().all(&mut session).await?;
        assert_eq!(all[1], old);
        let hits: Vec<i64> = all.iter().map(|it| session[*it].hits).collect();
        assert_eq!(hits, [1, 2, 3]);
        // A rollback undoes it in memory too.
        session.rollback().await?;
        session.refresh(old).await?;
        assert_eq!(session[old].hits, 10);
        assert!(session.refresh(all[0]).await.is_err());

        let tuples = upsert(vec![("/y", 4), ("/b", 5)])
            .returning_columns((Page::path, Page::hits, Page::revision))
            .all(&mut session)
            .await?;
        assert_eq!(tuples, [("/y".to_owned(), 4, 1), ("/b".to_owned(), 5, 2)]);
        session.commit().await?;
        let owned = upsert(vec![("/b", 6)]).returning().on(&db.engine).all().await?;
        assert_eq!((owned[0].hits, owned[0].id()), (6, session[old].id()));

        // Without a conflict too.
        let new = Page::insert([page("/n", 1), page("/m", 2)]).returning().all(&mut session).await?;
        let paths: Vec<&str> = new.iter().map(|it| &*session[*it].path).collect();
        assert_eq!(paths, ["/n", "/m"]);
        assert_eq!(session[new[0]].state, "draft");
        let ids = Page::insert([page("/o", 1)]).returning_columns(Page::path).all(&mut session).await?;
        assert_eq!(ids, ["/o"]);
        let error = Page::insert([page("/p", 1)]).returning_columns(Page::hits + 1).all(&mut session).await;
        assert!(matches!(error, Err(Error::Misuse(_))));
        session.commit().await?;
    }

    /// SEMANTICS 12.2: an update on a condition, where the database has one; elsewhere an error
    /// before any SQL.
    async fn rule_12_2_a_conditional_update(db) {
        db.create(&schema![Page]).await?;
        let mut session = db.session();
        Page::insert([page("/a", 1), page("/b", 9)]).execute(&mut session).await?;
        let log = db.log();
        let greater = Page::insert([page("/a", 5), page("/b", 5), page("/c", 5)])
            .on_conflict(Page::path)
            .update(Page::hits)
            .filter(Page::hits.lt(excluded(Page::hits)))
            .returning_columns((Page::path, Page::hits))
            .all(&mut session)
            .await;
        match greater {
            Ok(rows) => assert_eq!(rows, [("/a".to_owned(), 5), ("/c".to_owned(), 5)]),
            Err(error) => {
                assert!(matches!(&error, Error::Misuse(_)), "{error}");
                assert!(log.emitted().is_empty());
            }
        }
    }

    /// SEMANTICS 12.2: another unique key that is violated stays an error, and is a typed one before
    /// any SQL where the database can't tell the keys apart.
    async fn rule_12_2_other_keys_are_errors(db) {
        db.create(&schema![Badge]).await?;
        let mut session = db.session();
        let badge = |code: &str, holder: &str| Badge::draft().code(code).holder(holder);
        Badge::insert([badge("a", "ada"), badge("b", "bob")]).execute(&mut session).await?;
        session.commit().await?;
        // The code is new, the holder isn't.
        let skipped = Badge::insert([badge("c", "ada")]).on_conflict(Badge::code).nothing();
        let error = skipped.execute(&mut session).await.unwrap_err();
        assert!(error.violates(Badge::holder), "{error}");
        session.rollback().await?;
        let log = db.log();
        let updated = Badge::insert([badge("c", "ada")]).on_conflict(Badge::code).update(Badge::holder);
        let error = updated.execute(&mut session).await.unwrap_err();
        match &error {
            Error::Misuse(_) => assert!(log.emitted().is_empty()),
            other => assert!(other.violates(Badge::holder), "{other}"),
        }
        session.rollback().await?;
        let left = Badge::select().columns((Badge::code, Badge::holder)).order_by(Badge::code.asc());
        assert_eq!(
            left.all(&mut session).await?,
            [("a".to_owned(), "ada".to_owned()), ("b".to_owned(), "bob".to_owned())],
        );
    }

    /// SEMANTICS 12.2: a key of several columns.
    async fn rule_12_2_a_composite_key(db) {
        db.create(&schema![Seat]).await?;
        let mut session = db.session();
        let seat = |row, number, guest: &str| Seat::draft().row(row).number(number).guest(guest.to_owned());
        let first = Seat::insert([seat(1, 1, "ada"), seat(1, 2, "bob")]);
        assert_eq!(first.execute(&mut session).await?, 2);
        let rows = [seat(1, 2, "cyd"), seat(2, 1, "dee")];
        let upserted = Seat::insert(rows)
            .on_conflict((Seat::row, Seat::number))
            .update(Seat::guest)
            .returning_columns((Seat::row, Seat::number, Seat::guest))
            .all(&mut session)
            .await?;
        assert_eq!(upserted, [(1, 2, Some("cyd".into())), (2, 1, Some("dee".into()))]);
        let rows = [seat(1, 2, "eve"), seat(3, 1, "fay")];
        let new = Seat::insert(rows)
            .on_conflict((Seat::row, Seat::number))
            .nothing()
            .returning_columns(Seat::guest)
            .all(&mut session)
            .await?;
        assert_eq!(new, [Some("fay".to_owned())]);
        session.commit().await?;
    }

    /// SEMANTICS 12.2: mistakes are told before any SQL.
    async fn rule_12_2_mistakes_are_told_before_any_sql(db) {
        db.create(&schema![Page, Team, Member, Locker, Task, Step, Club, Membership]).await?;
        let mut session = db.session();
        let log = db.log();
        macro_rules! refused {
            ($insert:expr, $message:literal) => {
                let error = $insert.execute(&mut session).await.unwrap_err();
                assert!(matches!(&error, Error::Misuse(_)), "{error}");
                assert!(error.to_string().contains($message), "{error}");
            };
        }
        let twice = || [page("/a", 1), page("/A", 2)];
        refused!(Page::insert(twice()).on_conflict(Page::path).update(Page::hits), "same value in (path)");
        refused!(Page::insert(twice()).on_conflict(Page::hits).nothing(), "mark it `#[orm(unique)]`");
        refused!(Page::insert([page("/a", 1)]).on_conflict(Page::id).nothing(), "leaves `pages.id` to the database");
        let team = session.add(Team::draft().name("blue"));
        let member = Member::draft().name("ada").team(team);
        refused!(Member::insert([member]), "without relationships, and one was given `team`");
        let misplaced = Page::select().filter(Page::hits.lt(excluded(Page::hits)));
        assert!(matches!(misplaced.on(&db.engine).all().await, Err(Error::Misuse(_))));
        assert!(log.emitted().is_empty());
    }

    /// SEMANTICS 12.2: collections that rows may have entered are loaded anew.
    async fn rule_12_2_collections_are_unloaded_that_rows_may_have_entered(db) {
        members(&db, &["ada"]).await?;
        let mut session = db.session();
        let ada = session.require::<Member>(1).await?;
        let before = ada.tasks(&mut session).await?.len();
        let task = Task::draft().title("new").member_id(1);
        Task::insert([task]).execute(&mut session).await?;
        assert!(session[ada].tasks.loaded().is_none());
        assert_eq!(ada.tasks(&mut session).await?.len(), before + 1);
    }

    /// SEMANTICS 12.1: what an UPDATE or a DELETE has written comes back: columns, as they are
    /// afterwards, or objects.
    async fn rule_12_1_writes_give_back_their_rows(db) {
        members(&db, &["ada", "bob", "eve"]).await?;
        let mut session = db.session();
        let ada = session.require::<Member>(1).await?;
        let update = || Member::update().set(Member::score, Member::score + 10).filter(Member::name.ne("bob"));
        let mut rows = update().returning_columns((Member::name, Member::score)).all(&mut session).await?;
        rows.sort_unstable();
        assert_eq!(rows, [("ada".to_owned(), 11), ("eve".to_owned(), 13)]);
        assert_eq!(session[ada].score, 11);
        let mut objects = update().returning().all(&mut session).await?;
        objects.sort_by_key(|member| session[*member].id());
        assert_eq!(objects[0], ada);
        let scores: Vec<i64> = objects.iter().map(|it| session[*it].score).collect();
        assert_eq!(scores, [21, 23]);
        session.commit().await?;
        let none = Member::update().set(Member::score, 1).filter(Member::name.eq("zoe"));
        assert!(none.returning().on(&db.engine).all().await?.is_empty());

        let delete = Member::delete().filter(Member::name.in_(["ada", "eve"]));
        let mut gone = delete.returning_columns((Member::name, Member::score)).all(&mut session).await?;
        gone.sort_unstable();
        assert_eq!(gone, [("ada".to_owned(), 21), ("eve".to_owned(), 23)]);
        assert!(session.get::<Member>(1).await?.is_none());
        session.commit().await?;
        let last = Member::delete().all_rows().returning_columns(Member::name).on(&db.engine).all().await?;
        assert_eq!(last, ["bob"]);
    }
}
