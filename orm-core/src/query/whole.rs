//! `entity::<User>()`: a model, or an alias of it, as a value.

use std::fmt;
use std::marker::PhantomData;

use super::{As, Origin};
use crate::model::Model;

/// All of a model's row: what [`entity`] gives.
pub struct Whole<O>(PhantomData<fn() -> O>);

/// The model `M` where a query takes something to read from: `join_on(entity::<Post>(), …)`.
///
/// ```
/// use orm_core::query::entity;
/// # use orm_core::{Engine, Model, SessionFactory, schema};
/// # #[derive(Model)] struct City { name: String, population: i64 }
/// # #[derive(Model)] struct Class { label: String, least: i64, most: i64 }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let engine = Engine::connect("sqlite::memory:").await?;
/// # engine.create_all(&schema![City, Class]).await?;
/// # let mut session = SessionFactory::new(engine.clone()).session();
/// # session.add(City::draft().name("Turin").population(850_000));
/// # session.add(Class::draft().label("large").least(500_000).most(5_000_000));
/// use orm_core::query::all_of;
///
/// let classes: Vec<(String, String)> = City::select()
///     .join_on(
///         entity::<Class>(),
///         all_of((
///             City::population.ge_column(Class::least),
///             City::population.lt_column(Class::most),
///         )),
///     )
///     .columns((City::name, Class::label))
///     .all(&mut session)
///     .await?;
/// # assert_eq!(classes, [("Turin".to_owned(), "large".to_owned())]);
/// # Ok::<(), orm_core::Error>(()) }).unwrap();
/// ```
pub fn entity<M: Model>() -> Whole<M> {
    Whole::new()
}

impl<O> Whole<O> {
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<O: Origin> Whole<O> {
    /// An alias of it, which bears the name of a type of yours.
    pub fn of<Tag: 'static>(self) -> Whole<As<O, Tag>> {
        Whole::new()
    }
}

impl<O> Clone for Whole<O> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<O> Copy for Whole<O> {}

impl<O: Origin> fmt::Debug for Whole<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Whole").field(&O::__source().table.model()).finish()
    }
}
