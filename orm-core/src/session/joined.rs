//! Sessions inside a transaction that somebody else began, and tests that leave nothing behind.

use super::{Session, SessionFactory};
use crate::driver::{Engine, JoinedConnection};
use crate::error::Result;

impl SessionFactory {
    /// A session inside a transaction that somebody else began, on a connection that it
    /// takes over: a `Transaction<'static, _>`, a `PoolConnection<_>` or a connection itself, of
    /// the engine's database.
    ///
    /// To the session all is as ever, but its transaction is a savepoint of the owner's: a commit
    /// keeps its work inside the owner's transaction, a rollback undoes its own work only, and
    /// nobody else sees any of it before the owner commits.
    /// [`into_connection`](Session::into_connection) gives the connection back. A session that is
    /// dropped instead closes it, or rolls back sqlx's `Transaction`, and so does a statement whose
    /// future is dropped or that loses the connection: the owner's transaction is undone then.
    ///
    /// The connection gets the settings of the engine's own ones, as
    /// `Engine::with_pool` says, and keeps them. The isolation is the owner's. On
    /// SQLite `PRAGMA foreign_keys` does nothing inside a transaction: whether foreign keys are
    /// checked, and their ON DELETE acts, is as the owner had it at BEGIN (sqlx switches them on, rusqlite as SQLite was built).
    ///
    /// ```
    /// # use orm_core::{Engine, Model, SessionFactory, schema};
    /// # #[derive(Model)] #[orm(base = none)] struct User { #[orm(primary_key, autoincrement)] id: i64, name: String }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # #[cfg(feature = "sqlite")] {
    /// use orm_core::rusqlite::Connection; // on servers, sqlx's `Transaction` or `PoolConnection`
    /// # let file = std::env::temp_dir().join(format!("orm-joined-{}.db", std::process::id()));
    /// # let file = file.display().to_string();
    ///
    /// let engine = Engine::connect(format!("sqlite://{file}")).await?;
    /// # engine.create_all(&schema![User]).await?;
    /// let sessions = SessionFactory::new(engine);
    ///
    /// let connection = Connection::open(&file).unwrap();
    /// connection.execute_batch("BEGIN; INSERT INTO users (name) VALUES ('Ada')").unwrap();
    /// let mut session = sessions.join(connection).await?;
    /// session.add(User::draft().name("Grace"));
    /// session.commit().await?; // not yet to be seen by others
    /// let connection: Connection = session.into_connection().await?;
    /// connection.execute_batch("COMMIT").unwrap();
    /// # drop(connection);
    /// assert_eq!(User::select().count(&mut sessions.session()).await?, 2);
    /// # std::fs::remove_file(file).unwrap();
    /// # }
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    ///
    /// SQLAlchemy's `Session(bind=connection, join_transaction_mode="create_savepoint")`.
    ///
    /// # Errors
    /// [`Error::Misuse`](crate::Error::Misuse) if the connection is not one of the engine's database, or has no
    /// transaction open (on SQLite sqlx's connections can't tell: their savepoints are transactions
    /// then); the database's.
    /// The connection is closed then.
    pub async fn join(&self, connection: impl JoinedConnection) -> Result<Session> {
        let engine = self.engine().join(connection.__hand_in()).await?;
        Ok(self.on(engine).session())
    }

    /// A factory for the tests of an application: all of its sessions work on one connection, in
    /// one transaction that is rolled back when the factory and its sessions are gone. What they
    /// commit is seen by one another and by nobody else, so that tests need no cleaning up and run
    /// beside each other (on SQLite one after the other, since a transaction that writes is alone).
    ///
    /// Commits are savepoints of that transaction. Sessions may live side by side as far as one
    /// connection allows: a statement outside of a transaction takes it for that statement, a
    /// transaction from its first write until its end. Who waits longer than the engine's
    /// `acquire_timeout` gets [`Error::Timeout`](crate::Error::Timeout) instead of hanging. The same holds for queries
    /// on [`engine`](Self::engine) of this factory.
    ///
    /// What can't be tested so: constraints that are checked at COMMIT, isolation, and how a
    /// session goes on after it lost its connection, since with that the whole transaction is gone.
    /// Statements that commit by themselves (on MySQL those that create tables) end it.
    ///
    /// ```
    /// # use orm_core::{Engine, Model, Result, SessionFactory, schema};
    /// # #[derive(Model)] struct User { name: String }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::connect("sqlite::memory:").await?;
    /// # engine.create_all(&schema![User]).await?;
    /// /// A part of the application.
    /// async fn sign_up(sessions: &SessionFactory, name: &str) -> Result<i64> {
    ///     sessions
    ///         .transaction(async |mut session| {
    ///             let user = session.add(User::draft().name(name));
    ///             session.flush().await?;
    ///             Ok(session[user].id())
    ///         })
    ///         .await
    /// }
    ///
    /// let sessions = SessionFactory::for_test(&engine).await?;
    /// let ada = sign_up(&sessions, "Ada").await?;
    /// let mut session = sessions.session();
    /// let ada = session.require::<User>(ada).await?;
    /// assert_eq!(session[ada].name, "Ada");
    ///
    /// drop((session, sessions));
    /// assert_eq!(User::select().on(&engine).count().await?, 0);
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    ///
    /// Django's `TestCase`; the recipe "Joining a Session into an External Transaction" of
    /// SQLAlchemy.
    ///
    /// # Errors
    /// The database's; [`Error::Misuse`](crate::Error::Misuse) if the engine is that of such a factory itself.
    pub async fn for_test(engine: &Engine) -> Result<Self> {
        Ok(Self::new(engine.rolled_back().await?))
    }
}

impl Session {
    /// Gives back the connection that the session [joined](SessionFactory::join) a transaction on,
    /// as the type that it was handed in as. The transaction is still open, with what the session
    /// committed in it; what it did not commit is rolled back.
    ///
    /// # Errors
    /// [`Error::Misuse`](crate::Error::Misuse) if the session has joined none, or if the type is another: the connection
    /// is closed then. [`Error::Connection`](crate::Error::Connection) if it was lost, or closed because a statement was
    /// interrupted. [`Error::Timeout`](crate::Error::Timeout) if something else on the session's engine holds it.
    pub async fn into_connection<C: JoinedConnection>(self) -> Result<C> {
        let engine = self.engine().clone();
        self.close().await?;
        engine.give_back::<C>().await
    }
}
