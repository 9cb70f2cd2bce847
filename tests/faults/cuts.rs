//! Connections that are cut at every message of a unit of work.

use orm_core::{Error, Result};
use orm_tests::{Database, Fault, Proxy, Side, server_tests};

use super::work::{Call, Start, Work, create, shown, through, within};

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
        let fault = [Fault::Reset, Fault::Close, Fault::Torn][passing % 3];
        let number = passing as i64 * 10;
        let mut work = Work::start(db, &far, number, Start::Clean).await?;
        proxy.arm(side, passing, fault);
        let outcome = unit(&mut work, &far, end).await;
        let has_struck = proxy.has_struck();
        let place = format!("{fault:?} at {passing} of the {side:?}: {outcome:?}");
        let lost = expect_lost(&outcome, &place);
        expect_no_way_on(&mut work, lost, &place).await;
        within("the rollback", work.session.rollback()).await?;
        if has_struck {
            let error = work.call(Call::Query, &far).await.expect_err("there is no server");
            assert!(matches!(error, Error::Connection(_)), "{place}: {error}");
        }
        proxy.heal();
        db.expect_no_transaction().await;

        let rows = shown(&db.engine, number).await?;
        let is_committed = match lost {
            Lost::Commit if rows == work.rows_after(Start::EditedAgain) => {
                unknown.had_committed += 1;
                true
            }
            Lost::Commit => {
                unknown.had_not += 1;
                false
            }
            Lost::Nothing => end == Call::Commit,
            Lost::Read | Lost::FirstFlush | Lost::Transaction => false,
        };
        let expected = match is_committed {
            true => work.rows_after(Start::EditedAgain),
            false => work.rows_before(),
        };
        assert_eq!(rows, expected, "{place}");
        if lost == Lost::Commit {
            work.expect_expired();
        } else {
            work.expect_settled(is_committed, Start::EditedAgain, true);
        }
        work.expect_working(&rows, &far).await?;
        db.expect_no_transaction().await;
        if !has_struck {
            assert!(passing > 10, "{place}");
            println!("{side:?}, {end:?}: {passing} messages, {unknown:?}");
            break;
        }
    }
    Ok(unknown)
}

/// Runs a whole unit of work: reads before the transaction, what begins it, and reads and writes
/// inside of it. One that is rolled back has a hand-written statement, after which memory is
/// expired anyway.
async fn unit(work: &mut Work, db: &Database, end: Call) -> Result<(), (Call, Error)> {
    let mut run = async |work: &mut Work, calls: &[Call]| {
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
        Err((Call::RawWrite, Error::Connection(_) | Error::Database { .. })) => Lost::Transaction,
        Err((Call::Commit, Error::CommitOutcomeUnknown(_))) => Lost::Commit,
        Err(_) => panic!("another error was expected: {place}"),
    }
}

/// Without a rollback nothing goes on that would be half of the work. There is no server.
async fn expect_no_way_on(work: &mut Work, lost: Lost, place: &str) {
    let next = within("another flush", work.session.flush()).await;
    let and_then = within("another flush", work.session.flush()).await;
    match (lost, next, and_then) {
        (Lost::Nothing, _, _) => {}
        // There was nothing to be flushed.
        (Lost::Read, Ok(()), Ok(())) => {}
        // It begins anew.
        (Lost::FirstFlush, Err(Error::Connection(_)), Err(Error::Connection(_))) => {}
        (
            Lost::FirstFlush | Lost::Transaction | Lost::Commit,
            Err(Error::Connection(_) | Error::RollbackRequired { .. }),
            Err(Error::RollbackRequired { .. }),
        ) => {}
        (_, next, and_then) => panic!("{place}: {next:?}, {and_then:?}"),
    }
}

server_tests! {
    async fn before_every_message_of_the_client(db, proxy) {
        let unknown = at_every_message(&db, &proxy, Side::Client, Call::Commit).await?;
        assert!(unknown.had_not > 0, "{unknown:?}");
    }

    async fn before_every_message_of_the_server(db, proxy) {
        let unknown = at_every_message(&db, &proxy, Side::Server, Call::Commit).await?;
        assert!(unknown.had_committed > 0, "{unknown:?}");
    }

    async fn before_every_message_of_the_client_with_a_rollback(db, proxy) {
        at_every_message(&db, &proxy, Side::Client, Call::Rollback).await?;
    }
}
