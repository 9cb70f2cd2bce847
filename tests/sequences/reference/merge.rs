//! `merge` (SEMANTICS 10.3) as it changes the maps.

use std::collections::{BTreeMap, BTreeSet};

use super::{Loaded, Reference};
use crate::tables::{Id, Kind, Relation, Side, View};
use crate::tree::{Draft, Member};

/// Why a draft is not merged. Nothing is edited then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// There is no such row, and a required column is missing.
    NotFound,
    /// A member has left the session, deleted by the flush that comes first.
    Detached,
}

/// A draft's object, and those of its members.
#[derive(Debug)]
pub(crate) struct Merged {
    pub id: Id,
    pub members: Vec<(View, Vec<Merged>)>,
}

/// Which object has a key: a row, or one that was added with it.
pub(crate) type Keyed<'k> = &'k dyn Fn(Kind, i64) -> Option<Id>;

/// What a merge has done so far.
#[derive(Default)]
struct Done {
    added: BTreeMap<(Kind, i64), Id>,
    /// Views that it has filled, so that they are loaded.
    filled: BTreeSet<(Id, View)>,
}

impl Reference {
    /// Copies what a draft sets onto the row of its key, or adds it.
    ///
    /// # Errors
    /// All that stands against it.
    pub(crate) fn merge(
        &mut self,
        draft: &Draft,
        keyed: Keyed,
        loaded: Loaded,
    ) -> Result<Merged, Vec<Unfit>> {
        let mut unfit = Vec::new();
        self.examine(draft, keyed, &mut unfit);
        if unfit.is_empty() {
            Ok(self.merge_tree(draft, keyed, loaded, &mut Done::default()))
        } else {
            Err(unfit)
        }
    }

    fn examine(&self, draft: &Draft, keyed: Keyed, unfit: &mut Vec<Unfit>) {
        let is_known = draft.key.is_some_and(|key| keyed(draft.kind, key).is_some());
        if !is_known && !draft.is_complete() {
            unfit.push(Unfit::NotFound);
        }
        for member in draft.members.iter().flat_map(|(_, members)| members) {
            match member {
                Member::Known(id, _) if self.is_live(*id) => {}
                Member::Known(..) => unfit.push(Unfit::Detached),
                Member::New(draft) => self.examine(draft, keyed, unfit),
            }
        }
    }

    fn merge_tree(
        &mut self,
        draft: &Draft,
        keyed: Keyed,
        loaded: Loaded,
        done: &mut Done,
    ) -> Merged {
        let place = draft.key.map(|key| (draft.kind, key));
        let known = place.and_then(|(kind, key)| {
            done.added.get(&(kind, key)).copied().or_else(|| keyed(kind, key))
        });
        let id = match known {
            Some(id) => {
                self.write_onto(id, draft.text.unwrap_or(self.memory.rows[&id].text));
                id
            }
            None => {
                let id = self.add(draft.kind, draft.text.unwrap_or('-'));
                done.added.extend(place.map(|place| (place, id)));
                id
            }
        };
        let mut merged = Merged { id, members: Vec::new() };
        for (view, members) in &draft.members {
            let objects = members.iter().map(|member| match member {
                Member::Known(id, _) => Merged { id: *id, members: Vec::new() },
                Member::New(draft) => self.merge_tree(draft, keyed, loaded, done),
            });
            let objects: Vec<Merged> = objects.collect();
            let ids: Vec<Id> = objects.iter().map(|object| object.id).collect();
            let filled = &done.filled;
            let is_loaded = |id, view| filled.contains(&(id, view)) || loaded(id, view);
            self.replace(id, *view, &ids, &is_loaded);
            done.filled.insert((id, *view));
            if let ((Relation::Badge, Side::Member), [team]) = (view, &ids[..]) {
                done.filled.insert((*team, (Relation::Badge, Side::Owner)));
            }
            merged.members.push((*view, objects));
        }
        merged
    }
}
