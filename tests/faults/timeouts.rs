//! Many transactions at once, each under a timeout of its own.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use orm_core::session::ObjectState;
use orm_core::{Result, Session};
use orm_tests::{Database, backend_tests};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::work::{Line, Order, add_order, create, within};

const TRANSACTIONS: i64 = 2_000;
const TASKS: i64 = 12;
const CONNECTIONS: usize = 4;
/// In microseconds.
const LONGEST: u64 = 20_000;

/// Numbers that look random and are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// What the callers know of their transactions, by the numbers of the orders.
#[derive(Default)]
struct Outcomes {
    committed: Vec<i64>,
    rolled_back: Vec<i64>,
    dropped: Vec<i64>,
}

/// An order with a line, in several statements.
async fn write(session: &mut Session, number: i64) -> Result<()> {
    session.flush().await?;
    let orders = Order::select().filter(Order::number.eq(number));
    assert_eq!(orders.count(session).await?, 1, "a session sees what it has flushed");
    session.commit().await
}

/// The transactions of one task, one after the other. Half of the sessions whose transaction takes
/// too long are rolled back and used on, the others are dropped.
async fn work(db: &Database, task: i64) -> Result<Outcomes> {
    let mut random = Random(task as u64);
    let mut outcomes = Outcomes::default();
    let mut session = db.session();
    for number in (task..TRANSACTIONS).step_by(TASKS as usize) {
        let order = add_order(&mut session, number, &["line"]);
        let limit = Duration::from_micros(random.below(LONGEST));
        let is_kept = random.below(2) == 0;
        match timeout(limit, write(&mut session, number)).await {
            Ok(written) => {
                written?;
                outcomes.committed.push(number);
            }
            Err(_) if is_kept => {
                within("a rollback", session.rollback()).await?;
                // Memory knows what has become of it.
                match session.state(order) {
                    ObjectState::Persistent => outcomes.committed.push(number),
                    _ => outcomes.rolled_back.push(number),
                }
            }
            Err(_) => {
                session = db.session();
                outcomes.dropped.push(number);
            }
        }
    }
    Ok(outcomes)
}

/// As many sessions as the pool has connections can read and write, all of them at once.
async fn expect_all_slots(db: &Database) -> Result<()> {
    let mut sessions: Vec<_> = (0..CONNECTIONS).map(|_| db.session()).collect();
    for session in &mut sessions {
        within("a free slot", Order::select().count(session)).await?;
    }
    let mut another = db.session();
    let waiting = timeout(Duration::from_millis(100), Order::select().count(&mut another)).await;
    assert!(waiting.is_err(), "the pool has more than {CONNECTIONS} connections");
    for (at, session) in sessions.iter_mut().enumerate() {
        add_order(session, TRANSACTIONS + at as i64, &["later"]);
        within("a commit", session.commit()).await?;
    }
    drop(sessions);
    let count = within("a freed slot", Order::select().count(&mut another)).await?;
    assert!(count >= CONNECTIONS as u64, "a commit was lost");
    Ok(())
}

backend_tests! {
    /// SEMANTICS 9.4
    async fn rule_9_4_two_thousand_transactions_with_random_timeouts(db) {
        let options = |engine: orm_tests::EngineOptions| {
            engine.max_connections(CONNECTIONS as u32)
        };
        let db = std::sync::Arc::new(db.with_engine(options).await?);
        create(&db).await?;
        let started = Instant::now();
        let mut tasks = JoinSet::new();
        for task in 0..TASKS {
            let db = db.clone();
            tasks.spawn(async move { work(&db, task).await });
        }
        let mut known = Outcomes::default();
        for outcomes in within("all transactions", tasks.join_all()).await {
            let outcomes = outcomes?;
            known.committed.extend(outcomes.committed);
            known.rolled_back.extend(outcomes.rolled_back);
            known.dropped.extend(outcomes.dropped);
        }
        let elapsed = started.elapsed();
        expect_all_slots(&db).await?;
        db.expect_no_transaction().await;

        let lines: HashMap<i64, i64> = Order::select()
            .left_join(Order::lines)
            .group_by(Order::number)
            .columns((Order::number, Line::id.count()))
            .on(&db.engine)
            .all()
            .await?
            .into_iter()
            .collect();
        let halves: Vec<_> = lines.iter().filter(|(_, lines)| **lines != 1).collect();
        assert_eq!(halves, [], "orders without their line");
        let lost: Vec<_> =
            known.committed.iter().filter(|number| !lines.contains_key(number)).collect();
        assert_eq!(lost, [&0; 0], "acknowledged commits that were lost");
        let undead: Vec<_> =
            known.rolled_back.iter().filter(|number| lines.contains_key(number)).collect();
        assert_eq!(undead, [&0; 0], "rolled back, and there all the same");
        let numbers: HashSet<i64> = known.committed.iter().copied().collect();
        assert_eq!(numbers.len(), known.committed.len());

        let Outcomes { committed, rolled_back, dropped } = &known;
        assert_eq!(committed.len() + rolled_back.len() + dropped.len(), TRANSACTIONS as usize);
        assert!(!committed.is_empty() && !rolled_back.is_empty() && !dropped.is_empty());
        println!(
            "{TRANSACTIONS} transactions in {elapsed:?}: {} committed, {} rolled back, {} dropped",
            committed.len(),
            rolled_back.len(),
            dropped.len(),
        );
    }
}
