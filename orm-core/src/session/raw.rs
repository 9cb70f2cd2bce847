//! The verbs of hand-written statements.

use super::verbs::{at_most_one, no_row};
use super::{OnEngine, QueryTarget, Session};
use crate::driver::{Connection, Done, EachRow, Engine, RowSink};
use crate::error::{Error, Result};
use crate::load::make_peers;
use crate::model::{Entity, Handle, Model};
use crate::query::{ByName, Raw, RawEntities, RawRows};
use crate::sql::{Dialect, RawSql, Statement, render_raw};
use crate::tracking::ObjectId;
use crate::value::Cells;

/// What errors call the rows of a statement that isn't about one table.
const RAW: &str = "a hand-written statement";

impl Session {
    /// Flushes, and sees to it that there is a connection, and a transaction for what may write.
    async fn prepare_raw(&mut self, sql: RawSql, is_read: bool) -> Result<Statement> {
        let dialect = self.engine.dialect();
        let is_read = is_read && sql.is_read(dialect);
        let statement = render_raw(dialect, sql)?;
        self.ready().await?;
        self.autoflush_changes().await?;
        if is_read {
            self.connect().await?;
        } else {
            self.begin().await?;
            // What is loaded from now on may show what it wrote.
            self.store.begin_tainting();
        }
        Ok(statement)
    }

    async fn run_raw(
        &mut self,
        sql: RawSql,
        is_read: bool,
        rows: &mut dyn RowSink,
    ) -> Result<Done> {
        let statement = self.prepare_raw(sql, is_read).await?;
        let Some(connection) = &mut self.connection else { return Ok(Done::default()) };
        let done = connection.run(statement, rows).await;
        self.check(done)
    }
}

/// Runs a statement in a transaction of its own, unless it only reads.
async fn run_on(
    engine: &Engine,
    sql: RawSql,
    is_read: bool,
    rows: &mut dyn RowSink,
) -> Result<Done> {
    let is_read = is_read && sql.is_read(engine.dialect());
    let statement = render_raw(engine.dialect(), sql)?;
    if is_read {
        return engine.reader().await?.run(statement, rows).await;
    }
    let mut connection: Connection = engine.connection().await?;
    connection.begin().await?;
    let done = connection.run(statement, rows).await?;
    connection.commit().await?;
    Ok(done)
}

/// Finds the columns of a model by the names that the database has for them.
fn by_name<M: Model>(dialect: &dyn Dialect) -> ByName {
    ByName::new(M::__table(), |name| dialect.naming().apply(name).into_owned())
}

impl Raw {
    /// Runs the statement, after a flush, inside the transaction, and gives the number of rows that
    /// it wrote.
    ///
    /// Objects of the session don't follow, since nobody knows what it wrote:
    /// [`expire`](Session::expire) those that it concerns, or all of them by
    /// [`expire_all`](Session::expire_all).
    ///
    /// # Errors
    /// Before any SQL, [`Error::Misuse`] if there isn't one value or name for each `{}`, or the text
    /// has placeholders of another form. Those of the flush, and the database's.
    pub async fn execute(self, session: &mut Session) -> Result<u64> {
        Ok(session.run_raw(self.sql, false, &mut ()).await?.rows)
    }

    /// The same statement without a session, in a transaction of its own.
    pub fn on(self, target: &(impl QueryTarget + ?Sized)) -> OnEngine<'_, Self> {
        OnEngine { query: self, engine: target.__target().engine }
    }
}

impl OnEngine<'_, Raw> {
    /// Runs the statement and commits; gives the number of rows that it wrote.
    ///
    /// # Errors
    /// As [`Raw::execute`], without a flush.
    pub async fn execute(self) -> Result<u64> {
        Ok(run_on(self.engine, self.query.sql, false, &mut ()).await?.rows)
    }
}

impl<R: Send> RawRows<R> {
    /// Runs the statement, after a flush, and gives its rows. Unless it is a plain SELECT, which
    /// locks nothing, it begins the transaction.
    ///
    /// # Errors
    /// As [`Raw::execute`]; [`Error::Type`] if rows have another number of columns, or don't fit.
    pub async fn all(self, session: &mut Session) -> Result<Vec<R>> {
        let mut rows = Vec::new();
        session.run_raw(self.sql, true, &mut collecting(&mut rows, self.decode)).await?;
        Ok(rows)
    }

    /// The only row.
    ///
    /// # Errors
    /// [`Error::NotFound`] without one, [`Error::MultipleFound`] with several; as
    /// [`all`](Self::all).
    pub async fn one(self, session: &mut Session) -> Result<R> {
        only(self.all(session).await?)
    }

    /// The same statement without a session, in a transaction of its own unless it only reads.
    pub fn on(self, target: &(impl QueryTarget + ?Sized)) -> OnEngine<'_, Self> {
        OnEngine { query: self, engine: target.__target().engine }
    }
}

impl<R: Send> OnEngine<'_, RawRows<R>> {
    /// Runs the statement and gives its rows.
    ///
    /// # Errors
    /// As on a session, without a flush.
    pub async fn all(self) -> Result<Vec<R>> {
        let mut rows = Vec::new();
        run_on(self.engine, self.query.sql, true, &mut collecting(&mut rows, self.query.decode))
            .await?;
        Ok(rows)
    }

    /// The only row.
    ///
    /// # Errors
    /// [`Error::NotFound`] without one, [`Error::MultipleFound`] with several; as
    /// [`all`](Self::all).
    pub async fn one(self) -> Result<R> {
        only(self.all().await?)
    }
}

/// A sink of decoded rows.
fn collecting<R: Send>(
    rows: &mut Vec<R>,
    decode: fn(&dyn Cells) -> Result<R>,
) -> impl RowSink + '_ {
    EachRow(move |cells: &dyn Cells| {
        rows.push(decode(cells)?);
        Ok(())
    })
}

fn only<R>(mut rows: Vec<R>) -> Result<R> {
    match (rows.pop(), rows.is_empty()) {
        (Some(row), true) => Ok(row),
        (Some(_), false) => Err(Error::MultipleFound { table: RAW.into() }),
        (None, _) => Err(Error::NotFound { table: RAW.into(), reason: "it gave none".into() }),
    }
}

impl<M: Model> RawEntities<M> {
    /// Runs the statement, after a flush, and gives the objects of its rows. Objects that the session
    /// knows stay as it knows them. Relationships are loaded when they are asked for. Unless it is a
    /// plain SELECT, which locks nothing, the statement begins the transaction.
    ///
    /// # Errors
    /// As [`Raw::execute`]; [`Error::Type`] if a column of the model is missing, or doesn't fit.
    pub async fn all(self, session: &mut Session) -> Result<Vec<Handle<M>>> {
        let statement = session.prepare_raw(self.sql, true).await?;
        let mut columns = by_name::<M>(session.engine.dialect());
        let arena = session.store.arena_of(M::__table())?;
        let mut objects: Vec<ObjectId> = Vec::new();
        let Session { connection: Some(connection), store, .. } = session else {
            return Ok(Vec::new());
        };
        let mut rows = EachRow(|cells: &dyn Cells| {
            let cells = columns.chosen(cells)?;
            objects.push(store.absorb(arena, &cells, 0, false)?.0);
            Ok(())
        });
        let done = connection.run_on(M::__table(), statement, &mut rows).await;
        session.check(done)?;
        make_peers(&mut session.store, &objects);
        Ok(objects.into_iter().map(|object| session.store.handle(object)).collect())
    }

    /// The only object.
    ///
    /// # Errors
    /// [`Error::NotFound`] without one, [`Error::MultipleFound`] with several; as
    /// [`all`](Self::all).
    pub async fn one(self, session: &mut Session) -> Result<Handle<M>> {
        let found = at_most_one(M::__table(), self.all(session).await?)?;
        found.ok_or_else(|| no_row(M::__table(), "the statement gave none"))
    }

    /// The same statement without a session, in a transaction of its own unless it only reads.
    pub fn on(self, target: &(impl QueryTarget + ?Sized)) -> OnEngine<'_, Self> {
        OnEngine { query: self, engine: target.__target().engine }
    }
}

impl<M: Model> OnEngine<'_, RawEntities<M>> {
    /// Runs the statement and gives its rows as owned entities.
    ///
    /// # Errors
    /// As on a session, without a flush.
    pub async fn all(self) -> Result<Vec<Entity<M>>> {
        let mut columns = by_name::<M>(self.engine.dialect());
        let mut entities = Vec::new();
        let mut rows = EachRow(|cells: &dyn Cells| {
            entities.push(Entity::read(&columns.chosen(cells)?, 0)?);
            Ok(())
        });
        run_on(self.engine, self.query.sql, true, &mut rows).await?;
        Ok(entities)
    }

    /// The only entity.
    ///
    /// # Errors
    /// [`Error::NotFound`] without one, [`Error::MultipleFound`] with several; as
    /// [`all`](Self::all).
    pub async fn one(self) -> Result<Entity<M>> {
        let found = at_most_one(M::__table(), self.all().await?)?;
        found.ok_or_else(|| no_row(M::__table(), "the statement gave none"))
    }
}
