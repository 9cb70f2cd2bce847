//! A flush (SEMANTICS 4–7) as it changes the maps.

use std::collections::BTreeSet;

use super::{Reference, Refusal, State, Written};
use crate::tables::{Id, Kind, Relation, Tables, pair_of};

use Kind::*;

impl Reference {
    /// Writes every edit, or says why not.
    pub(crate) fn flush(&mut self) -> Result<Written, Refusal> {
        self.resolve_replaced();
        let doomed = self.doomed();
        let mut next = self.memory.clone();
        for id in &doomed {
            next.remove(*id);
        }
        for row in next.rows.values_mut() {
            row.parent = row.parent.filter(|parent| !doomed.contains(parent));
        }
        if next.rows.values().any(|row| row.kind == Task && row.parent.is_none()) {
            return Err(Refusal::MissingForeignKey);
        }
        let mut codes = BTreeSet::new();
        let skills = next.rows.values().filter(|row| row.kind == Skill && row.text != '-');
        if !skills.map(|row| row.text).all(|code| codes.insert(code)) {
            self.failed = true;
            return Err(Refusal::UniqueViolation);
        }
        for (id, row) in next.rows.iter_mut().filter(|(_, row)| row.kind == Person) {
            row.version += i64::from(self.database.rows.get(id).is_some_and(|old| old != row));
        }
        for id in doomed {
            let is_row = self.database.rows.contains_key(&id);
            if is_row {
                self.unit().deleted.insert(id);
            }
            if let Some(state) = self.held.get_mut(&id) {
                *state = if is_row { State::Deleted } else { State::Gone };
            }
        }
        for id in next.rows.keys() {
            if let Some(state) = self.held.get_mut(id) {
                *state = State::Persistent;
            }
        }
        let written = self.difference(&next);
        self.database = next.clone();
        self.memory = next;
        self.marked.clear();
        self.queued.clear();
        Ok(written)
    }

    /// Whoever is not wanted in a view that was replaced leaves it.
    fn resolve_replaced(&mut self) {
        for ((owner, view), wanted) in std::mem::take(&mut self.replaced) {
            for member in self.database.members(owner, view) {
                let stays = self.memory.members(owner, view).contains(&member);
                if !stays || wanted.contains(&member) {
                    continue;
                }
                match view {
                    (Relation::Skills, side) => {
                        self.memory.pairs.remove(&pair_of(side, owner, member));
                    }
                    _ => {
                        self.row(member).parent = None;
                        self.queued.insert(member);
                    }
                }
            }
        }
    }

    /// Who goes with the next flush: what was deleted, orphans, and who follows them.
    fn doomed(&self) -> BTreeSet<Id> {
        let rows = self.memory.rows.iter();
        let orphans = rows.filter(|(id, row)| {
            row.kind == Task && row.parent.is_none() && self.database.rows.contains_key(id)
        });
        let mut doomed: BTreeSet<Id> = orphans.map(|(id, _)| *id).collect();
        doomed.extend(&self.marked);
        loop {
            let rows = self.memory.rows.iter();
            let followers = rows.filter(|(_, row)| {
                row.kind.link().is_some_and(Relation::cascades)
                    && row.parent.is_some_and(|parent| doomed.contains(&parent))
            });
            let followers: Vec<Id> = followers.map(|(id, _)| *id).collect();
            let before = doomed.len();
            doomed.extend(followers);
            if doomed.len() == before {
                return doomed;
            }
        }
    }

    fn difference(&self, next: &Tables) -> Written {
        let mut kinds = BTreeSet::new();
        for (id, row) in self.database.rows.iter().chain(&next.rows) {
            if self.database.rows.get(id) != next.rows.get(id) {
                kinds.insert(row.kind);
            }
        }
        Written { kinds, pairs: self.database.pairs != next.pairs }
    }
}
