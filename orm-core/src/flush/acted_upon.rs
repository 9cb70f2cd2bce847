//! Whom in memory the database's own actions, ON DELETE and ON UPDATE, have reached, or may have:
//! these objects are expired.
//!
//! Actions are followed from row to row. As long as memory has the rows, it says who was acted
//! upon. A row that is not in memory, or expired, may have been acted upon too, as far as nothing
//! shows that there was none: then whoever refers to a row of its table that memory doesn't know
//! is expired as well. What is certain is followed first, so that doubt never hides it.
//!
//! Each foreign key with an action costs one walk over the objects of its table, and only where
//! something happened to rows that it references; from there on each object costs its own rows.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use crate::model::{Action, ForeignKey, Table};
use crate::tracking::{ObjectId, ObjectMap, State, Store, views_of_parent};
use crate::value::Value;

/// What happened to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Event<'c> {
    Deleted,
    /// These columns of it were written.
    Updated(&'c [usize]),
}

/// A row to which something happened.
#[derive(Debug)]
pub(super) enum Row<'c> {
    /// It is in memory, which says what it held.
    Object(ObjectId),
    /// As the database returned it: what it held in some columns, and its object if it has one.
    Returned {
        table: &'static Table,
        columns: &'c [usize],
        values: &'c [Value],
        object: Option<ObjectId>,
    },
}

/// Expires the objects that actions of the database may have changed, or deleted, when this
/// happened to these rows, and perhaps to others of a table, which are not in memory.
///
/// An object with unflushed edits, which there are only where nothing was flushed before, keeps
/// them: if its row is gone, the flush that misses it says so.
pub(super) fn expire_acted_upon(
    store: &mut Store,
    event: Event<'_>,
    rows: &[Row<'_>],
    others: Option<&'static Table>,
) {
    let acted_upon = find(store, event, rows, others);
    for &(object, fate) in &acted_upon {
        match fate {
            Fate::Gone => store.leave_views(&[object]),
            Fate::Doubtful => store.unload_views(object),
            Fate::Changed => {}
        }
        store.taint(object);
    }
    let objects = acted_upon.into_iter().map(|(object, _)| object);
    let unedited: Vec<ObjectId> = objects.filter(|object| !store.is_changed(*object)).collect();
    store.discard(&unedited);
    for object in unedited {
        store.keep_values(object);
        store.expire(object);
    }
}

/// The columns of a table by which objects in memory refer to rows that they are acted upon with
/// when these are deleted. None if no object does.
pub(super) fn referenced_columns(store: &Store, table: &'static Table) -> Vec<usize> {
    let is_held = |arena: &u32| store.arena_at(*arena).slots().next().is_some();
    let held = store.arenas().filter(is_held).map(|arena| store.arena_at(arena).table);
    let mut columns: Vec<usize> = held
        .flat_map(Table::foreign_keys)
        .filter(|key| key.target() == table && acts(key.on_delete()))
        .flat_map(ForeignKey::referenced)
        .copied()
        .collect();
    columns.sort_unstable();
    columns.dedup();
    columns
}

fn acts(action: Action) -> bool {
    matches!(action, Action::Cascade | Action::SetNull | Action::SetDefault)
}

/// What became of an object, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    /// It is still where it is shown, if its row was changed at all.
    Changed,
    /// It may not be where it is shown any more.
    Doubtful,
    /// Its row was deleted.
    Gone,
}

/// What a foreign key's action does to the rows that refer by it.
#[derive(Clone, Copy)]
struct Answer<'c> {
    event: Event<'c>,
    /// Whether they are still members of what they refer to.
    stays: bool,
}

impl<'c> Event<'c> {
    /// What the action of a foreign key does when this happens to rows that it references.
    fn answer(self, foreign_key: &'static ForeignKey) -> Option<Answer<'c>> {
        let updated = Event::Updated(foreign_key.columns());
        let (action, event, stays) = match self {
            Event::Deleted => match foreign_key.on_delete() {
                Action::Cascade => (Action::Cascade, Event::Deleted, false),
                // What they referred to is gone, and with it what showed them.
                action => (action, updated, true),
            },
            Event::Updated(columns) => {
                if !foreign_key.referenced().iter().any(|column| columns.contains(column)) {
                    return None;
                }
                let action = foreign_key.on_update();
                (action, updated, action == Action::Cascade)
            }
        };
        acts(action).then_some(Answer { event, stays })
    }
}

impl Answer<'_> {
    fn fate(self, is_certain: bool) -> Fate {
        match self.event {
            _ if self.stays => Fate::Changed,
            Event::Deleted if is_certain => Fate::Gone,
            _ => Fate::Doubtful,
        }
    }
}

impl Row<'_> {
    fn object(&self) -> Option<ObjectId> {
        match self {
            Row::Object(object) => Some(*object),
            Row::Returned { object, .. } => *object,
        }
    }

    fn table(&self, store: &Store) -> &'static Table {
        match self {
            Row::Object(object) => store.table(*object),
            Row::Returned { table, .. } => table,
        }
    }

    /// What it held in the columns that a foreign key references, if that is known.
    fn key(&self, store: &Store, foreign_key: &'static ForeignKey) -> Option<Vec<Value>> {
        let referenced = foreign_key.referenced();
        match self {
            Row::Object(object) => knows_key(store, *object, foreign_key)
                .then(|| store.database_values(*object, referenced)),
            Row::Returned { columns, values, .. } => {
                let place = |column| columns.iter().position(|other| other == column);
                referenced.iter().map(|column| Some(values[place(column)?].clone())).collect()
            }
        }
    }
}

/// Whether memory knows what a row held in the columns that a foreign key references: of an
/// expired object nothing is known but the primary key.
fn knows_key(store: &Store, object: ObjectId, foreign_key: &'static ForeignKey) -> bool {
    !store.header(object).expired || foreign_key.references_primary_key()
}

fn find(
    store: &Store,
    event: Event<'_>,
    rows: &[Row<'_>],
    others: Option<&'static Table>,
) -> Vec<(ObjectId, Fate)> {
    if rows.is_empty() && others.is_none() {
        return Vec::new();
    }
    let references = References::of(store);
    let mut found = Found::default();
    found.seen.extend(rows.iter().filter_map(|row| Some((row.object()?, event))));
    for row in rows {
        references.follow(row, event, true, &mut found);
    }
    if let Some(table) = others {
        references.doubt(table, event, &mut found);
    }
    loop {
        if let Some((object, event)) = found.certain.pop() {
            references.follow(&Row::Object(object), event, true, &mut found);
        } else if let Some((object, event)) = found.uncertain.pop() {
            references.follow(&Row::Object(object), event, false, &mut found);
        } else if let Some((table, event)) = found.out_of_sight.pop() {
            references.follow_out_of_sight(table, event, &mut found);
        } else {
            break;
        }
    }
    let mut fates: Vec<(ObjectId, Fate)> = found.fates.into_iter().collect();
    fates.sort_unstable();
    fates
}

/// What a search has found, and what it has still to follow.
#[derive(Default)]
struct Found<'c> {
    fates: ObjectMap<Fate>,
    seen: HashSet<(ObjectId, Event<'c>)>,
    certain: Vec<(ObjectId, Event<'c>)>,
    uncertain: Vec<(ObjectId, Event<'c>)>,
    /// Tables with rows that are not in memory, to which it may have happened.
    out_of_sight: Vec<(&'static Table, Event<'c>)>,
    doubted: HashSet<(&'static Table, Event<'c>)>,
    /// Tables to whose expired objects it may have happened.
    expired: HashSet<(&'static Table, Event<'c>)>,
}

impl<'c> Found<'c> {
    fn reach(&mut self, object: ObjectId, answer: Answer<'c>, is_certain: bool) {
        let new = answer.fate(is_certain);
        let fate = self.fates.entry(object).or_insert(new);
        *fate = new.max(*fate);
        if self.seen.insert((object, answer.event)) {
            let queue = if is_certain { &mut self.certain } else { &mut self.uncertain };
            queue.push((object, answer.event));
        }
    }
}

/// A foreign key with an action.
struct Reference {
    child: &'static Table,
    foreign_key: &'static ForeignKey,
    /// The relationships of a referenced row that show all who refer to it.
    views: Vec<usize>,
    /// The objects in memory that refer by it, by their keys.
    referrers: OnceCell<HashMap<Vec<Value>, Vec<ObjectId>>>,
}

/// The foreign keys with an action of every table that the store knows of, by the table that they
/// reference.
struct References<'s> {
    store: &'s Store,
    by_target: HashMap<&'static Table, Vec<Reference>>,
}

impl<'s> References<'s> {
    fn of(store: &'s Store) -> Self {
        let mut by_target: HashMap<&'static Table, Vec<Reference>> = HashMap::new();
        for child in store.known_tables() {
            let keys = child.foreign_keys().iter();
            for foreign_key in keys.filter(|key| acts(key.on_delete()) || acts(key.on_update())) {
                let views = views_of_parent(child, foreign_key).map(|view| view.index()).collect();
                let reference = Reference { child, foreign_key, views, referrers: OnceCell::new() };
                by_target.entry(foreign_key.target()).or_default().push(reference);
            }
        }
        Self { store, by_target }
    }

    /// The foreign keys that answer to what happens to rows of a table, and how.
    fn answers<'c>(
        &self,
        table: &'static Table,
        event: Event<'c>,
    ) -> impl Iterator<Item = (&Reference, Answer<'c>)> {
        let references = self.by_target.get(table).into_iter().flatten();
        references.filter_map(move |it| Some((it, event.answer(it.foreign_key)?)))
    }

    /// Follows the actions that answer to what happened to a row.
    fn follow<'c>(&self, row: &Row<'_>, event: Event<'c>, is_certain: bool, found: &mut Found<'c>) {
        let table = row.table(self.store);
        for (reference, answer) in self.answers(table, event) {
            let referrers = self.referrers(reference);
            match row.key(self.store, reference.foreign_key) {
                _ if referrers.is_empty() => {}
                Some(key) => {
                    for &object in referrers.get(&key).into_iter().flatten() {
                        found.reach(object, answer, is_certain);
                    }
                }
                None => self.doubt(table, event, found),
            }
            match row.object().is_some_and(|object| self.shows(reference, object)) {
                true => self.doubt_expired(reference.child, answer.event, found),
                false => self.doubt(reference.child, answer.event, found),
            }
        }
    }

    /// Follows the actions that answer to what may have happened to rows that are not in memory.
    fn follow_out_of_sight<'c>(
        &self,
        table: &'static Table,
        event: Event<'c>,
        found: &mut Found<'c>,
    ) {
        for (reference, answer) in self.answers(table, event) {
            let referrers = self.referrers(reference);
            if !referrers.is_empty() {
                let known = self.known_keys(reference.foreign_key);
                for (_, objects) in referrers.iter().filter(|(key, _)| !known.contains(*key)) {
                    for &object in objects {
                        found.reach(object, answer, false);
                    }
                }
            }
            self.doubt(reference.child, answer.event, found);
        }
    }

    /// It may have happened to rows of this table that memory doesn't know.
    fn doubt<'c>(&self, table: &'static Table, event: Event<'c>, found: &mut Found<'c>) {
        if found.doubted.insert((table, event)) {
            found.out_of_sight.push((table, event));
        }
        self.doubt_expired(table, event, found);
    }

    /// It may have happened to expired objects of this table: what they refer to is not known.
    fn doubt_expired<'c>(&self, table: &'static Table, event: Event<'c>, found: &mut Found<'c>) {
        if found.expired.insert((table, event)) {
            for object in self.rows(table).filter(|object| self.store.header(*object).expired) {
                if found.seen.insert((object, event)) {
                    found.uncertain.push((object, event));
                }
            }
        }
    }

    /// Whether memory shows every row that refers to this one.
    fn shows(&self, reference: &Reference, row: ObjectId) -> bool {
        let storage = self.store.storage(row);
        reference.views.iter().any(|view| storage.relation(row.slot, *view).is_loaded())
    }

    fn referrers<'r>(&self, reference: &'r Reference) -> &'r HashMap<Vec<Value>, Vec<ObjectId>> {
        reference.referrers.get_or_init(|| {
            let mut referrers: HashMap<Vec<Value>, Vec<ObjectId>> = HashMap::new();
            let rows = self.rows(reference.child);
            for object in rows.filter(|object| !self.store.header(*object).expired) {
                let key = self.store.database_values(object, reference.foreign_key.columns());
                if !key.iter().any(Value::is_null) {
                    referrers.entry(key).or_default().push(object);
                }
            }
            referrers
        })
    }

    /// By which keys memory knows the rows that a foreign key can lead to.
    fn known_keys(&self, foreign_key: &'static ForeignKey) -> HashSet<Vec<Value>> {
        let rows = self.rows(foreign_key.target());
        rows.filter(|object| knows_key(self.store, *object, foreign_key))
            .map(|object| self.store.database_values(object, foreign_key.referenced()))
            .collect()
    }

    /// The objects of a table that are rows.
    fn rows(&self, table: &'static Table) -> impl Iterator<Item = ObjectId> {
        let arena = self.store.find_arena_of(table);
        let slots = arena.into_iter().flat_map(|arena| {
            let slots = self.store.arena_at(arena).slots();
            slots.map(move |slot| ObjectId { arena, slot })
        });
        slots.filter(|object| self.store.header(*object).state == State::Persistent)
    }
}
