//! Where sessions come from, and transactions as closures.

use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::hooks::SessionHooks;
use super::{Isolation, Session};
use crate::driver::Engine;
use crate::error::{Error, Result};
use crate::query::Criteria;

/// Makes sessions on an engine. Cheap to clone; keep one in the state of a web application.
///
/// What `sessionmaker` is in SQLAlchemy.
#[derive(Clone, Debug)]
pub struct SessionFactory {
    engine: Engine,
    autoflush: bool,
    isolation: Isolation,
    retries: Retries,
    strict_loading: bool,
    pub(super) hooks: Arc<SessionHooks>,
    pub(super) criteria: Arc<Criteria>,
}

impl SessionFactory {
    /// A factory of sessions that flush before queries.
    pub fn new(engine: Engine) -> Self {
        Self {
            engine,
            autoflush: true,
            isolation: Isolation::default(),
            retries: Retries::default(),
            strict_loading: false,
            hooks: Arc::default(),
            criteria: Arc::default(),
        }
    }

    /// Whether its sessions flush before queries.
    pub fn autoflush(mut self, on: bool) -> Self {
        self.autoflush = on;
        self
    }

    /// How far its sessions' transactions are kept apart from others;
    /// [read committed](Isolation::ReadCommitted) unless said otherwise.
    pub fn isolation(mut self, isolation: Isolation) -> Self {
        self.isolation = isolation;
        self
    }

    /// How often [`retry`](Self::retry) tries, and how long it waits in between.
    pub fn retries(mut self, retries: Retries) -> Self {
        self.retries = retries;
        self
    }

    /// Whether awaiting a relationship that no query has loaded is an error,
    /// [`Error::NotLoaded`](crate::Error::NotLoaded), which names it: a switch for tests, and for
    /// whoever wants every load to stand in a query. What the identity map could answer is an
    /// error too, so that it doesn't depend on the data.
    ///
    /// Queries, also those on an accessor (`ada.posts(&mut session).query()`), edits, and what a
    /// flush has to read, go on as ever.
    ///
    /// ```
    /// # use orm_core::{BelongsTo, Engine, Error, HasMany, Model, SessionFactory, schema};
    /// # #[derive(Model)] struct User { name: String, #[orm(back_populates = user)] posts: HasMany<Post> }
    /// # #[derive(Model)] struct Post { title: String, #[orm(foreign_key = User)] user_id: i64,
    /// #   #[orm(back_populates = posts)] user: BelongsTo<User> }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::connect("sqlite::memory:").await?;
    /// # engine.create_all(&schema![User, Post]).await?;
    /// # let mut session = SessionFactory::new(engine.clone()).session();
    /// # session.add(User::draft().name("Ada"));
    /// # session.commit().await?;
    /// let sessions = SessionFactory::new(engine).strict_loading(true);
    /// let mut session = sessions.session();
    /// let ada = session.require::<User>(1).await?;
    /// assert!(matches!(ada.posts(&mut session).await, Err(Error::NotLoaded { field: "posts", .. })));
    /// User::select().with(User::posts).all(&mut session).await?;
    /// assert!(ada.posts(&mut session).await?.is_empty());
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    ///
    /// The concept is Rails' `strict_loading`, SQLAlchemy's `raiseload("*")`.
    pub fn strict_loading(mut self, on: bool) -> Self {
        self.strict_loading = on;
        self
    }

    /// The same settings on another engine.
    pub(super) fn on(&self, engine: Engine) -> Self {
        Self { engine, ..self.clone() }
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// A new session. Takes no connection before its first statement.
    pub fn session(&self) -> Session {
        let mut session = Session::new(self.engine.clone(), self.autoflush, self.isolation);
        session.hooks = Arc::clone(&self.hooks);
        session.criteria = Arc::clone(&self.criteria);
        session.strict_loading = self.strict_loading;
        session
    }

    /// Runs a closure in a session, commits if it gives `Ok` and rolls back if it gives `Err`, or if
    /// the commit fails.
    ///
    /// ```
    /// # use orm_core::{Engine, Model, SessionFactory, schema};
    /// # #[derive(Model)] struct User { name: String }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::connect("sqlite::memory:").await?;
    /// # engine.create_all(&schema![User]).await?;
    /// # let sessions = SessionFactory::new(engine);
    /// let id = sessions
    ///     .transaction(async |mut session| {
    ///         let user = session.add(User::draft().name("Ada"));
    ///         session.flush().await?;
    ///         Ok(session[user].id())
    ///     })
    ///     .await?;
    /// # assert_eq!(id, 1);
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// The closure's, those of the commit, and [`Error::Misuse`] if the closure lets the session
    /// outlive it.
    pub async fn transaction<T, F>(&self, work: impl FnOnce(Lent) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let slot = Arc::new(Mutex::new(None));
        let lent = Lent { session: Some(self.session()), slot: Arc::clone(&slot) };
        let outcome = work(lent).await;
        let returned = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut session = returned.ok_or_else(|| {
            Error::misuse("the closure of `transaction` kept its session: it must end with it")
        })?;
        match outcome {
            Ok(value) => match session.commit().await {
                Ok(()) => Ok(value),
                Err(error) => {
                    // The commit's error is what there is to tell.
                    let _ = session.close().await;
                    Err(error)
                }
            },
            Err(error) => {
                session.rollback().await?;
                Err(error)
            }
        }
    }

    /// Runs a closure as [`transaction`](Self::transaction) does, and once more in a fresh session
    /// if it or the commit fails by a collision with another transaction: a deadlock, a
    /// serialization failure, a lock that was not to be had
    /// ([`Error::is_retryable`](crate::Error::is_retryable)). Between two tries it waits for a
    /// random part of a time that doubles.
    ///
    /// The closure must not do what can't be undone, such as sending mail: it may run several
    /// times.
    ///
    /// ```
    /// # use orm_core::{Engine, Model, SessionFactory, schema};
    /// # #[derive(Model)] struct User { name: String, #[orm(default = 0)] visits: i64 }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::connect("sqlite::memory:").await?;
    /// # engine.create_all(&schema![User]).await?;
    /// # let sessions = SessionFactory::new(engine);
    /// # let ada = sessions.transaction(async |mut session| { let ada = session.add(User::draft().name("Ada")); session.flush().await?; Ok(session[ada].id()) }).await?;
    /// let visits = sessions
    ///     .retry(async |mut session| {
    ///         let user = session.require::<User>(ada).await?;
    ///         session[user].visits += 1;
    ///         Ok(session[user].visits)
    ///     })
    ///     .await?;
    /// # assert_eq!(visits, 1);
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// Those of [`transaction`](Self::transaction); the last collision, when there is no further
    /// try.
    pub async fn retry<T, F>(&self, mut work: impl FnMut(Lent) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let started = Instant::now();
        let mut tries = 1;
        loop {
            match self.transaction(&mut work).await {
                Err(error) if error.is_retryable() => {
                    let Some(pause) = self.retries.pause(tries, started.elapsed()) else {
                        return Err(error);
                    };
                    tracing::debug!(target: "orm::session", tries, ?pause, "{error}: trying again");
                    tokio::time::sleep(pause).await;
                    tries += 1;
                }
                outcome => return outcome,
            }
        }
    }
}

/// How often [`SessionFactory::retry`] tries, and how long it waits in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    tries: u32,
    first_pause: Duration,
    limit: Duration,
}

impl Default for Retries {
    /// Ten tries within thirty seconds, the first pause at most ten milliseconds.
    fn default() -> Self {
        let (first_pause, limit) = (Duration::from_millis(10), Duration::from_secs(30));
        Self { tries: 10, first_pause, limit }
    }
}

impl Retries {
    /// The longest pause, however many there were.
    const LONGEST_PAUSE: Duration = Duration::from_secs(2);

    /// How often to try in all, the first time included; at least once.
    pub fn tries(mut self, tries: u32) -> Self {
        self.tries = tries.max(1);
        self
    }

    /// How long the first pause may be. Each further one may be twice as long, up to two seconds;
    /// how long it is, is random.
    pub fn first_pause(mut self, pause: Duration) -> Self {
        self.first_pause = pause;
        self
    }

    /// For how long to begin further tries.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// How long to wait after so many tries; `None` if there is to be no further one.
    fn pause(&self, tries: u32, elapsed: Duration) -> Option<Duration> {
        let doubled = 2_u32.checked_pow(tries - 1).unwrap_or(u32::MAX);
        let longest = self.first_pause.saturating_mul(doubled).min(Self::LONGEST_PAUSE);
        // A new hasher's keys are as random as this needs to be.
        let random = RandomState::new().hash_one(tries) as f64 / u64::MAX as f64;
        let pause = longest.mul_f64(random);
        (tries < self.tries && elapsed + pause <= self.limit).then_some(pause)
    }
}

/// A session that is lent, by value, to a closure; it returns when it is dropped, so that the
/// factory can commit it.
#[derive(Debug)]
pub struct Lent {
    /// There until it is dropped.
    session: Option<Session>,
    slot: Arc<Mutex<Option<Session>>>,
}

impl Deref for Lent {
    type Target = Session;
    fn deref(&self) -> &Session {
        self.session.as_ref().expect("a lent session is there until it is dropped")
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut Session {
        self.session.as_mut().expect("a lent session is there until it is dropped")
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = self.session.take();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT_ONCE: Duration = Duration::ZERO;

    #[test]
    fn pauses_double_at_random_up_to_a_limit() {
        let retries = Retries::default().tries(u32::MAX).first_pause(Duration::from_millis(10));
        for (tries, longest) in [(1, 10), (2, 20), (5, 160), (8, 1280), (9, 2000), (1000, 2000)] {
            let pauses: Vec<_> = (0..100).filter_map(|_| retries.pause(tries, AT_ONCE)).collect();
            let longest = Duration::from_millis(longest);
            assert_eq!(pauses.len(), 100);
            assert!(pauses.iter().all(|pause| *pause <= longest), "{tries}: {pauses:?}");
            assert!(pauses.iter().any(|pause| *pause > longest / 2), "{tries}: {pauses:?}");
            assert!(pauses.iter().any(|pause| *pause < longest / 2), "{tries}: {pauses:?}");
        }
    }

    #[test]
    fn tries_and_time_have_an_end() {
        let retries = Retries::default().tries(3).limit(Duration::from_secs(1));
        assert!(retries.pause(2, AT_ONCE).is_some());
        assert!(retries.pause(3, AT_ONCE).is_none());
        assert!(retries.pause(1, Duration::from_secs(2)).is_none());
        assert!(Retries::default().tries(0).pause(1, AT_ONCE).is_none());
    }
}
