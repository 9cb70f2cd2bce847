//! `columns(…)`: what is selected instead of objects, and how its rows are decoded.

use std::fmt;
use std::marker::PhantomData;

use super::clauses::{clauses, group_clauses};
use super::{
    Condition, Contains, Expression, Fragments, Groups, OrderTerms, Orders, Origin, PerGroup,
    PerRow, PerWindow, Presence, Query, Within,
};
use crate::model::Column;
use crate::value::{Cells, ColumnType, ValueError};

/// What `columns` takes: a column, an expression, an aggregate, or a tuple of up to twelve of
/// them, nested as you like. All must belong to the query.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be selected",
    label = "expected a column, as in `User::username`, an expression, or a tuple of them"
)]
pub trait Projection<Scope, At> {
    /// What a row is decoded to. Columns of a left-joined model become `Option`s.
    type Row;
    #[doc(hidden)]
    fn __select(self, into: &mut Fragments);
    /// Decodes from the cell at `at` on, and moves it behind the last.
    #[doc(hidden)]
    fn __decode(cells: &dyn Cells, at: &mut usize) -> Result<Self::Row, ValueError>;
}

impl<Scope, At, O: Origin, T: ColumnType> Projection<Scope, At> for Column<O, T>
where
    Scope: Contains<O, At>,
{
    type Row = <Scope::Presence as Presence>::Read<T>;
    fn __select(self, into: &mut Fragments) {
        into.0.push(self.into_expr());
    }
    fn __decode(cells: &dyn Cells, at: &mut usize) -> Result<Self::Row, ValueError> {
        Scope::Presence::read::<T>(cells, step(at))
    }
}

impl<Scope, At, M, T: ColumnType> Projection<Scope, At> for Expression<M, T, PerRow>
where
    M: Within<Scope, At>,
{
    type Row = <M::Presence as Presence>::Read<T>;
    fn __select(self, into: &mut Fragments) {
        into.0.push(self.into_expr());
    }
    fn __decode(cells: &dyn Cells, at: &mut usize) -> Result<Self::Row, ValueError> {
        M::Presence::read::<T>(cells, step(at))
    }
}

/// Levels whose expressions have types that no left join changes.
macro_rules! of_own_type {
    ($($level:ty),+) => {$(
        impl<Scope, At, M, T: ColumnType> Projection<Scope, At> for Expression<M, T, $level>
        where
            M: Within<Scope, At>,
        {
            type Row = T;
            fn __select(self, into: &mut Fragments) {
                into.0.push(self.into_expr());
            }
            fn __decode(cells: &dyn Cells, at: &mut usize) -> Result<T, ValueError> {
                T::decode(cells, step(at))
            }
        }
    )+};
}
of_own_type!(PerGroup, PerWindow);

macro_rules! projection {
    ($(($part:ident $at:ident $index:tt))+) => {
        impl<Scope, $($part: Projection<Scope, $at>, $at),+> Projection<Scope, ($($at,)+)>
            for ($($part,)+)
        {
            type Row = ($($part::Row,)+);
            fn __select(self, into: &mut Fragments) {
                $(self.$index.__select(into);)+
            }
            fn __decode(cells: &dyn Cells, at: &mut usize) -> Result<Self::Row, ValueError> {
                Ok(($($part::__decode(cells, at)?,)+))
            }
        }
    };
}
for_tuples!(projection);

/// The position, which moves to the next cell.
fn step(at: &mut usize) -> usize {
    *at += 1;
    *at - 1
}

/// Decodes a row from its cells, the first of which is at the given position.
pub(crate) type Decode<R> = fn(&dyn Cells, usize) -> Result<R, ValueError>;

/// A query for rows that are no objects, each decoded to an `R`: what
/// [`Select::columns`](super::Select::columns) gives.
#[must_use = "a query does nothing until a verb such as `all` runs it"]
pub struct Rows<R, Scope = ()> {
    pub(crate) query: Query,
    /// Decodes a row from its cells, the first of which is at the given position.
    pub(crate) decode: Decode<R>,
    of: PhantomData<fn() -> Scope>,
}

impl<R, Scope> Rows<R, Scope> {
    pub(super) fn new<At, P: Projection<Scope, At, Row = R>>(
        mut query: Query,
        projection: P,
    ) -> Self {
        let mut columns = Fragments::default();
        projection.__select(&mut columns);
        query.tree.columns = columns.0.into_iter().map(|column| (column, None)).collect();
        Self { query, decode: |cells, mut at| P::__decode(cells, &mut at), of: PhantomData }
    }

    /// Rows of a query whose columns are selected already.
    pub(super) fn over(query: Query, decode: Decode<R>) -> Self {
        Self { query, decode, of: PhantomData }
    }

    clauses!();
    group_clauses!();
}

impl<R, Scope> Clone for Rows<R, Scope> {
    fn clone(&self) -> Self {
        Self { query: self.query.clone(), decode: self.decode, of: PhantomData }
    }
}

impl<R, Scope> fmt::Debug for Rows<R, Scope> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rows").field(&self.query).finish()
    }
}
