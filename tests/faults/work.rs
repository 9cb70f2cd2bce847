//! A unit of work that touches several tables, and what must be true of it however it ends.

use std::future::{Future, IntoFuture};
use std::time::Duration;

use orm_core::session::ObjectState;
use orm_core::{BelongsTo, Engine, Error, Handle, HasMany, Model, Result, Session, schema};
use orm_tests::EngineOptions;
use orm_tests::{Database, Proxy};

/// How long anything may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// An order. Its number tells which unit of work it belongs to.
#[derive(Debug, Model)]
pub struct Order {
    #[orm(unique)]
    pub number: i64,
    #[orm(default = 0)]
    pub total: i64,
    #[orm(back_populates = order, cascade = "all, delete-orphan")]
    pub lines: HasMany<Line>,
}

/// A line of an order. No order is without one.
#[derive(Debug, Model)]
pub struct Line {
    pub text: String,
    #[orm(foreign_key = Order, index)]
    pub order_id: i64,
    #[orm(back_populates = lines)]
    pub order: BelongsTo<Order>,
}

/// Another database of the test's, with the tables, by a pool of one connection.
pub(crate) async fn with_one_connection(db: &Database) -> Result<Database> {
    let db = db
        .with_engine(|engine| engine.max_connections(1).acquire_timeout(Duration::from_secs(10)))
        .await?;
    create(&db).await?;
    Ok(db)
}

pub(crate) async fn create(db: &Database) -> Result<()> {
    db.create(&schema![Order, Line]).await
}

/// The same database through the proxy, by a pool of one connection.
pub(crate) async fn through(db: &Database, proxy: &Proxy) -> Result<Database> {
    let options =
        |engine: EngineOptions| engine.max_connections(1).acquire_timeout(Duration::from_secs(10));
    db.by_way_of(proxy.url(), options).await
}

/// A new order with lines of these texts.
pub(crate) fn add_order(session: &mut Session, number: i64, lines: &[&str]) -> Handle<Order> {
    let order = session.add(Order::draft().number(number));
    for text in lines {
        session.push(order, Order::lines, Line::draft().text(*text));
    }
    order
}

/// What must not take for ever.
#[track_caller]
pub(crate) fn within<T>(what: &str, future: impl Future<Output = T>) -> impl Future<Output = T> {
    let late = format!("waited in vain for {what}");
    async move { tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{late}")) }
}

/// In which state of the session a call comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// Objects are loaded, by a connection that the session still has.
    Clean,
    /// The same, and the connection is back in the pool.
    Released,
    /// With unflushed changes.
    Edited,
    /// Inside the transaction, with all changes flushed.
    Flushed,
    /// Inside the transaction, with changes since the last flush.
    EditedAgain,
}

/// A call whose future may end in any way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Flush,
    /// The same, later.
    FlushAgain,
    Commit,
    Rollback,
    Query,
    Get,
    LazyLoad,
    /// `session.connection()`.
    Lend,
    /// A statement on the lent connection.
    RawWrite,
    /// A query on the engine.
    Read,
    /// Several queries on one connection of the engine.
    Graph,
}

/// How many orders are shown, how they stand, and how many lines each has.
pub(crate) type Rows = Vec<(i64, i64, i64)>;

/// A session that loaded an order and edits it, deletes one of its two lines and adds another
/// order with two lines.
pub(crate) struct Work {
    pub(crate) number: i64,
    pub(crate) session: Session,
    order: Handle<Order>,
    line: Handle<Line>,
    /// An order whose lines are not loaded.
    other: Handle<Order>,
    /// The key of its line.
    unread: i64,
    /// Once it is added.
    new: Option<Handle<Order>>,
}

impl Work {
    /// Commits what is to be edited, by a session on the first database, and loads it into a
    /// session on the second, which may lead to the first by another way.
    pub(crate) async fn start(
        db: &Database,
        by_way_of: &Database,
        number: i64,
        start: Start,
    ) -> Result<Self> {
        let mut seeding = db.session();
        add_order(&mut seeding, number, &["kept", "deleted"]);
        let other = add_order(&mut seeding, number + 2, &["unread"]);
        seeding.commit().await?;
        let unread = other.lines(&mut seeding).await?[0];
        let unread = seeding[unread].id();
        drop(seeding);

        let mut session = by_way_of.session();
        let one = |number| Order::select().filter(Order::number.eq(number));
        let other = one(number + 2).one(&mut session).await?;
        let order = one(number).one(&mut session).await?;
        let line = order.lines(&mut session).alone().await?[1];
        let mut work = Self { number, session, order, line, other, unread, new: None };
        match start {
            Start::Clean => {}
            Start::Released => work.session.commit().await?,
            Start::Edited => work.edit(),
            Start::Flushed | Start::EditedAgain => {
                work.edit();
                work.session.flush().await?;
            }
        }
        if start == Start::EditedAgain {
            work.edit_again();
        }
        Ok(work)
    }

    pub(crate) fn edit(&mut self) {
        self.session[self.order].total = 5;
        self.session.delete(self.line);
        self.new = Some(add_order(&mut self.session, self.number + 1, &["one", "two"]));
    }

    /// More of everything: what shows in the database is the same.
    pub(crate) fn edit_again(&mut self) {
        let new = self.new.expect("it was edited before");
        self.session[self.order].total = 5 + 1;
        self.session[new].total = 1;
        self.session.push(self.other, Order::lines, Line::draft().text("late"));
    }

    pub(crate) async fn call(&mut self, call: Call, db: &Database) -> Result<()> {
        let session = &mut self.session;
        let orders = || Order::select().filter(Order::number.between(self.number, self.number + 9));
        match call {
            Call::Flush | Call::FlushAgain => session.flush().await,
            Call::Commit => session.commit().await,
            Call::Rollback => session.rollback().await,
            Call::Query => orders().all(session).await.map(drop),
            Call::Get => session.get::<Line>(self.unread).await.map(drop),
            Call::LazyLoad => IntoFuture::into_future(self.other.lines(session)).await.map(drop),
            Call::Lend => db.borrow_from(session).await,
            Call::RawWrite => {
                let number = self.number + 2;
                let sql = format!("UPDATE orders SET total = 0 WHERE number = {number}");
                db.run_in(session, &sql).await
            }
            Call::Read => orders().on(&db.engine).all().await.map(drop),
            Call::Graph => orders().with(Order::lines).on(&db.engine).graph().await.map(drop),
        }
    }

    /// What the database shows if nothing of it was written.
    pub(crate) fn rows_before(&self) -> Rows {
        vec![(self.number, 0, 2), (self.number + 2, 0, 1)]
    }

    /// What the database shows if all of it was written.
    pub(crate) fn rows_after(&self, start: Start) -> Rows {
        let number = self.number;
        match start {
            Start::Clean | Start::Released => self.rows_before(),
            Start::Edited | Start::Flushed => {
                vec![(number, 5, 1), (number + 1, 0, 2), (number + 2, 0, 1)]
            }
            Start::EditedAgain => vec![(number, 6, 1), (number + 1, 1, 2), (number + 2, 0, 2)],
        }
    }

    /// Memory is as it was before a call that was dropped.
    #[track_caller]
    pub(crate) fn expect_as_before(&self, start: Start, call: Call) {
        let total = match start {
            Start::Clean | Start::Released => 0,
            Start::Edited | Start::Flushed => 5,
            Start::EditedAgain => 6,
        };
        assert_eq!(self.session[self.order].total, total);
        assert_eq!(self.session[self.other].lines.loaded(), None);
        // Other calls flush first and then do something else: when that is dropped there is
        // something in memory that only a rollback can take back.
        if let (Start::Edited, Call::Flush | Call::Commit, Some(new)) = (start, call, self.new) {
            assert_eq!(self.session.state(self.line), ObjectState::Deleted);
            assert_eq!(self.session[self.line].text, "deleted");
            assert_eq!(self.session.state(new), ObjectState::Pending);
            assert_eq!(self.session.key(new), None);
        }
    }

    /// A COMMIT was sent, and its outcome was not awaited.
    pub(crate) fn is_committing(&self) -> bool {
        matches!(self.session.try_get(self.order), Err(Error::CommitPending))
    }

    /// What was touched must be read again, since nobody knows what has become of it.
    #[track_caller]
    pub(crate) fn expect_expired(&self) {
        let read = self.session.try_get(self.order);
        assert!(matches!(read, Err(Error::NotLoaded { .. })), "{read:?}");
        let read = self.session.try_get(self.line);
        assert!(matches!(read, Err(Error::NotLoaded { .. })), "{read:?}");
        if let Some(new) = self.new {
            assert_eq!(self.session.state(new), ObjectState::Detached);
        }
    }

    /// Memory agrees with the database, after a rollback that came behind whatever happened.
    /// Objects may be expired, if it may not be known what the database has done to them.
    #[track_caller]
    pub(crate) fn expect_settled(&self, is_committed: bool, start: Start, may_be_expired: bool) {
        let state = |is_there| match is_there {
            true => ObjectState::Persistent,
            false => ObjectState::Detached,
        };
        if let Some(new) = self.new {
            assert_eq!(self.session.state(new), state(is_committed), "the new order");
            assert_eq!(self.session.state(self.line), state(!is_committed), "the deleted line");
        }
        let rows = if is_committed { self.rows_after(start) } else { self.rows_before() };
        match self.session.try_get(self.order) {
            Ok(order) => assert_eq!(order.total, rows[0].1, "the edited order"),
            Err(Error::NotLoaded { .. }) if may_be_expired => {}
            Err(error) => panic!("the edited order: {error}"),
        }
    }

    /// The session works as before, and so does another one on the same pool when it is done.
    /// The unit of work ended with these rows.
    pub(crate) async fn expect_working(mut self, rows: &Rows, db: &Database) -> Result<()> {
        let session = &mut self.session;
        within("the session to read", session.refresh(self.order)).await?;
        assert_eq!(session[self.order].total, rows[0].1);
        session[self.order].total = 9;
        add_order(session, self.number + 8, &["by the same session"]);
        within("the session to commit", session.commit()).await?;
        let mut expected = rows.clone();
        expected[0].1 = 9;
        expected.push((self.number + 8, 0, 1));
        assert_eq!(shown(&db.engine, self.number).await?, expected);

        let mut second = db.session();
        let read = Order::select().filter(Order::number.eq(self.number)).one(&mut second);
        let order = within("another session to read", read).await?;
        second[order].total = 10;
        within("another session to commit", second.commit()).await?;
        expected[0].1 = 10;
        assert_eq!(shown(&db.engine, self.number).await?, expected);
        Ok(())
    }
}

/// What the database shows of a unit of work.
pub(crate) async fn shown(engine: &Engine, number: i64) -> Result<Rows> {
    let rows = Order::select()
        .left_join(Order::lines)
        .filter(Order::number.between(number, number + 9))
        .group_by((Order::number, Order::total))
        .order_by(Order::number.asc())
        .columns((Order::number, Order::total, Line::id.count()))
        .on(engine)
        .all();
    within("the rows", rows).await
}
