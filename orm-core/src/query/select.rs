//! `User::select()`: the typed query.

use std::fmt;
use std::marker::PhantomData;

use super::clauses::{clauses, group_clauses};
use super::{
    Condition, Contains, Expression, Fragments, IntoLoad, IntoRoute, Joinable, Maybe, OrderTerms,
    Orders, Origin, Projection, Query, Rows, Term, View, Views, Within,
};
use crate::model::{Column, Model};
use crate::sql::{Expr, JoinKind, RowLock};
use crate::value::ColumnType;

/// A query for rows of the model `M`. `Scope` is the list of all models that take part.
///
/// `filter`, `order_by`, `group_by` and `columns` accept what belongs to these models only:
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
///     .join(User::posts)
///     .filter(User::username.like("a%") & User::posts.any(Post::title.contains("Engine")))
///     .filter(Post::title.ne(""))
///     .order_by(User::created_at.desc())
///     .limit(20)
///     .with(User::posts)
///     .all(&mut session)
///     .await?;
/// # assert_eq!(users.len(), 1);
/// # Ok::<(), orm_core::Error>(()) }).unwrap();
/// ```
///
/// Building a query can't fail. What only the mapping can tell to be wrong (a relationship
/// whose foreign key is ambiguous, a model joined twice) is the error of the verb that runs it.
#[must_use = "a query does nothing until a verb such as `all` runs it"]
pub struct Select<M, Scope = (M, ())> {
    pub(crate) query: Query,
    of: PhantomData<fn(M) -> Scope>,
}

impl<M: Model> Select<M> {
    /// Every row of the model's table.
    #[doc(hidden)]
    pub fn __new() -> Self {
        Self { query: Query::new(M::__table()), of: PhantomData }
    }
}

impl<M, Scope> Select<M, Scope> {
    /// A query that begins with rows of any kind.
    pub(super) fn over(query: Query) -> Self {
        Self { query, of: PhantomData }
    }

    pub(super) fn scoped<Wider>(self) -> Select<M, Wider> {
        Select::over(self.query)
    }

    clauses!();
    group_clauses!();

    /// Joins the model that a relationship leads to: rows without a match are left out, and a
    /// row with several comes several times. To ask only *whether* there is a match, take
    /// `User::posts.any(…)`.
    ///
    /// A model that is part of the query already is joined under an alias, [`As`](super::As).
    pub fn join<R, At>(mut self, route: R) -> Select<M, (R::To, Scope)>
    where
        R: IntoRoute,
        Scope: Contains<R::From, At>,
    {
        self.query.join(route.__route(), JoinKind::Inner);
        self.scoped()
    }

    /// Joins the model that a relationship leads to and keeps rows without a match: there its
    /// columns are NULL, which is why `columns` reads them as `Option`s.
    pub fn left_join<R, At>(mut self, route: R) -> Select<M, (Maybe<R::To>, Scope)>
    where
        R: IntoRoute,
        Scope: Contains<R::From, At>,
    {
        self.query.join(route.__route(), JoinKind::Left);
        self.scoped()
    }

    /// Joins what no relationship leads to, by a condition: [`entity::<Post>()`](super::entity), an
    /// alias of it, or the rows of a subquery.
    pub fn join_on<J, C, At>(mut self, rows: J, on: Condition<C>) -> Select<M, (J::Origin, Scope)>
    where
        J: Joinable,
        C: Within<(J::Origin, Scope), At>,
    {
        self.query.join_on(rows.__from().0, JoinKind::Inner, on.into_expr());
        self.scoped()
    }

    /// Joins as [`join_on`](Self::join_on) does, and keeps rows without a match: there the joined
    /// columns are NULL.
    pub fn left_join_on<J, C, At>(
        mut self,
        rows: J,
        on: Condition<C>,
    ) -> Select<M, (Maybe<J::Origin>, Scope)>
    where
        J: Joinable,
        C: Within<(Maybe<J::Origin>, Scope), At>,
    {
        self.query.join_on(rows.__from().0, JoinKind::Left, on.into_expr());
        self.scoped()
    }

    /// Joins each row with each of the others.
    pub fn cross_join<J: Joinable>(mut self, rows: J) -> Select<M, (J::Origin, Scope)> {
        self.query.join_on(rows.__from().0, JoinKind::Inner, Expr::All(Vec::new()));
        self.scoped()
    }

    /// Gives these columns, expressions, aggregates or [whole entities](super::entity) instead of
    /// objects: one, or a tuple of up to twelve.
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
    /// let posts: Vec<(String, i64)> = User::select()
    ///     .join(User::posts)
    ///     .group_by(User::username)
    ///     .columns((User::username, Post::id.count()))
    ///     .all(&mut session)
    ///     .await?;
    /// # assert_eq!(posts, [("ada".to_owned(), 1)]);
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    pub fn columns<P, At>(self, projection: P) -> Rows<P::Row, Scope, P::Owned>
    where
        P: Projection<Scope, At>,
    {
        Rows::new(self.query, projection)
    }
}

impl<M: Model, Scope> Select<M, Scope> {
    /// Loads a relationship of the rows along with them, as its options say.
    pub fn with(mut self, load: impl IntoLoad<Owner = M>) -> Self {
        self.query.options.push(load.into_load().into_option());
        self
    }

    /// Loads a [`Deferred`](crate::Deferred) column of the objects along with them. Of those that the
    /// session knows it is filled in where it is not loaded.
    ///
    /// ```
    /// # use orm_core::{Deferred, Engine, Model, SessionFactory, schema};
    /// # #[derive(Model)] struct Author { name: String, biography: Deferred<String> }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::connect("sqlite::memory:").await?;
    /// # engine.create_all(&schema![Author]).await?;
    /// # let mut session = SessionFactory::new(engine.clone()).session();
    /// # session.add(Author::draft().name("Ada").biography("Born in London."));
    /// # session.commit().await?;
    /// for author in Author::select().undefer(Author::biography).on(&engine).all().await? {
    ///     println!("{}: {}", author.name, author.biography.get());
    /// }
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    ///
    /// Of related objects it is an option of their loader: `.with(Author::books.undefer(Book::blurb))`.
    /// SQLAlchemy's `undefer`.
    pub fn undefer<T>(mut self, column: Column<M, T>) -> Self {
        self.query.undeferred.insert(column.__index());
        self
    }

    /// Overwrites what the session knows of the objects that the query meets, discarding their
    /// unflushed changes.
    pub fn populate_existing(mut self) -> Self {
        self.query.populate_existing = true;
        self
    }

    /// Locks the rows of the objects until the transaction ends, which begins with the query if
    /// none has: others that want to write them, or to lock them too, wait. Rows that are joined
    /// may be locked along with them on MySQL and MariaDB.
    ///
    /// What the session knows of these objects is read anew, but for those with unflushed changes:
    /// what was read before the lock may have changed since. On SQLite one transaction writes at a
    /// time, so nothing more is locked than by its beginning.
    ///
    /// ```
    /// # use orm_core::{Engine, Model, SessionFactory, schema};
    /// # #[derive(Model)] struct Account { owner: String, balance: i64 }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::connect("sqlite::memory:").await?;
    /// # engine.create_all(&schema![Account]).await?;
    /// # let mut session = SessionFactory::new(engine).session();
    /// # session.add(Account::draft().owner("ada").balance(100));
    /// # session.commit().await?;
    /// let account =
    ///     Account::select().filter(Account::owner.eq("ada")).for_update().one(&mut session).await?;
    /// session[account].balance -= 30;
    /// session.commit().await?;
    /// # assert_eq!(session[account].balance, 70);
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    ///
    /// The concept is SQLAlchemy's `with_for_update`. The verbs that load objects into a session
    /// know it; the others refuse it with [`Error::Misuse`](crate::Error::Misuse), as they do a
    /// query that is distinct or grouped.
    pub fn for_update(mut self) -> Self {
        self.query.lock(RowLock::Wait);
        self
    }

    /// Locks the rows as [`for_update`](Self::for_update) does, and fails with
    /// [`Error::Serialization`](crate::Error::Serialization) if somebody has locked one of them. On
    /// SQLite the transaction waits for its turn all the same, for as long as
    /// [`busy_timeout`](crate::engine::EngineBuilder::busy_timeout) says.
    pub fn nowait(mut self) -> Self {
        self.query.lock(RowLock::NoWait);
        self
    }

    /// Locks the rows as [`for_update`](Self::for_update) does, and leaves out those that somebody
    /// has locked: each of several workers gets rows of its own. On SQLite they take turns.
    pub fn skip_locked(mut self) -> Self {
        self.query.lock(RowLock::SkipLocked);
        self
    }

    /// Gives views, which load only the columns and relationships that they name.
    pub fn view<V: View<Of = M>>(self) -> Views<V, Scope> {
        Views::new(self.query)
    }
}

impl<M, Scope> Clone for Select<M, Scope> {
    fn clone(&self) -> Self {
        Self { query: self.query.clone(), of: PhantomData }
    }
}

impl<M, Scope> fmt::Debug for Select<M, Scope> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Select").field(&self.query).finish()
    }
}

/// What `group_by` takes: a column or an expression, or a tuple of up to twelve.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be grouped by",
    label = "expected a column, as in `User::username`, or a tuple of columns"
)]
pub trait Groups {
    /// The model, or the models as a tuple.
    type Models;
    #[doc(hidden)]
    fn __groups(self, into: &mut Fragments);
}

impl<O: Origin, T: ColumnType> Groups for Column<O, T> {
    type Models = O;
    fn __groups(self, into: &mut Fragments) {
        into.0.push(self.__fragment().0);
    }
}

impl<M, T: ColumnType> Groups for Expression<M, T> {
    type Models = M;
    fn __groups(self, into: &mut Fragments) {
        into.0.push(self.__fragment().0);
    }
}

macro_rules! groups {
    ($(($group:ident $at:ident $index:tt))+) => {
        impl<$($group: Groups),+> Groups for ($($group,)+) {
            type Models = ($($group::Models,)+);
            fn __groups(self, into: &mut Fragments) {
                $(self.$index.__groups(into);)+
            }
        }
    };
}
for_tuples!(groups);
