//! Connections that fall silent: nobody is told that the other side is gone.
//!
//! A call that waits for a silent server waits until it is dropped, as by a timeout. After that
//! nothing waits for long.

use std::sync::Arc;
use std::time::Duration;

use orm_core::{Error, Result};
use orm_tests::EngineOptions;
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
    let mut committed = 0;
    for passing in 0.. {
        // On a new connection all statements are prepared, so that messages are always the same.
        let far = through(db, proxy).await?;
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

/// A database by way of a proxy of its own.
struct Far {
    proxy: Proxy,
    db: Database,
}

impl Far {
    async fn with_connections(db: &Database, connections: u32) -> Result<Self> {
        let proxy = Proxy::in_front_of(db.url()).await.expect("a server");
        let options =
            |engine: EngineOptions| engine.max_connections(connections).acquire_timeout(BOUND);
        let db = db.by_way_of(proxy.url(), options).await?;
        Ok(Self { proxy, db })
    }

    /// A call on a connection that has fallen silent for ever, dropped after a while.
    async fn in_silence(&self, work: &mut Work, call: Call) {
        self.proxy.strand();
        let outcome = timeout(Duration::from_millis(100), work.call(call, &self.db)).await;
        assert!(outcome.is_err(), "{call:?} ended in silence");
    }

    /// The connections that are open at once can be had, although the old ones are still silent.
    async fn expect_free(&self, connections: u32) -> Result<()> {
        let mut sessions: Vec<_> = (0..connections).map(|_| self.db.session()).collect();
        for session in &mut sessions {
            let read = timeout(BOUND, Order::select().count(session)).await;
            read.expect("every slot is free")?;
        }
        Ok(())
    }
}

/// Whatever was dropped, a rollback ends soon, and the session works on.
async fn a_rollback_ends(db: &Database, number: i64, start: Start, call: Call) -> Result<()> {
    let far = Far::with_connections(db, 1).await?;
    let mut work = Work::start(db, &far.db, number, start).await?;
    far.in_silence(&mut work, call).await;
    let is_committing = work.is_committing();
    assert_eq!(is_committing, start == Start::Flushed && call == Call::Commit);
    match timeout(BOUND, work.session.rollback()).await {
        Ok(Err(Error::CommitOutcomeUnknown(_))) if is_committing => work.expect_expired(),
        Ok(Ok(())) if !is_committing => work.expect_settled(false, start, true),
        other => panic!("{start:?}, {call:?}, then a rollback: {other:?}"),
    }
    far.expect_free(1).await?;
    far.proxy.heal();
    let rows = work.rows_before();
    assert_eq!(shown(&db.engine, number).await?, rows, "{start:?}, {call:?}");
    work.expect_working(&rows, &far.db).await
}

/// A rollback needn't be dropped itself.
async fn a_rollback_gives_up(db: &Database, number: i64) -> Result<()> {
    let far = Far::with_connections(db, 1).await?;
    let mut work = Work::start(db, &far.db, number, Start::Flushed).await?;
    far.proxy.strand();
    timeout(BOUND, work.session.rollback()).await.expect("a rollback ends")?;
    work.expect_settled(false, Start::Flushed, true);
    far.expect_free(1).await
}

/// A session that is dropped with its call frees its slot, too.
async fn a_session_is_dropped(db: &Database, number: i64, start: Start, call: Call) -> Result<()> {
    let far = Far::with_connections(db, 1).await?;
    let mut work = Work::start(db, &far.db, number, start).await?;
    far.in_silence(&mut work, call).await;
    drop(work);
    far.expect_free(1).await
}

/// Connections that fell silent while they waited are found out, all of them in the time that one
/// of them takes.
async fn parked_connections_are_found_out(db: &Database) -> Result<()> {
    const CONNECTIONS: u32 = 6;
    let far = Far::with_connections(db, CONNECTIONS).await?;
    far.expect_free(CONNECTIONS).await?;
    far.proxy.strand();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    far.expect_free(CONNECTIONS).await
}

/// A connection that goes from hand to hand is asked in between.
async fn a_handed_over_connection_is_found_out(db: &Database) -> Result<()> {
    let far = Far::with_connections(db, 1).await?;
    let mut first = far.db.session();
    Order::select().count(&mut first).await?;
    let then = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        far.proxy.strand();
        drop(first);
        Ok(())
    };
    tokio::try_join!(far.expect_free(1), then).map(drop)
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

    /// SEMANTICS 9.4. All at once, since each of them waits.
    async fn rule_9_4_nothing_waits_for_a_silent_server_for_ever(db, _proxy) {
        if !db.capabilities.returning_on_insert {
            // What differs are the texts of statements.
            return Ok(());
        }
        create(&db).await?;
        let db = Arc::new(db);
        let mut waiting = JoinSet::new();
        let mut numbers = (0..).step_by(10);
        let mut next = || (Arc::clone(&db), numbers.next().expect("there is no last number"));
        for (start, call) in [
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
        ] {
            let (db, number) = next();
            waiting.spawn(async move { a_rollback_ends(&db, number, start, call).await });
        }
        for (start, call) in [(Start::Edited, Call::Flush), (Start::Flushed, Call::Query)] {
            let (db, number) = next();
            waiting.spawn(async move { a_session_is_dropped(&db, number, start, call).await });
        }
        let (at, number) = next();
        waiting.spawn(async move { a_rollback_gives_up(&at, number).await });
        let (at, _) = next();
        waiting.spawn(async move { parked_connections_are_found_out(&at).await });
        let (at, _) = next();
        waiting.spawn(async move { a_handed_over_connection_is_found_out(&at).await });
        waiting.join_all().await.into_iter().collect::<Result<()>>()?;
        db.expect_no_transaction().await;
    }
}
