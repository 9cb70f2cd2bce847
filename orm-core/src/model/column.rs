//! `User::email`: a column as an associated constant.

use std::fmt;
use std::marker::PhantomData;

use super::{ColumnDef, Model};
use crate::error::Error;
use crate::value::Facts;

/// A column of the model `M` whose field has the type `T`.
///
/// The derive makes one associated constant per column, named like the field. The query layer
/// gives it comparisons, arithmetic and aggregates.
pub struct Column<M, T> {
    index: usize,
    deferred: bool,
    of: PhantomData<fn(M) -> T>,
}

impl<M, T> Column<M, T> {
    /// The column at this position of the model's table, base columns first.
    #[doc(hidden)]
    pub const fn __new(index: usize) -> Self {
        Self { index, deferred: false, of: PhantomData }
    }

    /// The same, given the facts of the field's type.
    #[doc(hidden)]
    pub const fn __of(index: usize, facts: Facts) -> Self {
        Self { index, deferred: facts.deferred, of: PhantomData }
    }

    #[doc(hidden)]
    pub const fn __is_deferred(&self) -> bool {
        self.deferred
    }

    #[doc(hidden)]
    pub const fn __index(self) -> usize {
        self.index
    }
}

impl<M: Model, T> Column<M, T> {
    pub(crate) fn def(self) -> &'static ColumnDef {
        &M::__table().columns()[self.index]
    }
}

impl<M, T> Clone for Column<M, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M, T> Copy for Column<M, T> {}

impl<M: Model, T> fmt::Debug for Column<M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", M::__table().model(), self.def().field)
    }
}

impl Error {
    /// Whether this is about the given column: a constraint violation, a value that the column
    /// can't hold, a required parent that is missing.
    ///
    /// ```
    /// # use orm_core::{Engine, Model, SessionFactory, schema};
    /// # #[derive(Model)] struct User { #[orm(unique)] email: String }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::connect("sqlite::memory:").await?;
    /// # engine.create_all(&schema![User]).await?;
    /// # let mut session = SessionFactory::new(engine).session();
    /// # session.add_all([User::draft().email("ada@example.org"), User::draft().email("ada@example.org")]);
    /// let answer = match session.commit().await {
    ///     Ok(()) => "welcome",
    ///     Err(error) if error.violates(User::email) => "that address is taken",
    ///     Err(error) => return Err(error),
    /// };
    /// # assert_eq!(answer, "that address is taken");
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    pub fn violates<M: Model, T>(&self, column: Column<M, T>) -> bool {
        let (table, column) = (M::__table().name(), column.def().name);
        match self {
            Error::Type { place, .. } => *place == Error::place_of(table, column),
            Error::MissingForeignKey { table: of, column: missing, .. } => {
                of == table && missing == column
            }
            _ => self.violation().is_some_and(|violation| {
                violation.table.as_deref().is_none_or(|name| name == table)
                    && violation.columns.iter().any(|name| name == column)
            }),
        }
    }
}
