//! `columns(…)`: what is selected instead of objects, and how its rows are decoded.

use std::fmt;
use std::marker::PhantomData;

use super::clauses::{clauses, group_clauses};
use super::{
    Arrivals, Condition, Contains, Expression, Fragments, Groups, OrderTerms, Orders, Origin,
    PerGroup, PerRow, PerWindow, Presence, Query, SourceOf, Within,
};
use crate::error::{Error, Result};
use crate::model::Column;
use crate::sql::Expr;
use crate::value::{Cells, ColumnType, ValueError};

/// What `columns` takes: a column, an expression, an aggregate, a [whole entity](super::entity), or
/// a tuple of up to twelve of them, nested as you like. All must belong to the query.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be selected",
    label = "expected a column, as in `User::username`, an expression, `entity::<User>()`, or a tuple of them"
)]
pub trait Projection<Scope, At> {
    /// What a row becomes in a session, where entities are objects: their handles. Columns of a
    /// left-joined model become `Option`s, and so do its entities.
    type Row;
    /// What a row becomes without a session, where entities are owned.
    type Owned;
    #[doc(hidden)]
    fn __select(self, into: &mut Selection);
    /// Decodes from the cell at `at` on, and moves it behind the last.
    #[doc(hidden)]
    fn __decode(cells: &dyn Cells, at: &mut usize) -> Result<Self::Owned>;
    /// The same, with entities becoming objects of a session.
    #[doc(hidden)]
    fn __absorb(
        arrivals: &mut Arrivals<'_>,
        cells: &dyn Cells,
        at: &mut usize,
    ) -> Result<Self::Row>;
}

/// The methods of what takes one cell, which a session changes nothing of.
macro_rules! one_cell {
    ($type:ty, $read:expr) => {
        type Row = $type;
        type Owned = $type;
        fn __select(self, into: &mut Selection) {
            into.columns.push(self.into_expr());
        }
        fn __decode(cells: &dyn Cells, at: &mut usize) -> Result<$type> {
            *at += 1;
            $read(cells, *at - 1).map_err(in_a_row)
        }
        fn __absorb(_: &mut Arrivals<'_>, cells: &dyn Cells, at: &mut usize) -> Result<$type> {
            <Self as Projection<Scope, At>>::__decode(cells, at)
        }
    };
}

impl<Scope, At, O: Origin, T: ColumnType> Projection<Scope, At> for Column<O, T>
where
    Scope: Contains<O, At>,
{
    one_cell!(<Scope::Presence as Presence>::Read<T>, Scope::Presence::read::<T>);
}

impl<Scope, At, M, T: ColumnType> Projection<Scope, At> for Expression<M, T, PerRow>
where
    M: Within<Scope, At>,
{
    one_cell!(<M::Presence as Presence>::Read<T>, M::Presence::read::<T>);
}

/// Levels whose expressions have types that no left join changes.
macro_rules! of_own_type {
    ($($level:ty),+) => {$(
        impl<Scope, At, M, T: ColumnType> Projection<Scope, At> for Expression<M, T, $level>
        where
            M: Within<Scope, At>,
        {
            one_cell!(T, T::decode);
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
            type Owned = ($($part::Owned,)+);
            fn __select(self, into: &mut Selection) {
                $(self.$index.__select(into);)+
            }
            fn __decode(cells: &dyn Cells, at: &mut usize) -> Result<Self::Owned> {
                Ok(($($part::__decode(cells, at)?,)+))
            }
            fn __absorb(
                arrivals: &mut Arrivals<'_>,
                cells: &dyn Cells,
                at: &mut usize,
            ) -> Result<Self::Row> {
                Ok(($($part::__absorb(arrivals, cells, at)?,)+))
            }
        }
    };
}
for_tuples!(projection);

/// What a projection selects, opaque outside of this crate.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct Selection {
    pub(crate) columns: Vec<Expr>,
    /// What the whole entities among the columns are of, in their order.
    pub(crate) wholes: Vec<SourceOf>,
}

/// A value of a row that doesn't fit.
pub(super) fn in_a_row(error: ValueError) -> Error {
    Error::Type { place: "a row of the query".into(), error }
}

/// How a row is made of its cells.
pub(crate) struct Decoder<R, Owned> {
    /// Without a session.
    pub(crate) decode: fn(&dyn Cells) -> Result<Owned>,
    /// In a session, whose objects the entities become.
    pub(crate) absorb: fn(&mut Arrivals<'_>, &dyn Cells) -> Result<R>,
}

impl<R, Owned> Decoder<R, Owned> {
    /// The decoder of a projection's rows.
    fn of<Scope, At, P: Projection<Scope, At, Row = R, Owned = Owned>>() -> Self {
        Self {
            decode: |cells| P::__decode(cells, &mut 0),
            absorb: |arrivals, cells| P::__absorb(arrivals, cells, &mut 0),
        }
    }
}

impl<R, Owned> Clone for Decoder<R, Owned> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R, Owned> Copy for Decoder<R, Owned> {}

/// A query for rows of columns, each decoded to an `R`: what
/// [`Select::columns`](super::Select::columns) gives.
///
/// Without a session a row is an `Owned`, which is an `R` too unless [whole
/// entities](super::entity) are among the columns: `(Handle<User>, String)` in a session is
/// `(Entity<User>, String)` without.
#[must_use = "a query does nothing until a verb such as `all` runs it"]
pub struct Rows<R, Scope = (), Owned = R> {
    pub(crate) query: Query,
    pub(crate) decoder: Decoder<R, Owned>,
    of: PhantomData<fn() -> Scope>,
}

impl<R, Scope, Owned> Rows<R, Scope, Owned> {
    pub(super) fn new<At, P: Projection<Scope, At, Row = R, Owned = Owned>>(
        mut query: Query,
        projection: P,
    ) -> Self {
        let mut selection = Selection::default();
        projection.__select(&mut selection);
        query.tree.columns = selection.columns.into_iter().map(|column| (column, None)).collect();
        query.wholes = selection.wholes;
        if !query.wholes.is_empty() && !query.undeferred.is_empty() {
            query.mistaken(Error::misuse(
                "`undefer` is for queries of objects: beside a whole entity, name the deferred \
                 column itself among the columns",
            ));
        }
        Self::over(query, Decoder::of::<Scope, At, P>())
    }

    /// Rows of a query whose columns are selected already.
    pub(super) fn over(query: Query, decoder: Decoder<R, Owned>) -> Self {
        Self { query, decoder, of: PhantomData }
    }

    clauses!();
    group_clauses!();
}

impl<R, Scope, Owned> Clone for Rows<R, Scope, Owned> {
    fn clone(&self) -> Self {
        Self { query: self.query.clone(), decoder: self.decoder, of: PhantomData }
    }
}

impl<R, Scope, Owned> fmt::Debug for Rows<R, Scope, Owned> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rows").field(&self.query).finish()
    }
}
