//! The models of a query as a type-level list, and what "in scope" means.
//!
//! The list of `User::select().join(User::posts)` is `(Post, (User, ()))`. Where in it a model
//! stands is a type of its own (`Here`, `There<…>`) that the compiler infers.

use std::marker::PhantomData;

use super::Origin;
use crate::error::Result;
use crate::value::{Cells, ColumnType, NotNull, Nullability, Nullable, ValueError};

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

/// A model of the query around a subquery, to which the subquery refers.
#[derive(Debug)]
pub struct Correlated<O>(PhantomData<fn() -> O>);

/// The model stands at the head of the list, and is one of the query around.
#[derive(Debug)]
pub struct Around;

/// A query's list of models that contains `Wanted` at the inferred place `At`.
#[diagnostic::on_unimplemented(
    message = "`{Wanted}` is not part of this query",
    label = "join it first, as in `.join(User::posts)`"
)]
pub trait Contains<Wanted, At> {
    /// Whether it has a row wherever the query has one.
    #[doc(hidden)]
    type Presence: Presence;
}

#[diagnostic::do_not_recommend]
impl<M, Rest> Contains<M, Here> for (M, Rest) {
    type Presence = NotNull;
}

#[diagnostic::do_not_recommend]
impl<M, Rest> Contains<M, Outer> for (Maybe<M>, Rest) {
    type Presence = Nullable;
}

#[diagnostic::do_not_recommend]
impl<M, Other, Rest: Contains<M, At>, At> Contains<M, There<At>> for (Other, Rest) {
    type Presence = Rest::Presence;
}

#[diagnostic::do_not_recommend]
impl<O, Rest> Contains<O, Around> for (Correlated<O>, Rest) {
    type Presence = Nullable;
}

/// A subquery's list of models, which says what of the query around it the subquery needs.
#[doc(hidden)]
pub trait Subscope {
    /// `M` together with what the subquery needs.
    type With<M>;
    /// What the subquery needs.
    type Alone;
}

/// The head of such a list.
#[doc(hidden)]
pub trait Head {
    type With<M, Rest: Subscope>;
    type Alone<Rest: Subscope>;
}

impl Subscope for () {
    type With<M> = M;
    type Alone = ();
}

impl<H: Head, Rest: Subscope> Subscope for (H, Rest) {
    type With<M> = H::With<M, Rest>;
    type Alone = H::Alone<Rest>;
}

impl<O: Origin> Head for O {
    type With<M, Rest: Subscope> = Rest::With<M>;
    type Alone<Rest: Subscope> = Rest::Alone;
}

impl<O> Head for Maybe<O> {
    type With<M, Rest: Subscope> = Rest::With<M>;
    type Alone<Rest: Subscope> = Rest::Alone;
}

impl<O> Head for Correlated<O> {
    type With<M, Rest: Subscope> = Rest::With<(M, O)>;
    type Alone<Rest: Subscope> = Rest::With<O>;
}

/// Whether what is read always has a row: [`NotNull`], or [`Nullable`] where a left join may have
/// found none.
#[doc(hidden)]
pub trait Presence: Nullability {
    /// What a value of type `T` reads as: where a row may be missing, an `Option`.
    type Read<T: ColumnType>;
    /// Whether both have a row.
    type And<Other: Presence>: Presence;
    fn read<T: ColumnType>(cells: &dyn Cells, at: usize) -> Result<Self::Read<T>, ValueError>;
    /// Reads a whole entity, if it is there; where no row may be missing, it is.
    fn read_whole<T>(is_there: bool, read: impl FnOnce() -> Result<T>) -> Result<Self::Of<T>>;
}

impl Presence for NotNull {
    type Read<T: ColumnType> = T;
    type And<Other: Presence> = Other;
    fn read<T: ColumnType>(cells: &dyn Cells, at: usize) -> Result<T, ValueError> {
        T::decode(cells, at)
    }
    fn read_whole<T>(_: bool, read: impl FnOnce() -> Result<T>) -> Result<T> {
        read()
    }
}

impl Presence for Nullable {
    type Read<T: ColumnType> = Option<T::Present>;
    type And<Other: Presence> = Nullable;
    fn read<T: ColumnType>(cells: &dyn Cells, at: usize) -> Result<Option<T::Present>, ValueError> {
        if cells.is_null(at) { Ok(None) } else { T::Present::decode(cells, at).map(Some) }
    }
    fn read_whole<T>(is_there: bool, read: impl FnOnce() -> Result<T>) -> Result<Option<T>> {
        is_there.then(read).transpose()
    }
}

/// A model, or a tuple of models, all of which are part of the query `Scope`.
///
/// A condition across models, such as `User::id.eq_column(Post::user_id)`, names a tuple.
#[diagnostic::on_unimplemented(
    message = "not all of `{Self}` is part of this query",
    label = "join what is missing first, as in `.join(User::posts)`"
)]
pub trait Within<Scope, At> {
    /// Whether all of them have a row wherever the query has one.
    #[doc(hidden)]
    type Presence: Presence;
}

impl<O: Origin, Scope: Contains<O, At>, At> Within<Scope, At> for O {
    type Presence = Scope::Presence;
}

/// What needs no model, as a constant doesn't, is part of every query.
#[diagnostic::do_not_recommend]
impl<Scope> Within<Scope, ()> for () {
    type Presence = NotNull;
}

macro_rules! within {
    ($(($model:ident $at:ident $index:tt))+) => {
        #[diagnostic::do_not_recommend]
        impl<Scope, $($model: Within<Scope, $at>, $at),+> Within<Scope, ($($at,)+)>
            for ($($model,)+)
        {
            type Presence = within!(@all $($model)+);
        }
    };
    (@all $model:ident) => { $model::Presence };
    (@all $model:ident $($more:ident)+) => {
        <$model::Presence as Presence>::And<within!(@all $($more)+)>
    };
}
for_tuples!(within);

/// The model `M`, or a tuple of nothing but it.
#[diagnostic::on_unimplemented(
    message = "this belongs to `{Self}`, but `{M}` is expected here",
    label = "not of `{M}`"
)]
pub trait Only<M> {}

impl<O: Origin> Only<O> for O {}

/// What needs no model fits every one.
#[diagnostic::do_not_recommend]
impl<M> Only<M> for () {}

macro_rules! only {
    ($(($model:ident $at:ident $index:tt))+) => {
        #[diagnostic::do_not_recommend]
        impl<Wanted, $($model: Only<Wanted>),+> Only<Wanted> for ($($model,)+) {}
    };
}
for_tuples!(only);
