//! Savepoints whose futures are dropped at every poll they have: what is around them goes on.

use orm_core::{Error, Handle, Result, Session};
use orm_tests::{Database, Fault, Proxy, Side, backend_tests, dropped_after, server_tests};

use super::polls::rounds;
use super::work::{Line, Order, add_order, create, shown, through, with_one_connection, within};

/// How often to go through all polls.
const LAPS: usize = 3;

/// What is dropped half-way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// A savepoint is set, edited in, and committed.
    Committed,
    /// The same, and rolled back.
    RolledBack,
    /// The same inside another one, which is kept.
    Nested,
    /// The same behind hand-written statements.
    Lent,
}

/// Edits inside a savepoint.
async fn edit(session: &mut Session, order: Handle<Order>, number: i64) -> Result<()> {
    session[order].total = 7;
    session.push(order, Order::lines, Line::draft().text("inside"));
    add_order(session, number + 1, &["inside"]);
    session.flush().await?;
    session[order].total = 8;
    Ok(())
}

async fn part(
    session: &mut Session,
    order: Handle<Order>,
    number: i64,
    part: Part,
    db: &Database,
) -> Result<()> {
    let mut savepoint = session.savepoint().await?;
    match part {
        Part::Nested => {
            let mut inner = savepoint.savepoint().await?;
            edit(&mut inner, order, number).await?;
            inner.commit().await?;
        }
        Part::Lent => {
            db.borrow_from(&mut savepoint).await?;
            edit(&mut savepoint, order, number).await?;
            db.borrow_from(&mut savepoint).await?;
        }
        Part::Committed | Part::RolledBack => edit(&mut savepoint, order, number).await?,
    }
    match part {
        Part::RolledBack => savepoint.rollback().await,
        _ => savepoint.commit().await,
    }
}

/// Drops, after so many polls, a savepoint and one that is committed inside it, both inside another
/// one, which goes on; gives whether they ended before.
async fn at_poll_inside(polls: usize, db: &Database, number: i64) -> Result<bool> {
    let mut session = db.session();
    let order = add_order(&mut session, number, &["before"]);
    session.commit().await?;
    let mut around = session.savepoint().await?;
    around[order].total = 1;
    around.flush().await?;

    let call = part(&mut around, order, number, Part::Nested, db);
    let outcome = within("the part", dropped_after(polls, call)).await;
    let is_finished = outcome.transpose()?.is_some();
    within("the next call", around.flush()).await?;
    // Only the RELEASE of the outer one of the two counts if nobody awaited it.
    let is_kept = around[order].total == 8;
    assert_eq!(around[order].total, if is_kept { 8 } else { 1 }, "after {polls} polls");
    assert!(!is_finished || is_kept);
    add_order(&mut around, number + 2, &["behind"]);
    let is_undone = number / 10 % 2 != 0;
    match is_undone {
        true => within("the rollback", around.rollback()).await?,
        false => within("the release", around.commit()).await?,
    }
    within("the commit", session.commit()).await?;
    let expected = match (is_undone, is_kept) {
        (true, _) => vec![(number, 0, 1)],
        (false, true) => vec![(number, 8, 2), (number + 1, 0, 1), (number + 2, 0, 1)],
        (false, false) => vec![(number, 1, 1), (number + 2, 0, 1)],
    };
    assert_eq!(session[order].total, expected[0].1, "after {polls} polls");
    assert_eq!(shown(&db.engine, number).await?, expected, "after {polls} polls");
    db.expect_no_transaction().await;
    Ok(is_finished)
}

/// Drops a part after so many polls; gives whether it ended before.
async fn at_poll(polls: usize, db: &Database, number: i64, kind: Part) -> Result<bool> {
    let mut session = db.session();
    let order = add_order(&mut session, number, &["before"]);
    session.commit().await?;
    session[order].total = 1;
    session.flush().await?;

    let call = part(&mut session, order, number, kind, db);
    let outcome = within("the part", dropped_after(polls, call)).await;
    let is_finished = outcome.transpose()?.is_some();
    let is_committing = matches!(session.try_get(order), Err(Error::CommitPending));
    assert!(!is_committing || kind != Part::RolledBack, "only a commit counts once it is sent");

    // Whatever happened, the session goes on, unless the last statement may still be answered.
    let next = within("the next call", session.flush()).await;
    match next {
        Ok(()) => {}
        // Lending is no job of its own: it takes the connection with it.
        Err(Error::RollbackRequired { first }) if kind == Part::Lent => {
            assert!(first.contains("interrupted"), "{first}");
            within("the rollback", session.rollback()).await?;
            assert_eq!(shown(&db.engine, number).await?, [(number, 0, 1)]);
            db.expect_no_transaction().await;
            return Ok(is_finished);
        }
        Err(error) => return Err(error),
    }
    if matches!(session.try_get(order), Err(Error::NotLoaded { .. })) {
        assert_eq!(kind, Part::Lent, "only hand-written statements leave memory in doubt");
        session.refresh(order).await?;
    }
    // A session that was not awaited for its RELEASE has it all, else nothing.
    let is_kept = session[order].total == 8;
    assert_eq!(session[order].total, if is_kept { 8 } else { 1 }, "after {polls} polls");
    assert!(!is_finished || is_kept == (kind != Part::RolledBack));
    assert!(!is_committing || is_kept, "a savepoint that has been left is not being committed");
    within("the commit", session.commit()).await?;
    let expected = match is_kept {
        true => vec![(number, 8, 2), (number + 1, 0, 1)],
        false => vec![(number, 1, 1)],
    };
    assert_eq!(shown(&db.engine, number).await?, expected, "after {polls} polls");
    db.expect_no_transaction().await;
    Ok(is_finished)
}

async fn at_every_poll(db: &Database, kind: Part) -> Result<()> {
    let db = with_one_connection(db).await?;
    let dropped = rounds(LAPS, async |polls, number| at_poll(polls, &db, number, kind).await);
    let dropped = dropped.await?;
    assert!(dropped > 0 || db.capabilities.single_writer, "every part ended at its first poll");
    Ok(())
}

/// Cuts the connection in place of the message behind so many of a side; gives whether the part
/// ended before.
async fn cut_at(
    passing: usize,
    side: Side,
    db: &Database,
    far: &Database,
    proxy: &Proxy,
    number: i64,
) -> Result<bool> {
    let mut session = far.session();
    let order = add_order(&mut session, number, &["before"]);
    session.commit().await?;
    session[order].total = 1;
    session.flush().await?;
    proxy.arm(side, passing, Fault::Reset);
    let outcome = within("the part", part(&mut session, order, number, Part::Nested, far)).await;
    let has_struck = proxy.has_struck();
    proxy.heal();
    let place = format!("behind message {passing} of the {side:?}: {outcome:?}");
    if has_struck {
        assert!(matches!(outcome, Err(Error::Connection(_))), "{place}");
        for _ in 0..2 {
            let outcome = session.commit().await;
            assert!(matches!(outcome, Err(Error::RollbackRequired { .. })), "{place}: {outcome:?}");
        }
        assert_eq!(session[order].total, 1, "the savepoint is gone from memory: {place}");
    } else {
        outcome?;
    }
    within("the rollback", session.rollback()).await?;
    db.expect_no_transaction().await;
    assert_eq!(shown(&db.engine, number).await?, [(number, 0, 1)], "{place}");
    assert_eq!(session[order].total, 0, "{place}");
    session[order].total = 3;
    session.commit().await?;
    assert_eq!(shown(&db.engine, number).await?, [(number, 3, 1)], "{place}");
    Ok(!has_struck)
}

server_tests! {
    /// SEMANTICS 9.2: a lost connection takes more than the savepoint along.
    async fn rule_9_2_a_connection_that_is_lost_inside(db, proxy) {
        create(&db).await?;
        let far = through(&db, &proxy).await?;
        let mut number = 0;
        for side in [Side::Client, Side::Server] {
            for passing in 0.. {
                number += 10;
                if cut_at(passing, side, &db, &far, &proxy, number).await? {
                    assert!(passing > 8, "a savepoint has more messages than {passing}");
                    break;
                }
            }
        }
    }
}

backend_tests! {
    /// SEMANTICS 9.3, 9.4
    async fn rule_9_4_a_savepoint_that_is_committed(db) {
        at_every_poll(&db, Part::Committed).await?;
    }

    /// SEMANTICS 9.3, 9.4
    async fn rule_9_4_a_savepoint_that_is_rolled_back(db) {
        at_every_poll(&db, Part::RolledBack).await?;
    }

    /// SEMANTICS 9.3, 9.4
    async fn rule_9_4_nested_savepoints(db) {
        at_every_poll(&db, Part::Nested).await?;
    }

    /// SEMANTICS 9.3, 9.4: a RELEASE that nobody awaits is of one that has been left already, and
    /// the one around both stays.
    async fn rule_9_4_nested_savepoints_inside_another(db) {
        let db = with_one_connection(&db).await?;
        let dropped = rounds(2 * LAPS, async |polls, number| {
            at_poll_inside(polls, &db, number).await
        });
        let dropped = dropped.await?;
        assert!(dropped > 0 || db.capabilities.single_writer, "all of it ended at its first poll");
    }

    /// SEMANTICS 9.3, 9.4: beside the savepoint that guards a lent connection.
    async fn rule_9_4_a_savepoint_around_a_lent_connection(db) {
        at_every_poll(&db, Part::Lent).await?;
    }

    /// SEMANTICS 9.2: two units of work that wait for each other. Whoever loses, loses all of it.
    async fn rule_9_2_a_deadlock_inside_a_savepoint_is_the_sessions_loss(db) {
        if db.capabilities.single_writer {
            return Ok(());
        }
        create(&db).await?;
        let mut seeding = db.session();
        for number in [1, 2] {
            add_order(&mut seeding, number, &["line"]);
        }
        seeding.commit().await?;

        async fn work(
            db: &Database,
            first: i64,
            second: i64,
            meeting: &tokio::sync::Barrier,
        ) -> Result<bool> {
            let mut session = db.session();
            let one = |number| Order::select().filter(Order::number.eq(number));
            let first = one(first).one(&mut session).await?;
            let second = one(second).one(&mut session).await?;
            session[first].total = 1;
            session.flush().await?;
            meeting.wait().await;
            let mut savepoint = session.savepoint().await?;
            savepoint[second].total = 2;
            let outcome = savepoint.flush().await;
            let Err(error) = outcome else {
                savepoint.commit().await?;
                session.commit().await?;
                return Ok(true);
            };
            assert!(error.is_retryable(), "{error}");
            let outcome = savepoint.rollback().await;
            assert!(matches!(outcome, Err(Error::RollbackRequired { .. })), "{outcome:?}");
            let outcome = session.flush().await;
            assert!(matches!(outcome, Err(Error::RollbackRequired { .. })), "{outcome:?}");
            session.rollback().await?;
            session.refresh(first).await?;
            session[first].total += 10;
            session.commit().await?;
            Ok(false)
        }
        let meeting = tokio::sync::Barrier::new(2);
        let (one, two) =
            tokio::join!(work(&db, 1, 2, &meeting), work(&db, 2, 1, &meeting));
        assert!(one? != two?, "one of them went through");
        db.expect_no_transaction().await;
    }
}
