//! What an upsert can refer to besides the row that exists.

use super::{Expression, Origin};
use crate::model::{Column, Model};
use crate::sql::{ColumnRef, Expr};

/// The value that the new row has in a column, where [`update_with`](crate::session::Insert::update_with)
/// updates one that exists already; the column itself means the row that exists.
///
/// ```
/// use orm_core::query::excluded;
/// # use orm_core::{Engine, Model, SessionFactory, schema};
/// # #[derive(Model)] struct Page { #[orm(unique, length = 80)] path: String, hits: i64 }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let engine = Engine::connect("sqlite::memory:").await?;
/// # engine.create_all(&schema![Page]).await?;
/// # let mut session = SessionFactory::new(engine).session();
/// # session.add(Page::draft().path("/").hits(2));
/// Page::insert([Page::draft().path("/").hits(3)])
///     .on_conflict(Page::path)
///     .update_with(Page::hits, Page::hits + excluded(Page::hits))
///     .execute(&mut session)
///     .await?;
/// # let page = Page::select().one(&mut session).await?;
/// # assert_eq!(session[page].hits, 5);
/// # Ok::<(), orm_core::Error>(()) }).unwrap();
/// ```
///
/// Anywhere else it is [`Error::Misuse`](crate::Error::Misuse). The name is that of SQL's table of
/// such rows.
pub fn excluded<M: Model + Origin, T>(column: Column<M, T>) -> Expression<M, T> {
    Expression::new(Expr::Excluded(ColumnRef::scoped(M::__table(), column.__index())))
}
