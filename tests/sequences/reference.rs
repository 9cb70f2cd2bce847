//! What a session and its database are to hold, as plain maps: the specification.
//!
//! Knows no SQL and no session, and nothing of how anything is loaded. The one thing that it has
//! to be told is whether a view was loaded when it was edited, since an edit of one that is not
//! waits in its owner (SEMANTICS 8.2).

mod bulk;
mod flush;
pub(crate) mod merge;

use std::collections::{BTreeMap, BTreeSet};

use crate::tables::{
    Id, Kind, Relation, Row, Side, Tables, View, concerns, inverse, other, pair_of,
};

use Kind::*;
use Side::*;

/// Where an object is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Pending,
    Persistent,
    /// Its DELETE was flushed.
    Deleted,
    /// Out of the session.
    Gone,
}

/// Why a flush is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A task without a person: found before any SQL, so that it can be mended.
    MissingForeignKey,
    /// Two skills with one code: the transaction is lost.
    UniqueViolation,
}

/// What a flush wrote to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    pub kinds: BTreeSet<Kind>,
    pub pairs: bool,
}

/// A unit of work, or a savepoint: what its rollback goes back to.
#[derive(Clone, Debug, Default)]
struct Unit {
    tables: Tables,
    /// Objects that were added in it.
    born: BTreeSet<Id>,
    /// Objects whose rows were deleted in it.
    deleted: BTreeSet<Id>,
}

#[derive(Clone, Debug)]
pub(crate) struct Reference {
    next: Id,
    /// The rows, as the session's transaction sees them.
    pub database: Tables,
    /// The rows as they are to be, with every edit.
    pub memory: Tables,
    /// The objects that the test has a handle of.
    pub held: BTreeMap<Id, State>,
    /// Those that the next flush deletes.
    pub marked: BTreeSet<Id>,
    /// Members whose edit waits in a view of their owner that was not loaded.
    queued: BTreeSet<Id>,
    /// What views that were not loaded are to become.
    replaced: BTreeMap<(Id, View), BTreeSet<Id>>,
    /// The open savepoints, the unit of work at the bottom.
    units: Vec<Unit>,
    /// Whether only a rollback is possible.
    pub failed: bool,
}

/// Whether the session shows a view as loaded.
pub(crate) type Loaded<'l> = &'l dyn Fn(Id, View) -> bool;

impl Default for Reference {
    fn default() -> Self {
        Self {
            next: 0,
            database: Tables::default(),
            memory: Tables::default(),
            held: BTreeMap::new(),
            marked: BTreeSet::new(),
            queued: BTreeSet::new(),
            replaced: BTreeMap::new(),
            units: vec![Unit::default()],
            failed: false,
        }
    }
}

// ---------------------------------------------------------------- reading

impl Reference {
    pub(crate) fn is_live(&self, id: Id) -> bool {
        matches!(self.held.get(&id), Some(State::Pending | State::Persistent))
            && self.memory.rows.contains_key(&id)
    }

    pub(crate) fn is_row(&self, id: Id) -> bool {
        self.held.get(&id) == Some(&State::Persistent)
    }

    pub(crate) fn kind_of(&self, id: Id) -> Option<Kind> {
        let row = self.memory.rows.get(&id).or(self.database.rows.get(&id))?;
        Some(row.kind)
    }

    /// The version of a row, or of an object that is to be one.
    pub(crate) fn version(&self, id: Id) -> i64 {
        self.database.rows.get(&id).unwrap_or(&self.memory.rows[&id]).version
    }

    /// The rows as others see them.
    pub(crate) fn committed(&self) -> &Tables {
        &self.units[0].tables
    }

    /// What a view shows if it is loaded.
    pub(crate) fn shown(&self, id: Id, view: View) -> BTreeSet<Id> {
        let mut members = self.memory.members(id, view);
        if let Some(wanted) = self.replaced.get(&(id, view)) {
            members.retain(|member| wanted.contains(member));
        }
        members
    }

    /// Whether a flush has anything to look at.
    pub(crate) fn is_edited(&self) -> bool {
        self.memory != self.database || !self.marked.is_empty() || !self.replaced.is_empty()
    }
}

// ---------------------------------------------------------------- editing

impl Reference {
    pub(crate) fn add(&mut self, kind: Kind, text: char) -> Id {
        let id = self.next;
        self.next += 1;
        self.memory.rows.insert(id, Row { kind, text, parent: None, version: 1 });
        self.held.insert(id, State::Pending);
        self.unit().born.insert(id);
        id
    }

    pub(crate) fn write(&mut self, id: Id, text: char) {
        self.row(id).text = text;
    }

    /// Writes a text onto a row, which is held from now on.
    pub(crate) fn write_onto(&mut self, id: Id, text: char) {
        self.held.entry(id).or_insert(State::Persistent);
        self.write(id, text);
    }

    fn row(&mut self, id: Id) -> &mut Row {
        self.memory.rows.get_mut(&id).expect("an object that is edited is in the session")
    }

    /// Puts a member into a view.
    pub(crate) fn put(&mut self, owner: Id, view: View, member: Id, loaded: Loaded) {
        match view {
            (Relation::Skills, side) => {
                self.memory.pairs.insert(pair_of(side, owner, member));
                self.want(owner, view, member);
                self.want(member, (Relation::Skills, other(side)), owner);
            }
            (_, Owner) => self.link(member, Some(owner), !loaded(owner, view), loaded),
            (_, Member) => self.link(owner, Some(member), false, loaded),
        }
    }

    /// Takes a member out of a view, if it is there.
    pub(crate) fn take_out(&mut self, owner: Id, view: View, member: Id, loaded: Loaded) {
        match view {
            (Relation::Skills, side) => {
                self.memory.pairs.remove(&pair_of(side, owner, member));
                self.unwant(owner, view, member);
                self.unwant(member, (Relation::Skills, other(side)), owner);
            }
            (_, Owner) if self.memory.parent(member) == Some(owner) => {
                self.link(member, None, !loaded(owner, view), loaded);
            }
            (_, Member) if self.memory.parent(owner) == Some(member) => {
                self.link(owner, None, false, loaded);
            }
            _ => {}
        }
    }

    /// Makes these the members of a view. If it is not loaded, who else was in it is known to the
    /// flush only.
    pub(crate) fn replace(&mut self, owner: Id, view: View, members: &[Id], loaded: Loaded) {
        let (relation, side) = view;
        if side == Member && relation != Relation::Skills {
            return self.link(owner, members.first().copied(), false, loaded);
        }
        let is_known = loaded(owner, view) && !self.replaced.contains_key(&(owner, view));
        let leaves_at_once = |reference: &Self, member: &Id| {
            // Another view that was replaced has put it in.
            let put_in = reference.replaced.get(&(*member, inverse(view)));
            is_known
                || put_in.is_some_and(|wanted| wanted.contains(&owner))
                || !reference.database.members(owner, view).contains(member)
        };
        for leaving in self.memory.members(owner, view) {
            if !members.contains(&leaving) && leaves_at_once(self, &leaving) {
                self.take_out(owner, view, leaving, loaded);
            }
        }
        if !is_known && self.is_row(owner) {
            self.replaced.insert((owner, view), members.iter().copied().collect());
        }
        for member in members {
            self.put(owner, view, *member, loaded);
        }
    }

    /// Lets an object's foreign key lead to a parent, or nowhere.
    fn link(&mut self, child: Id, parent: Option<Id>, queued: bool, loaded: Loaded) {
        let kind = self.memory.rows[&child].kind;
        let relation = kind.link().expect("only objects with a foreign key are linked");
        let view = (relation, Owner);
        let old = self.memory.parent(child);
        let was_let_go = parent.is_some_and(|parent| {
            self.replaced.get(&(parent, view)).is_some_and(|wanted| !wanted.contains(&child))
        });
        if old == parent && !was_let_go {
            return;
        }
        if let Some(old) = old {
            self.unwant(old, view, child);
        }
        self.row(child).parent = parent;
        self.queued.remove(&child);
        if queued && self.database.parent(child) != parent {
            self.queued.insert(child);
        }
        if let Some(parent) = parent {
            if relation == Relation::Badge {
                self.let_others_go(parent, child, loaded);
            }
            self.want(parent, view, child);
        } else if relation == Relation::Tasks && self.held.get(&child) == Some(&State::Pending) {
            self.leave(child);
        }
    }

    /// A team has one badge: who has it already loses it, at once where that is known.
    fn let_others_go(&mut self, team: Id, badge: Id, loaded: Loaded) {
        let view = (Relation::Badge, Owner);
        let is_known = loaded(team, view) && !self.replaced.contains_key(&(team, view));
        for former in self.memory.children(Relation::Badge, team) {
            let is_edit = self.database.parent(former) != Some(team);
            let is_wanted =
                self.replaced.get(&(team, view)).is_some_and(|wanted| wanted.contains(&former));
            if former != badge && (is_known || is_edit || is_wanted) {
                self.link(former, None, false, loaded);
            }
        }
        if !is_known && self.is_row(team) {
            self.replaced.insert((team, view), BTreeSet::from([badge]));
        }
    }

    fn want(&mut self, owner: Id, view: View, member: Id) {
        if let Some(wanted) = self.replaced.get_mut(&(owner, view)) {
            wanted.insert(member);
        }
    }

    fn unwant(&mut self, owner: Id, view: View, member: Id) {
        if let Some(wanted) = self.replaced.get_mut(&(owner, view)) {
            wanted.remove(&member);
        }
    }
}

// ---------------------------------------------------------------- leaving

impl Reference {
    /// Marks a row to be deleted; a pending object leaves with those that follow it.
    pub(crate) fn delete(&mut self, id: Id) {
        if self.is_row(id) {
            self.marked.insert(id);
            return;
        }
        let mut followers = Vec::new();
        for relation in Relation::ALL.into_iter().filter(|relation| relation.cascades()) {
            followers.extend(self.memory.children(relation, id));
        }
        self.leave(id);
        for follower in followers {
            if self.is_live(follower) {
                self.delete(follower);
            }
        }
    }

    /// A pending object leaves. Whoever was to lead to it leads nowhere.
    fn leave(&mut self, id: Id) {
        self.memory.remove(id);
        self.held.insert(id, State::Gone);
        self.queued.remove(&id);
        let led_here: Vec<Id> = self.led_to(id);
        for child in led_here {
            self.link(child, None, false, &|_, _| false);
        }
    }

    fn led_to(&self, id: Id) -> Vec<Id> {
        let rows = self.memory.rows.iter();
        rows.filter(|(_, row)| row.parent == Some(id)).map(|(child, _)| *child).collect()
    }

    /// Discards the edits of a row.
    pub(crate) fn discard(&mut self, id: Id) {
        self.discard_all(&[id]);
    }

    /// Discards the edits of rows together.
    pub(crate) fn discard_all(&mut self, ids: &[Id]) {
        ids.iter().for_each(|id| self.forget_edits(*id));
        ids.iter().for_each(|id| self.keep_single(*id));
    }

    /// Forgets the edits of a row, those that wait in it included.
    fn forget_edits(&mut self, id: Id) {
        self.memory.rows.insert(id, self.database.rows[&id].clone());
        self.marked.remove(&id);
        self.queued.remove(&id);
        for child in self.queued.clone() {
            let holder = self.memory.parent(child).or(self.database.parent(child));
            if holder == Some(id) {
                self.row(child).parent = self.database.parent(child);
                self.queued.remove(&child);
            }
        }
        self.memory.pairs.retain(|pair| !concerns(*pair, id));
        let rows = self.database.pairs.iter().filter(|pair| concerns(**pair, id));
        self.memory.pairs.extend(rows);
        self.replaced.retain(|(owner, _), _| *owner != id);
    }

    /// A badge whose edit is forgotten may be back at a team that has been given another one: the
    /// edit that is left wins.
    fn keep_single(&mut self, id: Id) {
        let team =
            if self.database.rows[&id].kind == Team { Some(id) } else { self.database.parent(id) };
        let Some(team) = team else { return };
        let given = self.memory.children(Relation::Badge, team);
        let is_edit = |badge: &Id| self.database.parent(*badge) != Some(team);
        if let Some(badge) = given.into_iter().find(is_edit) {
            self.replaced.insert((team, (Relation::Badge, Owner)), BTreeSet::from([badge]));
        }
    }

    /// Takes an object out of the session; its row stays as it is.
    pub(crate) fn expunge(&mut self, id: Id) {
        if !self.is_row(id) {
            return self.leave(id);
        }
        self.discard(id);
        for child in self.led_to(id) {
            self.row(child).parent = self.database.parent(child);
            self.queued.remove(&child);
        }
        self.replaced.retain(|(owner, _), _| *owner != id);
        self.evict(id);
    }

    /// An object is no longer held.
    pub(crate) fn evict(&mut self, id: Id) {
        self.held.remove(&id);
        self.units.iter_mut().for_each(|unit| {
            unit.born.remove(&id);
        });
    }
}

// ---------------------------------------------------------------- units of work

impl Reference {
    fn unit(&mut self) -> &mut Unit {
        self.units.last_mut().expect("there is always a unit of work")
    }

    /// The unit of work ends well.
    pub(crate) fn commit(&mut self) {
        self.units = vec![Unit { tables: self.database.clone(), ..Unit::default() }];
        for state in self.held.values_mut() {
            if *state == State::Deleted {
                *state = State::Gone;
            }
        }
    }

    /// The unit of work is undone.
    pub(crate) fn roll_back(&mut self) {
        self.undo_savepoint();
        self.units = vec![Unit { tables: self.database.clone(), ..Unit::default() }];
    }

    /// After a flush: everything from here on can be undone alone.
    pub(crate) fn set_savepoint(&mut self) {
        self.units.push(Unit { tables: self.database.clone(), ..Unit::default() });
    }

    /// What was done in a savepoint belongs to what is around it.
    pub(crate) fn release_savepoint(&mut self) {
        let inner = self.units.pop().expect("a savepoint is open");
        self.unit().born.extend(inner.born);
        self.unit().deleted.extend(inner.deleted);
    }

    /// What was done since the innermost savepoint, or the beginning, is undone.
    pub(crate) fn undo_savepoint(&mut self) {
        let unit = self.units.pop().expect("there is always a unit of work");
        for (id, state) in &mut self.held {
            if unit.born.contains(id) {
                *state = State::Gone;
            } else if *state == State::Deleted && unit.deleted.contains(id) {
                *state = State::Persistent;
            }
        }
        self.memory = unit.tables.clone();
        self.database = unit.tables;
        self.marked.clear();
        self.queued.clear();
        self.replaced.clear();
        self.failed = false;
    }

    /// A new session has nothing of the last one.
    pub(crate) fn forget(&mut self) {
        self.held.clear();
    }
}
