//! Hand-written SQL.

use std::fmt;
use std::marker::PhantomData;

use super::{Row, RowCells};
use crate::error::{Error, Result};
use crate::model::{Column, ColumnDef, Model, Table};
use crate::sql::{Bind, RawArgument, RawSql};
use crate::value::{Cells, ChosenCells, ColumnType, LEFT_OUT, ValueError};

/// A statement in SQL of your own, for what queries can't say.
///
/// The text is part of the program, so that no request can become part of it: what is only known at
/// run time is given to [`bind`](Raw::bind) and travels as a value, to the places that say `{}`, on
/// every database. Names of models, quoted as the database does, stand at such places too, by
/// [`table`](Raw::table) and [`column`](Raw::column). Within strings, quoted names and comments `{}`
/// means nothing.
///
/// ```
/// use orm_core::query::raw;
/// # use orm_core::{Engine, Model, SessionFactory, schema};
/// # #[derive(Model)] struct User { name: String, age: i32 }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let engine = Engine::connect("sqlite::memory:").await?;
/// # engine.create_all(&schema![User]).await?;
/// # let mut session = SessionFactory::new(engine.clone()).session();
/// # session.add(User::draft().name("ada").age(36));
/// let ages: Vec<(String, i64)> = raw("SELECT name, age * 12 FROM users WHERE age > {}")
///     .bind(18)
///     .rows()
///     .all(&mut session)
///     .await?;
/// assert_eq!(ages, [("ada".to_owned(), 432)]);
///
/// let adults = raw("SELECT u.* FROM {} u WHERE u.{} > {}")
///     .table::<User>()
///     .column(User::age)
///     .bind(18)
///     .entities::<User>()
///     .all(&mut session)
///     .await?;
/// session[adults[0]].age += 1;
///
/// raw("UPDATE users SET age = age + {}").bind(1).execute(&mut session).await?;
/// # Ok::<(), orm_core::Error>(()) }).unwrap();
/// ```
///
/// The concept is SQLAlchemy's `text()` with `from_statement`.
pub fn raw(text: &'static str) -> Raw {
    Raw { sql: RawSql { text, arguments: Vec::new() } }
}

/// A hand-written statement, made by [`raw`].
#[derive(Clone)]
#[must_use = "a statement does nothing until a verb such as `execute` runs it"]
pub struct Raw {
    pub(crate) sql: RawSql,
}

impl Raw {
    /// The value at the next `{}`.
    pub fn bind(self, value: impl BindValue) -> Self {
        let BoundValue(bind) = value.__bind();
        self.with(RawArgument::Bind(bind))
    }

    /// The name of a model's table at the next `{}`, as it stands behind FROM.
    pub fn table<M: Model>(self) -> Self {
        self.with(RawArgument::Table(M::__table()))
    }

    /// The name of a column at the next `{}`, alone: `u.{}` says of which table.
    pub fn column<M: Model, T>(self, column: Column<M, T>) -> Self {
        self.with(RawArgument::Column(M::__table(), column.__index()))
    }

    /// What the statement gives are rows of this type: a column type such as `i64`, or a tuple of up
    /// to twelve, by position.
    pub fn rows<R: RawRow>(self) -> RawRows<R> {
        RawRows { sql: self.sql, decode: by_position }
    }

    /// What the statement gives are structs, by the names of its columns; others may be beside them.
    ///
    /// ```
    /// use orm_core::{Row, query::raw};
    /// # use orm_core::{Engine, Model, schema};
    /// # #[derive(Model)] struct User { name: String }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::connect("sqlite::memory:").await?;
    /// # engine.create_all(&schema![User]).await?;
    ///
    /// #[derive(Row)]
    /// struct Letter { letter: String, users: i64 }
    ///
    /// let letters: Vec<Letter> =
    ///     raw("SELECT count(*) AS users, substr(name, 1, 1) AS letter FROM users GROUP BY letter")
    ///         .row()
    ///         .on(&engine)
    ///         .all()
    ///         .await?;
    /// # assert!(letters.is_empty());
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    pub fn row<R: Row>(self) -> RawRows<R> {
        RawRows { sql: self.sql, decode: by_name }
    }

    /// What the statement gives are objects of a model, by the names of its columns: all of them must
    /// be there, in any order, and others may be beside them.
    pub fn entities<M: Model>(self) -> RawEntities<M> {
        RawEntities { sql: self.sql, of: PhantomData }
    }

    fn with(mut self, argument: RawArgument) -> Self {
        self.sql.arguments.push(argument);
        self
    }
}

impl fmt::Debug for Raw {
    /// Without the values: one may be a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Raw").field(&self.sql.text).finish()
    }
}

/// A hand-written statement that gives rows: what [`Raw::rows`] and [`Raw::row`] give.
#[must_use = "a statement does nothing until a verb such as `all` runs it"]
pub struct RawRows<R> {
    pub(crate) sql: RawSql,
    pub(crate) decode: fn(&dyn Cells) -> Result<R>,
}

/// A hand-written statement that gives objects: what [`Raw::entities`] gives.
#[must_use = "a statement does nothing until a verb such as `all` runs it"]
pub struct RawEntities<M> {
    pub(crate) sql: RawSql,
    of: PhantomData<fn() -> M>,
}

impl<R> Clone for RawRows<R> {
    fn clone(&self) -> Self {
        Self { sql: self.sql.clone(), decode: self.decode }
    }
}

impl<M> Clone for RawEntities<M> {
    fn clone(&self) -> Self {
        Self { sql: self.sql.clone(), of: PhantomData }
    }
}

impl<R> fmt::Debug for RawRows<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RawRows").field(&self.sql.text).finish()
    }
}

impl<M> fmt::Debug for RawEntities<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RawEntities").field(&self.sql.text).finish()
    }
}

/// A value that a hand-written statement can be given: one of a column type, an `&str`, or an
/// `Option` for a NULL.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be given to a statement",
    label = "expected a value of a column type, or an `&str`"
)]
pub trait BindValue {
    #[doc(hidden)]
    fn __bind(self) -> BoundValue;
}

/// A value and its type, opaque outside of this crate.
#[doc(hidden)]
#[derive(Debug)]
pub struct BoundValue(Bind);

impl<T: ColumnType> BindValue for T {
    fn __bind(mut self) -> BoundValue {
        self.normalize();
        BoundValue(Bind::one(self.encode(), T::FACTS.sql_type))
    }
}

impl BindValue for &str {
    fn __bind(self) -> BoundValue {
        self.to_owned().__bind()
    }
}

/// A row that a hand-written statement gives: a column type, or a tuple of up to twelve, nested as
/// you like.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no row that a hand-written statement can give",
    label = "expected a column type such as `i64`, or a tuple of them"
)]
pub trait RawRow: Sized + Send {
    #[doc(hidden)]
    const __WIDTH: usize;
    /// Decodes from the cell at `at` on.
    #[doc(hidden)]
    fn __decode(cells: &dyn Cells, at: usize) -> Result<Self, ValueError>;
}

impl<T: ColumnType> RawRow for T {
    const __WIDTH: usize = 1;
    fn __decode(cells: &dyn Cells, at: usize) -> Result<Self, ValueError> {
        T::decode(cells, at)
    }
}

macro_rules! raw_row {
    ($(($part:ident $at:ident $index:tt))+) => {
        impl<$($part: RawRow),+> RawRow for ($($part,)+) {
            const __WIDTH: usize = 0 $(+ $part::__WIDTH)+;
            fn __decode(cells: &dyn Cells, mut at: usize) -> Result<Self, ValueError> {
                Ok(($({
                    at += $part::__WIDTH;
                    $part::__decode(cells, at - $part::__WIDTH)?
                },)+))
            }
        }
    };
}
for_tuples!(raw_row);

/// Decodes a row, all of it.
fn by_position<R: RawRow>(cells: &dyn Cells) -> Result<R> {
    let decoded = match cells.width() {
        Some(width) if width != R::__WIDTH => Err(ValueError::new(format!(
            "the statement gives {width} columns where {} are expected",
            R::__WIDTH,
        ))),
        _ => R::__decode(cells, 0),
    };
    decoded.map_err(of_row)
}

/// Decodes those of the columns that a struct has.
fn by_name<R: Row>(cells: &dyn Cells) -> Result<R> {
    R::__read(&RowCells::new(cells, &|_, column| cells.position(column))).map_err(of_row)
}

fn of_row(error: ValueError) -> Error {
    Error::Type { place: "a row of the statement".into(), error }
}

/// Finds the columns of a table in rows by their names.
#[derive(Debug)]
pub(crate) struct ByName {
    table: &'static Table,
    names: Vec<String>,
    /// The place of each column, once a row has been seen.
    places: Option<Vec<usize>>,
}

impl ByName {
    /// The columns of a table, which the database calls so.
    pub(crate) fn new(table: &'static Table, name: impl Fn(&'static str) -> String) -> Self {
        let names = table.columns().iter().map(|column| name(column.name)).collect();
        Self { table, names, places: None }
    }

    /// The row's cells in the order of the table's columns.
    ///
    /// # Errors
    /// `Type` if a column isn't there that isn't deferred.
    pub(crate) fn chosen<'r>(&'r mut self, cells: &'r dyn Cells) -> Result<ChosenCells<'r>> {
        let Self { table, names, places } = self;
        let places = match places {
            Some(places) => places,
            None => places.insert(find_all(table, names, cells)?),
        };
        Ok(ChosenCells { cells, places })
    }
}

/// The place of each column. A deferred one may be missing.
fn find_all(table: &Table, names: &[String], cells: &dyn Cells) -> Result<Vec<usize>> {
    let place = |(name, column): (&String, &ColumnDef)| {
        let may_be_missing = column.facts.deferred.then_some(LEFT_OUT);
        cells.position(name).or(may_be_missing).ok_or_else(|| {
            let error = ValueError::new(format!(
                "the statement gives no such column, and `{}` needs all of its own",
                table.model(),
            ));
            Error::at_column(table.name(), name, error)
        })
    };
    names.iter().zip(table.columns()).map(place).collect()
}
