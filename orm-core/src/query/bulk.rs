//! `User::update()` and `User::delete()`: writes of many rows by one statement, without loading
//! them.

use std::fmt;
use std::marker::PhantomData;

use super::{Assign, Assigned, Condition, Criteria, Lifted, Only};
use crate::error::{Error, Result};
use crate::model::{Column, Model, Table};
use crate::sql::Expr;
use crate::value::{ColumnType, Value};

/// The statement has not been told which rows it is for. Nothing runs it.
#[derive(Debug)]
pub struct Unfiltered;

/// The statement knows which rows it is for: those of a filter, or expressly all.
#[derive(Debug)]
pub struct Filtered;

/// An UPDATE of the rows of the model `M` that a condition finds, made by `User::update()`.
///
/// One statement writes them all, whether the session knows them or not, and gives their number.
/// What the session does know follows: objects whose rows were found get the assigned columns, as
/// the database computed them. `on_update` columns are set as by a flush, and the `version` goes
/// up, so that whoever has read such a row and writes it later learns of it. Relationships of the
/// objects don't cascade.
///
/// ```
/// # use orm_core::{Engine, Model, SessionFactory, schema};
/// # #[derive(Model)] struct User { email: String, #[orm(default = 0)] visits: i64 }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let engine = Engine::connect("sqlite::memory:").await?;
/// # engine.create_all(&schema![User]).await?;
/// # let mut session = SessionFactory::new(engine).session();
/// # let ada = session.add(User::draft().email("ada@example.org"));
/// let updated = User::update()
///     .set(User::visits, User::visits + 1)
///     .filter(User::email.ends_with("@example.org"))
///     .execute(&mut session)
///     .await?;
/// assert_eq!((updated, session[ada].visits), (1, 1));
/// # Ok::<(), orm_core::Error>(()) }).unwrap();
/// ```
///
/// A forgotten filter is a compile error, not an UPDATE of every row: [`all_rows`](Self::all_rows)
/// says that all are meant.
///
/// An edit of such an object that is not flushed yet, because autoflush is off, stays an edit: over
/// the new value of the database. (In SQLAlchemy, whose `update()` with `synchronize_session` this
/// is, it is lost.)
#[must_use = "a statement does nothing until `execute` runs it"]
pub struct Update<M, Rows = Filtered> {
    write: BulkWrite,
    of: PhantomData<fn(M) -> Rows>,
}

/// A DELETE of the rows of the model `M` that a condition finds, made by `User::delete()`.
///
/// One statement deletes them all, whether the session knows them or not, and gives their number.
/// Objects of the session whose rows were found are deleted as by a flush: they leave the loaded
/// collections that they were in, and a rollback brings them back under the same handle. Their
/// relationships don't cascade in memory; what the database's own ON DELETE may have done to other
/// objects of the session is read anew before they are read again.
///
/// ```
/// # use orm_core::{Engine, Model, SessionFactory, schema};
/// # #[derive(Model)] struct Token { expired: bool }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let engine = Engine::connect("sqlite::memory:").await?;
/// # engine.create_all(&schema![Token]).await?;
/// # let mut session = SessionFactory::new(engine).session();
/// # session.add_all([Token::draft().expired(true), Token::draft().expired(false)]);
/// let deleted = Token::delete().filter(Token::expired.eq(true)).execute(&mut session).await?;
/// assert_eq!(deleted, 1);
/// let deleted = Token::delete().all_rows().execute(&mut session).await?;
/// assert_eq!(deleted, 1);
/// # Ok::<(), orm_core::Error>(()) }).unwrap();
/// ```
///
/// A forgotten filter is a compile error, not a DELETE of every row: [`all_rows`](Self::all_rows)
/// says that all are meant. The concept is SQLAlchemy's ORM-enabled `delete()`.
#[must_use = "a statement does nothing until `execute` runs it"]
pub struct Delete<M, Rows = Filtered> {
    write: BulkWrite,
    of: PhantomData<fn(M) -> Rows>,
}

/// A statement that writes many rows and knows which: an [`Update`] or a [`Delete`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` has not been told which rows to write",
    label = "needs `.filter(…)`, or `.all_rows()` if every row of the table is meant"
)]
pub trait Bulk: Send {
    #[doc(hidden)]
    fn __bulk(self) -> BulkStatement;
}

/// A bulk statement, opaque outside of this crate.
#[doc(hidden)]
#[derive(Debug)]
pub struct BulkStatement(pub(crate) BulkWrite);

/// A bulk statement without types.
#[derive(Clone)]
pub(crate) struct BulkWrite {
    pub(crate) table: &'static Table,
    pub(crate) action: BulkAction,
    /// Which rows; `None` for all.
    pub(crate) filter: Option<Expr>,
    /// What is to come back of each row.
    pub(crate) returning: Vec<usize>,
    lifted: Lifted,
    /// The first mistake, which builders can't return; the verb does.
    mistake: Option<String>,
}

/// What a bulk statement does to its rows.
#[derive(Clone)]
pub(crate) enum BulkAction {
    Update {
        /// Columns that get the same value in every row.
        values: Vec<(usize, Value)>,
        /// Columns that get what an expression makes of the old row.
        expressions: Vec<(usize, Expr)>,
    },
    Delete,
}

impl fmt::Debug for BulkWrite {
    /// The table, the columns that are set and whether there is a filter, without any value: it may
    /// be a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = self.table.name();
        match &self.action {
            BulkAction::Update { values, expressions } => {
                let set = values.iter().map(|(column, _)| column);
                let set = set.chain(expressions.iter().map(|(column, _)| column));
                let set: Vec<&str> = set.map(|at| self.table.columns()[*at].name).collect();
                f.debug_struct("Update")
                    .field("table", &table)
                    .field("sets", &set)
                    .field("is_filtered", &self.filter.is_some())
                    .finish()
            }
            BulkAction::Delete => f
                .debug_struct("Delete")
                .field("table", &table)
                .field("is_filtered", &self.filter.is_some())
                .finish(),
        }
    }
}

impl BulkWrite {
    fn new(table: &'static Table, action: BulkAction) -> Self {
        Self {
            table,
            action,
            filter: None,
            returning: Vec::new(),
            lifted: Lifted::Nothing,
            mistake: None,
        }
    }

    /// Fails if the statement was put together wrongly.
    ///
    /// # Errors
    /// `Misuse` with the first mistake, or if an UPDATE sets nothing.
    pub(crate) fn check(&self) -> Result<()> {
        if let Some(mistake) = &self.mistake {
            return Err(Error::misuse(mistake.as_str()));
        }
        match &self.action {
            BulkAction::Update { values, expressions }
                if values.is_empty() && expressions.is_empty() =>
            {
                Err(Error::misuse(format!(
                    "`{}::update()` sets no column: `.set(…)` one",
                    self.table.model()
                )))
            }
            _ => Ok(()),
        }
    }

    fn set<T: ColumnType>(&mut self, column: usize, assigned: Assigned<T>) {
        let definition = &self.table.columns()[column];
        let refused = match (definition.primary_key, definition.version) {
            (true, _) => Some("is part of the primary key: change keys object by object"),
            (_, true) => Some("counts the row's changes: every UPDATE does that"),
            _ => None,
        };
        if let Some(reason) = refused {
            let mistake = format!("`{}.{}` {reason}", self.table.name(), definition.name);
            self.mistake.get_or_insert(mistake);
            return;
        }
        let BulkAction::Update { values, expressions } = &mut self.action else { return };
        values.retain(|(other, _)| *other != column);
        expressions.retain(|(other, _)| *other != column);
        match assigned {
            Assigned::Value(mut value) => {
                value.normalize();
                values.push((column, value.encode()));
            }
            Assigned::Expression(expression) => expressions.push((column, expression)),
        }
    }

    /// Leaves out rows that criteria hide, as far as the statement doesn't lift them.
    pub(crate) fn restrict(&mut self, criteria: &Criteria) {
        criteria.without(&self.lifted).restrict_filter(self.table, &mut self.filter);
    }

    fn and_filter(&mut self, condition: Expr) {
        self.filter = Some(match self.filter.take() {
            Some(filter) => filter.and(condition),
            None => condition,
        });
    }
}

impl<M: Model> Update<M, Unfiltered> {
    #[doc(hidden)]
    pub fn __new() -> Self {
        let action = BulkAction::Update { values: Vec::new(), expressions: Vec::new() };
        Self { write: BulkWrite::new(M::__table(), action), of: PhantomData }
    }
}

impl<M: Model, Rows> Update<M, Rows> {
    /// Sets a column to a value, or to what an expression makes of the row as it was. The last
    /// assignment to a column counts.
    ///
    /// Columns of the primary key can't be set, nor the `version`; that is the error of `execute`.
    pub fn set<T: ColumnType, By>(
        mut self,
        column: Column<M, T>,
        value: impl Assign<M, T, By>,
    ) -> Self {
        self.write.set(column.__index(), value.__assign().into_assigned());
        self
    }
}

impl<M: Model> Delete<M, Unfiltered> {
    #[doc(hidden)]
    pub fn __new() -> Self {
        Self { write: BulkWrite::new(M::__table(), BulkAction::Delete), of: PhantomData }
    }
}

/// What both statements have.
macro_rules! bulk {
    ($type:ident) => {
        impl<M: Model, Rows> $type<M, Rows> {
            /// Writes the rows for which this holds; several filters must all hold. Related rows
            /// can be asked about by `any` and `has`.
            pub fn filter<C: Only<M>>(mut self, condition: Condition<C>) -> $type<M> {
                self.write.and_filter(condition.into_expr());
                $type { write: self.write, of: PhantomData }
            }

            /// Writes rows of this model too that the factory's
            /// [criteria](crate::SessionFactory::with_criteria) would hide, and asks about such
            /// rows of it.
            pub fn without_criteria<T: Model>(mut self) -> Self {
                self.write.lifted.lift(T::__table());
                self
            }

            /// The same statement under criteria.
            pub(crate) fn under(mut self, criteria: &Criteria) -> Self {
                self.write.restrict(criteria);
                self
            }

            /// Sees every row, whatever the factory's
            /// [criteria](crate::SessionFactory::with_criteria) are.
            pub fn unrestricted(mut self) -> Self {
                self.write.lifted = Lifted::Everything;
                self
            }
        }

        impl<M: Model> $type<M, Unfiltered> {
            /// Writes every row of the table.
            pub fn all_rows(self) -> $type<M> {
                $type { write: self.write, of: PhantomData }
            }
        }

        impl<M: Model> Bulk for $type<M> {
            fn __bulk(self) -> BulkStatement {
                BulkStatement(self.write)
            }
        }

        impl<M, Rows> Clone for $type<M, Rows> {
            fn clone(&self) -> Self {
                Self { write: self.write.clone(), of: PhantomData }
            }
        }

        impl<M, Rows> fmt::Debug for $type<M, Rows> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.write, f)
            }
        }
    };
}

bulk!(Update);
bulk!(Delete);
