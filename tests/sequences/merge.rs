//! `merge`, of drafts with their members and of rows that were read without a session.

use std::collections::{BTreeMap, BTreeSet};

use orm_core::error::{Error, Result};

use crate::observe::Object;
use crate::operation::{Pick, ends};
use crate::reference::merge::{Merged, Unfit};
use crate::reference::{Reference, State};
use crate::tables::{Id, Kind, Relation, Side, View};
use crate::trace::{Mismatch, ensure};
use crate::tree::{Branch, Draft, Key, Member, Tree};
use crate::verbs;
use crate::world::World;

/// The objects of keys: rows, and what was added with one.
type Keyed = BTreeMap<(Kind, i64), Id>;

impl World<'_, '_> {
    pub(crate) async fn merge(&mut self, kind: Kind, tree: &Tree) -> Result<(), Mismatch> {
        let next = self.after_flush();
        let keyed = self.keyed(next.as_ref().unwrap_or(&self.reference));
        let Some(draft) = self.draft_of(kind, tree, None, &keyed, &mut BTreeSet::new()) else {
            return Ok(());
        };
        let loaded = self.loaded();
        if let Some(mut next) = next {
            let keyed = |kind, key| keyed.get(&(kind, key)).copied();
            let made = next.merge(&draft, &keyed, &loaded);
            if made.is_ok_and(|made| !shows_new(&next, &draft, &made)) {
                return Ok(());
            }
        }
        self.say(format!("session.merge({draft:?})"));
        let merged = verbs::merge::merge(self.session, &draft).await;
        if self.flushed_first(&merged, self.autoflush)? {
            return Ok(());
        }
        let mut keys = Vec::new();
        keys_of(&draft, &mut keys);
        keys.into_iter().for_each(|(kind, key)| self.evict_rowless(kind, key));
        let keyed = self.keyed(&self.reference);
        let keyed = |kind, key| keyed.get(&(kind, key)).copied();
        let outcome = self.reference.merge(&draft, &keyed, &loaded);
        match (merged, outcome) {
            (Ok(object), Ok(made)) => {
                self.hold_rows(&draft, &made).await?;
                self.objects.entry(made.id).or_insert(object);
                ensure!(self.objects[&made.id] == object, "10.3: the merge gives {object:?}");
                self.hold_merged(&draft, &made)
            }
            (Err(error), Err(unfit)) if unfit.iter().any(|unfit| is_unfit(&error, *unfit)) => {
                Ok(())
            }
            (merged, outcome) => {
                Err(format!("10.3: the merge gives {merged:?}, the reference {outcome:?}"))
            }
        }
    }

    /// Merges a row as it is committed, with another text.
    pub(crate) async fn merge_row(
        &mut self,
        kind: Kind,
        row: Pick,
        text: Option<char>,
    ) -> Result<(), Mismatch> {
        let rows = self.reference.committed().rows.iter().filter(|(_, row)| row.kind == kind);
        let rows: Vec<(Id, _)> = rows.map(|(id, row)| (*id, row.clone())).collect();
        let Some((id, row)) = rows.get(usize::from(row) % rows.len().max(1)) else {
            return Ok(());
        };
        let (key, text) = (self.keys[id], text.map(|text| kind.text(text)));
        if let Some(next) = self.after_flush() {
            // An assigned foreign key is another story (SEMANTICS 8.7).
            let known = self.keyed(&next).get(&(kind, key)).copied();
            let is_same = match known.map(|known| next.database.rows.get(&known)) {
                Some(Some(known)) => known.parent == row.parent,
                Some(None) => kind.link().is_none(),
                None => row.parent.is_none() && kind != Kind::Task,
            };
            if !is_same {
                return Ok(());
            }
        }
        self.say(format!("session.merge({} as committed, {text:?})", self.name(*id)));
        let merged = verbs::merge::merge_row(self.session, &self.db.engine, kind, key, text).await;
        let merged = merged.map_err(|error| format!("reading a row gives {error}"))?;
        if self.flushed_first(&merged, self.autoflush)? {
            return Ok(());
        }
        self.evict_rowless(kind, key);
        let text = text.unwrap_or(row.text);
        let known = self.keyed(&self.reference).get(&(kind, key)).copied();
        let version = known.map(|known| self.reference.version(known));
        match (merged, known) {
            (Err(Error::StaleData(_)), _) if version.is_some_and(|it| it != row.version) => Ok(()),
            (Ok(object), Some(known)) if version == Some(row.version) => {
                self.reference.write_onto(known, text);
                let held = *self.objects.entry(known).or_insert(object);
                ensure!(held == object, "2.1: {} is {object:?} too", self.name(known));
                Ok(())
            }
            (Ok(object), None) => {
                let id = self.reference.add(kind, text);
                self.keys.insert(id, key);
                self.hold(id, object);
                Ok(())
            }
            (merged, known) => Err(format!(
                "10.3: the merge gives {merged:?}, where the version {} meets {version:?} of \
                 {known:?}",
                row.version
            )),
        }
    }

    /// The reference after an autoflush, if that is not refused.
    fn after_flush(&self) -> Option<Reference> {
        let mut next = self.reference.clone();
        if self.autoflush {
            next.flush().ok()?;
        }
        Some(next)
    }

    /// An object whose row a rollback took away leaves when its key is looked for, or given to
    /// another.
    pub(crate) fn evict_rowless(&mut self, kind: Kind, key: i64) {
        let has_key = |(id, object): &(&Id, &Object)| {
            object.kind() == kind && self.keys.get(id) == Some(&key)
        };
        let rows = &self.reference.database.rows;
        let rowless = self.objects.iter().filter(has_key).map(|(id, _)| *id);
        let rowless = rowless.filter(|id| self.reference.is_row(*id) && !rows.contains_key(id));
        for id in rowless.collect::<Vec<Id>>() {
            self.reference.held.insert(id, State::Gone);
        }
    }

    fn keyed(&self, reference: &Reference) -> Keyed {
        let mut keyed = Keyed::new();
        for (&id, &key) in &self.keys {
            if let Some(row) = reference.database.rows.get(&id) {
                keyed.insert((row.kind, key), id);
            } else if reference.is_live(id) {
                keyed.entry((reference.memory.rows[&id].kind, key)).or_insert(id);
            }
        }
        keyed
    }
}

// ---------------------------------------------------------------- drafts

impl World<'_, '_> {
    /// A draft of a tree: with keys of rows, and members that are there. A key that comes again is
    /// that of the same object, which keeps its members.
    fn draft_of(
        &self,
        kind: Kind,
        tree: &Tree,
        via: Option<View>,
        keyed: &Keyed,
        seen: &mut BTreeSet<(Kind, i64)>,
    ) -> Option<Draft> {
        let takes_key = via.is_none() || matches!(kind, Kind::Task | Kind::Skill);
        let key = if takes_key { self.key_of(kind, tree.key, seen.len()) } else { None };
        let known = key.and_then(|key| keyed.get(&(kind, key)).copied());
        let comes_again = key.is_some_and(|key| !seen.insert((kind, key)));
        let text = match via {
            Some(_) if kind != Kind::Skill => tree.text.or(Some('x')),
            _ => tree.text,
        };
        let mut draft = Draft {
            kind,
            key: key.filter(|_| known.is_some() || !comes_again),
            text: text.map(|text| kind.text(text)),
            members: Vec::new(),
        };
        if comes_again && known.is_some() {
            return Some(draft);
        }
        for (view, branches) in tree.members_of(kind, via) {
            if known.is_some_and(|known| self.blurred.contains(&(known, view))) {
                return None;
            }
            let of = ends(view).1;
            let mut members = Vec::new();
            for branch in branches {
                match branch {
                    Branch::Known(pick) => {
                        let Some(id) = self.pick(of, *pick) else { continue };
                        let badge = (id, (Relation::Badge, Side::Owner));
                        if view == (Relation::Badge, Side::Member) && self.blurred.contains(&badge)
                        {
                            return None;
                        }
                        members.push(Member::Known(id, self.objects[&id]));
                    }
                    Branch::New(tree) => {
                        let draft = self.draft_of(of, tree, Some(view), keyed, seen)?;
                        members.push(Member::New(draft));
                    }
                }
            }
            if !(members.is_empty() && crate::operation::is_scalar(view)) {
                draft.members.push((view, members));
            }
        }
        Some(draft)
    }

    /// A key as a draft is given it; `many` others have been given.
    fn key_of(&self, kind: Kind, key: Key, many: usize) -> Option<i64> {
        let choose = |keys: Vec<i64>, pick: Pick| {
            let chosen = keys.get(usize::from(pick) % keys.len().max(1)).copied();
            chosen.unwrap_or_else(|| self.fresh_key(kind, many))
        };
        let known = self.keyed(&self.reference);
        Some(match key {
            Key::None => return None,
            Key::Known(pick) => {
                let known = known.keys().filter(|(of, _)| *of == kind);
                choose(known.map(|(_, key)| *key).collect(), pick)
            }
            Key::Gone(pick) => {
                let used = self.used_keys.iter().filter(|used| used.0 == kind);
                choose(
                    used.filter(|used| !known.contains_key(used)).map(|used| used.1).collect(),
                    pick,
                )
            }
            Key::Fresh => self.fresh_key(kind, many),
        })
    }

    /// A key that no row has, and that the database is not about to give to one: far above those it
    /// gave, or negative.
    fn fresh_key(&self, kind: Kind, many: usize) -> i64 {
        let is_of_kind = |id: &Id| self.reference.kind_of(*id) == Some(kind);
        let keys = self.keys.iter().filter(|(id, _)| is_of_kind(id)).map(|(_, key)| *key);
        let (lowest, highest) = keys.fold((0, 0), |(low, high), key| (key.min(low), key.max(high)));
        let many = i64::try_from(many).unwrap_or(0);
        if highest > 0 && highest % 2 == 0 {
            highest + 1000 * (many + 1)
        } else {
            lowest - 1 - many
        }
    }
}

// ---------------------------------------------------------------- handles of what was merged

impl World<'_, '_> {
    /// Rows that a draft with a key was merged onto are met in the identity map.
    async fn hold_rows(&mut self, draft: &Draft, made: &Merged) -> Result<(), Mismatch> {
        let mut rows = Vec::new();
        rows_of(draft, made, &mut rows);
        for (kind, key, id) in rows {
            self.keys.insert(id, key);
            if self.reference.is_row(id) && !self.objects.contains_key(&id) {
                let object = verbs::get(self.session, kind, key).await;
                let emitted = self.log.emitted();
                let Ok(Some(object)) = object else {
                    return Err(format!("2.3: `get` of what was merged gives {object:?}"));
                };
                ensure!(emitted.is_empty(), "2.3: `get` of what was merged emits {emitted:?}");
                self.hold(id, object);
            }
        }
        Ok(())
    }

    /// New members are shown by the views to which they were given, in that order.
    fn hold_merged(&mut self, draft: &Draft, made: &Merged) -> Result<(), Mismatch> {
        for ((view, members), (_, merged)) in draft.members.iter().zip(&made.members) {
            let owner = self.objects[&made.id];
            let shown = owner.shown(self.session, *view).unwrap_or_default();
            let is_held = |object: &Object| self.objects.values().any(|held| held == object);
            let new: Vec<Object> = shown.into_iter().filter(|object| !is_held(object)).collect();
            let mut new = new.into_iter();
            for (member, merged) in members.iter().zip(merged) {
                let Member::New(draft) = member else { continue };
                if !self.objects.contains_key(&merged.id) {
                    let Some(object) = new.next() else {
                        return Err(format!("10.3: {} is not shown", self.name(merged.id)));
                    };
                    self.hold(merged.id, object);
                }
                self.hold_merged(draft, merged)?;
            }
            self.note_filled(*view, made.id, merged.first().map(|merged| merged.id));
        }
        Ok(())
    }
}

fn keys_of(draft: &Draft, keys: &mut Vec<(Kind, i64)>) {
    keys.extend(draft.key.map(|key| (draft.kind, key)));
    for member in draft.members.iter().flat_map(|(_, members)| members) {
        if let Member::New(draft) = member {
            keys_of(draft, keys);
        }
    }
}

/// Whether each new member is where it was given to in the end: only there is its handle found.
fn shows_new(reference: &Reference, draft: &Draft, made: &Merged) -> bool {
    draft.members.iter().zip(&made.members).all(|((view, members), (_, merged))| {
        members.iter().zip(merged).all(|(member, merged)| match member {
            Member::Known(..) => true,
            Member::New(draft) => {
                reference.memory.members(made.id, *view).contains(&merged.id)
                    && shows_new(reference, draft, merged)
            }
        })
    })
}

/// The objects of a draft that were given keys.
fn rows_of(draft: &Draft, made: &Merged, rows: &mut Vec<(Kind, i64, Id)>) {
    rows.extend(draft.key.map(|key| (draft.kind, key, made.id)));
    for ((_, members), (_, merged)) in draft.members.iter().zip(&made.members) {
        for (member, merged) in members.iter().zip(merged) {
            if let Member::New(draft) = member {
                rows_of(draft, merged, rows);
            }
        }
    }
}

/// What stands against a merge, as the library says it.
fn is_unfit(error: &Error, unfit: Unfit) -> bool {
    matches!(
        (error, unfit),
        (Error::NotFound { .. }, Unfit::NotFound) | (Error::Detached { .. }, Unfit::Detached)
    )
}
