//! Functions of columns and expressions, each of which means the same on every database.
//!
//! They are methods of [`Column`](crate::model::Column) and [`Expression`](super::Expression), one
//! file per kind of value:
//!
//! ```
//! # use orm_core::{Engine, Model, schema};
//! # #[derive(Model)] struct User { username: String, nick: Option<String>, score: f64 }
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! # let engine = Engine::connect("sqlite::memory:").await?;
//! # engine.create_all(&schema![User]).await?;
//! # let mut session = orm_core::SessionFactory::new(engine.clone()).session();
//! # session.add(User::draft().username(" Ada ").score(2.345));
//! # session.commit().await?;
//! let rows: Vec<(String, String, f64)> = User::select()
//!     .columns((
//!         User::username.trim().substring(0..2),
//!         User::nick.coalesce(User::username),
//!         User::score.round(1),
//!     ))
//!     .on(&engine)
//!     .all()
//!     .await?;
//! assert_eq!(rows, [("Ad".to_owned(), " Ada ".to_owned(), 2.3)]);
//! # Ok::<(), orm_core::Error>(()) }).unwrap();
//! ```

mod aggregate;
mod any;
mod array;
mod case;
mod cast;
mod json;
mod number;
mod text;
mod time;
mod window;

pub use self::array::ArrayColumn;
pub use self::case::{Case, EmptyCase, Outcome, case};
pub use self::cast::CastTo;
pub use self::json::{JsonColumn, JsonPath};
pub use self::number::Fractional;
pub use self::time::{HasDate, HasTime, now};
pub use self::window::{
    Window, WindowFunction, all_rows, dense_rank, in_order, ntile, partition_by, rank, row_number,
};
pub use crate::sql::Unit;

use super::Expression;
use crate::sql::{Expr, Function};

/// A call of a function.
fn call<M, T, L>(
    function: Function,
    arguments: impl IntoIterator<Item = Expr>,
) -> Expression<M, T, L> {
    Expression::new(Expr::Function(function, arguments.into_iter().collect()))
}
