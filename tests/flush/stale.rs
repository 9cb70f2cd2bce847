//! Rows that changed or went behind the session's back: SEMANTICS 6.4, 6.5.

use orm_core::error::StaleData;
use orm_core::{Error, Result, schema};
use orm_tests::{Database, backend_tests};

use crate::models::{Counter, Document, Page};

fn stale(result: Result<()>) -> StaleData {
    match result {
        Err(Error::StaleData(stale)) => *stale,
        other => panic!("not stale: {other:?}"),
    }
}

/// Another session deletes the row of a counter.
async fn delete_elsewhere(db: &Database, id: i64) -> Result<()> {
    let mut other = db.session();
    let counter = other.require::<Counter>(id).await?;
    other.delete(counter);
    other.commit().await
}

/// Another session changes the title of a document.
async fn retitle_elsewhere(db: &Database, id: i64) -> Result<()> {
    let mut other = db.session();
    let document = other.require::<Document>(id).await?;
    other[document].title = "theirs".into();
    other.commit().await
}

backend_tests! {
    /// SEMANTICS 6.4: an UPDATE of rows of which one is gone names table, numbers and object,
    /// rolls everything back, and leaves the session usable after `rollback`.
    async fn rule_6_4_an_update_that_misses_a_row(db) {
        db.create(&schema![Counter]).await?;
        let mut session = db.session();
        let counters = session.add_all([1, 2, 3].map(|at| {
            Counter::draft().name(format!("c{at}")).left(at).right(at)
        }));
        session.commit().await?;
        delete_elsewhere(&db, session[counters[1]].id()).await?;

        for counter in &counters {
            session[*counter].left += 100;
        }
        let added = session.add(Counter::draft().name("new").left(0).right(0));
        let error = stale(session.commit().await);
        assert_eq!(error.table, "counters");
        assert_eq!(error.operation, "UPDATE");
        assert_eq!((error.expected, error.matched), (3, 2));
        assert_eq!(error.objects, [format!("{:?}", counters[1])]);
        assert!(!error.autoflush);

        // Nothing was written, and nothing works before the rollback.
        let again = session.commit().await.unwrap_err();
        assert!(matches!(again, Error::RollbackRequired { .. }), "{again}");
        assert!(again.to_string().contains("2 of 3"), "{again}");
        session.rollback().await?;
        let lefts = Counter::select().order_by(Counter::id.asc()).columns(Counter::left)
            .all(&mut session).await?;
        assert_eq!(lefts, [1, 3]);

        // Memory is that of before; the object that was not found is to be read again.
        assert_eq!(session[counters[0]].left, 1);
        assert!(matches!(session.try_get(counters[1]), Err(Error::NotLoaded { .. })));
        assert!(session.try_get(added).is_err());

        // The retry.
        session[counters[0]].left = 7;
        session[counters[2]].left = 9;
        session.commit().await?;
        let lefts = Counter::select().order_by(Counter::id.asc()).columns(Counter::left)
            .all(&mut session).await?;
        assert_eq!(lefts, [7, 9]);
    }

    /// SEMANTICS 6.4: the object of the row that is gone leaves with the next `get`.
    async fn rule_6_4_the_retry_learns_that_the_row_is_gone(db) {
        db.create(&schema![Counter]).await?;
        let mut session = db.session();
        let counter = session.add(Counter::draft().name("c").left(1).right(1));
        session.commit().await?;
        let id = session[counter].id();
        delete_elsewhere(&db, id).await?;
        session[counter].left = 2;
        stale(session.flush().await);
        session.rollback().await?;
        assert_eq!(session.get::<Counter>(id).await?, None);
        assert!(matches!(session.try_get(counter), Err(Error::Detached { .. })));
    }

    /// SEMANTICS 6.4: a DELETE that misses a row is stale as well.
    async fn rule_6_4_a_delete_that_misses_a_row(db) {
        db.create(&schema![Counter]).await?;
        let mut session = db.session();
        let counters = session.add_all([1, 2, 3].map(|at| {
            Counter::draft().name(format!("c{at}")).left(at).right(at)
        }));
        session.commit().await?;
        delete_elsewhere(&db, session[counters[0]].id()).await?;
        counters.iter().for_each(|counter| session.delete(*counter));
        let error = stale(session.commit().await);
        assert_eq!((&*error.table, error.operation), ("counters", "DELETE"));
        assert_eq!((error.expected, error.matched), (3, 2));
        assert_eq!(error.objects, [format!("{:?}", counters[0])]);
        session.rollback().await?;
        assert_eq!(Counter::select().count(&mut session).await?, 2);
        assert_eq!(session[counters[1]].left, 2);

        session.delete(counters[1]);
        session.delete(counters[2]);
        session.commit().await?;
        assert_eq!(Counter::select().count(&mut session).await?, 0);
    }

    /// SEMANTICS 6.4: rows are matched, not changed: a row that has the new value already counts.
    async fn rule_6_4_rows_matched_are_counted(db) {
        db.create(&schema![Counter]).await?;
        let mut session = db.session();
        let counter = session.add(Counter::draft().name("c").left(1).right(1));
        session.commit().await?;
        let mut other = db.session();
        let same = other.require::<Counter>(session[counter].id()).await?;
        other[same].left = 2;
        other.commit().await?;
        session[counter].left = 2;
        session.commit().await?;
        assert_eq!(session[counter].left, 2);
    }

    /// SEMANTICS 6.4: without a version only missing rows are noticed: what others changed meanwhile
    /// stays as they left it, but for the columns that are written.
    async fn rule_6_4_without_a_version_the_last_writer_of_a_column_wins(db) {
        db.create(&schema![Counter]).await?;
        let mut session = db.session();
        let counter = session.add(Counter::draft().name("c").left(1).right(1));
        session.commit().await?;
        let id = session[counter].id();
        let mut other = db.session();
        let theirs = other.require::<Counter>(id).await?;
        other[theirs].name = "theirs".into();
        other[theirs].left = 5;
        other.commit().await?;
        session[counter].left = 7;
        session.commit().await?;
        assert_eq!((session[counter].left, &*session[counter].name), (7, "c"), "as it was read");
        session.refresh(counter).await?;
        assert_eq!((session[counter].left, &*session[counter].name), (7, "theirs"));
    }

    /// SEMANTICS 6.4 and 3.2: it says so where a query's autoflush found it.
    async fn rule_6_4_in_an_autoflush(db) {
        db.create(&schema![Counter]).await?;
        let mut session = db.session();
        let counter = session.add(Counter::draft().name("c").left(1).right(1));
        session.commit().await?;
        delete_elsewhere(&db, session[counter].id()).await?;
        session[counter].left = 2;
        let error = stale(Counter::select().count(&mut session).await.map(|_| ()));
        assert!(error.autoflush);
        session.rollback().await?;
        assert_eq!(Counter::select().count(&mut session).await?, 0);
    }

    /// SEMANTICS 6.5: INSERT 1; every update counts one further, in memory too.
    async fn rule_6_5_versions_count(db) {
        db.create(&schema![Document, Page]).await?;
        let mut session = db.session();
        let documents =
            session.add_all(["a", "b", "c"].map(|title| Document::draft().title(title)));
        assert_eq!(session[documents[0]].revision, 1);
        session.commit().await?;
        session[documents[0]].title = "A".into();
        session[documents[1]].title = "B".into();
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE documents"]);
        session[documents[0]].title = "AA".into();
        session.commit().await?;
        let revisions: Vec<i64> = documents.iter().map(|at| session[*at].revision).collect();
        assert_eq!(revisions, [3, 2, 1]);
        let stored = Document::select().order_by(Document::id.asc()).columns(Document::revision);
        assert_eq!(stored.all(&mut session).await?, [3, 2, 1]);
    }

    /// SEMANTICS 6.5: the version is the flush's own; a plan that finds it assigned can be mended.
    async fn rule_6_5_a_version_is_not_assigned_by_hand(db) {
        db.create(&schema![Document, Page]).await?;
        let mut session = db.session();
        let document = session.add(Document::draft().title("a"));
        session.commit().await?;
        session[document].revision = 7;
        let refused = session.commit().await.expect_err("a version");
        assert!(refused.to_string().contains("`documents.revision` was assigned by hand"), "{refused}");
        session[document].revision = 1;
        session[document].title = "b".into();
        session.commit().await?;
        assert_eq!(session[document].revision, 2);
    }

    /// SEMANTICS 6.5: rows of different versions go in one statement, each matched by its own.
    async fn rule_6_5_rows_of_different_versions_go_together(db) {
        db.create(&schema![Document, Page]).await?;
        let mut session = db.session();
        let documents =
            session.add_all(["a", "b", "c"].map(|title| Document::draft().title(title)));
        session.commit().await?;
        session[documents[1]].title = "B".into();
        session.commit().await?;
        for document in &documents {
            session[*document].title.push('!');
        }
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE documents"]);
        let revisions: Vec<i64> = documents.iter().map(|at| session[*at].revision).collect();
        assert_eq!(revisions, [2, 3, 2]);
    }

    /// SEMANTICS 6.5: only the row's own columns count, not its collections.
    async fn rule_6_5_collections_dont_count(db) {
        db.create(&schema![Document, Page]).await?;
        let mut session = db.session();
        let document = session.add(Document::draft().title("a"));
        session.commit().await?;
        let page = session.add(Page::draft().text("p"));
        document.pages(&mut session).push(page);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["INSERT pages"]);
        document.pages(&mut session).remove(page);
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE pages"]);
        assert_eq!(session[document].revision, 1);
    }

    /// SEMANTICS 6.5: the second of two writers loses, and can try again after reading.
    async fn rule_6_5_the_loser_gets_stale_data_and_can_retry(db) {
        db.create(&schema![Document, Page]).await?;
        let mut session = db.session();
        let documents = session.add_all(["a", "b"].map(|title| Document::draft().title(title)));
        session.commit().await?;
        let id = session[documents[0]].id();
        retitle_elsewhere(&db, id).await?;

        session[documents[0]].title = "ours".into();
        session[documents[1]].title = "ours".into();
        let error = stale(session.commit().await);
        assert_eq!((error.expected, error.matched), (2, 1));
        assert_eq!(error.objects, [format!("{:?}", documents[0])]);
        session.rollback().await?;
        assert_eq!(session[documents[1]].title, "b");

        assert_eq!(session.get::<Document>(id).await?, Some(documents[0]));
        assert_eq!(session[documents[0]].title, "theirs");
        assert_eq!(session[documents[0]].revision, 2);
        session[documents[0]].title.push_str(" and ours");
        session.commit().await?;
        assert_eq!(session[documents[0]].revision, 3);
    }

    /// SEMANTICS 6.5: a DELETE matches the version, too.
    async fn rule_6_5_a_delete_matches_the_version(db) {
        db.create(&schema![Document, Page]).await?;
        let mut session = db.session();
        let documents = session.add_all(["a", "b"].map(|title| Document::draft().title(title)));
        session.commit().await?;
        retitle_elsewhere(&db, session[documents[1]].id()).await?;
        documents.iter().for_each(|document| session.delete(*document));
        let error = stale(session.commit().await);
        assert_eq!(error.objects, [format!("{:?}", documents[1])]);
        session.rollback().await?;
        session.refresh(documents[1]).await?;
        documents.iter().for_each(|document| session.delete(*document));
        session.commit().await?;
        assert_eq!(Document::select().count(&mut session).await?, 0);
    }

    /// SEMANTICS 6.4: whoever was found stale is expired by the rollback, and is read again by the
    /// flush that deletes it: one statement for all of them.
    async fn rule_6_4_a_delete_is_tried_again_without_a_refresh(db) {
        db.create(&schema![Document, Page]).await?;
        let mut session = db.session();
        let documents =
            session.add_all(["a", "b", "c"].map(|title| Document::draft().title(title)));
        session.commit().await?;
        for document in &documents {
            document.pages(&mut session).await?;
        }
        for document in &documents[..2] {
            retitle_elsewhere(&db, session[*document].id()).await?;
        }
        documents.iter().for_each(|document| session.delete(*document));
        let error = stale(session.commit().await);
        assert_eq!((error.expected, error.matched), (3, 1));
        session.rollback().await?;

        session.expire(documents[2]);
        documents.iter().for_each(|document| session.delete(*document));
        let log = db.log();
        session.commit().await?;
        let emitted = log.emitted();
        assert_eq!(
            emitted,
            ["SELECT documents", "SELECT pages", "DELETE documents"],
            "versions, members, and the rows",
        );
        session.flush().await?;
        assert_eq!(log.emitted(), [""; 0]);
        assert_eq!(Document::select().count(&mut session).await?, 0);
    }

    /// SEMANTICS 6.4: without a version its key finds a row, whatever else memory may have wrong.
    async fn rule_6_4_an_expired_child_without_a_version_is_cut_loose_unread(db) {
        db.create(&schema![Document, Page]).await?;
        let mut session = db.session();
        let document = session.add(Document::draft().title("a"));
        let page = session.add(Page::draft().text("p").document(document));
        session.commit().await?;
        document.pages(&mut session).await?;
        let mut other = db.session();
        let theirs = Page::select().one(&mut other).await?;
        other[theirs].text = "theirs".into();
        other.commit().await?;
        session.expire(page);
        session.delete(document);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE pages", "DELETE documents"]);
        session.refresh(page).await?;
        assert_eq!((&*session[page].text, session[page].document_id), ("theirs", None));
    }

    /// SEMANTICS 6.4: an expired object whose row is gone stays so, and the flush says it.
    async fn rule_6_4_an_expired_object_without_a_row_is_stale(db) {
        db.create(&schema![Counter]).await?;
        let mut session = db.session();
        let counter = session.add(Counter::draft().name("c").left(1).right(1));
        session.commit().await?;
        delete_elsewhere(&db, session[counter].id()).await?;
        session.expire(counter);
        session.delete(counter);
        let error = stale(session.commit().await);
        assert_eq!((error.operation, error.expected, error.matched), ("DELETE", 1, 0));
        assert_eq!(error.objects, [format!("{counter:?}")]);
        session.rollback().await?;
    }

    /// SEMANTICS 6.5: a flush that is rolled back takes its versions back.
    async fn rule_6_5_a_rollback_restores_the_version(db) {
        db.create(&schema![Document, Page]).await?;
        let mut session = db.session();
        let document = session.add(Document::draft().title("a"));
        session.commit().await?;
        session[document].title = "b".into();
        session.flush().await?;
        assert_eq!(session[document].revision, 2);
        session.rollback().await?;
        assert_eq!(session[document].revision, 1);
        session[document].title = "c".into();
        session.commit().await?;
        assert_eq!(session[document].revision, 2);
    }
}
