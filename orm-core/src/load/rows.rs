//! What a flush reads: rows by their keys, collections by their owners. It sees all of them,
//! unless it says otherwise, whatever the session's criteria are, and loads nothing below them.

use super::entities::{EntityQuery, OwnerKey, load_entities};
use super::plan::LoadNode;
use super::related::{Found, find_members, load_node};
use super::{KEYS_PER_STATEMENT, Loader};
use crate::driver::Connection;
use crate::error::Result;
use crate::model::{ColumnSet, ForeignKey, Relationship, Table};
use crate::query::Criteria;
use crate::sql::{ColumnRef, Expr, Select};
use crate::tracking::{ObjectId, Store};
use crate::value::Value;

/// Loads a relationship of these objects.
pub(crate) async fn load_members(
    connection: &mut Connection,
    store: &mut Store,
    owners: &[ObjectId],
    relationship: &'static Relationship,
) -> Result<()> {
    let node = LoadNode::of(relationship, Vec::new());
    load_node(&mut Loader::of_all(connection, store), owners, &node, None).await
}

/// The members that the database has for these owners, as far as criteria admit them, whatever
/// their views show. For a replaced collection that was never loaded.
pub(crate) async fn read_members(
    connection: &mut Connection,
    store: &mut Store,
    criteria: &Criteria,
    owners: &[ObjectId],
    relationship: &'static Relationship,
) -> Result<Found> {
    let node = LoadNode::of(relationship, Vec::new());
    let mut loader = Loader { criteria, ..Loader::of_all(connection, store) };
    find_members(&mut loader, owners, &node, None).await
}

/// Brings the rows that these references lead to into the store.
pub(crate) async fn load_parents(
    connection: &mut Connection,
    store: &mut Store,
    foreign_key: &'static ForeignKey,
    keys: &[Vec<Value>],
) -> Result<()> {
    load_rows(connection, store, foreign_key.target(), foreign_key.referenced(), keys).await
}

/// Brings the rows with these values in these columns into the store.
pub(crate) async fn load_rows(
    connection: &mut Connection,
    store: &mut Store,
    table: &'static Table,
    columns: &[usize],
    keys: &[Vec<Value>],
) -> Result<()> {
    load_found(connection, store, table, columns, keys, None).await
}

/// Brings the rows that refer to these keys into the store, or the first of them.
pub(crate) async fn load_referrers(
    connection: &mut Connection,
    store: &mut Store,
    child: &'static Table,
    foreign_key: &'static ForeignKey,
    keys: &[Vec<Value>],
    first: bool,
) -> Result<()> {
    load_found(connection, store, child, foreign_key.columns(), keys, first.then_some(1)).await
}

async fn load_found(
    connection: &mut Connection,
    store: &mut Store,
    table: &'static Table,
    columns: &[usize],
    keys: &[Vec<Value>],
    limit: Option<u64>,
) -> Result<()> {
    let mut loader = Loader::of_all(connection, store);
    for chunk in keys.chunks(KEYS_PER_STATEMENT) {
        let mut select = Select::from(table);
        let columns = columns.iter().map(|&column| ColumnRef::scoped(table, column)).collect();
        select.filter = Some(Expr::Keys { columns, keys: chunk.to_vec() });
        select.limit = limit;
        let (undeferred, at_most_one, owner_key) = (ColumnSet::default(), false, OwnerKey::None);
        let query = EntityQuery { table, select, undeferred, nodes: &[], at_most_one, owner_key };
        load_entities(&mut loader, query).await?;
    }
    Ok(())
}
