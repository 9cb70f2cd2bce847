//! Loader options: which relationships a query loads, how, and narrowed to what.

use std::fmt;
use std::marker::PhantomData;

use super::{Condition, Only, OrderTerms, Orders};
use crate::model::{Column, ColumnSet, Kind, Model, Relation, Relationship, Strategy};
use crate::sql::{Expr, OrderTerm};

/// What a query says about loading one relationship, without types.
#[derive(Clone, Debug)]
pub(crate) struct LoadOption {
    pub(crate) relationship: &'static Relationship,
    /// `None` leaves it to the mapping, if that is an eager one, else to *selectin*.
    pub(crate) strategy: Option<Strategy>,
    pub(crate) filter: Option<Expr>,
    pub(crate) order: Vec<OrderTerm>,
    /// Per parent.
    pub(crate) limit: Option<u64>,
    pub(crate) levels: Levels,
    /// The deferred columns of the members that are loaded all the same.
    pub(crate) undeferred: ColumnSet,
    pub(crate) children: Vec<LoadOption>,
}

/// How often a relationship of a model to itself is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Levels {
    Number(u32),
    /// As far as it leads.
    All,
}

impl LoadOption {
    /// As the mapping says.
    pub(crate) fn of(relationship: &'static Relationship) -> Self {
        Self {
            relationship,
            strategy: None,
            filter: None,
            order: Vec::new(),
            limit: None,
            levels: Levels::Number(1),
            undeferred: ColumnSet::default(),
            children: Vec::new(),
        }
    }

    /// By another strategy.
    pub(crate) fn with(self, strategy: Strategy) -> Self {
        Self { strategy: Some(strategy), ..self }
    }
}

/// How a query loads a relationship of `M` that leads to `T`.
///
/// ```
/// # use orm_core::{BelongsTo, Engine, HasMany, Model, SessionFactory, schema};
/// # #[derive(Model)]
/// # struct User {
/// #     username: String,
/// #     age: Option<i32>,
/// #     #[orm(default = 0)] visits: i64,
/// #     #[orm(back_populates = user)] posts: HasMany<Post>,
/// # }
/// # #[derive(Model)]
/// # struct Post {
/// #     title: String,
/// #     #[orm(foreign_key = User)] user_id: i64,
/// #     #[orm(back_populates = posts)] user: BelongsTo<User>,
/// #     #[orm(back_populates = post)] comments: HasMany<Comment>,
/// # }
/// # #[derive(Model)]
/// # struct Comment {
/// #     body: String,
/// #     #[orm(foreign_key = Post)] post_id: i64,
/// #     #[orm(back_populates = comments)] post: BelongsTo<Post>,
/// # }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let engine = Engine::connect("sqlite::memory:").await?;
/// # engine.create_all(&schema![User, Post, Comment]).await?;
/// # let mut session = SessionFactory::new(engine.clone()).session();
/// # session.add(User::draft().username("ada").posts([Post::draft().title("Notes on the Analytical Engine")]));
/// let users = User::select()
///     .with(
///         User::posts
///             .filter(Post::title.ne(""))
///             .order_by(Post::created_at.desc())
///             .limit(3)
///             .with(Post::comments),
///     )
///     .all(&mut session)
///     .await?;
/// # assert_eq!(users.len(), 1);
/// # Ok::<(), orm_core::Error>(()) }).unwrap();
/// ```
pub struct Load<M, T> {
    option: LoadOption,
    of: PhantomData<fn(M) -> T>,
}

impl<M, T> Load<M, T> {
    pub(crate) fn into_option(self) -> LoadOption {
        self.option
    }

    fn strategy(mut self, strategy: Strategy) -> Self {
        self.option.strategy = Some(strategy);
        self
    }

    /// By a LEFT JOIN of the query itself. A query with a limit, an offset or a `distinct` is put
    /// into a derived table first, so that these count its own rows.
    ///
    /// A load that is [limited](Self::limit) takes a statement of its own, as
    /// [`selectin`](Self::selectin) does: a join would have to rank every row of the table.
    pub fn joined(self) -> Self {
        self.strategy(Strategy::Joined)
    }

    /// By one more statement with the keys of the objects that were found.
    pub fn selectin(self) -> Self {
        self.strategy(Strategy::SelectIn)
    }

    /// By one more statement that embeds the query, its limit included, in place of the keys that
    /// it found: for many objects that a cheap query finds. Where a limit cuts through rows that
    /// the query's order leaves equal, the primary key decides.
    ///
    /// The database may have changed between the two statements; objects that the second doesn't
    /// find any more are loaded by their keys.
    pub fn subquery(self) -> Self {
        self.strategy(Strategy::Subquery)
    }

    /// Not by the query, but on demand: for a relationship that its mapping loads eagerly.
    pub fn lazy(self) -> Self {
        self.strategy(Strategy::Select)
    }

    /// Not by the query, whatever the mapping says. In a [graph](crate::Graph), and where the
    /// mapping says `lazy = "raise"`, reading it is an error; in a session it can still be awaited,
    /// since options don't outlive their query:
    /// [`SessionFactory::strict_loading`](crate::SessionFactory::strict_loading) forbids that.
    pub fn raise(self) -> Self {
        self.strategy(Strategy::Raise)
    }

    /// Loads only members for which this holds; it can be called several times. A narrowed
    /// relationship doesn't count as loaded: its members are read by `narrowed()`.
    pub fn filter(mut self, condition: Condition<T>) -> Self {
        let condition = condition.into_expr();
        self.option.filter = Some(match self.option.filter.take() {
            Some(filter) => filter.and(condition),
            None => condition,
        });
        self
    }

    /// Loads the members in this order.
    pub fn order_by(mut self, order: impl Orders<Models: Only<T>>) -> Self {
        let mut terms = OrderTerms(std::mem::take(&mut self.option.order));
        order.__orders(&mut terms);
        self.option.order = terms.0;
        self
    }

    /// Loads at most this many members of each parent, in SQL. A narrowed relationship doesn't
    /// count as loaded: its members are read by `narrowed()`. A relationship to one has no more
    /// anyway.
    pub fn limit(mut self, members: u64) -> Self {
        self.option.limit = Some(members);
        self
    }
}

impl<M, T: Model> Load<M, T> {
    /// Loads a relationship of the members too.
    pub fn with(mut self, nested: impl IntoLoad<Owner = T>) -> Self {
        self.option.children.push(nested.into_load().into_option());
        self
    }

    /// Loads a [`Deferred`](crate::Deferred) column of the members too.
    ///
    /// ```
    /// # use orm_core::{BelongsTo, Deferred, Engine, HasMany, Model, SessionFactory, schema};
    /// # #[derive(Model)] struct User { name: String, #[orm(back_populates = user)] posts: HasMany<Post> }
    /// # #[derive(Model)] struct Post { body: Deferred<String>, #[orm(foreign_key = User)] user_id: i64,
    /// #   #[orm(back_populates = posts)] user: BelongsTo<User> }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::connect("sqlite::memory:").await?;
    /// # engine.create_all(&schema![User, Post]).await?;
    /// # let mut session = SessionFactory::new(engine.clone()).session();
    /// # session.add(User::draft().name("ada").posts([Post::draft().body("Notes")]));
    /// # session.commit().await?;
    /// let users = User::select().with(User::posts.undefer(Post::body)).on(&engine).graph().await?;
    /// for user in users.roots() {
    ///     for (_, post) in users.members(user, User::posts)? {
    ///         println!("{}", post.body.get());
    ///     }
    /// }
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    pub fn undefer<C>(mut self, column: Column<T, C>) -> Self {
        self.option.undeferred.insert(column.__index());
        self
    }
}

impl<M: Model> Load<M, M> {
    /// Follows a relationship of a model to itself so many times: `depth(2)` loads the members and
    /// theirs. Filter, order, limit, strategy and what is loaded `with` it are those of each level.
    ///
    /// ```
    /// # use orm_core::{BelongsTo, Engine, HasMany, Model, SessionFactory, schema};
    /// # #[derive(Model)]
    /// # struct Folder {
    /// #     name: String,
    /// #     #[orm(foreign_key = Folder)] parent_id: Option<i64>,
    /// #     #[orm(back_populates = children)] parent: BelongsTo<Folder>,
    /// #     #[orm(back_populates = parent)] children: HasMany<Folder>,
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::connect("sqlite::memory:").await?;
    /// # engine.create_all(&schema![Folder]).await?;
    /// # let mut session = SessionFactory::new(engine).session();
    /// let top = Folder::select()
    ///     .filter(Folder::parent_id.is_null())
    ///     .with(Folder::children.order_by(Folder::name.asc()).depth(3))
    ///     .all(&mut session)
    ///     .await?;
    /// # assert!(top.is_empty());
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    ///
    /// SQLAlchemy's `recursion_depth` and `join_depth`.
    pub fn depth(mut self, levels: u32) -> Self {
        self.option.levels = Levels::Number(levels);
        self
    }

    /// Follows a relationship of a model to itself as far as it leads, by one statement with a
    /// recursive CTE: the whole tree below each object, or all that is above it. Rows that lead
    /// back to themselves are followed once.
    ///
    /// A filter prunes the tree; an order is that of each object's members. All of it is loaded
    /// without a strategy, and can't be limited.
    ///
    /// ```
    /// # use orm_core::{BelongsTo, Engine, HasMany, Model, SessionFactory, schema};
    /// # #[derive(Model)]
    /// # struct Folder {
    /// #     name: String,
    /// #     #[orm(foreign_key = Folder)] parent_id: Option<i64>,
    /// #     #[orm(back_populates = children)] parent: BelongsTo<Folder>,
    /// #     #[orm(back_populates = parent)] children: HasMany<Folder>,
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::connect("sqlite::memory:").await?;
    /// # engine.create_all(&schema![Folder]).await?;
    /// # let mut session = SessionFactory::new(engine).session();
    /// # let letters = Folder::draft().name("letters").children([Folder::draft().name("1843")]);
    /// # session.add(Folder::draft().name("home").children([letters]));
    /// # session.commit().await?;
    /// # let mut session = SessionFactory::new(session.engine().clone()).session();
    /// let home = Folder::select()
    ///     .filter(Folder::name.eq("home"))
    ///     .with(Folder::children.recursive())
    ///     .one(&mut session)
    ///     .await?;
    /// let (letters, _) = session.members(home, Folder::children)?.next().unwrap();
    /// assert_eq!(session.members(letters, Folder::children)?.len(), 1);
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    pub fn recursive(mut self) -> Self {
        self.option.levels = Levels::All;
        self
    }
}

impl<M, T> Clone for Load<M, T> {
    fn clone(&self) -> Self {
        Self { option: self.option.clone(), of: PhantomData }
    }
}

impl<M, T> fmt::Debug for Load<M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Load")
            .field("relationship", &self.option.relationship.name())
            .field("strategy", &self.option.strategy)
            .field("children", &self.option.children.len())
            .finish_non_exhaustive()
    }
}

/// What `with` takes: a relationship, or one with loader options.
///
/// The owner is an associated type rather than a parameter, so that a relationship of another
/// model reads "expected this to be `User`".
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be loaded",
    label = "expected a relationship, as in `User::posts` or `User::posts.joined()`"
)]
pub trait IntoLoad {
    /// The model that has the relationship.
    type Owner: Model;
    /// The model that it leads to.
    type Target: Model;
    /// The relationship with its options.
    fn into_load(self) -> Load<Self::Owner, Self::Target>;
}

impl<M: Model, T: Model> IntoLoad for Load<M, T> {
    type Owner = M;
    type Target = T;
    fn into_load(self) -> Self {
        self
    }
}

impl<M: Model, K: Kind, N> IntoLoad for Relation<M, K, N> {
    type Owner = M;
    type Target = K::Target;
    fn into_load(self) -> Load<M, K::Target> {
        Load { option: LoadOption::of(self.def()), of: PhantomData }
    }
}
