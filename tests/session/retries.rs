//! Real collisions, which `sessions.retry` tries again, the commit included (DESIGN 5).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use orm_core::session::{Isolation, Retries};
use orm_core::{Result, Session, SessionFactory};
use orm_tests::{Database, backend_tests};
use tokio::sync::Barrier;

use super::models::*;

/// How often something was tried, in all.
type Tries = Arc<AtomicI64>;

/// Counts a visit of each of two users, in this order; the first try waits in between until the
/// other has got as far.
async fn count_both(
    sessions: SessionFactory,
    order: [i64; 2],
    tries: Tries,
    both: Arc<Barrier>,
) -> Result<()> {
    let is_first = AtomicBool::new(true);
    sessions
        .retry(async |mut session| {
            tries.fetch_add(1, Ordering::Relaxed);
            for (at, id) in order.into_iter().enumerate() {
                let user = session.require::<User>(id).await?;
                // In the database: another try may read before the first one's commit.
                session.set(user, User::visits, User::visits + 1);
                session.flush().await?;
                if at == 0 && is_first.swap(false, Ordering::Relaxed) {
                    both.wait().await;
                }
            }
            Ok(())
        })
        .await
}

/// Takes the only visit for one of the users, if none of them has it.
async fn take_visit(
    sessions: SessionFactory,
    id: i64,
    (both_have_read, both_have_written): (Arc<Barrier>, Option<Arc<Barrier>>),
    tries: Tries,
) -> Result<()> {
    let is_first = AtomicBool::new(true);
    sessions
        .retry(async |mut session| {
            tries.fetch_add(1, Ordering::Relaxed);
            let is_first = is_first.swap(false, Ordering::Relaxed);
            let taken = visits(&mut session).await?;
            if is_first {
                both_have_read.wait().await;
            }
            if taken == 0 {
                let user = session.require::<User>(id).await?;
                session[user].visits = 1;
                session.flush().await?;
            }
            if let (true, Some(both)) = (is_first, &both_have_written) {
                both.wait().await;
            }
            Ok(())
        })
        .await
}

async fn visits(session: &mut Session) -> Result<i64> {
    let visits = User::select().columns(User::visits).all(session).await?;
    Ok(visits.into_iter().sum())
}

async fn visits_of_each(db: &Database) -> Result<Vec<i64>> {
    User::select().order_by(User::id.asc()).columns(User::visits).on(&db.engine).all().await
}

backend_tests! {
    /// DESIGN 5, SEMANTICS 9.2: two transactions at read committed that write the same rows in
    /// different orders: one of them is the deadlock's victim, and wins the next time.
    async fn retry_wins_over_a_deadlock(db) {
        if db.capabilities.single_writer {
            return Ok(());
        }
        committed(&db, &["ada", "bob"]).await?;
        let (tries, both) = (Tries::default(), Arc::new(Barrier::new(2)));
        let [one, other] = [[1, 2], [2, 1]].map(|order| {
            tokio::spawn(count_both(db.sessions.clone(), order, tries.clone(), both.clone()))
        });
        one.await.expect("it doesn't panic")?;
        other.await.expect("it doesn't panic")?;
        assert_eq!(tries.load(Ordering::Relaxed), 3, "one of them lost, once");
        assert_eq!(visits_of_each(&db).await?, [2, 2]);
    }

    /// DESIGN 5: a database that is busy, or a row that is locked, is free after a while.
    async fn retry_outlasts_who_has_the_lock(db) {
        let db = db.with_engine(|engine| engine.busy_timeout(Duration::from_millis(20))).await?;
        committed(&db, &["ada"]).await?;
        let mut holder = db.session();
        let ada = User::select().for_update().one(&mut holder).await?;
        let tries = Tries::default();
        let retries = Retries::default().tries(1000).first_pause(Duration::from_millis(20));
        let sessions = db.sessions.clone().retries(retries);
        let counted = tries.clone();
        let waiting = tokio::spawn(async move {
            sessions
                .retry(async |mut session| {
                    counted.fetch_add(1, Ordering::Relaxed);
                    let ada = User::select().for_update().nowait().one(&mut session).await?;
                    session[ada].visits += 1;
                    Ok(())
                })
                .await
        });
        while tries.load(Ordering::Relaxed) < 3 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        holder[ada].visits = 10;
        holder.commit().await?;
        waiting.await.expect("it doesn't panic")?;
        assert_eq!(visits_of_each(&db).await?, [11]);
    }

    /// DESIGN 5: what only the COMMIT finds out is tried again as well. Two transactions each take
    /// what, as both have read, nobody has: no row is written twice. Where serializable transactions
    /// read a snapshot and write side by side, it is the COMMIT that fails.
    async fn retry_tries_again_what_fails_at_commit(db) {
        committed(&db, &["ada", "bob"]).await?;
        let capabilities = db.capabilities;
        let fails_at_commit = capabilities.snapshot_when_serializable && !capabilities.single_writer;
        let retries = Retries::default().tries(100);
        let sessions = db.sessions.clone().isolation(Isolation::Serializable).retries(retries);
        let tries = Tries::default();
        let both_have_read = Arc::new(Barrier::new(2));
        let both_have_written = fails_at_commit.then(|| Arc::new(Barrier::new(2)));
        let log = db.log();
        let [one, other] = [1, 2].map(|id| {
            let barriers = (both_have_read.clone(), both_have_written.clone());
            tokio::spawn(take_visit(sessions.clone(), id, barriers, tries.clone()))
        });
        one.await.expect("it doesn't panic")?;
        other.await.expect("it doesn't panic")?;
        let visits = visits_of_each(&db).await?;
        assert_eq!(visits.iter().sum::<i64>(), 1, "one of them has it: {visits:?}");
        assert!(tries.load(Ordering::Relaxed) > 2, "somebody lost");
        if fails_at_commit {
            let all = log.all();
            let sent = |verb: &str| all.iter().filter(|sent| *sent == verb).count();
            assert_eq!(sent("UPDATE users"), 2, "{all:?}");
            assert_eq!((sent("BEGIN"), sent("COMMIT")), (3, 3), "{all:?}");
        }
    }
}
