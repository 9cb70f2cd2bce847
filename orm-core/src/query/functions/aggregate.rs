//! What else aggregates can do: leave rows out, and join texts.

use crate::model::Column;
use crate::query::{Condition, Expression, Only, OrderTerms, Orders, Origin, PerGroup, TextColumn};
use crate::sql::{Aggregate, Aggregation, Expr};
use crate::value::ColumnType;

/// Changes every aggregate in an expression.
fn each_aggregate(expr: &mut Expr, change: &mut dyn FnMut(&mut Aggregation)) {
    match expr {
        Expr::Aggregate(aggregation) => change(aggregation),
        other => other.for_each_part_mut(&mut |part| each_aggregate(part, change)),
    }
}

fn filtered(mut expr: Expr, condition: &Expr) -> Expr {
    each_aggregate(&mut expr, &mut |aggregation| {
        aggregation.filter = Some(match aggregation.filter.take() {
            Some(filter) => filter.and(condition.clone()),
            None => condition.clone(),
        });
    });
    expr
}

impl<M, T> Expression<M, T, PerGroup> {
    /// Lets the aggregate see only the rows for which this holds:
    /// `Post::id.count().filter(Post::title.ne(""))`. Of an expression of several aggregates it is
    /// meant for all of them.
    ///
    /// It is `FILTER (WHERE …)` in SQL, and `CASE WHEN … END` inside of the aggregate on MySQL
    /// and MariaDB.
    pub fn filter(self, condition: Condition<M>) -> Self {
        Self::new(filtered(self.into_expr(), &condition.into_expr()))
    }

    /// Lets the aggregate see only the rows for which a condition on other models of the query
    /// holds.
    pub fn filter_by<C>(self, condition: Condition<C>) -> Expression<(M, C), T, PerGroup> {
        Expression::new(filtered(self.into_expr(), &condition.into_expr()))
    }

    /// Has the texts that [`string_agg`](Self::string_agg) joins stand in this order. Other
    /// aggregates have none.
    pub fn ordered_by<O: Orders<Models: Only<M>>>(self, order: O) -> Self {
        let mut terms = OrderTerms::default();
        order.__orders(&mut terms);
        let mut expr = self.into_expr();
        each_aggregate(&mut expr, &mut |aggregation| {
            if aggregation.function == Aggregate::Join {
                aggregation.order.clone_from(&terms.0);
            }
        });
        Self::new(expr)
    }
}

macro_rules! aggregates_of_texts {
    ($type:ident<M $(: $bound:path)?>) => {
        impl<M $(: $bound)?, T: ColumnType> $type<M, T> {
            /// The texts of a group as one, with a separator in between; NULL ones are left out,
            /// and `None` is what there is where there are none.
            ///
            /// They stand in any order unless `ordered_by` says which:
            ///
            /// ```
            /// # use orm_core::{Engine, Model, SessionFactory, schema};
            /// # #[derive(Model)] struct User { username: String }
            /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            /// # let engine = Engine::connect("sqlite::memory:").await?;
            /// # engine.create_all(&schema![User]).await?;
            /// # let mut session = SessionFactory::new(engine.clone()).session();
            /// # session.add_all(["bob", "ada"].map(|name| User::draft().username(name)));
            /// # session.commit().await?;
            /// let names = User::username.string_agg(", ").ordered_by(User::username.asc());
            /// let names: Option<String> = User::select().columns(names).on(&engine).one().await?;
            /// assert_eq!(names.as_deref(), Some("ada, bob"));
            /// # Ok::<(), orm_core::Error>(()) }).unwrap();
            /// ```
            pub fn string_agg(
                self,
                separator: impl Into<String>,
            ) -> Expression<M, Option<String>, PerGroup>
            where
                T: TextColumn,
            {
                let mut joined = Aggregation::new(Aggregate::Join, Some(self.into_expr()));
                joined.separator = separator.into();
                Expression::new(joined.into())
            }
        }
    };
}

aggregates_of_texts!(Column<M: Origin>);
aggregates_of_texts!(Expression<M>);
