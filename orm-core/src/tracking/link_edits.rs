//! Edits of links: where foreign keys are to lead, and who follows that.

use super::arena::{ObjectId, ObjectSet, State};
use super::changes::LinkEdit;
use super::leaving::LeftViews;
use super::links::{Parent, views_of_child, views_of_parent};
use super::store::Store;
use crate::model::{ForeignKey, RelationshipKind, Table};

impl Store {
    /// Lets the child's foreign key lead to this parent, and both sides' views follow.
    pub(super) fn link(
        &mut self,
        child: ObjectId,
        child_table: &'static Table,
        foreign_key: &'static ForeignKey,
        parent: ObjectId,
        queued: bool,
    ) {
        let old = self.parent_of(child, foreign_key);
        let assigned_by_hand = self.is_assigned(child, foreign_key.columns());
        // The flush would let a child go that comes back after a `replace` without it.
        let was_let_go = views_of_parent(child_table, foreign_key)
            .any(|view| self.replacing(parent, view).is_some_and(|it| !it.contains(&child)));
        if old == Parent::Known(parent) && !assigned_by_hand && !was_let_go {
            return;
        }
        if assigned_by_hand {
            self.undo_assignment(child, foreign_key.columns());
        }
        let child_key = self.key_of(child);
        if let Parent::Known(old) = old {
            for view in views_of_parent(child_table, foreign_key) {
                self.unwant(old, view, child);
                self.edit_view(old, view, |field| field.remove(child_key));
            }
        }
        self.edit_link(child, foreign_key, Some(parent), queued);
        self.enter(child, child_table, foreign_key, parent);
        self.show_parent(child, child_table, foreign_key, Some(parent));
        if let Parent::Known(old) = old {
            let orphans = self.orphaned_parents(&[old], child_table, foreign_key);
            self.release(&orphans);
        }
    }

    /// Lets the foreign keys of children lead nowhere, and both sides' views follow. Pending ones
    /// that are orphans by that leave the session.
    pub(crate) fn unlink(
        &mut self,
        children: &[ObjectId],
        child_table: &'static Table,
        foreign_key: &'static ForeignKey,
        queued: bool,
    ) {
        let orphans = self.cut_links(children, child_table, foreign_key, queued);
        self.release(&orphans);
    }

    /// As [`unlink`](Self::unlink), but leaves the orphans to the caller.
    pub(super) fn cut_links(
        &mut self,
        children: &[ObjectId],
        child_table: &'static Table,
        foreign_key: &'static ForeignKey,
        queued: bool,
    ) -> Vec<ObjectId> {
        let makes_orphans =
            views_of_parent(child_table, foreign_key).any(|view| view.cascades().delete_orphan);
        let mut left = LeftViews::default();
        let mut parents = Vec::new();
        let mut orphans = Vec::new();
        for &child in children {
            let old = self.parent_of(child, foreign_key);
            let assigned_by_hand = self.is_assigned(child, foreign_key.columns());
            if old == Parent::Nowhere && !assigned_by_hand {
                continue;
            }
            if assigned_by_hand {
                self.undo_assignment(child, foreign_key.columns());
            }
            if let Parent::Known(old) = old {
                for view in views_of_parent(child_table, foreign_key) {
                    self.unwant(old, view, child);
                    left.entry((old, view.index())).or_default().insert(self.key_of(child));
                }
                parents.push(old);
            }
            self.edit_link(child, foreign_key, None, queued);
            self.show_parent(child, child_table, foreign_key, None);
            let is_new = self.header(child).state == State::Pending;
            if makes_orphans && is_new && old != Parent::Nowhere {
                orphans.push(child);
            }
        }
        self.leave(left);
        orphans.extend(self.orphaned_parents(&parents, child_table, foreign_key));
        orphans
    }

    /// Writes where a foreign key is to lead: no edit where that is as it is in the database.
    fn edit_link(
        &mut self,
        child: ObjectId,
        foreign_key: &'static ForeignKey,
        parent: Option<ObjectId>,
        queued: bool,
    ) {
        let is_row = self.header(child).state == State::Persistent;
        let in_database = match is_row {
            true => self.database_parent(child, foreign_key),
            false => Parent::Nowhere,
        };
        let put_back = is_row && in_database == parent.map_or(Parent::Nowhere, Parent::Known);
        let had_parent = in_database != Parent::Nowhere;
        let links = &mut self.changes_mut(child).links;
        links.retain(|edit| edit.foreign_key != foreign_key);
        if !put_back {
            links.push(LinkEdit { foreign_key, parent, had_parent, queued });
        }
    }

    fn show_parent(
        &mut self,
        child: ObjectId,
        child_table: &'static Table,
        foreign_key: &'static ForeignKey,
        parent: Option<ObjectId>,
    ) {
        let child_key = self.key_of(child);
        let parent_key = parent.map(|parent| self.key_of(parent));
        for view in views_of_child(child_table, foreign_key) {
            self.edit_view(child, view, |field| field.load(child_key, parent_key.as_slice()));
        }
    }

    /// Those of these pending objects to which this foreign key doesn't lead any more, where they
    /// are deleted as orphans: they were never to be rows.
    fn orphaned_parents(
        &self,
        parents: &[ObjectId],
        child_table: &'static Table,
        foreign_key: &'static ForeignKey,
    ) -> Vec<ObjectId> {
        if !views_of_child(child_table, foreign_key).any(|view| view.cascades().delete_orphan) {
            return Vec::new();
        }
        let is_new = |parent: &&ObjectId| self.header(**parent).state == State::Pending;
        let mut orphaned: ObjectSet = parents.iter().filter(is_new).copied().collect();
        if orphaned.is_empty() {
            return Vec::new();
        }
        for child in &self.touched {
            let changes = self.header(*child).changes.as_ref();
            let edit = changes.and_then(|changes| changes.link(foreign_key));
            if let Some(parent) = edit.and_then(|edit| edit.parent) {
                orphaned.remove(&parent);
            }
        }
        parents.iter().copied().filter(|parent| orphaned.remove(parent)).collect()
    }

    /// Shows the child in the views of its new parent. A one-to-one lets its former child go.
    fn enter(
        &mut self,
        child: ObjectId,
        child_table: &'static Table,
        foreign_key: &'static ForeignKey,
        parent: ObjectId,
    ) {
        let (child_key, parent_key) = (self.key_of(child), self.key_of(parent));
        for view in views_of_parent(child_table, foreign_key) {
            if view.kind() == RelationshipKind::HasMany {
                self.enter_collection(parent, view, child);
                continue;
            }
            let alone = || ObjectSet::from_iter([child]);
            let wanted = self.replacing(parent, view);
            let formerly = wanted.map(|wanted| std::mem::replace(wanted, alone()));
            let formerly = formerly.into_iter().flatten().filter(|former| {
                *former != child && self.parent_of(*former, foreign_key) == Parent::Known(parent)
            });
            let formerly: Vec<ObjectId> = formerly.collect();
            self.unlink(&formerly, child_table, foreign_key, false);
            match self.members(parent, view) {
                Some(mut former) => {
                    former.retain(|former| *former != child);
                    self.unlink(&former, child_table, foreign_key, false);
                }
                None if self.header(parent).state == State::Persistent => {
                    self.replace_unread(parent, view, alone());
                }
                None => {}
            }
            self.edit_view(parent, view, |field| field.load(parent_key, &[child_key]));
        }
    }
}
