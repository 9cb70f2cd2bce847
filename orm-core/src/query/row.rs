//! Structs of rows: what `#[derive(Row)]` implements.

use super::projection::{Decoder, in_a_row};
use super::{Origin, SourceOf};
use crate::error::Result;
use crate::model::Table;
use crate::sql::Source;
use crate::value::{Cells, ColumnType, ValueError};

/// A struct of the rows of a query: made by `#[derive(Row)]`.
///
/// Each field is a column, of a column's type; `#[orm(column = "…")]` names it otherwise. The struct
/// can be
///
/// - what a query gives in place of tuples, by [`row`](super::Rows::row);
/// - what [SQL of your own](super::raw) gives, by the names of its columns;
/// - the rows of a subquery or of a common table expression, by
///   [`subquery`](super::Rows::subquery) and [`cte`](super::Rows::cte): its fields are constants
///   then, which can do all that columns can.
///
/// That the query's columns have the fields' types, in their order, is checked at compile time.
///
/// ```
/// use orm_core::Row;
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
///
/// #[derive(Row)]
/// struct PostCount { username: String, posts: i64 }
///
/// let counts: Vec<PostCount> = User::select()
///     .join(User::posts)
///     .group_by(User::username)
///     .columns((User::username, Post::id.count()))
///     .row::<PostCount>()
///     .all(&mut session)
///     .await?;
/// # assert_eq!((counts[0].username.as_str(), counts[0].posts), ("ada", 1));
/// # Ok::<(), orm_core::Error>(()) }).unwrap();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no struct of rows",
    label = "not a struct of rows",
    note = "annotate the struct with `#[derive(orm_core::Row)]`"
)]
pub trait Row: Origin + Sized + Send {
    /// The fields' types, as the tuple that a query with these columns gives.
    type Fields;
    #[doc(hidden)]
    fn __table() -> &'static Table;
    #[doc(hidden)]
    fn __read(cells: &RowCells<'_>) -> Result<Self, ValueError>;
}

impl SourceOf {
    /// What the columns of a struct of rows belong to.
    #[doc(hidden)]
    pub fn row<R: Row>() -> Self {
        Self { table: R::__table(), source: Source::Scope }
    }
}

/// A row's cells, and where each field is among them.
#[doc(hidden)]
pub struct RowCells<'r> {
    cells: &'r dyn Cells,
    /// The cell of the field at this position and of this column.
    place: &'r dyn Fn(usize, &'static str) -> Option<usize>,
}

impl<'r> RowCells<'r> {
    /// Cells whose places are known by position or by name.
    pub(crate) fn new(
        cells: &'r dyn Cells,
        place: &'r dyn Fn(usize, &'static str) -> Option<usize>,
    ) -> Self {
        Self { cells, place }
    }

    /// The field at this position.
    pub fn field<T: ColumnType>(
        &self,
        position: usize,
        column: &'static str,
    ) -> Result<T, ValueError> {
        match (self.place)(position, column) {
            Some(cell) => T::decode(self.cells, cell),
            None => Err(ValueError::new(format!("the rows have no column `{column}`"))),
        }
    }
}

/// Decodes a struct from cells of the names of its columns.
#[doc(hidden)]
pub fn read_by_name<R: Row>(cells: &dyn Cells) -> Result<R, ValueError> {
    R::__read(&RowCells::new(cells, &|_, column| cells.position(column)))
}

/// The decoder of structs whose cells are in the order of their fields.
pub(super) fn in_order<R: Row>() -> Decoder<R, R> {
    fn read<R: Row>(cells: &dyn Cells) -> Result<R> {
        R::__read(&RowCells::new(cells, &|position, _| Some(position))).map_err(in_a_row)
    }
    Decoder { decode: read, absorb: |_, cells| read(cells) }
}
