//! The models of a query as a type-level list, and what "in scope" means.
//!
//! The list of `User::select().join(User::posts)` is `(Post, (User, ()))`. Where in it a model
//! stands is a type of its own (`Here`, `There<…>`) that the compiler infers.

use std::marker::PhantomData;

use crate::model::Model;
use crate::value::{Cells, ColumnType, ValueError};

/// The model stands at the head of the list.
#[derive(Debug)]
pub struct Here;

/// The model stands at the head of the list, and a left join brought it: it may be missing.
#[derive(Debug)]
pub struct Outer;

/// The model stands further down the list.
#[derive(Debug)]
pub struct There<At>(PhantomData<fn() -> At>);

/// A model that a left join brought into a query: where it has no row, its columns are NULL.
#[derive(Debug)]
pub struct Maybe<M>(PhantomData<fn() -> M>);

/// A query's list of models that contains `Wanted` at the inferred place `At`.
#[diagnostic::on_unimplemented(
    message = "`{Wanted}` is not part of this query",
    label = "join it first, as in `.join(User::posts)`"
)]
pub trait Contains<Wanted, At> {
    /// What a column of type `T` of that model reads as: after a left join, an `Option`.
    #[doc(hidden)]
    type Read<T: ColumnType>;
    #[doc(hidden)]
    fn __read<T: ColumnType>(cells: &dyn Cells, at: usize) -> Result<Self::Read<T>, ValueError>;
}

impl<M, Rest> Contains<M, Here> for (M, Rest) {
    type Read<T: ColumnType> = T;
    fn __read<T: ColumnType>(cells: &dyn Cells, at: usize) -> Result<T, ValueError> {
        T::decode(cells, at)
    }
}

impl<M, Rest> Contains<M, Outer> for (Maybe<M>, Rest) {
    type Read<T: ColumnType> = Option<T::Present>;
    fn __read<T: ColumnType>(
        cells: &dyn Cells,
        at: usize,
    ) -> Result<Option<T::Present>, ValueError> {
        if cells.is_null(at) { Ok(None) } else { T::Present::decode(cells, at).map(Some) }
    }
}

impl<M, Other, Rest: Contains<M, At>, At> Contains<M, There<At>> for (Other, Rest) {
    type Read<T: ColumnType> = Rest::Read<T>;
    fn __read<T: ColumnType>(cells: &dyn Cells, at: usize) -> Result<Self::Read<T>, ValueError> {
        Rest::__read::<T>(cells, at)
    }
}

/// A model, or a tuple of models, all of which are part of the query `Scope`.
///
/// A condition across models, such as `User::id.eq_column(Post::user_id)`, names a tuple.
#[diagnostic::on_unimplemented(
    message = "not all of `{Self}` is part of this query",
    label = "join what is missing first, as in `.join(User::posts)`"
)]
pub trait Within<Scope, At> {}

impl<M: Model, Scope: Contains<M, At>, At> Within<Scope, At> for M {}

macro_rules! within {
    ($(($model:ident $at:ident $index:tt))+) => {
        impl<Scope, $($model: Within<Scope, $at>, $at),+> Within<Scope, ($($at,)+)>
            for ($($model,)+) {}
    };
}
for_tuples!(within);

/// The model `M`, or a tuple of nothing but it.
#[diagnostic::on_unimplemented(
    message = "this belongs to `{Self}`, but `{M}` is expected here",
    label = "not of `{M}`"
)]
pub trait Only<M> {}

impl<M: Model> Only<M> for M {}

macro_rules! only {
    ($(($model:ident $at:ident $index:tt))+) => {
        impl<Wanted, $($model: Only<Wanted>),+> Only<Wanted> for ($($model,)+) {}
    };
}
for_tuples!(only);
