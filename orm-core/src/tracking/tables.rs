//! The tables that a store knows of: those of its objects, and those that lead to them or away.

use super::store::Store;
use crate::model::{ForeignKey, Link, Table};

impl Store {
    /// The tables of the objects in memory, and every table that relationships and foreign keys
    /// lead to from there: all of the schema that this session can have anything to do with.
    pub(crate) fn known_tables(&self) -> Vec<&'static Table> {
        let mut known: Vec<&'static Table> =
            self.arenas().map(|arena| self.arena_at(arena).table).collect();
        let mut seen: std::collections::HashSet<&'static Table> = known.iter().copied().collect();
        let mut next = 0;
        while let Some(&table) = known.get(next) {
            next += 1;
            let associations = table.relationships().iter().filter_map(|it| match it.link() {
                Ok(Link::Through(association)) => Some(association.table),
                _ => None,
            });
            let reached = associations
                .chain(table.relationships().iter().map(|relationship| relationship.target()))
                .chain(table.foreign_keys().iter().map(ForeignKey::target));
            known.extend(reached.filter(|table| seen.insert(*table)));
        }
        known
    }
}
