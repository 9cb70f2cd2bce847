//! `entity::<User>()`: a model, or an alias of it, as a value: to join, and to select as a whole.

use std::fmt;
use std::marker::PhantomData;

use super::{As, Contains, Origin, Presence, Projection, Selection, SourceOf};
use crate::error::Result;
use crate::model::{ColumnSet, Entity, Handle, Key, Model, RowLayout};
use crate::sql::{ColumnRef, Expr};
use crate::tracking::{ObjectId, Place, Store};
use crate::value::{Cells, Nullability};

/// All of a row of the model `M`, as the query has it under the name `O`: what [`entity`] gives.
pub struct Whole<M, O = M>(PhantomData<fn(M) -> O>);

/// The model `M` as a whole: where `columns` takes columns, and where a query takes something to
/// join.
///
/// Among columns it is the entity itself, one or as many as you like: in a session its handle,
/// without a session an owned [`Entity`]. Where a left join may find no row, it is an `Option`.
///
/// ```
/// use orm_core::query::entity;
/// # use orm_core::{BelongsTo, Engine, HasMany, Model, SessionFactory, schema};
/// use orm_core::{Entity, Handle};
/// # #[derive(Model)]
/// # struct User { username: String, #[orm(back_populates = user)] posts: HasMany<Post> }
/// # #[derive(Model)]
/// # struct Post {
/// #     title: String,
/// #     #[orm(foreign_key = User)] user_id: i64,
/// #     #[orm(back_populates = posts)] user: BelongsTo<User>,
/// # }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let engine = Engine::connect("sqlite::memory:").await?;
/// # engine.create_all(&schema![User, Post]).await?;
/// # let mut session = SessionFactory::new(engine.clone()).session();
/// # session.add(User::draft().username("ada").posts([Post::draft().title("Notes")]));
/// # session.commit().await?;
/// let query = User::select().join(User::posts).columns((entity::<User>(), Post::title));
///
/// let rows: Vec<(Handle<User>, String)> = query.clone().all(&mut session).await?;
/// session[rows[0].0].username = "augusta".into();
/// session.commit().await?;
///
/// let rows: Vec<(Entity<User>, String)> = query.on(&engine).all().await?;
/// assert_eq!((rows[0].0.username.as_str(), rows[0].1.as_str()), ("augusta", "Notes"));
/// # Ok::<(), orm_core::Error>(()) }).unwrap();
/// ```
///
/// In a session its rows meet objects as those of any other query do: one row is one object, what
/// is loaded or edited stays unless the query says
/// [`populate_existing`](super::Select::populate_existing), and what the factory's criteria hide
/// doesn't come. Afterwards the relationships that the models load eagerly are loaded for all the
/// entities together, by statements of their own: also those that are `joined` or `subquery`
/// elsewhere. Options that the query has by [`with`](super::Select::with) count for all entities
/// of its model. Without a session relationships are not loaded.
///
/// Beside aggregates the query is grouped by the model's primary key. Entities can't be part of
/// subqueries and sets: those have columns. The concept is SQLAlchemy's `select(User,
/// Post.title)`.
///
/// A model that no relationship leads to is joined by a condition:
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

impl<M, O> Whole<M, O> {
    fn new() -> Self {
        Self(PhantomData)
    }
}

impl<M: Model, O: Origin> Whole<M, O> {
    /// An alias of it, which bears the name of a type of yours.
    pub fn of<Tag: 'static>(self) -> Whole<M, As<O, Tag>> {
        Whole::new()
    }
}

impl<Scope, At, M: Model, O: Origin> Projection<Scope, At> for Whole<M, O>
where
    Scope: Contains<O, At>,
{
    type Row = <Scope::Presence as Nullability>::Of<Handle<M>>;
    type Owned = <Scope::Presence as Nullability>::Of<Entity<M>>;

    fn __select(self, into: &mut Selection) {
        let of = O::__source();
        let SourceOf { table, source } = of;
        let nothing = ColumnSet::default();
        let columns = table.selected(&nothing);
        let columns = columns.map(|column| ColumnRef { table, column, source });
        into.columns.extend(columns.map(Expr::Column));
        into.wholes.push(of);
    }

    fn __decode(cells: &dyn Cells, at: &mut usize) -> Result<Self::Owned> {
        let layout = behind::<M>(at);
        let is_there = layout.has(M::__table(), cells);
        Scope::Presence::read_whole(is_there, || layout.read(cells, Entity::<M>::read))
    }

    fn __absorb(
        arrivals: &mut Arrivals<'_>,
        cells: &dyn Cells,
        at: &mut usize,
    ) -> Result<Self::Row> {
        let layout = behind::<M>(at);
        let is_there = layout.has(M::__table(), cells);
        let place = arrivals.next_place();
        Scope::Presence::read_whole(is_there, || {
            let absorb = |cells: &dyn Cells, first| arrivals.absorb(place, cells, first);
            layout.read(cells, absorb).map(Handle::from_key)
        })
    }
}

/// Moves a position behind a model's cells, and says where they are.
fn behind<M: Model>(at: &mut usize) -> RowLayout {
    let (table, nothing) = (M::__table(), ColumnSet::default());
    let layout = RowLayout::new(table, *at, &nothing);
    *at += table.columns().len() - table.deferred().len();
    layout
}

/// The whole entities of a query's rows, on their way into a session; opaque outside of this crate.
#[doc(hidden)]
pub struct Arrivals<'s> {
    store: &'s mut Store,
    /// Where the entities of a row go, in the order of the columns.
    places: Vec<Place>,
    /// The place of the next entity.
    next: usize,
    /// The objects that came to each place, in the order of the rows.
    objects: Vec<Vec<ObjectId>>,
    populate_existing: bool,
}

impl<'s> Arrivals<'s> {
    pub(crate) fn new(store: &'s mut Store, places: Vec<Place>, populate_existing: bool) -> Self {
        let objects = places.iter().map(|_| Vec::new()).collect();
        Self { store, places, next: 0, objects, populate_existing }
    }

    /// The place of the row's next entity. Rows come one after the other, each as a whole.
    fn next_place(&mut self) -> usize {
        let place = self.next;
        self.next = (place + 1) % self.places.len();
        place
    }

    fn absorb(&mut self, at: usize, cells: &dyn Cells, first: usize) -> Result<Key> {
        let place = self.places[at];
        let object = self.store.absorb_into(place, cells, first, self.populate_existing)?;
        self.objects[at].push(object);
        Ok(self.store.key_of(object))
    }

    /// The objects that came to each place, in the order of the rows.
    pub(crate) fn into_objects(self) -> Vec<Vec<ObjectId>> {
        self.objects
    }
}

impl fmt::Debug for Arrivals<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arrivals").field("places", &self.places).finish_non_exhaustive()
    }
}

impl<M, O> Clone for Whole<M, O> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M, O> Copy for Whole<M, O> {}

impl<M, O: Origin> fmt::Debug for Whole<M, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Whole").field(&O::__source().table.model()).finish()
    }
}
