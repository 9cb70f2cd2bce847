//! Connections that fall silent: nobody is told that the other side is gone.
//!
//! A call that waits for a silent server waits until it is dropped, as by a timeout. After that
//! nothing waits for long.

use std::time::{Duration, Instant};

use orm_core::engine::EngineBuilder;
use orm_core::{Error, Result};
use orm_tests::{Database, Fault, Proxy, Side, server_tests};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::cuts::unit;
use super::work::{Call, Order, Start, Work, create, shown, through, within};

/// How long anything may take that finds out about a silent connection.
const BOUND: Duration = Duration::from_secs(14);

/// Falls silent in place of the first message of a side, the second and so on, and drops the call
/// that waits. Then the network is well again, and what was held back arrives.
async fn at_every_message(db: &Database, proxy: &Proxy, side: Side) -> Result<()> {
    create(db).await?;
    let far = through(db, proxy).await?;
    let mut committed = 0;
    for passing in 0.. {
        let mut work = Work::start(db, &far, passing as i64 * 10, Start::Clean).await?;
        proxy.arm(side, passing, Fault::Silence);
        let is_through = tokio::select! {
            biased;
            () = proxy.struck() => false,
            outcome = unit(&mut work, &far, Call::Commit) => {
                outcome.expect("nothing is lost");
                true
            }
        };
        let is_committed = is_through || work.is_committing();
        committed += usize::from(is_committed);
        proxy.heal();
        within("the rollback", work.session.rollback()).await?;
        let rows = match is_committed {
            true => work.rows_after(Start::EditedAgain),
            false => work.rows_before(),
        };
        assert_eq!(shown(&db.engine, work.number).await?, rows, "message {passing} of {side:?}");
        work.expect_settled(is_committed, Start::EditedAgain, false);
        db.expect_no_transaction().await;
        work.expect_working(&rows, &far).await?;
        if is_through {
            assert!(passing > 10, "a unit of work has more messages than {passing}");
            break;
        }
    }
    assert!(committed > 1, "no COMMIT was dropped");
    Ok(())
}

/// A unit of work whose connection falls silent for ever, and a call that is dropped then.
async fn expect_bounded(mut work: Work, start: Start, call: Call, db: Database, far: Database) -> Result<()> {
    let started = Instant::now();
    let outcome = timeout(Duration::from_millis(100), work.call(call, &far)).await;
    assert!(outcome.is_err(), "{call:?} ended in silence");
    let is_committing = work.is_committing();
    assert_eq!(is_committing, call == Call::Commit && start == Start::Flushed, "{call:?}");
    let rolled_back = timeout(BOUND, work.session.rollback()).await;
    println!("{start:?}, {call:?}: rolled back after {:?}", started.elapsed());
    match rolled_back {
        Ok(Err(Error::CommitOutcomeUnknown(_))) if is_committing => work.expect_expired(),
        Ok(Ok(())) if !is_committing => work.expect_settled(false, start, true),
        other => panic!("{start:?}, {call:?}, then a rollback: {other:?}"),
    }
    // The one slot of the pool is free, though the old connection is still silent.
    within("a read", Order::select().count(&mut far.session())).await?;
    assert_eq!(shown(&db.engine, work.number).await?, work.rows_before());
    Ok(())
}

server_tests! {
    /// SEMANTICS 9.4
    async fn rule_9_4_a_message_of_the_client_is_late(db, proxy) {
        at_every_message(&db, &proxy, Side::Client).await?;
    }

    /// SEMANTICS 9.4
    async fn rule_9_4_a_message_of_the_server_is_late(db, proxy) {
        at_every_message(&db, &proxy, Side::Server).await?;
    }

    /// SEMANTICS 9.4: whatever was dropped, a rollback ends soon, and the slot is free.
    async fn rule_9_4_a_rollback_ends_although_nobody_answers(db, proxy) {
        create(&db).await?;
        let mut works = Vec::new();
        for (number, (start, call)) in [
            (Start::Clean, Call::Get),
            (Start::Clean, Call::Lend),
            (Start::Edited, Call::Flush),
            (Start::Edited, Call::Commit),
            (Start::EditedAgain, Call::Flush),
            (Start::Flushed, Call::Query),
            (Start::Flushed, Call::LazyLoad),
            (Start::Flushed, Call::RawWrite),
            (Start::Flushed, Call::Rollback),
            (Start::Flushed, Call::Commit),
        ]
        .into_iter()
        .enumerate()
        {
            let far = through(&db, &proxy).await?;
            let work = Work::start(&db, &far, number as i64 * 10, start).await?;
            let near = db.by_way_of(db.url(), |engine| engine).await?;
            works.push((work, start, call, near, far));
        }
        proxy.strand();
        let works = works.into_iter().map(|(work, start, call, near, far)| expect_bounded(work, start, call, near, far));
        let outcomes = works.collect::<JoinSet<_>>().join_all().await;
        outcomes.into_iter().collect::<Result<()>>()?;
        proxy.heal();
        db.expect_no_transaction().await;
    }

    /// SEMANTICS 9.4: the rollback itself needn't be dropped.
    async fn rule_9_4_a_rollback_gives_up_by_itself(db, proxy) {
        create(&db).await?;
        let far = through(&db, &proxy).await?;
        let mut work = Work::start(&db, &far, 0, Start::Flushed).await?;
        proxy.strand();
        let rolled_back = timeout(BOUND, work.session.rollback()).await;
        rolled_back.expect("a rollback ends")?;
        proxy.heal();
        db.expect_no_transaction().await;
        work.expect_settled(false, Start::Flushed, true);
        let rows = work.rows_before();
        work.expect_working(&rows, &far).await?;
    }

    /// SEMANTICS 9.4: a session that is dropped in the middle of a flush frees its slot.
    async fn rule_9_4_a_session_that_is_dropped_with_its_flush(db, proxy) {
        create(&db).await?;
        let far = through(&db, &proxy).await?;
        for (number, start, call) in [(0, Start::Edited, Call::Flush), (10, Start::Flushed, Call::Query)] {
            let mut work = Work::start(&db, &far, number, start).await?;
            proxy.strand();
            let outcome = timeout(Duration::from_millis(100), work.call(call, &far)).await;
            assert!(outcome.is_err(), "it ended in silence");
            drop(work);
            let read = timeout(BOUND, Order::select().count(&mut far.session())).await;
            read.expect("the slot is free")?;
        }
        proxy.heal();
        db.expect_no_transaction().await;
    }

    /// Connections that fell silent while they waited are found out, all of them in the time that
    /// one of them takes.
    async fn connections_that_fell_silent_while_they_waited(db, proxy) {
        const CONNECTIONS: u32 = 6;
        create(&db).await?;
        let options = |engine: EngineBuilder| engine.max_connections(CONNECTIONS);
        let far = db.by_way_of(proxy.url(), options).await?;
        let mut sessions: Vec<_> = (0..CONNECTIONS).map(|_| far.session()).collect();
        for session in &mut sessions {
            Order::select().count(session).await?;
        }
        drop(sessions);
        proxy.strand();
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        let read = timeout(BOUND, Order::select().count(&mut far.session())).await;
        read.expect("it is found out")?;
        let mut sessions: Vec<_> = (0..CONNECTIONS).map(|_| far.session()).collect();
        for session in &mut sessions {
            let read = timeout(BOUND, Order::select().count(session)).await;
            read.expect("every slot is free")?;
        }
    }

    /// One that goes from hand to hand is asked in between.
    async fn a_connection_that_falls_silent_while_another_session_waits_for_it(db, proxy) {
        create(&db).await?;
        let far = through(&db, &proxy).await?;
        let mut first = far.session();
        Order::select().count(&mut first).await?;
        let sessions = far.sessions.clone();
        let second = tokio::spawn(async move {
            let mut second = sessions.session();
            timeout(BOUND, Order::select().count(&mut second)).await.expect("it is found out")
        });
        tokio::time::sleep(Duration::from_millis(200)).await;
        proxy.strand();
        drop(first);
        second.await.expect("no panic")?;
    }
}
