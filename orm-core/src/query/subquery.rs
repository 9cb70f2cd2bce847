//! Subqueries in conditions and expressions: `in_query`, `exists(…)`, `scalar()`.

use super::sets::{place, united};
use super::{Condition, Correlated, Expression, Origin, Query, Rows, Select, Subscope};
use crate::model::Column;
use crate::sql::{self, Expr, From};
use crate::value::{ColumnType, Nullability};

/// Holds where the query has a row. The query may refer to the one around it if it says so by
/// [`correlate`](Select::correlate); such a condition belongs to the models that it names.
///
/// ```
/// use orm_core::query::exists;
/// # use orm_core::{Engine, Model, SessionFactory, schema};
/// # #[derive(Model)] struct Account { owner: String, balance: i64 }
/// # #[derive(Model)] struct Blocked { owner: String, until: i64 }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let engine = Engine::connect("sqlite::memory:").await?;
/// # engine.create_all(&schema![Account, Blocked]).await?;
/// # let mut session = SessionFactory::new(engine.clone()).session();
/// # session.add(Account::draft().owner("ada").balance(100));
/// let blocked = exists(
///     Blocked::select()
///         .correlate::<Account>()
///         .filter(Blocked::owner.eq_column(Account::owner)),
/// );
/// let free = Account::select().filter(!blocked & Account::balance.gt(0)).all(&mut session).await?;
/// # assert_eq!(free.len(), 1);
/// # Ok::<(), orm_core::Error>(()) }).unwrap();
/// ```
///
/// Along a relationship there are shorter ways to ask: `User::posts.any(…)`, `Post::user.has(…)`.
pub fn exists<Q: Subselect>(query: Q) -> Condition<<Q::Scope as Subscope>::Alone> {
    let mut query = query.__query().0;
    query.tree = query.any_tree();
    Condition::new(Expr::Exists(Box::new(query.into_tree())))
}

/// A query that can be part of another.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a query",
    label = "expected a query, as in `Post::select().filter(…)`"
)]
pub trait Subselect {
    /// The models that it reads.
    type Scope: Subscope;
    #[doc(hidden)]
    fn __query(self) -> Subtree;
}

/// A query that becomes part of another, opaque outside of this crate.
#[doc(hidden)]
#[derive(Debug)]
pub struct Subtree(pub(crate) Query);

impl<M, Scope: Subscope> Subselect for Select<M, Scope> {
    type Scope = Scope;
    fn __query(self) -> Subtree {
        Subtree(self.query)
    }
}

impl<R, Scope: Subscope, Owned> Subselect for Rows<R, Scope, Owned> {
    type Scope = Scope;
    fn __query(self) -> Subtree {
        Subtree(self.query)
    }
}

impl<M: Origin, Scope> Select<M, Scope> {
    /// Lets the query, which is to be part of another, refer to a model of the one around it:
    /// `Post::select().correlate::<User>()`. It doesn't run by itself.
    ///
    /// The concept is SQLAlchemy's `correlate`, which is implicit there.
    pub fn correlate<O: Origin>(self) -> Select<M, (Correlated<O>, Scope)> {
        self.scoped()
    }
}

impl<R: ColumnType, Scope: Subscope> Rows<R, Scope> {
    /// The value of the query's first row, as an expression; NULL where there is no row.
    ///
    /// ```
    /// # use orm_core::{BelongsTo, Engine, HasMany, Model, SessionFactory, schema};
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
    /// let latest = Post::select()
    ///     .correlate::<User>()
    ///     .filter(Post::user_id.eq_column(User::id))
    ///     .order_by(Post::id.desc())
    ///     .columns(Post::title)
    ///     .scalar();
    /// let users: Vec<(String, Option<String>)> =
    ///     User::select().columns((User::username, latest)).all(&mut session).await?;
    /// # assert_eq!(users, [("ada".to_owned(), Some("Notes".to_owned()))]);
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    ///
    /// It is compared by `eq_column`, `gt_column` and their like:
    /// `User::age.gt_column(average)`.
    pub fn scalar(mut self) -> Expression<Scope::Alone, Option<R::Present>> {
        let tree = &mut self.query.tree;
        let is_one = tree.group_by.is_empty() && aggregates(tree);
        if !is_one {
            tree.limit = Some(tree.limit.map_or(1, |rows| rows.min(1)));
        }
        Expression::new(Expr::Scalar(Box::new(self.query.into_tree())))
    }
}

/// Whether the query's first column is an aggregate.
fn aggregates(tree: &sql::Select) -> bool {
    tree.columns.first().is_some_and(|(column, _)| column.is_aggregate())
}

/// Whether the operand is among the query's values.
fn in_select<M>(operand: Expr, query: Query, without_nulls: bool, negated: bool) -> Condition<M> {
    let mut tree = query.into_tree();
    if tree.limit.is_none() && tree.offset.is_none() {
        tree.order_by.clear();
    }
    if without_nulls && let Some((column, _)) = tree.columns.first().cloned() {
        let is_grouped = !tree.group_by.is_empty() || aggregates(&tree);
        let is_there = Expr::IsNull { operand: Box::new(column), negated: true };
        match is_grouped {
            true => tree.and_having(is_there),
            false => tree.and_filter(is_there),
        }
    }
    Condition::new(Expr::InSelect {
        operand: Box::new(operand),
        select: Box::new(limited(tree)),
        negated,
    })
}

/// The query as a subquery of its own if it has a limit, which not every database takes in an IN.
fn limited(mut tree: sql::Select) -> sql::Select {
    if tree.limit.is_none() && tree.offset.is_none() {
        return tree;
    }
    let shows = tree.columns.first().and_then(|(column, _)| column.column_shown());
    let table = united();
    for (_, name) in &mut tree.columns {
        *name = Some(place(0));
    }
    let mut around = sql::Select::new(From::derived(tree, table));
    let column = Expr::Derived { table, column: place(0), shows };
    around.columns.push((column, None));
    around
}

macro_rules! in_query {
    ($type:ident<M $(: $bound:path)? $(; $param:ident)?>) => {
        impl<M $(: $bound)?, T: ColumnType $(, $param)?> $type<M, T $(, $param)?> {
            /// Equal to one of the values that a query of one column gives:
            /// `User::id.in_query(Post::select().columns(Post::user_id))`.
            pub fn in_query<R, Scope>(self, rows: Rows<R, Scope>) -> Condition<Scope::With<M>>
            where
                R: ColumnType<Present = T::Present>,
                Scope: Subscope,
            {
                in_select(self.into_expr(), rows.query, false, false)
            }

            /// Equal to none of the values that a query of one column gives. NULLs among them are
            /// left out: because of a single one, SQL's `NOT IN` would hold for no row at all. As
            /// in SQL it doesn't hold where the column itself is NULL.
            pub fn not_in_query<R, Scope>(self, rows: Rows<R, Scope>) -> Condition<Scope::With<M>>
            where
                R: ColumnType<Present = T::Present>,
                Scope: Subscope,
            {
                in_select(self.into_expr(), rows.query, R::Nullability::NULLABLE, true)
            }
        }
    };
}

in_query!(Column<M: Origin>);
in_query!(Expression<M; L>);
