//! SQL expressions assigned to columns: SEMANTICS 6.6.

use orm_core::{Error, Handle, Session, schema};
use orm_tests::backend_tests;

use crate::models::{Counter, Document, Page, Share};

fn counter(session: &mut Session, left: i64, right: i64) -> Handle<Counter> {
    session.add(Counter::draft().name("c").left(left).right(right))
}

backend_tests! {
    /// SEMANTICS 6.6: evaluated by the database and read back in the same statement.
    async fn rule_6_6_an_expression_is_read_back(db) {
        db.create(&schema![Counter]).await?;
        let mut session = db.session();
        let handle = counter(&mut session, 1, 2);
        session.commit().await?;
        // What another session wrote meanwhile counts: that is what expressions are for.
        let mut other = db.session();
        let same = other.require::<Counter>(session[handle].id()).await?;
        other[same].left = 100;
        other.commit().await?;

        session.set(handle, Counter::left, Counter::left + 1);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE counters"]);
        assert_eq!(session[handle].left, 101);
        session.flush().await?;
        assert_eq!(log.emitted(), [""; 0]);
        session.rollback().await?;
        assert_eq!(session[handle].left, 101);
    }

    /// SEMANTICS 6.6: expressions see the old row, beside each other and beside plain values.
    async fn rule_6_6_expressions_see_the_old_row(db) {
        db.create(&schema![Counter]).await?;
        let mut session = db.session();
        let swapped = counter(&mut session, 1, 2);
        let mixed = counter(&mut session, 10, 20);
        session.commit().await?;
        session.set(swapped, Counter::left, Counter::right);
        session.set(swapped, Counter::right, Counter::left);
        session[mixed].left = 500;
        session.set(mixed, Counter::right, Counter::left + Counter::right);
        session.commit().await?;
        assert_eq!((session[swapped].left, session[swapped].right), (2, 1));
        assert_eq!((session[mixed].left, session[mixed].right), (500, 30));
        let stored = Counter::select().order_by(Counter::id.asc())
            .columns((Counter::left, Counter::right)).all(&mut session).await?;
        assert_eq!(stored, [(2, 1), (500, 30)]);
    }

    /// SEMANTICS 6.6: rows with expressions beside rows with plain values of the same columns.
    async fn rule_6_6_each_row_its_own_expression(db) {
        db.create(&schema![Counter]).await?;
        let mut session = db.session();
        let all: Vec<_> = (0..4).map(|at| counter(&mut session, at, 0)).collect();
        session.commit().await?;
        session.set(all[0], Counter::left, Counter::left + 1);
        session.set(all[1], Counter::left, Counter::left + 10);
        session[all[2]].left = 7;
        session[all[3]].left = 8;
        session.commit().await?;
        let lefts: Vec<i64> = all.iter().map(|handle| session[*handle].left).collect();
        assert_eq!(lefts, [1, 11, 7, 8]);
    }

    /// SEMANTICS 6.6: the last assignment wins, a value over an expression and back.
    async fn rule_6_6_the_last_assignment_wins(db) {
        db.create(&schema![Counter]).await?;
        let mut session = db.session();
        let handle = counter(&mut session, 1, 2);
        session.commit().await?;
        session.set(handle, Counter::left, Counter::left + 1);
        session.set(handle, Counter::left, 50);
        session.set(handle, Counter::right, 60);
        session.set(handle, Counter::right, Counter::right + 1);
        session.set(handle, Counter::right, Counter::right + 2);
        session.commit().await?;
        assert_eq!((session[handle].left, session[handle].right), (50, 4));
    }

    /// SEMANTICS 6.6: what is assigned to the field later wins too, and a later expression over it.
    async fn rule_6_6_a_later_assignment_to_the_field_wins(db) {
        db.create(&schema![Counter]).await?;
        let mut session = db.session();
        let handle = counter(&mut session, 1, 2);
        session.commit().await?;
        session.set(handle, Counter::left, Counter::left + 10);
        session[handle].left = 7;
        session[handle].right = 8;
        session.set(handle, Counter::right, Counter::right + 10);
        assert_eq!(session[handle].right, 2, "the row's value, which the expression will see");
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE counters"]);
        assert_eq!((session[handle].left, session[handle].right), (7, 12));
        let stored = Counter::select().columns((Counter::left, Counter::right));
        assert_eq!(stored.all(&mut session).await?, [(7, 12)]);
        session.commit().await?;
        assert_eq!(log.emitted(), ["SELECT counters"]);
    }

    /// SEMANTICS 6.6: the field's own last known value is no assignment, unless it is `set`.
    async fn rule_6_6_setting_the_value_that_is_there_wins(db) {
        db.create(&schema![Counter]).await?;
        let mut session = db.session();
        let handle = counter(&mut session, 1, 2);
        session.commit().await?;
        session.set(handle, Counter::left, Counter::left + 10);
        session.set(handle, Counter::left, 1);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), [""; 0]);
        assert_eq!(session[handle].left, 1);
    }

    /// SEMANTICS 6.6, 10.1: expiring discards it.
    async fn rule_6_6_expire_and_refresh_discard_it(db) {
        db.create(&schema![Counter]).await?;
        let mut session = db.session();
        let handle = counter(&mut session, 1, 2);
        session.commit().await?;
        session.set(handle, Counter::left, Counter::left + 10);
        session.expire(handle);
        session.refresh(handle).await?;
        session.set(handle, Counter::left, Counter::left + 10);
        session.refresh(handle).await?;
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), [""; 0]);
        assert_eq!(session[handle].left, 1);
    }

    /// SEMANTICS 6.6: what finds the row is no expression.
    async fn rule_6_6_no_expression_for_a_key_or_a_version(db) {
        db.create(&schema![Counter, Document, Page]).await?;
        let mut session = db.session();
        let handle = counter(&mut session, 1, 2);
        let document = session.add(Document::draft().title("v"));
        session.commit().await?;
        session.set(handle, Counter::id, Counter::id + 1);
        let error = session.commit().await.unwrap_err().to_string();
        assert!(error.contains("counters.id") && error.contains("primary key"), "{error}");
        session.rollback().await?;
        session.set(document, Document::revision, Document::revision + 1);
        let error = session.commit().await.unwrap_err().to_string();
        assert!(error.contains("documents.revision") && error.contains("version"), "{error}");
        session.rollback().await?;
    }

    /// SEMANTICS 6.5, 6.6: an expression is a change of the row, which bumps its version.
    async fn rule_6_6_an_expression_bumps_the_version(db) {
        db.create(&schema![Document, Page]).await?;
        let mut session = db.session();
        let handle = session.add(Document::draft().title("v"));
        session.commit().await?;
        session.set(handle, Document::title, Document::title.upper());
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), ["UPDATE documents"]);
        assert_eq!((session[handle].title.as_str(), session[handle].revision), ("V", 2));
    }

    /// SEMANTICS 6.6, 8.7: the views of a key that the database computes are unloaded by the flush.
    async fn rule_6_6_an_expression_for_a_foreign_key_moves_the_child(db) {
        db.create(&schema![Counter, Share]).await?;
        let mut session = db.session();
        let first = counter(&mut session, 1, 2);
        let second = counter(&mut session, 3, 4);
        let share = session.add(Share::draft().counter(first));
        session.commit().await?;
        assert_eq!(share.counter(&mut session).await?, Some(first));
        session.set(share, Share::counter_id, Share::counter_id + 1);
        session.commit().await?;
        assert_eq!(session[share].counter.loaded(), None);
        assert_eq!(share.counter(&mut session).await?, Some(second));
        // The relationship beats the column, whichever was assigned last.
        share.counter(&mut session).set(first);
        session.set(share, Share::counter_id, Share::counter_id + 100);
        session.commit().await?;
        assert_eq!(share.counter(&mut session).await?, Some(first));
        session.set(share, Share::counter_id, Share::counter_id + 1);
        share.counter(&mut session).set(first);
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), [""; 0]);
    }

    /// SEMANTICS 6.6: a nullable column takes expressions, and NULL comes back as `None`.
    async fn rule_6_6_expressions_that_are_null(db) {
        db.create(&schema![Counter]).await?;
        let mut session = db.session();
        let handle = session.add(Counter::draft().name("c").left(1).right(2).spare(None));
        session.commit().await?;
        session.set(handle, Counter::spare, Counter::spare + 1);
        session.commit().await?;
        assert_eq!(session[handle].spare, None);
        session.set(handle, Counter::spare, Counter::left + 1);
        session.commit().await?;
        assert_eq!(session[handle].spare, Some(2));
    }

    /// SEMANTICS 6.6 and 1.3: a rollback discards it, before the flush and after.
    async fn rule_6_6_a_rollback_discards_it(db) {
        db.create(&schema![Counter]).await?;
        let mut session = db.session();
        let handle = counter(&mut session, 1, 2);
        session.commit().await?;
        session.set(handle, Counter::left, Counter::left + 1);
        session.rollback().await?;
        session.set(handle, Counter::right, Counter::right + 1);
        session.flush().await?;
        assert_eq!((session[handle].left, session[handle].right), (1, 3));
        session.rollback().await?;
        let log = db.log();
        session.commit().await?;
        assert_eq!(log.emitted(), [""; 0]);
        assert_eq!((session[handle].left, session[handle].right), (1, 2));
    }

    /// SEMANTICS 6.6: there is no old row before the INSERT.
    async fn rule_6_6_a_pending_object_has_no_row_to_calculate_with(db) {
        db.create(&schema![Counter]).await?;
        let mut session = db.session();
        let handle = counter(&mut session, 1, 2);
        session.set(handle, Counter::left, Counter::left + 1);
        let error = session.commit().await.unwrap_err();
        assert!(matches!(error, Error::Misuse(_)));
        assert!(error.to_string().contains("counters.left"), "{error}");
        // Going on would lose the assignment.
        let error = session.commit().await.unwrap_err();
        assert!(matches!(error, Error::RollbackRequired { .. }), "{error}");
        session.rollback().await?;
        assert_eq!(Counter::select().count(&mut session).await?, 0);
    }
}
