//! Conditions: what `filter`, `having`, `any` and `has` take.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{BitAnd, BitAndAssign, BitOr, BitOrAssign, Not};

use super::{Expression, Fragments};
use crate::sql::Expr;

/// A condition on rows of the model `M`, or, for a tuple of models, on rows joined of them.
///
/// Conditions of one model combine with `&`, `|` and `!` and keep their type, so that they can
/// be built in a loop:
///
/// ```
/// use orm_core::query::Condition;
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
/// # let words = ["Engine", "Bernoulli"];
///
/// let mut wanted = Condition::none();
/// for word in words {
///     wanted |= Post::title.contains(word);
/// }
/// let posts = Post::select().filter(wanted).all(&mut session).await?;
/// # assert_eq!(posts.len(), 1);
/// # Ok::<(), orm_core::Error>(()) }).unwrap();
/// ```
///
/// Across models there are [`any_of`] and [`all_of`].
///
/// As in SQL, a comparison with a column that is NULL is neither true nor false, and its `!` is
/// neither. Only `eq`, `ne`, `in_` and `not_in` understand a `None` that *they are given*.
pub struct Condition<M> {
    expr: Expr,
    of: PhantomData<fn(M)>,
}

impl<M> Condition<M> {
    pub(crate) fn new(expr: Expr) -> Self {
        Self { expr, of: PhantomData }
    }

    pub(crate) fn into_expr(self) -> Expr {
        self.expr
    }

    /// The condition as a value, to be selected, ordered or grouped by: whether it holds, `None`
    /// where a comparison with NULL leaves that open.
    ///
    /// ```
    /// # use orm_core::{Engine, Model, SessionFactory, schema};
    /// # #[derive(Model)] struct User { username: String, age: Option<i32> }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::connect("sqlite::memory:").await?;
    /// # engine.create_all(&schema![User]).await?;
    /// # let mut session = SessionFactory::new(engine.clone()).session();
    /// # session.add(User::draft().username("ada").age(36));
    /// # session.commit().await?;
    /// let adults: Vec<(String, Option<bool>)> = User::select()
    ///     .columns((User::username, User::age.ge(18).as_expression()))
    ///     .on(&engine)
    ///     .all()
    ///     .await?;
    /// assert_eq!(adults, [("ada".to_owned(), Some(true))]);
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    pub fn as_expression(self) -> Expression<M, Option<bool>> {
        Expression::new(self.expr)
    }

    /// The same of another model, when the change is made.
    pub(super) fn moved<O>(mut self, change: impl FnOnce(&mut Expr)) -> Condition<O> {
        change(&mut self.expr);
        Condition::new(self.expr)
    }

    /// Holds for every row: where a loop of `&` starts.
    pub fn all() -> Self {
        Self::new(Expr::All(Vec::new()))
    }

    /// Holds for no row: where a loop of `|` starts.
    pub fn none() -> Self {
        Self::new(Expr::Any(Vec::new()))
    }
}

impl<M> Condition<M> {
    /// Holds where this condition can't be told, because of a NULL in it: there neither the
    /// condition nor its negation holds.
    ///
    /// ```
    /// # use orm_core::{Engine, Model, schema};
    /// # #[derive(Model)] struct User { age: Option<i32> }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::connect("sqlite::memory:").await?;
    /// # engine.create_all(&schema![User]).await?;
    /// # let mut session = orm_core::SessionFactory::new(engine).session();
    /// # session.add(User::draft());
    /// let of_age = User::age.ge(18);
    /// assert_eq!(User::select().filter(of_age.clone()).count(&mut session).await?, 0);
    /// assert_eq!(User::select().filter(!of_age.clone()).count(&mut session).await?, 0);
    /// assert_eq!(User::select().filter(of_age.is_unknown()).count(&mut session).await?, 1);
    /// # Ok::<(), orm_core::Error>(()) }).unwrap();
    /// ```
    ///
    /// It is SQL's `IS UNKNOWN`, by means that every database has.
    pub fn is_unknown(self) -> Self {
        Self::new(Expr::IsNull { operand: Box::new(self.expr), negated: false })
    }
}

impl<M> Clone for Condition<M> {
    fn clone(&self) -> Self {
        Self::new(self.expr.clone())
    }
}

impl<M> fmt::Debug for Condition<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Condition").field(&self.expr).finish()
    }
}

impl<M> BitAnd for Condition<M> {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self::new(self.expr.and(other.expr))
    }
}

impl<M> BitOr for Condition<M> {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self::new(self.expr.or(other.expr))
    }
}

impl<M> Not for Condition<M> {
    type Output = Self;
    fn not(self) -> Self {
        Self::new(Expr::Not(Box::new(self.expr)))
    }
}

impl<M> BitAndAssign for Condition<M> {
    fn bitand_assign(&mut self, other: Self) {
        let this = std::mem::replace(&mut self.expr, Expr::All(Vec::new()));
        self.expr = this.and(other.expr);
    }
}

impl<M> BitOrAssign for Condition<M> {
    fn bitor_assign(&mut self, other: Self) {
        let this = std::mem::replace(&mut self.expr, Expr::Any(Vec::new()));
        self.expr = this.or(other.expr);
    }
}

/// Holds where one of the conditions holds, which may be of different models.
///
/// ```
/// use orm_core::query::any_of;
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
///
/// # let found =
/// User::select()
///     .join(User::posts)
///     .filter(any_of((User::username.eq("ada"), Post::title.contains("Engine"))))
/// #   .count(&mut session).await?;
/// # assert_eq!(found, 1);
/// # Ok::<(), orm_core::Error>(()) }).unwrap();
/// ```
pub fn any_of<C: Conditions>(conditions: C) -> Condition<C::Models> {
    let mut into = Fragments::default();
    conditions.__conditions(&mut into);
    Condition::new(Expr::Any(into.0))
}

/// Holds where all of the conditions hold, which may be of different models.
pub fn all_of<C: Conditions>(conditions: C) -> Condition<C::Models> {
    let mut into = Fragments::default();
    conditions.__conditions(&mut into);
    Condition::new(Expr::All(into.0))
}

/// A condition, a tuple of up to twelve, or a `Vec` or array of conditions of one model.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a condition",
    label = "expected a condition, a tuple of conditions, or a `Vec` of conditions of one model"
)]
pub trait Conditions {
    /// The model, or the models as a tuple.
    type Models;
    #[doc(hidden)]
    fn __conditions(self, into: &mut Fragments);
}

impl<M> Conditions for Condition<M> {
    type Models = M;
    fn __conditions(self, into: &mut Fragments) {
        into.0.push(self.expr);
    }
}

impl<M> Conditions for Vec<Condition<M>> {
    type Models = M;
    fn __conditions(self, into: &mut Fragments) {
        into.0.extend(self.into_iter().map(Condition::into_expr));
    }
}

impl<M, const N: usize> Conditions for [Condition<M>; N] {
    type Models = M;
    fn __conditions(self, into: &mut Fragments) {
        into.0.extend(self.into_iter().map(Condition::into_expr));
    }
}

macro_rules! conditions {
    ($(($condition:ident $at:ident $index:tt))+) => {
        impl<$($condition: Conditions),+> Conditions for ($($condition,)+) {
            type Models = ($($condition::Models,)+);
            fn __conditions(self, into: &mut Fragments) {
                $(self.$index.__conditions(into);)+
            }
        }
    };
}
for_tuples!(conditions);
