//! Edits of pairs: who is linked to whom by rows of association tables.

use super::arena::{ObjectId, ObjectSet, State};
use super::leaving::LeftViews;
use super::links::views_of_partner;
use super::pairs::{Pair, PairEdit};
use super::store::Store;
use crate::model::{Association, Relationship, Table};

impl Store {
    /// Links two objects by a pair, and both sides' views follow.
    pub(super) fn pair(
        &mut self,
        owner: ObjectId,
        relationship: &'static Relationship,
        association: &Association,
        member: ObjectId,
    ) {
        let pair = Pair::new(association, owner, member);
        let edit = self.pairs.edit(&pair);
        let is_member = edit.is_none() && self.shows_pair(owner, relationship, association, member);
        let view = self.storage(owner).relation(owner.slot, relationship.index());
        if !is_member && view.is_loaded() {
            // What was loaded knows better than what this session once wrote.
            self.pairs.forget_known(&pair);
        }
        if !is_member {
            let is_absent = self.knows_pairs(owner, relationship, association, member);
            self.pairs.insert(pair, is_absent);
        }
        self.enter_collection(owner, relationship, member);
        for view in views_of_partner(relationship, association) {
            self.enter_collection(member, view, owner);
        }
    }

    /// Takes the pairs of an owner and members apart, as far as memory doesn't know that they are
    /// none.
    pub(super) fn unpair(
        &mut self,
        owner: ObjectId,
        relationship: &'static Relationship,
        association: &Association,
        members: &[ObjectId],
    ) {
        // Who was in a collection that was replaced without being loaded, the flush finds out.
        let is_whole = self.replacing(owner, relationship).is_none();
        let current = self.members(owner, relationship).filter(|_| is_whole);
        let current: Option<ObjectSet> = current.map(|members| members.into_iter().collect());
        let mut pairs = Vec::with_capacity(members.len());
        for &member in members {
            let shown = current.as_ref().map(|current| current.contains(&member));
            let is_edited = self.pairs.edit(&Pair::new(association, owner, member)).is_some();
            let is_new =
                [owner, member].iter().any(|side| self.header(*side).state == State::Pending);
            if shown != Some(false) && !is_new || is_edited {
                let is_row = shown == Some(true)
                    || self.shows_pair(owner, relationship, association, member);
                pairs.push((member, is_row));
            }
        }
        self.cut_pairs(owner, relationship, association, &pairs);
    }

    /// Takes pairs apart, of which each is a row or may be one.
    pub(crate) fn cut_pairs(
        &mut self,
        owner: ObjectId,
        relationship: &'static Relationship,
        association: &Association,
        members: &[(ObjectId, bool)],
    ) {
        let owner_key = self.key_of(owner);
        let owns_owner =
            views_of_partner(relationship, association).any(|view| view.cascades().delete_orphan);
        let mut left = LeftViews::default();
        let (mut orphans, mut is_left) = (Vec::new(), false);
        for &(member, is_row) in members {
            let pair = Pair::new(association, owner, member);
            let was_new = self.pairs.edit(&pair).is_some_and(|edit| edit != PairEdit::Delete);
            self.pairs.remove(pair, is_row);
            self.unwant(owner, relationship, member);
            let place = (owner, relationship.index());
            left.entry(place).or_default().insert(self.key_of(member));
            for view in views_of_partner(relationship, association) {
                self.unwant(member, view, owner);
                left.entry((member, view.index())).or_default().insert(owner_key);
            }
            if was_new && relationship.cascades().delete_orphan {
                orphans.push(member);
            }
            is_left |= was_new && owns_owner;
        }
        self.leave(left);
        orphans.extend(is_left.then_some(owner));
        orphans.retain(|object| self.is_pending_orphan(*object, association.table));
        self.release(&orphans);
    }

    /// Whether a pending object that lost a pair has no other: it was never to be a row.
    fn is_pending_orphan(&self, object: ObjectId, association: &'static Table) -> bool {
        let mut edits = self.pairs.edits_of(object);
        self.header(object).state == State::Pending
            && !edits.any(|(pair, edit)| edit != PairEdit::Delete && pair.table == association)
    }

    /// Whether a loaded view of either side shows the pair.
    fn shows_pair(
        &self,
        owner: ObjectId,
        relationship: &'static Relationship,
        association: &Association,
        member: ObjectId,
    ) -> bool {
        let shows = |object: ObjectId, view: &Relationship, other| {
            self.storage(object).relation(object.slot, view.index()).contains(self.key_of(other))
        };
        shows(owner, relationship, member)
            || views_of_partner(relationship, association).any(|view| shows(member, view, owner))
    }

    /// Whether memory can tell if the pair is a row: one side is loaded, or no row itself. Where
    /// orphans are deleted it is taken for none: who is added and removed again has left nobody.
    fn knows_pairs(
        &self,
        owner: ObjectId,
        relationship: &'static Relationship,
        association: &Association,
        member: ObjectId,
    ) -> bool {
        let is_loaded = |object: ObjectId, view: &Relationship| {
            self.storage(object).relation(object.slot, view.index()).is_loaded()
        };
        let partners = || views_of_partner(relationship, association);
        [owner, member].iter().any(|side| self.header(*side).state == State::Pending)
            || is_loaded(owner, relationship)
            || partners().any(|view| is_loaded(member, view))
            || relationship.cascades().delete_orphan
            || partners().any(|view| view.cascades().delete_orphan)
    }
}
