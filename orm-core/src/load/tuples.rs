//! Rows of columns with whole entities among them: the entities into the store, and below them what
//! their models load eagerly.

use std::collections::HashSet;

use super::Loader;
use super::entities::make_peers;
use super::plan::{LoadNode, plan_loads};
use super::related::load_nodes;
use crate::driver::RowSink;
use crate::error::Result;
use crate::model::Table;
use crate::query::{Arrivals, Query};
use crate::sql::Select;
use crate::tracking::ObjectId;
use crate::value::Cells;

/// A query of columns, and what is to be loaded below the entities among them.
pub(crate) struct TupleQuery {
    select: Select,
    /// The models of the entities of a row, in the order of the columns.
    wholes: Vec<&'static Table>,
    /// What is to be loaded below each of these models, whose options count for all entities of it.
    nodes: Vec<(&'static Table, Vec<LoadNode>)>,
}

impl TupleQuery {
    /// Plans the loads: the query's own options over the defaults of each model.
    ///
    /// # Errors
    /// `Misuse` for options that contradict each other.
    pub(crate) fn new(query: Query) -> Result<Self> {
        let mut nodes: Vec<(&'static Table, Vec<LoadNode>)> = Vec::new();
        let wholes: Vec<_> = query.wholes.iter().map(|whole| whole.table).collect();
        for &table in &wholes {
            if !nodes.iter().any(|(planned, _)| *planned == table) {
                let options = if table == query.table { &query.options[..] } else { &[] };
                nodes.push((table, plan_loads(table, options)?));
            }
        }
        Ok(Self { select: query.tree, wholes, nodes })
    }
}

/// What becomes of each row, whose entities arrive by the way.
pub(crate) type EachTuple<'r> =
    &'r mut (dyn FnMut(&mut Arrivals<'_>, &dyn Cells) -> Result<()> + Send);

/// Runs a query of columns, and everything that is to be loaded below the entities among them, by
/// keys: what is joined elsewhere would multiply rows here that are no objects.
pub(crate) async fn load_tuples(
    loader: &mut Loader<'_>,
    query: TupleQuery,
    each: EachTuple<'_>,
) -> Result<()> {
    let TupleQuery { mut select, wholes, nodes } = query;
    loader.criteria.restrict(&mut select);
    let mut statement = loader.connection.render(&select)?;
    statement.single_row = select.limit == Some(1);
    let places = wholes.iter().map(|table| {
        let is_restricted = loader.criteria.of(table).is_some();
        loader.store.place_of(table, is_restricted)
    });
    let places = places.collect::<Result<_>>()?;
    let arrivals = Arrivals::new(loader.store, places, loader.populate_existing);
    let mut rows = Tuples { arrivals, each };
    loader.connection.run(statement, &mut rows).await?;
    let arrived = rows.arrivals.into_objects();

    for (table, nodes) in &nodes {
        let of_table = wholes.iter().zip(&arrived).filter(|(whole, _)| *whole == table);
        let mut seen = HashSet::new();
        let objects = of_table.flat_map(|(_, objects)| objects).copied();
        let objects: Vec<ObjectId> = objects.filter(|object| seen.insert(*object)).collect();
        make_peers(loader.store, &objects);
        Box::pin(load_nodes(loader, &objects, nodes)).await?;
    }
    Ok(())
}

/// Decodes the rows of columns where they are.
struct Tuples<'s, 'r> {
    arrivals: Arrivals<'s>,
    each: EachTuple<'r>,
}

impl RowSink for Tuples<'_, '_> {
    fn row(&mut self, cells: &dyn Cells) -> Result<()> {
        (self.each)(&mut self.arrivals, cells)
    }
}
