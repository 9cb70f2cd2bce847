//! Bulk statements (SEMANTICS 12.1) as they change the maps.

use super::{Reference, State};
use crate::tables::{Id, Kind};

impl Reference {
    fn with_text(&self, kind: Kind, text: char) -> Vec<Id> {
        let rows = self.database.rows.iter();
        rows.filter(|(_, row)| row.kind == kind && row.text == text).map(|(id, _)| *id).collect()
    }

    /// Gives all rows of a model that have one text another, and says how many. What was edited
    /// stays an edit.
    pub(crate) fn update_all(&mut self, kind: Kind, from: char, to: char) -> u64 {
        let ids = self.with_text(kind, from);
        for id in &ids {
            for tables in [&mut self.database, &mut self.memory] {
                let Some(row) = tables.rows.get_mut(id) else { continue };
                if row.text == from {
                    row.text = to;
                }
                row.version += i64::from(kind == Kind::Person);
            }
        }
        ids.len() as u64
    }

    /// Deletes all rows of a model that have a text, whatever was to become of them, and says how
    /// many. No others refer to them.
    pub(crate) fn delete_all(&mut self, kind: Kind, text: char) -> u64 {
        let ids = self.with_text(kind, text);
        for id in &ids {
            self.database.remove(*id);
            self.memory.remove(*id);
            self.marked.remove(id);
            self.queued.remove(id);
            for wanted in self.replaced.values_mut() {
                wanted.remove(id);
            }
            self.unit().deleted.insert(*id);
            if let Some(state) = self.held.get_mut(id) {
                *state = State::Deleted;
            }
        }
        ids.len() as u64
    }
}
