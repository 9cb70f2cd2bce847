//! Queries to read from: subqueries in FROM, common table expressions, recursive ones.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use super::route::Joined;
use super::row::in_order;
use super::{As, Joinable, Origin, Query, Row, Rows, Select};
use crate::sql::{self, Body, ColumnRef, Cte, Expr, From, SetOperator, Source};

/// The rows of a query, which another query reads: what [`subquery`](Rows::subquery),
/// [`cte`](Rows::cte) and [`recursive`](Rows::recursive) make of it. `O` is the struct of its rows,
/// or an alias of that.
///
/// It is joined by [`join_on`](Select::join_on) and its like, or read first by
/// [`select`](Self::select).
pub struct Subquery<O> {
    from: From,
    of: PhantomData<fn() -> O>,
}

impl<O: Origin> Subquery<O> {
    fn new(from: From) -> Self {
        Self { from, of: PhantomData }
    }

    /// A further use of the same rows, under the name of a type of yours.
    pub fn of<Tag: 'static>(self) -> Subquery<As<O, Tag>> {
        Subquery::new(self.from.aliased(As::<O, Tag>::__source().source))
    }

    /// A query that reads these rows first. What it gives, `columns` or [`rows`](Select::rows) say.
    pub fn select(self) -> Select<O, (O, ())> {
        Select::over(Query::over(self.from, O::__source().table))
    }
}

impl<O: Origin> Joinable for Subquery<O> {
    type Origin = O;
    fn __from(self) -> Joined {
        Joined(self.from)
    }
}

impl<O> Clone for Subquery<O> {
    fn clone(&self) -> Self {
        Self { from: self.from.clone(), of: PhantomData }
    }
}

impl<O> fmt::Debug for Subquery<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Subquery").field(&self.from).finish()
    }
}

impl<R: Row, Scope> Select<R, Scope> {
    /// Gives the rows of the subquery that it reads, as their struct.
    pub fn rows(mut self) -> Rows<R, Scope> {
        let table = R::__table();
        let columns = (0..table.columns().len()).map(|column| ColumnRef::scoped(table, column));
        self.query.tree.columns = columns.map(|column| (Expr::Column(column), None)).collect();
        Rows::over(self.query, in_order())
    }
}

impl<R, Scope> Rows<R, Scope> {
    /// The same rows as structs, whose fields have the types of the columns.
    pub fn row<S: Row<Fields = R>>(self) -> Rows<S, Scope> {
        Rows::over(self.query, in_order())
    }

    /// The rows as something that another query reads, in place: a subquery in FROM.
    ///
    /// ```
    /// # use orm_core::{BelongsTo, Engine, HasMany, Model, Row, SessionFactory, schema};
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
    /// #[derive(Row)]
    /// struct PostCount { user_id: i64, posts: i64 }
    ///
    /// let counts = Post::select()
    ///     .group_by(Post::user_id)
    ///     .columns((Post::user_id, Post::id.count()))
    ///     .subquery::<PostCount>();
    /// let active: Vec<(String, i64)> = User::select()
    ///     .join_on(counts, User::id.eq_column(PostCount::user_id))
    ///     .filter(PostCount::posts.gt(0))
    ///     .columns((User::username, PostCount::posts))
    ///     .all(&mut session)
    ///     .await?;
    /// # assert_eq!(active, [("ada".to_owned(), 1)]);
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    ///
    /// It can't refer to the query around it.
    pub fn subquery<S: Row<Fields = R>>(self) -> Subquery<S> {
        let body = Body::Select(self.into_unnamed());
        Subquery::new(From::Derived(Box::new(body), S::__table(), Source::Scope))
    }

    /// The rows as something that another query reads, written once before it, however often it is
    /// used: a common table expression, `WITH …`, named after the struct.
    pub fn cte<S: Row<Fields = R>>(self) -> Subquery<S> {
        common::<S>(Body::Select(self.into_unnamed()), false)
    }

    /// The rows together with those that `step` finds from them, again and again until it finds no
    /// new ones: a recursive common table expression with `UNION`. Rows that are known are not
    /// followed again, so that circles end.
    ///
    /// ```
    /// # use orm_core::{BelongsTo, Engine, HasMany, Model, Row, SessionFactory, schema};
    /// use orm_core::query::Subquery;
    /// # #[derive(Model)]
    /// # struct Part {
    /// #     name: String,
    /// #     #[orm(foreign_key = Self)] whole_id: Option<i64>,
    /// #     #[orm(back_populates = parts)] whole: BelongsTo<Self>,
    /// #     #[orm(back_populates = whole)] parts: HasMany<Self>,
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::connect("sqlite::memory:").await?;
    /// # engine.create_all(&schema![Part]).await?;
    /// # let mut session = SessionFactory::new(engine.clone()).session();
    /// # let bicycle = session.add(Part::draft().name("bicycle"));
    /// # let wheel = session.add(Part::draft().name("wheel").whole(bicycle));
    /// # session.add(Part::draft().name("spoke").whole(wheel));
    /// #[derive(Row)]
    /// struct Tree { id: i64 }
    ///
    /// let tree = Part::select()
    ///     .filter(Part::name.eq("bicycle"))
    ///     .columns((Part::id,))
    ///     .recursive(|tree: Subquery<Tree>| {
    ///         Part::select().join_on(tree, Part::whole_id.eq_column(Tree::id)).columns((Part::id,))
    ///     });
    /// let parts = Part::select()
    ///     .join_on(tree, Part::id.eq_column(Tree::id))
    ///     .order_by(Part::id.asc())
    ///     .all(&mut session)
    ///     .await?;
    /// # assert_eq!(parts.len(), 3);
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    ///
    /// The step reads the rows that it is given, joined to what it wants. It can't be ordered, limited,
    /// grouped or distinct: that is an error of the verb.
    pub fn recursive<S, Step, Other>(self, step: Step) -> Subquery<S>
    where
        S: Row<Fields = R>,
        Step: FnOnce(Subquery<S>) -> Rows<R, Other>,
    {
        recursive(self, step, SetOperator::Union)
    }

    /// The rows together with those that `step` finds from them, as [`recursive`](Self::recursive)
    /// does, with `UNION ALL`: rows are followed whether they are known or not. For rows that carry
    /// their depth, by which the step must end.
    pub fn recursive_all<S, Step, Other>(self, step: Step) -> Subquery<S>
    where
        S: Row<Fields = R>,
        Step: FnOnce(Subquery<S>) -> Rows<R, Other>,
    {
        recursive(self, step, SetOperator::UnionAll)
    }

    /// The tree, whose columns get the names of whatever it becomes the rows of.
    fn into_unnamed(self) -> sql::Select {
        let mut tree = self.query.into_tree();
        tree.columns.iter_mut().for_each(|(_, name)| *name = None);
        tree
    }
}

fn common<S: Row>(body: Body, recursive: bool) -> Subquery<S> {
    let cte = Cte { table: S::__table(), body, recursive };
    Subquery::new(From::Cte(Arc::new(cte), Source::Scope))
}

fn recursive<R, S, A, B>(
    base: Rows<R, A>,
    step: impl FnOnce(Subquery<S>) -> Rows<R, B>,
    operator: SetOperator,
) -> Subquery<S>
where
    S: Row<Fields = R>,
{
    let itself = Subquery::new(From::Itself(S::__table(), Source::Scope));
    let mut step = step(itself).into_unnamed();
    let is_plain = step.order_by.is_empty()
        && step.limit.is_none()
        && step.offset.is_none()
        && step.group_by.is_empty()
        && !step.distinct;
    if !is_plain {
        step.and_filter(Expr::Mistaken(
            "the step of a recursive query can't be ordered, limited, grouped or distinct: let the \
             query that reads the rows be"
                .into(),
        ));
        step.order_by.clear();
        (step.limit, step.offset) = (None, None);
    }
    common::<S>(Body::Compound(operator, vec![base.into_unnamed(), step]), true)
}
