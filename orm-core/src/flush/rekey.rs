//! Keys that change while other rows refer to them: who follows, and by whose hand.
//!
//! ON UPDATE CASCADE changes the rows that refer to a key, in memory or not, and memory follows when
//! the flush settles. Where the foreign key is deferrable and has no action, the flush gives them
//! the new key itself, and reads those first that are not in memory. Any other foreign key must have
//! no row that refers to the old key: where memory shows one, that is an error before any SQL; where
//! it can't tell, one row is looked for before anything is written.

use std::collections::{HashMap, HashSet};

use crate::error::{Error, Result};
use crate::model::{Action, ForeignKey, Link, Table};
use crate::sql::Capabilities;
use crate::tracking::{ObjectId, ObjectMap, ObjectSet, State, Store, views_of_parent};
use crate::value::Value;

/// An object that refers to a row whose key changes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Follower {
    pub(crate) child: ObjectId,
    pub(crate) foreign_key: &'static ForeignKey,
    pub(crate) parent: ObjectId,
    pub(crate) way: Way,
    /// Whether it refers to the row after the flush too: it neither moves away nor is deleted.
    pub(crate) stays: bool,
}

/// What becomes of rows that refer to a key which changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The database gives them the new key.
    Database,
    /// The flush gives them the new key.
    Flush,
    /// The database gives them another value than the new key: none, or the default.
    Cleared,
    /// There must be none.
    Refused,
}

/// The objects that refer to changed keys, those before that lead to others.
#[derive(Debug, Default)]
pub(crate) struct Followers {
    all: Vec<Follower>,
    by_child: ObjectMap<Vec<usize>>,
}

impl Followers {
    pub(crate) fn all(&self) -> &[Follower] {
        &self.all
    }

    /// What an object follows.
    pub(crate) fn of(&self, child: ObjectId) -> impl Iterator<Item = &Follower> {
        self.by_child.get(&child).into_iter().flatten().map(|&at| &self.all[at])
    }

    fn push(&mut self, follower: Follower) {
        self.by_child.entry(follower.child).or_default().push(self.all.len());
        self.all.push(follower);
    }
}

/// Rows that refer to keys and may not be in memory.
#[derive(Debug)]
pub(crate) struct Referrers {
    pub(crate) child: &'static Table,
    pub(crate) foreign_key: &'static ForeignKey,
    pub(crate) keys: Vec<Vec<Value>>,
    /// Whether one of them tells enough.
    pub(crate) one: bool,
}

/// A row with columns that others may refer to and that change.
struct Changed {
    object: ObjectId,
    columns: Vec<usize>,
}

/// Finds who follows the keys that this flush changes, as far as memory knows, and what must be
/// read to know the others.
pub(crate) fn find_followers(
    store: &Store,
    deleted: &ObjectSet,
    capabilities: &Capabilities,
) -> Result<(Followers, Vec<Referrers>)> {
    let changed = changed_keys(store, deleted);
    if changed.is_empty() {
        return Ok(Default::default());
    }
    let mut search = Search {
        store,
        deleted,
        capabilities,
        keys: keys_by_target(store),
        seen: HashSet::new(),
        followers: Followers::default(),
        missing: Vec::new(),
    };
    let mut by_table: Vec<(&'static Table, Vec<Changed>)> = Vec::new();
    for changed in changed {
        let table = store.table(changed.object);
        match by_table.iter_mut().find(|(other, _)| *other == table) {
            Some((_, rows)) => rows.push(changed),
            None => by_table.push((table, vec![changed])),
        }
    }
    for (table, rows) in by_table {
        search.walk(table, rows)?;
    }
    Ok((search.followers, search.missing))
}

/// The rows whose primary key, or another unique one, is to change.
fn changed_keys(store: &Store, deleted: &ObjectSet) -> Vec<Changed> {
    let rows = store.touched.iter().copied().filter(|object| {
        store.header(*object).state == State::Persistent && !deleted.contains(object)
    });
    let changed = rows.map(|object| Changed { object, columns: changed_columns(store, object) });
    changed.filter(|changed| !changed.columns.is_empty()).collect()
}

fn changed_columns(store: &Store, object: ObjectId) -> Vec<usize> {
    let table = store.table(object);
    let Some(changes) = &store.header(object).changes else { return Vec::new() };
    let uniques = table.uniques().iter().flat_map(|unique| &unique.columns);
    let is_changed = |&column: &usize| {
        changes.links.iter().any(|edit| edit.foreign_key.columns().contains(&column))
            || changes.expressions.iter().any(|(assigned, _)| *assigned == column)
            || changes.snapshot.as_ref().is_some_and(|snapshot| {
                store.storage(object).encode(object.slot, column) != snapshot[column]
            })
    };
    table.primary_key().iter().chain(uniques).copied().filter(is_changed).collect()
}

/// Foreign keys, and the tables that have them, by the table that they reference.
type KeysByTarget = HashMap<&'static Table, Vec<(&'static Table, &'static ForeignKey)>>;

fn keys_by_target(store: &Store) -> KeysByTarget {
    let mut keys = KeysByTarget::new();
    for table in store.known_tables() {
        for foreign_key in table.foreign_keys() {
            keys.entry(foreign_key.target()).or_default().push((table, foreign_key));
        }
    }
    keys
}

struct Search<'s> {
    store: &'s Store,
    deleted: &'s ObjectSet,
    capabilities: &'s Capabilities,
    keys: KeysByTarget,
    /// Children that were found already, each by the position of its foreign key.
    seen: HashSet<(ObjectId, usize)>,
    followers: Followers,
    missing: Vec<Referrers>,
}

impl Search<'_> {
    /// Follows changed keys of one table, level by level: whose key consists of a changed one has
    /// a changed one too.
    fn walk(&mut self, table: &'static Table, changed: Vec<Changed>) -> Result<()> {
        let mut passed = vec![table];
        let mut level = changed;
        while !level.is_empty() {
            let mut next = Vec::new();
            for table in self.tables_of(&level) {
                for (child, foreign_key) in self.keys.get(&table).cloned().unwrap_or_default() {
                    self.step(&level, table, child, foreign_key, &passed, &mut next)?;
                }
            }
            passed.extend(self.tables_of(&next));
            level = next;
        }
        Ok(())
    }

    /// Each table once.
    fn tables_of(&self, rows: &[Changed]) -> Vec<&'static Table> {
        let mut tables: Vec<&'static Table> = Vec::new();
        for changed in rows {
            let table = self.store.table(changed.object);
            if !tables.contains(&table) {
                tables.push(table);
            }
        }
        tables
    }

    /// Follows the changed keys of one level over one foreign key.
    fn step(
        &mut self,
        level: &[Changed],
        table: &'static Table,
        child: &'static Table,
        foreign_key: &'static ForeignKey,
        passed: &[&'static Table],
        next: &mut Vec<Changed>,
    ) -> Result<()> {
        let store = self.store;
        let of_key = |changed: &&Changed| {
            store.table(changed.object) == table
                && changed.columns.iter().any(|column| foreign_key.referenced().contains(column))
        };
        let parents: HashMap<Vec<Value>, &Changed> = level
            .iter()
            .filter(of_key)
            .map(|changed| {
                (store.database_values(changed.object, foreign_key.referenced()), changed)
            })
            .filter(|(key, _)| !key.iter().any(Value::is_null))
            .collect();
        if parents.is_empty() {
            return Ok(());
        }
        let way = self.way(child, foreign_key, passed);
        for (object, key) in children(store, child, foreign_key) {
            let Some(parent) = parents.get(&key) else { continue };
            if way == Way::Refused {
                return Err(self.refusal(child, foreign_key));
            }
            if !self.seen.insert((object, foreign_key.index)) {
                continue;
            }
            if way == Way::Flush {
                self.expect_known(parent.object, foreign_key)?;
            }
            let is_deleted = self.deleted.contains(&object);
            let stays = !is_deleted && !is_edited(store, object, foreign_key);
            let parent = parent.object;
            self.followers.push(Follower { child: object, foreign_key, parent, way, stays });
            if (stays || is_deleted) && way != Way::Cleared {
                next.push(Changed { object, columns: foreign_key.columns().to_vec() });
            }
        }
        let must_know = match way {
            Way::Refused | Way::Flush => true,
            Way::Database => !self.cascades_on(child, foreign_key.columns(), passed),
            Way::Cleared => false,
        };
        if must_know {
            let unknown = parents
                .iter()
                .filter(|(_, parent)| !shows_all(store, parent.object, child, foreign_key));
            let keys: Vec<Vec<Value>> = unknown.map(|(key, _)| key.clone()).collect();
            if !keys.is_empty() {
                let one = way == Way::Refused;
                self.missing.push(Referrers { child, foreign_key, keys, one });
            }
        }
        Ok(())
    }

    fn way(
        &self,
        child: &'static Table,
        foreign_key: &'static ForeignKey,
        passed: &[&'static Table],
    ) -> Way {
        let acts = self.capabilities.cascades_in_circles || !passed.contains(&child);
        match foreign_key.on_update() {
            Action::Cascade if acts => Way::Database,
            Action::SetNull | Action::SetDefault if acts => Way::Cleared,
            Action::NoAction if self.defers(foreign_key) => Way::Flush,
            _ => Way::Refused,
        }
    }

    fn defers(&self, foreign_key: &ForeignKey) -> bool {
        foreign_key.is_deferrable() && self.capabilities.deferrable_keys
    }

    /// Whether the database takes the new values of these columns further by itself, as far as
    /// anything refers to them.
    fn cascades_on(
        &self,
        table: &'static Table,
        columns: &[usize],
        passed: &[&'static Table],
    ) -> bool {
        let mut passed = passed.to_vec();
        if passed.iter().filter(|other| **other == table).count() > 1 {
            return true;
        }
        passed.push(table);
        let keys = self.keys.get(&table).into_iter().flatten();
        keys.filter(|(_, key)| key.referenced().iter().any(|column| columns.contains(column))).all(
            |(child, key)| match self.way(child, key, &passed) {
                Way::Database => self.cascades_on(child, key.columns(), &passed),
                Way::Cleared => true,
                Way::Flush | Way::Refused => false,
            },
        )
    }

    /// What the flush is to write into other rows must be known before.
    fn expect_known(&self, parent: ObjectId, foreign_key: &'static ForeignKey) -> Result<()> {
        let table = self.store.table(parent);
        let changes = self.store.header(parent).changes.as_ref();
        let expressions = changes.map(|changes| changes.expressions.as_slice()).unwrap_or_default();
        match expressions.iter().find(|(at, _)| foreign_key.referenced().contains(at)) {
            None => Ok(()),
            Some((at, _)) => Err(Error::misuse(format!(
                "`{}.{}` is assigned an SQL expression while other rows refer to it: assign a value, or declare their foreign key with `on_update = \"cascade\"`",
                table.name(),
                table.columns()[*at].name,
            ))),
        }
    }

    fn refusal(&self, child: &'static Table, foreign_key: &'static ForeignKey) -> Error {
        let target = foreign_key.target();
        let names = |table: &Table, columns: &[usize]| {
            let names: Vec<&str> = columns.iter().map(|&at| table.columns()[at].name).collect();
            format!("{}.{}", table.name(), names.join(", "))
        };
        let why = match foreign_key.on_update() {
            Action::Cascade | Action::SetNull | Action::SetDefault => {
                "by an action that this database doesn't follow back into a table that it has changed"
            }
            _ => "without ON UPDATE CASCADE",
        };
        let or_deferrable = match self.capabilities.deferrable_keys {
            true => " or `deferrable`",
            false => "",
        };
        Error::misuse(format!(
            "`{key}` can't change while `{referring}` refers to it {why}: declare that foreign key with `on_update = \"cascade\"`{or_deferrable}, or add a new `{model}` and move the `{child}` over",
            key = names(target, foreign_key.referenced()),
            referring = names(child, foreign_key.columns()),
            model = target.model(),
            child = child.name(),
        ))
    }
}

/// The rows in memory of a table, by where a foreign key leads in the database. Of an expired one,
/// only the primary key is to be believed.
fn children(
    store: &Store,
    child: &'static Table,
    foreign_key: &'static ForeignKey,
) -> impl Iterator<Item = (ObjectId, Vec<Value>)> {
    let in_key = foreign_key.columns().iter().all(|column| child.primary_key().contains(column));
    let arena = store.find_arena_of(child);
    let slots = arena
        .into_iter()
        .flat_map(|arena| store.arena_at(arena).slots().map(move |slot| ObjectId { arena, slot }));
    slots
        .filter(|object| store.header(*object).state == State::Persistent)
        .filter(move |object| in_key || !store.header(*object).expired)
        .map(|object| (object, store.database_values(object, foreign_key.columns())))
}

/// Whether an object's foreign key is to lead elsewhere, by its relationship or its columns.
fn is_edited(store: &Store, object: ObjectId, foreign_key: &'static ForeignKey) -> bool {
    let Some(changes) = &store.header(object).changes else { return false };
    let is_assigned = |column: &usize| {
        changes.expressions.iter().any(|(assigned, _)| assigned == column)
            || changes.snapshot.as_ref().is_some_and(|snapshot| {
                store.storage(object).encode(object.slot, *column) != snapshot[*column]
            })
    };
    changes.link(foreign_key).is_some() || foreign_key.columns().iter().any(is_assigned)
}

/// Whether every row that refers to this one is in memory, because a relationship shows them.
fn shows_all(
    store: &Store,
    row: ObjectId,
    child: &'static Table,
    foreign_key: &'static ForeignKey,
) -> bool {
    let is_whole = |index: usize| {
        let field = store.storage(row).relation(row.slot, index);
        field.is_loaded() && !field.is_partial()
    };
    if views_of_parent(child, foreign_key).any(|view| is_whole(view.index())) {
        return true;
    }
    // Of association rows it shows only that there are none.
    store.table(row).relationships().iter().any(|relationship| {
        matches!(relationship.link(), Ok(Link::Through(association)) if association.source == foreign_key)
            && is_whole(relationship.index())
            && store.members(row, relationship).is_some_and(|members| members.is_empty())
            && !store.pairs.has_edits()
    })
}
