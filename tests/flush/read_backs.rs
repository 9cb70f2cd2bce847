//! What the database filled in, where it has no RETURNING: SEMANTICS 5.4, 6.2.

use orm_core::schema;
use orm_tests::{Database, backend_tests};

use crate::models::{
    Counter, Country, Document, Harbour, Page, Setting, Shelf, Shop, with_random_texts,
};

/// The writes, and the reads that stand in for RETURNING where the database has none.
fn with_reads(
    writes: &[&'static str],
    (has_returning, reads): (bool, &[&'static str]),
) -> Vec<&'static str> {
    [writes, if has_returning { &[] } else { reads }].concat()
}

fn behind_insert<'r>(db: &Database, reads: &'r [&'static str]) -> (bool, &'r [&'static str]) {
    (db.capabilities.returning_on_insert, reads)
}

fn behind_update<'r>(db: &Database, reads: &'r [&'static str]) -> (bool, &'r [&'static str]) {
    (db.capabilities.returning_on_update, reads)
}

backend_tests! {
    /// SEMANTICS 5.4: one SELECT per table, whatever the number of rows, shapes and chunks.
    async fn rule_5_4_inserts_are_read_once_per_table(db) {
        db.create(&schema![Setting, Counter]).await?;
        let mut session = db.session();
        let settings = session.add_all((0..1100).map(|at| {
            let draft = Setting::draft().name(format!("s{at}"));
            if at % 2 == 0 { draft.by_server(at) } else { draft }
        }));
        let counters =
            session.add_all((0..3).map(|at| Counter::draft().name("c").left(at).right(at)));
        let log = db.log();
        session.commit().await?;
        let mut emitted = log.with_read_backs();
        emitted.sort();
        let settings_writes = db.per_statement("INSERT settings", 550).repeat(2);
        let writes = [vec!["INSERT counters"], settings_writes].concat();
        let reads = ["SELECT counters", "SELECT settings"];
        assert_eq!(emitted, with_reads(&writes, behind_insert(&db, &reads)));
        let mut other = db.session();
        for (at, setting) in (0..1100).zip(settings) {
            assert_eq!(session[setting].by_server, if at % 2 == 0 { at } else { 20 });
            let read = other.require::<Setting>(session[setting].id()).await?;
            assert_eq!(other[read].name, session[setting].name);
            assert_eq!(other[read].created_at(), session[setting].created_at());
        }
        for counter in counters {
            let read = other.require::<Counter>(session[counter].id()).await?;
            assert_eq!(other[read].left, session[counter].left);
            assert_eq!(other[read].updated_at(), session[counter].updated_at());
        }
    }

    /// SEMANTICS 6.2: the times of updates, and what expressions gave.
    async fn rule_6_2_updates_are_read_once_per_table(db) {
        db.create(&schema![Counter, Document, Page]).await?;
        let mut session = db.session();
        let counters =
            session.add_all((0..4).map(|at| Counter::draft().name("c").left(at).right(at)));
        let document = session.add(Document::draft().title("a"));
        session.commit().await?;
        session[counters[0]].left = 10;
        session[counters[1]].right = 10;
        session.set(counters[2], Counter::left, Counter::left + 100);
        session[document].title = "b".into();
        let log = db.log();
        session.commit().await?;
        let mut emitted = log.with_read_backs();
        emitted.sort();
        let writes =
            ["UPDATE counters", "UPDATE counters", "UPDATE counters", "UPDATE documents"];
        let reads = ["SELECT counters", "SELECT documents"];
        let mut expected = with_reads(&writes, behind_update(&db, &reads));
        expected.sort_unstable();
        assert_eq!(emitted, expected);
        assert_eq!((session[counters[2]].left, session[document].revision), (102, 2));
        let mut other = db.session();
        for counter in counters {
            let read = other.require::<Counter>(session[counter].id()).await?;
            assert_eq!(other[read].left, session[counter].left);
            assert_eq!(other[read].updated_at(), session[counter].updated_at());
        }
    }

    /// SEMANTICS 5.4: an UPDATE and an INSERT of one table share their SELECT, and an object that
    /// is updated after it was inserted is read once.
    async fn rule_5_4_inserts_and_updates_share_their_read(db) {
        db.create(&schema![Counter]).await?;
        let mut session = db.session();
        let old = session.add(Counter::draft().name("old").left(1).right(1));
        session.commit().await?;
        session[old].left = 2;
        let new = session.add(Counter::draft().name("new").left(3).right(3));
        let log = db.log();
        session.commit().await?;
        let writes = ["UPDATE counters", "INSERT counters"];
        let reads = ["SELECT counters"];
        assert_eq!(log.with_read_backs(), with_reads(&writes, behind_update(&db, &reads)));
        let mut other = db.session();
        for counter in [old, new] {
            let read = other.require::<Counter>(session[counter].id()).await?;
            assert_eq!(other[read].updated_at(), session[counter].updated_at());
            assert_eq!(other[read].created_at(), session[counter].created_at());
        }
    }

    /// SEMANTICS 5.4: where nothing is filled in, nothing is read.
    async fn rule_5_4_nothing_is_read_where_all_is_known(db) {
        db.create(&schema![Country, Harbour]).await?;
        let mut session = db.session();
        let norway = session.add(Country::draft().code("no").name("?"));
        session.add(Harbour::draft().name("Bergen").country(norway));
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.with_read_backs(), ["INSERT countries", "INSERT harbours"]);
        session[norway].name = "Norway".into();
        session.commit().await?;
        assert_eq!(log.with_read_backs(), ["UPDATE countries"]);
    }

    /// SEMANTICS 5.4: what the next statement needs is read before it, and not a second time.
    async fn rule_5_4_what_children_wait_for_is_read_in_time(db) {
        with_random_texts(&db, &schema![Shop, Shelf]).await?;
        let mut session = db.session();
        let shop = session.add(Shop::draft().name("corner").shelves([Shelf::draft().name("top")]));
        let log = db.log();
        session.commit().await?;
        let expected: &[&str] = match db.capabilities.returning_on_insert {
            true => &["INSERT shops", "INSERT shelves"],
            false => &["INSERT shops", "SELECT shops", "INSERT shelves", "SELECT shelves"],
        };
        assert_eq!(log.with_read_backs(), expected);
        let shelf = session[shop].shelves.loaded().expect("new")[0];
        assert_eq!(session[shelf].shop_slug, session[shop].slug);
        assert_eq!(session[shop].slug.len(), 32);
    }
}
