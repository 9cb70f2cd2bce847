//! Edits that are forgotten, and objects that leave the session: what showed them follows.

use std::collections::{HashMap, HashSet};

use super::arena::{ObjectId, ObjectSet, State};
use super::changes::LinkEdit;
use super::links::{EditedByKey, Parent, views_of_child, views_of_parent, views_of_partner};
use super::pairs::Pair;
use super::store::Store;
use crate::model::{Cascade, ForeignKey, Key, Link, Relationship, RelationshipKind};
use crate::value::Value;

/// Who leaves relationship fields: by the field's object and position.
pub(super) type LeftViews = HashMap<(ObjectId, usize), HashSet<Key>, foldhash::fast::RandomState>;

/// Children by the foreign key that led them to somebody who left.
pub(crate) type CutLinks = Vec<(&'static ForeignKey, Vec<ObjectId>)>;

impl Store {
    /// Forgets the unflushed links of objects, and those that wait in their unloaded collections.
    /// Views that showed them are unloaded: what they showed before is not known any more.
    pub(crate) fn forget_links(&mut self, objects: &ObjectSet) {
        if objects.is_empty() {
            return;
        }
        let mut forgotten: Vec<(ObjectId, LinkEdit)> = Vec::new();
        for &child in &self.touched {
            let Some(changes) = self.header(child).changes.as_ref() else { continue };
            let is_forgotten = |edit: &&LinkEdit| {
                // A removed child waits in the collection that it left.
                let holder = || match edit.parent {
                    Some(parent) => Parent::Known(parent),
                    None => self.database_parent(child, edit.foreign_key),
                };
                let waits = || matches!(holder(), Parent::Known(at) if objects.contains(&at));
                objects.contains(&child) || edit.queued && waits()
            };
            let links = changes.links.iter().filter(is_forgotten);
            forgotten.extend(links.map(|edit| (child, *edit)));
        }
        for (child, edit) in forgotten {
            if let Some(changes) = self.header_mut(child).changes.as_mut() {
                changes.links.retain(|other| other.foreign_key != edit.foreign_key);
            }
            self.unload_link(child, edit);
        }
        let pairs = objects.iter().flat_map(|object| self.pairs.edits_of(*object));
        let pairs: Vec<Pair> = pairs.map(|(pair, _)| pair).collect();
        for pair in pairs {
            for holder in [pair.first, pair.second] {
                for view in self.views_of_pair(pair, holder) {
                    self.edit_view(holder, view, |field| field.unload());
                }
            }
        }
        self.pairs.forget_all(objects);
    }

    /// After the edits of objects were forgotten: a one-to-one reference that another one's edit
    /// still leads to has one member only. The flush reads who was there and lets it go.
    pub(crate) fn keep_single(&mut self, objects: &[ObjectId], leaving: &ObjectSet) {
        if self.touched.is_empty() {
            return;
        }
        let mut edited = EditedByKey::default();
        for (holder, view) in self.single_holders(objects) {
            let Ok(&Link::Direct { child, foreign_key }) = view.link() else { continue };
            if leaving.contains(&holder) {
                continue;
            }
            let members = edited.children(self, child, foreign_key, holder);
            let Some(&member) = members.last() else { continue };
            self.replace_unread(holder, view, ObjectSet::from_iter([member]));
        }
    }

    /// The one-to-one references of these objects, and those that lead to them in the database.
    fn single_holders(&self, objects: &[ObjectId]) -> Vec<(ObjectId, &'static Relationship)> {
        let mut holders: Vec<(ObjectId, &'static Relationship)> = Vec::new();
        for &object in objects {
            let table = self.table(object);
            holders.extend(table.relationships().iter().map(|view| (object, view)));
            for foreign_key in table.foreign_keys() {
                if let Parent::Known(parent) = self.database_parent(object, foreign_key) {
                    holders.extend(views_of_parent(table, foreign_key).map(|view| (parent, view)));
                }
            }
        }
        let is_row = |object: ObjectId| self.header(object).state == State::Persistent;
        holders.retain(|(holder, view)| view.kind() == RelationshipKind::HasOne && is_row(*holder));
        holders
    }

    fn unload_link(&mut self, child: ObjectId, edit: LinkEdit) {
        let table = self.table(child);
        let mut parents: Vec<ObjectId> = edit.parent.into_iter().collect();
        if let Parent::Known(old) = self.database_parent(child, edit.foreign_key) {
            parents.push(old);
        }
        for view in views_of_child(table, edit.foreign_key) {
            self.edit_view(child, view, |field| field.unload());
        }
        for parent in parents {
            for view in views_of_parent(table, edit.foreign_key) {
                self.edit_view(parent, view, |field| field.unload());
            }
        }
    }
}

impl Store {
    /// The object, and the members that follow it along relationships of such cascades of such
    /// owners, as far as memory knows them.
    pub(crate) fn followers(
        &self,
        object: ObjectId,
        follows: impl Fn(ObjectId, Cascade) -> bool,
    ) -> Vec<ObjectId> {
        let mut found = vec![object];
        let mut seen = ObjectSet::from_iter([object]);
        let mut edited = EditedByKey::default();
        let mut next = 0;
        while let Some(&owner) = found.get(next) {
            next += 1;
            for relationship in self.table(owner).relationships() {
                if follows(owner, relationship.cascades()) {
                    let members = self.known_members(owner, relationship, &mut edited);
                    found.extend(
                        members
                            .into_iter()
                            .flatten()
                            .filter(|member| self.is_in_session(*member) && seen.insert(*member)),
                    );
                }
            }
        }
        found
    }

    /// Takes objects out of the session together; their rows stay as they are. What showed one of
    /// them as a member is unloaded, since it no longer shows the whole, and forgets it if it never
    /// was a row. Children that were to lead to an object that never was a row lead nowhere; those
    /// that are pending orphans by that leave too.
    ///
    /// Costs what the objects have in links and members, and one walk over the changes of the
    /// session for all of them, and for those who leave because of them.
    pub(crate) fn release(&mut self, objects: &[ObjectId]) {
        let mut leaving = objects.to_vec();
        while !leaving.is_empty() {
            let cut = self.let_go(&leaving);
            let is_row = |object: &&ObjectId| self.header(**object).state != State::Pending;
            let freed: ObjectSet = leaving.iter().filter(is_row).copied().collect();
            self.pairs.forget_for_good(&freed);
            for &object in &leaving {
                match self.header(object).state {
                    State::Pending => self.set_aside(object),
                    _ => self.vacate(object),
                }
            }
            leaving.clear();
            for (foreign_key, children) in cut {
                let Some(table) = children.first().map(|child| self.table(*child)) else {
                    continue;
                };
                leaving.extend(self.cut_links(&children, table, foreign_key, false));
            }
            let mut seen = ObjectSet::default();
            leaving.retain(|object| seen.insert(*object));
        }
    }

    /// Cuts objects off from the others, before they leave the session. Gives the links of others
    /// that led to an object which never was a row: they are to lead nowhere once it is gone.
    pub(crate) fn let_go(&mut self, objects: &[ObjectId]) -> CutLinks {
        let leaving: ObjectSet = objects.iter().copied().collect();
        let is_row = |object: &&ObjectId| self.header(**object).state != State::Pending;
        let rows: ObjectSet = objects.iter().filter(is_row).copied().collect();
        self.leave_holders(objects, &leaving);
        self.forget_links(&rows);
        self.pairs.forget_all(&leaving);
        let cut = self.cut_links_to(&leaving);
        for &object in objects {
            self.forget_changes(object);
        }
        self.touched.retain(|object| !leaving.contains(object));
        self.keep_single(objects, &leaving);
        cut
    }

    /// Forgets the unflushed links of others that lead to objects which are rows. Gives those that
    /// lead to one that never was.
    pub(crate) fn cut_links_to(&mut self, leaving: &ObjectSet) -> CutLinks {
        let is_row = |object: &&ObjectId| self.header(**object).state != State::Pending;
        let rows: ObjectSet = leaving.iter().filter(is_row).copied().collect();
        let mut cut = CutLinks::new();
        let mut lost = Vec::new();
        for other in self.touched.clone() {
            let spared = self.wanted_rows(other, &rows);
            let Some(changes) = self.header_mut(other).changes.as_mut() else { continue };
            if leaving.contains(&other) {
                continue;
            }
            changes.spared.extend(spared);
            for (_, members) in &mut changes.replaced {
                members.retain(|member| !leaving.contains(member));
            }
            let led_away =
                |edit: &&mut LinkEdit| edit.parent.is_some_and(|parent| leaving.contains(&parent));
            for edit in changes.links.iter_mut().filter(led_away) {
                match edit.parent.is_some_and(|parent| rows.contains(&parent)) {
                    true => lost.push((other, *edit)),
                    false => match cut.iter_mut().find(|(key, _)| *key == edit.foreign_key) {
                        Some((_, children)) => children.push(other),
                        None => cut.push((edit.foreign_key, vec![other])),
                    },
                }
            }
            let is_lost =
                |edit: &mut LinkEdit| edit.parent.is_some_and(|parent| rows.contains(&parent));
            changes.links.retain(|edit| !is_lost(edit));
        }
        for (other, edit) in lost {
            self.unload_link(other, edit);
        }
        cut
    }

    /// Those of these rows that are to be members of collections which the flush still reads: by
    /// collection and primary key.
    fn wanted_rows(&self, owner: ObjectId, rows: &ObjectSet) -> Vec<(usize, Vec<Value>)> {
        let changes = self.header(owner).changes.iter();
        let wanted = changes.flat_map(|changes| &changes.replaced).flat_map(|(at, members)| {
            let members = members.iter().filter(|member| rows.contains(member));
            members.map(|member| (*at, self.primary_key_of(*member)))
        });
        wanted.collect()
    }

    fn primary_key_of(&self, object: ObjectId) -> Vec<Value> {
        let columns = self.table(object).primary_key().iter();
        columns.map(|&column| self.database_value(object, column)).collect()
    }

    /// Whether a member that was just read is to leave with the next flush: the collection was
    /// replaced without it. One whose row another object of it was in that has left the session stays.
    pub(crate) fn is_let_go(
        &self,
        owner: ObjectId,
        relationship: &'static Relationship,
        member: ObjectId,
    ) -> bool {
        let Some(changes) = self.header(owner).changes.as_ref() else { return false };
        let mut replaced = changes.replaced.iter();
        let is_spared = |key: Vec<Value>| {
            let mut spared = changes.spared.iter();
            spared.any(|(relation, other)| *relation == relationship.index() && *other == key)
        };
        replaced.any(|(relation, wanted)| {
            *relation == relationship.index()
                && !wanted.contains(&member)
                && !is_spared(self.primary_key_of(member))
        })
    }

    /// What stays and shows one of the leaving objects: unloaded, or without the member that never
    /// was a row.
    fn leave_holders(&mut self, objects: &[ObjectId], leaving: &ObjectSet) {
        let mut views: Vec<(ObjectId, ObjectId, &'static Relationship)> = Vec::new();
        for &object in objects {
            views.extend(self.views_of_links(object).map(|(holder, view)| (object, holder, view)));
        }
        views.extend(self.views_of_pairs(leaving));
        let mut left = LeftViews::default();
        for (object, holder, view) in views {
            if leaving.contains(&holder) {
                continue;
            }
            if self.header(object).state == State::Pending {
                let key = self.key_of(object);
                left.entry((holder, view.index())).or_default().insert(key);
            } else {
                self.edit_view(holder, view, |field| field.unload());
            }
        }
        self.leave(left);
    }

    /// Takes members out of relationship fields, of which each is walked once.
    pub(super) fn leave(&mut self, left: LeftViews) {
        for ((holder, relation), keys) in left {
            let view = &self.table(holder).relationships()[relation];
            self.edit_view(holder, view, |field| field.remove_all(&|key| keys.contains(&key)));
        }
    }

    /// Unloads a view that shows an object which was expunged since.
    pub(crate) fn unload_stale(&mut self, object: ObjectId, relationship: &'static Relationship) {
        let field = self.storage(object).relation(object.slot, relationship.index());
        if field.is_loaded() && self.members(object, relationship).is_none() {
            self.edit_view(object, relationship, |field| field.unload());
        }
    }

    /// Takes objects out of the loaded collections and references that they are members of.
    pub(crate) fn leave_views(&mut self, objects: &[ObjectId]) {
        let mut left = LeftViews::default();
        let mut leave = |object, holder, view: &Relationship| {
            left.entry((holder, view.index())).or_default().insert(self.key_of(object));
        };
        for &object in objects {
            self.views_of_links(object).for_each(|(holder, view)| leave(object, holder, view));
        }
        let leaving = objects.iter().copied().collect();
        for (object, holder, view) in self.views_of_pairs(&leaving) {
            leave(object, holder, view);
        }
        self.leave(left);
    }

    /// Unloads every view that shows an object as a member.
    pub(crate) fn unload_views(&mut self, object: ObjectId) {
        for (holder, view) in self.views_of(object) {
            self.edit_view(holder, view, |field| field.unload());
        }
    }

    fn views_of(&self, object: ObjectId) -> Vec<(ObjectId, &'static Relationship)> {
        let pairs = self.views_of_pairs(&ObjectSet::from_iter([object])).into_iter();
        let of_pairs = pairs.map(|(_, holder, view)| (holder, view));
        self.views_of_links(object).chain(of_pairs).collect()
    }

    /// The relationship fields that may show an object as a member: those of the parents that it
    /// leads to, and, as far as its own collections are loaded, those of its members.
    fn views_of_links(
        &self,
        object: ObjectId,
    ) -> impl Iterator<Item = (ObjectId, &'static Relationship)> + use<> {
        let table = self.table(object);
        let mut views = Vec::new();
        for foreign_key in table.foreign_keys() {
            let now = self.parent_of(object, foreign_key);
            let before = self.database_parent(object, foreign_key);
            for parent in [&now, &before] {
                if let Parent::Known(parent) = *parent {
                    views.extend(views_of_parent(table, foreign_key).map(|view| (parent, view)));
                }
            }
        }
        for relationship in table.relationships() {
            let Ok(link) = relationship.link() else { continue };
            for member in self.members(object, relationship).unwrap_or_default() {
                match link {
                    Link::Direct { .. } if relationship.kind() == RelationshipKind::BelongsTo => {}
                    Link::Direct { child, foreign_key } => {
                        views.extend(views_of_child(child, foreign_key).map(|view| (member, view)))
                    }
                    Link::Through(association) => views.extend(
                        views_of_partner(relationship, association).map(|view| (member, view)),
                    ),
                }
            }
        }
        views.into_iter()
    }

    /// The relationship fields of the other side of unflushed pairs, which may have no inverse: of
    /// which object, whose, and which.
    fn views_of_pairs(
        &self,
        objects: &ObjectSet,
    ) -> Vec<(ObjectId, ObjectId, &'static Relationship)> {
        let mut views = Vec::new();
        for &object in objects {
            for (pair, _) in self.pairs.edits_of(object) {
                let holder = if pair.first == object { pair.second } else { pair.first };
                let of_pair = self.views_of_pair(pair, holder);
                views.extend(of_pair.map(|view| (object, holder, view)));
            }
        }
        views
    }

    /// The relationships of one side of a pair that show it.
    pub(super) fn views_of_pair(
        &self,
        pair: Pair,
        holder: ObjectId,
    ) -> impl Iterator<Item = &'static Relationship> + use<> {
        let other = if pair.first == holder { pair.second } else { pair.first };
        self.table(holder).relationships().iter().filter(move |view| match view.link() {
            Ok(Link::Through(association)) => Pair::new(association, holder, other) == pair,
            _ => false,
        })
    }

    /// A side of a pair, and the relationship of it that shows the pair.
    pub(crate) fn side_of_pair(&self, pair: &Pair) -> Option<(ObjectId, &'static Relationship)> {
        [pair.first, pair.second]
            .into_iter()
            .find_map(|side| Some((side, self.views_of_pair(*pair, side).next()?)))
    }
}
