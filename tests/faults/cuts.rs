//! Connections that are cut at every message of a unit of work.

use std::time::Duration;

use orm_core::{Error, Result};
use orm_tests::EngineOptions;
use orm_tests::{Database, Fault, Proxy, Side, dropped_after, server_tests};

use super::work::{Call, Order, Start, Work, create, shown, through, within};

/// Which outcomes of a lost COMMIT were seen.
#[derive(Debug, Default)]
struct Unknown {
    had_committed: usize,
    had_not: usize,
}

/// Cuts the connection in place of the first message of a side, the second and so on, each time
/// in a unit of work of its own, until one is through before that.
async fn at_every_message(db: &Database, proxy: &Proxy, side: Side, end: Call) -> Result<Unknown> {
    create(db).await?;
    let far = through(db, proxy).await?;
    let mut unknown = Unknown::default();
    for passing in 0.. {
        let ways = [Fault::Reset, Fault::Close, Fault::Torn];
        let fault = ways[(passing + usize::from(end == Call::Rollback)) % ways.len()];
        let mut work = Work::start(db, &far, passing as i64 * 10, Start::Clean).await?;
        proxy.arm(side, passing, fault);
        let outcome = unit(&mut work, &far, end).await;
        let place = format!("{fault:?} at message {passing} of the {side:?}: {outcome:?}");
        let lost = expect_lost(&outcome, &place);
        if !cut(work, db, &far, proxy, (end, lost, &place), &mut unknown).await? {
            assert!(passing > 10, "a unit of work has more messages than {passing}");
            println!("{side:?}, {end:?}: {passing} messages, {unknown:?}");
            break;
        }
    }
    Ok(unknown)
}

/// What must be true after a unit of work whose connection was cut; gives whether it was.
async fn cut(
    mut work: Work,
    db: &Database,
    far: &Database,
    proxy: &Proxy,
    (end, lost, place): (Call, Lost, &str),
    unknown: &mut Unknown,
) -> Result<bool> {
    let has_struck = proxy.has_struck();
    expect_no_way_on(&mut work, lost, place).await;
    within("the rollback", work.session.rollback()).await?;
    if has_struck {
        let error = work.call(Call::Query, far).await.expect_err("there is no server");
        assert!(matches!(error, Error::Connection(_)), "{place}: {error}");
    }
    proxy.heal();
    db.expect_no_transaction().await;

    let rows = shown(&db.engine, work.number).await?;
    let committed = work.rows_after(Start::EditedAgain);
    let is_committed = match lost {
        Lost::Nothing => end == Call::Commit,
        Lost::Commit => rows == committed,
        Lost::Read | Lost::FirstFlush | Lost::Transaction | Lost::Lent => false,
    };
    assert_eq!(rows, if is_committed { committed } else { work.rows_before() }, "{place}");
    if lost == Lost::Commit {
        work.expect_expired();
        unknown.had_committed += usize::from(is_committed);
        unknown.had_not += usize::from(!is_committed);
    } else {
        work.expect_settled(is_committed, Start::EditedAgain, true);
    }
    work.expect_working(&rows, far).await?;
    Ok(has_struck)
}

/// Runs a whole unit of work: reads before the transaction, what begins it, and reads and writes
/// inside of it. One that is rolled back has a hand-written statement, after which memory is
/// expired anyway.
pub(crate) async fn unit(work: &mut Work, db: &Database, end: Call) -> Result<(), (Call, Error)> {
    let run = async |work: &mut Work, calls: &[Call]| {
        for call in calls {
            let outcome = within("the call", work.call(*call, db)).await;
            outcome.map_err(|error| (*call, error))?;
        }
        Ok(())
    };
    run(work, &[Call::Get, Call::LazyLoad]).await?;
    work.edit();
    run(work, &[Call::Flush, Call::Query]).await?;
    if end == Call::Rollback {
        run(work, &[Call::RawWrite]).await?;
    }
    work.edit_again();
    run(work, &[Call::FlushAgain, end]).await
}

/// What a lost connection has taken with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lost {
    Nothing,
    /// A read outside of the transaction: nothing but its result.
    Read,
    /// The flush that begins the transaction, which may not have begun.
    FirstFlush,
    Transaction,
    /// The same, which the session has yet to notice.
    Lent,
    /// Nobody knows.
    Commit,
}

/// The failure says what is lost.
#[track_caller]
fn expect_lost(outcome: &Result<(), (Call, Error)>, place: &str) -> Lost {
    match outcome {
        Ok(()) => Lost::Nothing,
        Err((Call::Get | Call::LazyLoad, Error::Connection(_))) => Lost::Read,
        Err((Call::Flush, Error::Connection(_))) => Lost::FirstFlush,
        Err((Call::Query | Call::FlushAgain, Error::Connection(_))) => Lost::Transaction,
        // The second one is sqlx's own, of the statement on the lent connection.
        Err((Call::RawWrite, Error::Connection(_) | Error::Database { .. })) => Lost::Lent,
        Err((Call::Commit, Error::CommitOutcomeUnknown(_))) => Lost::Commit,
        Err(_) => panic!("another error was expected: {place}"),
    }
}

/// Without a rollback nothing goes on that would be half of the work. There is no server.
async fn expect_no_way_on(work: &mut Work, lost: Lost, place: &str) {
    let mut next = async || within("another commit", work.session.commit()).await;
    match (lost, next().await, next().await) {
        // There is nothing to commit.
        (Lost::Nothing | Lost::Read, Ok(()), Ok(())) => {}
        // It begins anew.
        (Lost::FirstFlush, Err(Error::Connection(_)), Err(Error::Connection(_))) => {}
        (
            Lost::FirstFlush | Lost::Transaction | Lost::Commit,
            Err(Error::RollbackRequired { .. }),
            Err(Error::RollbackRequired { .. }),
        ) => {}
        (
            Lost::Lent,
            Err(Error::RollbackRequired { .. } | Error::Connection(_)),
            Err(Error::RollbackRequired { .. }),
        ) => {}
        (_, next, and_then) => panic!("{place}: {next:?}, {and_then:?}"),
    }
}

/// What lets go of its connection and finds another one.
async fn expect_reading(db: &Database) -> Result<()> {
    let mut session = db.session();
    within("a read", Order::select().count(&mut session)).await.map(drop)
}

/// So many connections of a pool that wait for their next use.
async fn park(db: &Database, connections: usize) -> Result<()> {
    let mut sessions: Vec<_> = (0..connections).map(|_| db.session()).collect();
    for session in &mut sessions {
        Order::select().count(session).await?;
    }
    Ok(())
}

server_tests! {
    /// SEMANTICS 9.4
    async fn rule_9_4_a_message_of_the_client_is_lost(db, proxy) {
        let unknown = at_every_message(&db, &proxy, Side::Client, Call::Commit).await?;
        assert!(unknown.had_not > 0, "{unknown:?}");
    }

    /// SEMANTICS 9.4
    async fn rule_9_4_a_message_of_the_server_is_lost(db, proxy) {
        let unknown = at_every_message(&db, &proxy, Side::Server, Call::Commit).await?;
        assert!(unknown.had_committed > 0, "{unknown:?}");
    }

    /// SEMANTICS 9.4
    async fn rule_9_4_a_message_of_the_client_is_lost_before_the_rollback(db, proxy) {
        at_every_message(&db, &proxy, Side::Client, Call::Rollback).await?;
    }

    /// SEMANTICS 9.2: the savepoint that stands while a connection is lent can't be set.
    async fn rule_9_2_a_connection_that_is_lost_as_it_is_lent_requires_a_rollback(db, proxy) {
        create(&db).await?;
        let far = through(&db, &proxy).await?;
        let mut work = Work::start(&db, &far, 0, Start::Flushed).await?;
        proxy.strike(Fault::Close);
        let error = work.call(Call::Lend, &far).await.expect_err("there is no server");
        assert!(matches!(error, Error::Connection(_)), "{error}");
        let error = work.session.flush().await.expect_err("the transaction is lost");
        assert!(matches!(error, Error::RollbackRequired { .. }), "{error}");
    }

    /// A connection that died while it waited is noticed before it is used, and replaced.
    async fn a_dead_connection_that_waited_is_no_error(db, proxy) {
        create(&db).await?;
        let far = through(&db, &proxy).await?;
        for fault in [Fault::Reset, Fault::Close] {
            park(&far, 1).await?;
            proxy.strike(fault);
            proxy.heal();
            tokio::time::sleep(Duration::from_millis(1_100)).await;
            expect_reading(&far).await?;
        }
    }

    /// One that has just been used isn't asked whether it lives: that is one error, after which
    /// the same call works, and all the others that wait are asked.
    async fn dead_connections_that_were_just_used_are_one_error(db, proxy) {
        const CONNECTIONS: usize = 4;
        create(&db).await?;
        let options = |engine: EngineOptions| engine.max_connections(CONNECTIONS as u32);
        let far = db.by_way_of(proxy.url(), options).await?;
        for fault in [Fault::Reset, Fault::Close] {
            park(&far, CONNECTIONS).await?;
            proxy.strike(fault);
            proxy.heal();
            let mut session = far.session();
            let error = Order::select().count(&mut session).await.expect_err("it is dead");
            assert!(matches!(error, Error::Connection(_)), "{error}");
            Order::select().count(&mut session).await?;
            drop(session);
            park(&far, CONNECTIONS).await?;
        }
    }

    /// A caller that can't wait until a connection is open leaves it to the next one.
    async fn a_connection_that_nobody_awaits_is_opened_to_the_end(db, proxy) {
        create(&db).await?;
        let far = through(&db, &proxy).await?;
        proxy.strike(Fault::Close);
        proxy.heal();
        let mut session = far.session();
        let error = Order::select().count(&mut session).await.expect_err("it is dead");
        assert!(matches!(error, Error::Connection(_)), "{error}");
        let opened = proxy.connections();
        while proxy.connections() == opened {
            let count = dropped_after(1, Order::select().count(&mut session)).await;
            assert!(count.is_none(), "a connection is opened in no time");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Order::select().count(&mut session).await?;
        assert_eq!(proxy.connections(), opened + 1);
    }

    /// SEMANTICS 9.2: where BEGIN finds out that the connection is dead, nothing is lost.
    async fn rule_9_2_a_commit_that_could_not_begin_is_called_again(db, proxy) {
        create(&db).await?;
        let far = through(&db, &proxy).await?;
        let mut work = Work::start(&db, &far, 0, Start::Edited).await?;
        proxy.strike(Fault::Close);
        proxy.heal();
        let error = work.session.commit().await.expect_err("it is dead");
        assert!(matches!(error, Error::Connection(_)), "{error}");
        work.expect_as_before(Start::Edited, Call::Commit);
        work.session.commit().await?;
        let rows = work.rows_after(Start::Edited);
        assert_eq!(shown(&db.engine, 0).await?, rows);
        work.expect_working(&rows, &far).await?;
    }

    /// SEMANTICS 9.4: whoever calls next learns that nobody knows.
    async fn rule_9_4_a_commit_that_was_dropped_is_lost(db, proxy) {
        create(&db).await?;
        let far = through(&db, &proxy).await?;
        for number in [0, 10] {
            let mut work = Work::start(&db, &far, number, Start::Flushed).await?;
            // The first message of the server is its answer to COMMIT.
            proxy.arm(Side::Server, 0, Fault::Silence);
            tokio::select! {
                biased;
                () = proxy.struck() => {}
                outcome = work.session.commit() => panic!("an answer got through: {outcome:?}"),
            }
            assert!(work.is_committing());
            proxy.strike(Fault::Reset);
            let next = match number {
                0 => within("a flush", work.session.flush()).await,
                _ => within("a rollback", work.session.rollback()).await,
            };
            assert!(matches!(next, Err(Error::CommitOutcomeUnknown(_))), "{next:?}");
            if number == 0 {
                let next = work.session.flush().await;
                assert!(matches!(next, Err(Error::RollbackRequired { .. })), "{next:?}");
                work.session.rollback().await?;
            }
            proxy.heal();
            work.expect_expired();
            let rows = work.rows_after(Start::Flushed);
            assert_eq!(shown(&db.engine, number).await?, rows, "it had committed");
            work.expect_working(&rows, &far).await?;
        }
    }

    /// Reads without a session.
    async fn a_read_on_the_engine_is_cut(db, proxy) {
        create(&db).await?;
        let far = through(&db, &proxy).await?;
        let mut work = Work::start(&db, &far, 0, Start::Released).await?;
        for side in [Side::Client, Side::Server] {
            for passing in 0.. {
                proxy.arm(side, passing, Fault::Close);
                let outcome = work.call(Call::Graph, &far).await;
                if !proxy.has_struck() {
                    outcome?;
                    assert!(passing > 1, "a read has more messages than {passing}");
                    break;
                }
                assert!(matches!(outcome, Err(Error::Connection(_))), "{outcome:?}");
                proxy.heal();
                work.call(Call::Read, &far).await?;
            }
        }
    }

    /// SEMANTICS 9.2: connections that the server ends, and says so.
    async fn rule_9_2_the_server_ends_the_connection(db, _proxy) {
        create(&db).await?;
        for (number, (start, call)) in (0..).step_by(10).zip([
            (Start::Clean, Call::Get),
            (Start::Edited, Call::Flush),
            (Start::EditedAgain, Call::FlushAgain),
            (Start::Flushed, Call::Query),
            (Start::Flushed, Call::Commit),
            (Start::Flushed, Call::Rollback),
        ]) {
            let far = db.by_way_of(db.url(), |engine| engine.max_connections(1)).await?;
            let mut work = Work::start(&far, &far, number, start).await?;
            db.kill_connections().await;
            let outcome = within("the call", work.call(call, &far)).await;
            match (call, outcome.map_err(|error| (call, error))) {
                (Call::Rollback, Ok(())) => {}
                (_, Err(failure)) => {
                    expect_lost(&Err(failure), "a connection was ended");
                }
                (_, outcome) => panic!("{outcome:?}"),
            }
            within("the rollback", work.session.rollback()).await?;
            let rows = work.rows_before();
            assert_eq!(shown(&far.engine, number).await?, rows, "{start:?}, {call:?}");
            work.expect_working(&rows, &far).await?;
        }
    }
}
