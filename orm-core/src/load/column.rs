//! A deferred column, loaded into an object and its peers by one statement.

use crate::driver::{Connection, RowSink};
use crate::error::{Error, Result};
use crate::model::Table;
use crate::sql::{ColumnRef, Expr, Select, Source};
use crate::tracking::{ObjectId, Store};
use crate::value::{Cells, Value};

/// The most objects that one load of a deferred column fills: such columns are large.
const COLUMN_PEERS: usize = 100;

/// Loads a deferred column of an object and, in the same statement, of its peers that lack it. Rows
/// that are gone leave it as it is.
pub(crate) async fn load_column(
    connection: &mut Connection,
    store: &mut Store,
    object: ObjectId,
    column: usize,
    alone: bool,
) -> Result<()> {
    let table = store.table(object);
    let limit = if alone { 1 } else { COLUMN_PEERS };
    let objects = store.peers(object, limit, |peer| store.lacks_column(peer, column));
    let key = table.primary_key();
    let keys: Vec<Vec<Value>> =
        objects.iter().map(|object| store.database_values(*object, key)).collect();
    let mut select = Select::from(table);
    select.select_columns(table, Source::Scope, key.iter().copied().chain([column]));
    let columns = key.iter().map(|&column| ColumnRef::scoped(table, column)).collect();
    select.filter = Some(Expr::Keys { columns, keys });
    let mut statement = connection.render(&select)?;
    statement.single_row = objects.len() == 1;
    let key = (0..key.len()).collect();
    let mut rows = ColumnRows { store, table, arena: object.arena, key, column };
    connection.run_on(table, statement, &mut rows).await?;
    Ok(())
}

/// Fills the column in from rows of a key and the column.
struct ColumnRows<'s> {
    store: &'s mut Store,
    table: &'static Table,
    arena: u32,
    /// The cells of the key; the column comes behind them.
    key: Vec<usize>,
    column: usize,
}

impl RowSink for ColumnRows<'_> {
    fn row(&mut self, cells: &dyn Cells) -> Result<()> {
        let found = self.store.arena_at(self.arena).storage.find(cells, 0, &self.key);
        let found = found.map_err(|error| Error::Type {
            place: format!("the key of a row of `{}`", self.table.name()),
            error,
        })?;
        match found {
            Some(slot) => {
                let object = ObjectId { arena: self.arena, slot };
                self.store.fill(object, self.column, cells, self.key.len())
            }
            None => Ok(()),
        }
    }
}
