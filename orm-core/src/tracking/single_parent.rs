//! `single_parent` relationships: a member has one owner, as far as memory knows.

use std::collections::HashMap;

use super::arena::{ObjectId, ObjectMap, ObjectSet, State};
use super::links::{Parent, views_of_child};
use super::pairs::{Pair, PairEdit};
use super::store::Store;
use crate::error::{Error, Result};
use crate::model::{Link, Relationship};

/// What was put into each `single_parent` relationship, by its table's address and position.
type PutIn = HashMap<(usize, usize), (&'static Relationship, ObjectSet)>;

impl Store {
    /// Refuses a member that was given a second owner since the last flush. What counts is how it
    /// ends, not in which order it got there; and one walk over the owners does, however many
    /// members were put in.
    pub(crate) fn expect_single_parents(
        &self,
        is_deleted: impl Fn(ObjectId) -> bool,
    ) -> Result<()> {
        for (relationship, members) in self.put_into_single_parents().into_values() {
            let mut owned = ObjectSet::default();
            let put = self.put_by_owner(relationship)?;
            for owner in self.owners(relationship).filter(|owner| !is_deleted(*owner)) {
                for member in self.owned_by(owner, relationship, &put)? {
                    if members.contains(&member) && !owned.insert(member) {
                        return Err(Error::misuse(format!(
                            "`{}.{}` is `single_parent`, and a `{}` has two parents by it: take it out of the one before it is put into the other",
                            relationship.source().model(),
                            relationship.name(),
                            relationship.target().model(),
                        )));
                    }
                }
            }
        }
        Ok(())
    }

    fn put_into_single_parents(&self) -> PutIn {
        let mut put_in = PutIn::new();
        let mut put = |relationship: &'static Relationship, member: ObjectId| {
            let place = (std::ptr::from_ref(relationship.source()) as usize, relationship.index());
            put_in.entry(place).or_insert((relationship, ObjectSet::default())).1.insert(member);
        };
        let has_any = |arena: u32| {
            let table = self.arena_at(arena).table;
            table.relationships().iter().any(|view| view.has_single_parent())
        };
        let arenas: Vec<bool> = self.arenas().map(has_any).collect();
        for &owner in self.touched.iter().filter(|object| arenas[object.arena as usize]) {
            for edit in self.header(owner).changes.iter().flat_map(|changes| &changes.links) {
                let Some(member) = edit.parent else { continue };
                views_of_child(self.table(owner), edit.foreign_key)
                    .filter(|view| view.has_single_parent())
                    .for_each(|view| put(view, member));
            }
        }
        for (pair, edit) in self.pairs.edits() {
            if edit == PairEdit::Delete {
                continue;
            }
            for (owner, member) in [(pair.first, pair.second), (pair.second, pair.first)] {
                self.views_of_pair(pair, owner)
                    .filter(|view| view.has_single_parent())
                    .for_each(|view| put(view, member));
            }
        }
        put_in
    }

    /// The objects in memory that have a relationship.
    fn owners(&self, relationship: &'static Relationship) -> impl Iterator<Item = ObjectId> {
        let arena = self.find_arena_of(relationship.source());
        let objects = arena.into_iter().flat_map(|arena| {
            self.arena_at(arena).slots().map(move |slot| ObjectId { arena, slot })
        });
        objects.filter(|object| {
            matches!(self.header(*object).state, State::Pending | State::Persistent)
        })
    }

    /// The members that memory knows an object to have.
    fn owned_by(
        &self,
        owner: ObjectId,
        relationship: &'static Relationship,
        put: &ObjectMap<Vec<ObjectId>>,
    ) -> Result<Vec<ObjectId>> {
        Ok(match relationship.link()? {
            Link::Direct { foreign_key, .. } => match self.parent_of(owner, foreign_key) {
                Parent::Known(member) => vec![member],
                _ => Vec::new(),
            },
            Link::Through(_) => match self.members(owner, relationship) {
                Some(members) => members,
                None => put.get(&owner).cloned().unwrap_or_default(),
            },
        })
    }

    /// What was put into collections since the last flush, which may not be loaded.
    fn put_by_owner(
        &self,
        relationship: &'static Relationship,
    ) -> Result<ObjectMap<Vec<ObjectId>>> {
        let mut put: ObjectMap<Vec<ObjectId>> = ObjectMap::default();
        let Link::Through(association) = relationship.link()? else { return Ok(put) };
        for (pair, _) in self.pairs.edits().filter(|(_, edit)| *edit != PairEdit::Delete) {
            for (owner, member) in [(pair.first, pair.second), (pair.second, pair.first)] {
                if Pair::new(association, owner, member) == pair {
                    put.entry(owner).or_default().push(member);
                }
            }
        }
        Ok(put)
    }
}
