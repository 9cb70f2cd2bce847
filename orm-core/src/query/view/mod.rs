//! Views: plain structs that a query fills, nested to any depth.
//!
//! A view names the columns and relationships that it wants, and nothing else is loaded: one
//! statement for the view, and one for each relationship and level below it. `shape` is what a
//! view asks for, `loading` plans the statements and keeps their rows, `row` is what the derive's
//! code takes them from again, or from an object in memory.

mod loading;
mod row;
mod shape;

use std::fmt;
use std::marker::PhantomData;

use super::clauses::clauses;
use super::{Condition, OrderTerms, Orders, Query, Within};
use crate::error::{Error, Result};
use crate::model::{Column, Model, Relation, ToMany, ToOne};
use crate::value::{ColumnType, NotNull, SqlType};

pub(crate) use loading::Loading;
pub use row::ViewRow;
pub(crate) use row::view_object;
pub use shape::ViewShape;

/// A struct that shows a model in part: made by `#[derive(View)]`.
///
/// Each field is named like a column or a relationship of the model. A column's field has the
/// column's type; a relationship's field is a view of the other model: `Vec<V>` for one to many,
/// `Option<V>` or, where the foreign key is never NULL, `V` for one to one. `Box<V>` is a view
/// as well.
///
/// ```
/// # use orm_core::{BelongsTo, Engine, HasMany, Model, SessionFactory, View, schema};
/// # #[derive(Model)]
/// # struct User { username: String, #[orm(back_populates = user)] posts: HasMany<Post> }
/// # #[derive(Model)]
/// # struct Post {
/// #     title: String,
/// #     #[orm(foreign_key = User)] user_id: i64,
/// #     #[orm(back_populates = posts)] user: BelongsTo<User>,
/// # }
/// #[derive(View, serde::Serialize)]
/// #[orm(of = User)]
/// struct UserOut { id: i64, username: String, posts: Vec<PostOut> }
///
/// #[derive(View, serde::Serialize)]
/// #[orm(of = Post)]
/// struct PostOut { title: String }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let engine = Engine::connect("sqlite::memory:").await?;
/// # engine.create_all(&schema![User, Post]).await?;
/// # let mut session = SessionFactory::new(engine.clone()).session();
/// # session.add(User::draft().username("ada").posts([Post::draft().title("Notes")]));
/// # session.commit().await?;
/// let page = User::select().view::<UserOut>().on(&engine).page(1, 20).await?;
/// # assert_eq!(page.items[0].posts[0].title, "Notes");
/// # Ok::<(), orm_core::Error>(()) }).unwrap();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a view",
    label = "not a view",
    note = "annotate the struct with `#[derive(orm_core::View)]` and `#[orm(of = …)]`"
)]
pub trait View: Sized + Send + 'static {
    /// The model that it shows.
    type Of: Model;
    /// Names the fields, in order.
    #[doc(hidden)]
    fn __shape(shape: &mut ViewShape);
    /// Takes the fields, in the same order.
    #[doc(hidden)]
    fn __build(row: &mut ViewRow<'_>) -> Result<Self>;
}

impl<V: View> View for Box<V> {
    type Of = V::Of;
    fn __shape(shape: &mut ViewShape) {
        V::__shape(shape);
    }
    fn __build(row: &mut ViewRow<'_>) -> Result<Self> {
        V::__build(row).map(Box::new)
    }
}

/// A column or a relationship that can be read into a field of type `F` of a view.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be read into a field of type `{F}`",
    label = "doesn't fit `{F}`",
    note = "a column needs a field of its own type; a relationship needs `Vec<V>` (to many), `Option<V>` (to one) or `V` (to one, never NULL), where `V` is a view of the model it leads to"
)]
pub trait ViewField<F> {
    #[doc(hidden)]
    fn __describe(self, shape: &mut ViewShape);
    #[doc(hidden)]
    fn __take(self, row: &mut ViewRow<'_>) -> Result<F>;
}

impl<M: Model, T: ColumnType> ViewField<T> for Column<M, T> {
    fn __describe(self, shape: &mut ViewShape) {
        shape.column(self.__index());
    }
    fn __take(self, row: &mut ViewRow<'_>) -> Result<T> {
        row.cell(self.__index())
    }
}

impl<M: Model, K: ToMany, N, V: View<Of = K::Target>> ViewField<Vec<V>> for Relation<M, K, N> {
    fn __describe(self, shape: &mut ViewShape) {
        shape.nested::<V>(self.def());
    }
    fn __take(self, row: &mut ViewRow<'_>) -> Result<Vec<V>> {
        row.members(self.def())
    }
}

impl<M: Model, K: ToOne, N, V: View<Of = K::Target>> ViewField<Option<V>> for Relation<M, K, N> {
    fn __describe(self, shape: &mut ViewShape) {
        shape.nested::<V>(self.def());
    }
    fn __take(self, row: &mut ViewRow<'_>) -> Result<Option<V>> {
        Ok(row.members(self.def())?.into_iter().next())
    }
}

impl<M: Model, K: ToOne, V: View<Of = K::Target>> ViewField<V> for Relation<M, K, NotNull> {
    fn __describe(self, shape: &mut ViewShape) {
        shape.nested::<V>(self.def());
    }
    fn __take(self, row: &mut ViewRow<'_>) -> Result<V> {
        match row.members(self.def())?.into_iter().next() {
            Some(member) => Ok(member),
            None => Err(Error::NotFound {
                table: K::Target::__table().name().into(),
                reason: format!("{self:?} points to a row that is gone").into(),
            }),
        }
    }
}

/// A query for views: what [`Select::view`](super::Select::view) gives.
#[must_use = "a query does nothing until a verb such as `all` runs it"]
pub struct Views<V, Scope = ()> {
    pub(crate) query: Query,
    of: PhantomData<fn(Scope) -> V>,
}

impl<V: View, Scope> Views<V, Scope> {
    pub(crate) fn new(query: Query) -> Self {
        Self { query, of: PhantomData }
    }

    clauses!();

    /// The statements that fill the views, with at most so many keys of parents in one.
    ///
    /// # Errors
    /// `Misuse` if the query or the view was put together wrongly.
    pub(crate) fn loading(self, max_keys: usize) -> Result<Loading> {
        Loading::new::<V>(self.query, Vec::new(), max_keys)
    }

    /// The same, with the values of the query's order, which have these types.
    ///
    /// # Errors
    /// As [`loading`](Self::loading).
    pub(crate) fn loading_with_places(
        self,
        order: Vec<SqlType>,
        max_keys: usize,
    ) -> Result<Loading> {
        Loading::new::<V>(self.query, order, max_keys)
    }
}

impl<V, Scope> Clone for Views<V, Scope> {
    fn clone(&self) -> Self {
        Self { query: self.query.clone(), of: PhantomData }
    }
}

impl<V, Scope> fmt::Debug for Views<V, Scope> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Views").field(&self.query).finish()
    }
}
