//! Window functions: what a row has to do with the rows around it.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Bound, RangeBounds};

use crate::model::Column;
use crate::query::{
    Expression, Fragments, Groups, OrderTerms, Orders, Origin, PerGroup, PerWindow,
};
use crate::sql::{self, Expr, Function};
use crate::value::ColumnType;

/// The rows that a window function sees from each row: those of its partition, in an order.
///
/// [`partition_by`], [`in_order`] and [`all_rows`] make one.
pub struct Window<M = ()> {
    window: sql::Window,
    of: PhantomData<fn(M)>,
}

/// The window of the rows that are equal in these columns or expressions.
///
/// ```
/// use orm_core::query::{partition_by, row_number};
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
/// # let posts = ["b", "a"].map(|title| Post::draft().title(title));
/// # session.add(User::draft().username("ada").posts(posts));
/// # session.commit().await?;
/// let number = row_number().over(partition_by(Post::user_id).order_by(Post::title.asc()));
/// let rows: Vec<(String, i64)> = Post::select()
///     .order_by(Post::id.asc())
///     .columns((Post::title, number))
///     .on(&engine)
///     .all()
///     .await?;
/// assert_eq!(rows, [("b".to_owned(), 2), ("a".to_owned(), 1)]);
/// # Ok::<(), orm_core::Error>(()) }).unwrap();
/// ```
pub fn partition_by<G: Groups>(groups: G) -> Window<G::Models> {
    let mut into = Fragments::default();
    groups.__groups(&mut into);
    Window::new(sql::Window { partition: into.0, ..sql::Window::default() })
}

/// The window of all rows, in an order.
pub fn in_order<O: Orders>(order: O) -> Window<((), O::Models)> {
    all_rows().order_by(order)
}

/// The window of all rows.
pub fn all_rows() -> Window {
    Window::new(sql::Window::default())
}

impl<M> Window<M> {
    fn new(window: sql::Window) -> Self {
        Self { window, of: PhantomData }
    }

    /// The same rows in an order. Aggregates then see the rows up to the current one, with those
    /// that are equal to it, unless [`rows`](Self::rows) says otherwise.
    pub fn order_by<O: Orders>(mut self, order: O) -> Window<(M, O::Models)> {
        let mut terms = OrderTerms(std::mem::take(&mut self.window.order));
        order.__orders(&mut terms);
        self.window.order = terms.0;
        Window::new(self.window)
    }

    /// Lets aggregates, `first_value`, `last_value` and `nth_value` see these rows only, counted
    /// from the current one in the window's order: `rows(-2..=0)` are it and the two before,
    /// `rows(..0)` all before, `rows(..)` all.
    ///
    /// A range that ends before it starts is an error of the database.
    pub fn rows(mut self, rows: impl RangeBounds<i64>) -> Self {
        let start = match rows.start_bound() {
            Bound::Included(&row) => sql::Bound::Rows(row),
            Bound::Excluded(&row) => sql::Bound::Rows(row.saturating_add(1)),
            Bound::Unbounded => sql::Bound::Unbounded,
        };
        let end = match rows.end_bound() {
            Bound::Included(&row) => sql::Bound::Rows(row),
            Bound::Excluded(&row) => sql::Bound::Rows(row.saturating_sub(1)),
            Bound::Unbounded => sql::Bound::Unbounded,
        };
        self.window.frame = Some((start, end));
        self
    }
}

impl<M> Clone for Window<M> {
    fn clone(&self) -> Self {
        Self::new(self.window.clone())
    }
}

impl<M> fmt::Debug for Window<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Window").field(&self.window).finish()
    }
}

/// A function that needs a window to be an expression: [`over`](Self::over).
#[must_use = "a window function is an expression only over a window"]
pub struct WindowFunction<M, T> {
    function: Expr,
    of: PhantomData<fn(M) -> T>,
}

impl<M, T> WindowFunction<M, T> {
    fn new(function: Function, arguments: Vec<Expr>) -> Self {
        Self { function: Expr::Function(function, arguments), of: PhantomData }
    }

    /// The function of the rows of a window.
    pub fn over<W>(self, window: Window<W>) -> Expression<(M, W), T, PerWindow> {
        Expression::new(Expr::Over(Box::new(self.function), Box::new(window.window)))
    }
}

impl<M, T> Clone for WindowFunction<M, T> {
    fn clone(&self) -> Self {
        Self { function: self.function.clone(), of: PhantomData }
    }
}

impl<M, T> fmt::Debug for WindowFunction<M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WindowFunction").field(&self.function).finish()
    }
}

/// The number of the row, from 1 on.
pub fn row_number() -> WindowFunction<(), i64> {
    WindowFunction::new(Function::RowNumber, Vec::new())
}

/// The rank of the row, from 1 on: rows that are equal in the order share one, and the ranks that
/// they would have had are left out.
pub fn rank() -> WindowFunction<(), i64> {
    WindowFunction::new(Function::Rank, Vec::new())
}

/// The rank of the row, from 1 on: rows that are equal in the order share one, and none is left
/// out.
pub fn dense_rank() -> WindowFunction<(), i64> {
    WindowFunction::new(Function::DenseRank, Vec::new())
}

/// The number of the row's bucket, from 1 on, where the rows are dealt out to so many buckets, as
/// evenly as they go.
pub fn ntile(buckets: u32) -> WindowFunction<(), i64> {
    WindowFunction::new(Function::Ntile, vec![Expr::Integer(buckets.max(1).into())])
}

/// Has every aggregate in an expression see the rows of a window.
fn aggregates_over(expr: &mut Expr, window: &sql::Window) {
    match expr {
        Expr::Aggregate(_) => {
            let aggregate = std::mem::replace(expr, Expr::Integer(0));
            *expr = Expr::Over(Box::new(aggregate), Box::new(window.clone()));
        }
        other => other.for_each_part_mut(&mut |part| aggregates_over(part, window)),
    }
}

impl<M, T> Expression<M, T, PerGroup> {
    /// The aggregate of the rows of a window, which leaves the rows as they are:
    /// `User::visits.sum().over(all_rows())`. Of an expression of several aggregates it is meant
    /// for all of them.
    ///
    /// Aggregates of different values and joined texts have no windows:
    /// [`Error::Misuse`](crate::Error::Misuse).
    pub fn over<W>(self, window: Window<W>) -> Expression<(M, W), T, PerWindow> {
        let mut expr = self.into_expr();
        aggregates_over(&mut expr, &window.window);
        Expression::new(expr)
    }
}

macro_rules! functions_of_windows {
    ($type:ident<M $(: $bound:path)?>) => {
        impl<M $(: $bound)?, T: ColumnType> $type<M, T> {
            /// The value of the row so many rows before, in the window's order.
            pub fn lag(self, rows: u32) -> WindowFunction<M, Option<T::Present>> {
                let arguments = vec![self.into_expr(), Expr::Integer(rows.into())];
                WindowFunction::new(Function::Lag, arguments)
            }

            /// The value of the row so many rows behind, in the window's order.
            pub fn lead(self, rows: u32) -> WindowFunction<M, Option<T::Present>> {
                let arguments = vec![self.into_expr(), Expr::Integer(rows.into())];
                WindowFunction::new(Function::Lead, arguments)
            }

            /// The value of the first row that is seen.
            pub fn first_value(self) -> WindowFunction<M, Option<T::Present>> {
                WindowFunction::new(Function::FirstValue, vec![self.into_expr()])
            }

            /// The value of the last row that is seen: of an ordered window, the current one,
            /// unless [`rows`](Window::rows) says otherwise.
            pub fn last_value(self) -> WindowFunction<M, Option<T::Present>> {
                WindowFunction::new(Function::LastValue, vec![self.into_expr()])
            }

            /// The value of the row with this number, counted from zero, of those that are seen.
            pub fn nth_value(self, row: u32) -> WindowFunction<M, Option<T::Present>> {
                let arguments = vec![self.into_expr(), Expr::Integer(i64::from(row) + 1)];
                WindowFunction::new(Function::NthValue, arguments)
            }
        }
    };
}

functions_of_windows!(Column<M: Origin>);
functions_of_windows!(Expression<M>);
