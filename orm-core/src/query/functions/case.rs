//! `case()`: the value of the first branch whose condition holds.

use std::fmt;
use std::marker::PhantomData;

use crate::model::Column;
use crate::query::arithmetic::Joint;
use crate::query::{Also, Alternative, Condition, Expression, Fragment, Origin, PerRow, bind};
use crate::sql::Expr;
use crate::value::ColumnType;

/// Begins a choice between values: `CASE WHEN … THEN … ELSE … END`.
///
/// ```
/// use orm_core::query::case;
/// # use orm_core::{Engine, Model, SessionFactory, schema};
/// # #[derive(Model)] struct User { username: String, age: Option<i32> }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let engine = Engine::connect("sqlite::memory:").await?;
/// # engine.create_all(&schema![User]).await?;
/// # let mut session = SessionFactory::new(engine.clone()).session();
/// # session.add(User::draft().username("ada").age(36));
/// # session.add(User::draft().username("bob"));
/// # session.commit().await?;
/// let group = case()
///     .when(User::age.is_null(), "unknown")
///     .when(User::age.lt(18), "minor")
///     .otherwise("adult");
/// let groups: Vec<(String, String)> = User::select()
///     .order_by(User::id.asc())
///     .columns((User::username, group))
///     .on(&engine)
///     .all()
///     .await?;
/// # let text = str::to_owned;
/// assert_eq!(groups, [(text("ada"), text("adult")), (text("bob"), text("unknown"))]);
/// # Ok::<(), orm_core::Error>(()) }).unwrap();
/// ```
///
/// The first branch says what type the values are of; the others must fit. The concept is
/// SQLAlchemy's `case`.
pub fn case() -> EmptyCase {
    EmptyCase(())
}

/// A choice without branches: what [`case`] begins with.
#[derive(Clone, Copy, Debug)]
#[must_use = "a choice needs a branch"]
pub struct EmptyCase(());

impl EmptyCase {
    /// The value where the condition holds: a value, or a column or expression of the model.
    pub fn when<M, V: Outcome<M>>(
        self,
        condition: Condition<M>,
        value: V,
    ) -> Case<M, V::Type, V::Level> {
        Case { branches: vec![(condition.into_expr(), value.__fragment().0)], of: PhantomData }
    }
}

/// A choice between values of type `T`, which [`otherwise`](Self::otherwise) or
/// [`or_null`](Self::or_null) makes an expression.
#[must_use = "a choice is an expression only once it says what the value is otherwise"]
pub struct Case<M, T, L = PerRow> {
    branches: Vec<(Expr, Expr)>,
    of: PhantomData<fn(M) -> (T, L)>,
}

impl<M, T: ColumnType, L> Case<M, T, L> {
    /// The value where this condition is the first that holds.
    pub fn when<By, V>(
        mut self,
        condition: Condition<M>,
        value: V,
    ) -> Case<M, Joint<T::Nullability, V::Nullability, T::Present>, L>
    where
        V: Alternative<M, T::Present, L, By>,
        T::Nullability: Also<V::Nullability>,
    {
        self.branches.push((condition.into_expr(), value.__fragment().0));
        Case { branches: self.branches, of: PhantomData }
    }

    /// The value where no condition holds.
    pub fn otherwise<By, V>(
        self,
        value: V,
    ) -> Expression<M, Joint<T::Nullability, V::Nullability, T::Present>, L>
    where
        V: Alternative<M, T::Present, L, By>,
        T::Nullability: Also<V::Nullability>,
    {
        let otherwise = Some(Box::new(value.__fragment().0));
        Expression::new(Expr::Case { branches: self.branches, otherwise })
    }

    /// NULL where no condition holds.
    pub fn or_null(self) -> Expression<M, Option<T::Present>, L> {
        Expression::new(Expr::Case { branches: self.branches, otherwise: None })
    }
}

impl<M, T, L> Clone for Case<M, T, L> {
    fn clone(&self) -> Self {
        Self { branches: self.branches.clone(), of: PhantomData }
    }
}

impl<M, T, L> fmt::Debug for Case<M, T, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Case").field(&self.branches).finish()
    }
}

/// What the first branch of a [`case`] may give: a value of any column type, or a column or
/// expression of `M`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the value of a branch with a condition on `{M}`",
    label = "expected a value, or a column or expression of `{M}`"
)]
pub trait Outcome<M> {
    /// The type of the values.
    type Type: ColumnType;
    /// [`PerRow`], or [`PerGroup`](crate::query::PerGroup) for an aggregate.
    type Level;
    #[doc(hidden)]
    fn __fragment(self) -> Fragment;
}

impl<M, T: ColumnType> Outcome<M> for T {
    type Type = T;
    type Level = PerRow;
    fn __fragment(self) -> Fragment {
        Fragment(bind(&self))
    }
}

impl<M> Outcome<M> for &str {
    type Type = String;
    type Level = PerRow;
    fn __fragment(self) -> Fragment {
        Fragment(bind(&self.to_owned()))
    }
}

impl<M: Origin, T: ColumnType> Outcome<M> for Column<M, T> {
    type Type = T;
    type Level = PerRow;
    fn __fragment(self) -> Fragment {
        Fragment(self.into_expr())
    }
}

impl<M, T: ColumnType, L> Outcome<M> for Expression<M, T, L> {
    type Type = T;
    type Level = L;
    fn __fragment(self) -> Fragment {
        Fragment(self.into_expr())
    }
}
