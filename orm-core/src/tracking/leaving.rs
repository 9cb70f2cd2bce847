//! Edits that are forgotten, and objects that leave the session: what showed them follows.

use super::arena::{ObjectId, State};
use super::changes::LinkEdit;
use super::links::{Parent, views_of_child, views_of_parent, views_of_partner};
use super::pairs::Pair;
use super::store::Store;
use crate::model::{Link, Relationship, RelationshipKind};

impl Store {
    /// Forgets the unflushed links of an object, and those that wait in its unloaded collections.
    /// Views that showed them are unloaded: what they showed before is not known any more.
    pub(crate) fn forget_links(&mut self, object: ObjectId) {
        let links = self.header_mut(object).changes.as_mut();
        let links = links.map(|changes| std::mem::take(&mut changes.links)).unwrap_or_default();
        for edit in links {
            self.unload_link(object, edit);
        }
        for child in self.touched.clone() {
            let Some(changes) = self.header(child).changes.as_ref() else { continue };
            let waits = |edit: &&LinkEdit| {
                // A removed child waits in the collection that it left.
                let holder = match edit.parent {
                    Some(parent) => Parent::Known(parent),
                    None => self.database_parent(child, edit.foreign_key),
                };
                edit.queued && holder == Parent::Known(object)
            };
            let queued: Vec<LinkEdit> = changes.links.iter().filter(waits).copied().collect();
            for edit in queued {
                if let Some(changes) = self.header_mut(child).changes.as_mut() {
                    changes.links.retain(|other| other.foreign_key != edit.foreign_key);
                }
                self.unload_link(child, edit);
            }
        }
        let pairs = self.pairs.edits().map(|(pair, _)| pair).filter(|pair| pair.concerns(object));
        for pair in pairs.collect::<Vec<_>>() {
            for holder in [pair.first, pair.second] {
                for view in self.views_of_pair(pair, holder) {
                    self.edit_view(holder, view, |field| field.unload());
                }
            }
        }
        self.pairs.forget(object);
    }

    /// After the edits of an object were forgotten: a one-to-one reference that another one's edit
    /// still leads to has one member only. The flush reads who was there and lets it go.
    pub(crate) fn keep_single(&mut self, object: ObjectId) {
        let table = self.table(object);
        let mut holders: Vec<(ObjectId, &'static Relationship)> = Vec::new();
        holders.extend(table.relationships().iter().map(|view| (object, view)));
        for foreign_key in table.foreign_keys() {
            if let Parent::Known(parent) = self.database_parent(object, foreign_key) {
                holders.extend(views_of_parent(table, foreign_key).map(|view| (parent, view)));
            }
        }
        holders.retain(|(holder, view)| {
            view.kind() == RelationshipKind::HasOne
                && self.header(*holder).state == State::Persistent
        });
        for (holder, view) in holders {
            let Ok(&Link::Direct { child, foreign_key }) = view.link() else { continue };
            let edited = self.edited_links(child, foreign_key);
            let Some(member) = edited.by_parent.get(&holder).and_then(|members| members.last())
            else {
                continue;
            };
            let replaced = &mut self.changes_mut(holder).replaced;
            replaced.retain(|(relation, _)| *relation != view.index());
            replaced.push((view.index(), vec![*member]));
        }
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
    /// Takes a pending object out of the session, and out of every view and link: children that
    /// were to lead to it lead nowhere.
    pub(crate) fn expunge_pending(&mut self, object: ObjectId) {
        self.leave_views(object);
        self.detach(object);
        for child in self.touched.clone() {
            let links = self.header(child).changes.iter().flat_map(|changes| &changes.links);
            let cut: Vec<_> = links
                .filter(|edit| edit.parent == Some(object))
                .map(|edit| edit.foreign_key)
                .collect();
            for foreign_key in cut {
                self.link(child, self.table(child), foreign_key, None, false);
            }
        }
    }

    /// Takes an object out of the session; its row stays as it is. What showed it as a member is
    /// unloaded, since it no longer shows the whole.
    pub(crate) fn release(&mut self, object: ObjectId) {
        if self.header(object).state == State::Pending {
            return self.expunge_pending(object);
        }
        self.let_go(object);
        self.free(object);
    }

    /// Cuts an object that is a row off from the others, before it leaves the session.
    pub(crate) fn let_go(&mut self, object: ObjectId) {
        self.unload_views(object);
        self.forget_links(object);
        self.cut_links_to(object);
    }

    /// Forgets the unflushed links of others that lead to an object.
    pub(crate) fn cut_links_to(&mut self, object: ObjectId) {
        for other in self.touched.clone() {
            let Some(changes) = self.header_mut(other).changes.as_mut() else { continue };
            for (_, members) in &mut changes.replaced {
                members.retain(|member| *member != object);
            }
            let led_here = |edit: &mut LinkEdit| edit.parent == Some(object);
            let links: Vec<LinkEdit> = changes.links.extract_if(.., led_here).collect();
            for edit in links {
                self.unload_link(other, edit);
            }
        }
        self.keep_single(object);
    }

    /// Unloads a view that shows an object which was expunged since.
    pub(crate) fn unload_stale(&mut self, object: ObjectId, relationship: &'static Relationship) {
        let field = self.storage(object).relation(object.slot, relationship.index());
        if field.is_loaded() && self.members(object, relationship).is_none() {
            self.edit_view(object, relationship, |field| field.unload());
        }
    }

    /// Unloads every view that shows an object as a member.
    pub(crate) fn unload_views(&mut self, object: ObjectId) {
        for (holder, view) in self.views_of(object) {
            self.edit_view(holder, view, |field| field.unload());
        }
    }

    /// Takes an object out of the loaded collections and references that it is a member of.
    pub(crate) fn leave_views(&mut self, object: ObjectId) {
        let key = self.key_of(object);
        for (holder, view) in self.views_of(object) {
            self.edit_view(holder, view, |field| field.remove(key));
        }
    }

    /// The relationship fields that may show an object as a member: those of the parents that it
    /// leads to, and, as far as its own collections are loaded, those of its members.
    fn views_of(&self, object: ObjectId) -> Vec<(ObjectId, &'static Relationship)> {
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
        views.extend(self.views_of_pairs(object));
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
        views
    }

    /// The relationship fields of the other side of unflushed pairs, which may have no inverse.
    fn views_of_pairs(&self, object: ObjectId) -> Vec<(ObjectId, &'static Relationship)> {
        let mut views = Vec::new();
        for (pair, _) in self.pairs.edits().filter(|(pair, _)| pair.concerns(object)) {
            let holder = if pair.first == object { pair.second } else { pair.first };
            views.extend(self.views_of_pair(pair, holder).map(|view| (holder, view)));
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
