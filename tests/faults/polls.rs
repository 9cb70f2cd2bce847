//! Futures that are dropped at every poll they have.

use orm_core::Result;
use orm_core::session::Isolation;
use orm_tests::EngineOptions;
use orm_tests::{Database, backend_tests, dropped_after};

use super::work::{Call, Start, Work, create, shown, with_one_connection, within};

/// How often to go through all polls: an answer that comes before it is asked for saves a poll.
const LAPS: usize = 3;

/// How often, while hardly any of them drops the call: where there is no network, answers may save
/// all of them.
const MOST_LAPS: usize = 200;

/// Runs rounds that drop a call after no poll, after one, two and so on, until it ends by itself,
/// which a round tells; each has a number for its unit of work. Gives how many calls were dropped
/// half-way.
pub(crate) async fn rounds(
    laps: usize,
    mut round: impl AsyncFnMut(usize, i64) -> Result<bool>,
) -> Result<usize> {
    let (mut number, mut dropped) = (0, 0);
    for lap in 0..MOST_LAPS {
        let mut finished = 0;
        for polls in lap.min(1).. {
            number += 10;
            if round(polls, number).await? {
                finished += 1;
            } else {
                dropped += polls.min(1);
                finished = 0;
            }
            if finished == 2 {
                break;
            }
        }
        if lap + 1 >= laps && dropped > 2 {
            break;
        }
    }
    println!("dropped {dropped} of {}", number / 10);
    Ok(dropped)
}

async fn at_every_poll(db: &Database, start: Start, call: Call) -> Result<()> {
    at_every_poll_of(&with_one_connection(db).await?, LAPS, start, call).await
}

async fn at_every_poll_of(db: &Database, laps: usize, start: Start, call: Call) -> Result<()> {
    let dropped = rounds(laps, async |polls, number| at_poll(polls, db, number, start, call).await);
    let dropped = dropped.await?;
    // Without a network, answers may be there before they are asked for.
    assert!(dropped > 0 || db.capabilities.single_writer, "every call ended at its first poll");
    Ok(())
}

/// Drops the call after so many polls; gives whether it ended before.
async fn at_poll(
    polls: usize,
    db: &Database,
    number: i64,
    start: Start,
    call: Call,
) -> Result<bool> {
    let mut work = Work::start(db, db, number, start).await?;
    let outcome = within("the call", dropped_after(polls, work.call(call, db))).await;
    let is_finished = outcome.transpose()?.is_some();
    let is_committing = work.is_committing();
    assert!(!is_committing || call == Call::Commit, "only a commit commits");
    if !is_finished && !is_committing {
        work.expect_as_before(start, call);
    }
    let is_committed = is_committing || (is_finished && call == Call::Commit);
    within("the rollback", work.session.rollback()).await?;
    let rows = if is_committed { work.rows_after(start) } else { work.rows_before() };
    assert_eq!(shown(&db.engine, number).await?, rows, "after {polls} polls");
    work.expect_settled(is_committed, start, matches!(call, Call::Lend | Call::RawWrite));
    db.expect_no_transaction().await;
    work.expect_working(&rows, db).await?;
    Ok(is_finished)
}

backend_tests! {
    /// SEMANTICS 9.4
    async fn rule_9_4_flush(db) {
        at_every_poll(&db, Start::Edited, Call::Flush).await?;
    }

    /// SEMANTICS 9.4: it loses the flushes before it.
    async fn rule_9_4_another_flush(db) {
        at_every_poll(&db, Start::EditedAgain, Call::Flush).await?;
    }

    /// SEMANTICS 9.4
    async fn rule_9_4_commit_with_a_flush(db) {
        at_every_poll(&db, Start::Edited, Call::Commit).await?;
    }

    /// SEMANTICS 9.4
    async fn rule_9_4_commit(db) {
        at_every_poll(&db, Start::Flushed, Call::Commit).await?;
    }

    /// SEMANTICS 9.4
    async fn rule_9_4_rollback(db) {
        at_every_poll(&db, Start::Flushed, Call::Rollback).await?;
    }

    /// SEMANTICS 9.4
    async fn rule_9_4_begin(db) {
        at_every_poll(&db, Start::Clean, Call::Lend).await?;
    }

    /// SEMANTICS 9.4: taking the connection from the pool, too.
    async fn rule_9_4_query(db) {
        at_every_poll(&db, Start::Released, Call::Query).await?;
    }

    /// SEMANTICS 9.4, 3.1
    async fn rule_9_4_query_with_an_autoflush(db) {
        at_every_poll(&db, Start::Edited, Call::Query).await?;
    }

    /// SEMANTICS 9.4
    async fn rule_9_4_get(db) {
        at_every_poll(&db, Start::Clean, Call::Get).await?;
    }

    /// SEMANTICS 9.4
    async fn rule_9_4_get_inside_the_transaction(db) {
        at_every_poll(&db, Start::Flushed, Call::Get).await?;
    }

    /// SEMANTICS 9.4
    async fn rule_9_4_lazy_load(db) {
        at_every_poll(&db, Start::Clean, Call::LazyLoad).await?;
    }

    /// SEMANTICS 9.4
    async fn rule_9_4_lazy_load_inside_the_transaction(db) {
        at_every_poll(&db, Start::Flushed, Call::LazyLoad).await?;
    }

    /// SEMANTICS 9.4
    async fn rule_9_4_lending_the_connection(db) {
        at_every_poll(&db, Start::Edited, Call::Lend).await?;
    }

    /// SEMANTICS 9.4: a statement of the user's own, on the lent connection.
    async fn rule_9_4_raw_write(db) {
        at_every_poll(&db, Start::Flushed, Call::RawWrite).await?;
    }

    /// SEMANTICS 9.4
    async fn rule_9_4_read_on_the_engine(db) {
        at_every_poll(&db, Start::Released, Call::Read).await?;
    }

    /// SEMANTICS 9.4
    async fn rule_9_4_graph_on_the_engine(db) {
        at_every_poll(&db, Start::Released, Call::Graph).await?;
    }

    /// SEMANTICS 9.4, 9.1: a read that begins the transaction.
    async fn rule_9_1_serializable_query(db) {
        let mut db = with_one_connection(&db).await?;
        db.sessions = db.sessions.isolation(Isolation::Serializable);
        at_every_poll_of(&db, LAPS, Start::Released, Call::Query).await?;
    }

    /// SEMANTICS 9.4, 9.1
    async fn rule_9_1_graph_through_a_pooler(db) {
        if !db.capabilities.returning_on_insert {
            // What differs are writes.
            return Ok(());
        }
        let options = |engine: EngineOptions| engine.max_connections(1).transaction_pooling(true);
        let db = db.with_engine(options).await?;
        create(&db).await?;
        // One lap: to prepare every statement anew takes its time on some servers.
        at_every_poll_of(&db, 1, Start::Released, Call::Graph).await?;
    }
}
