//! What a flush must read before it can plan. Writes nothing to the database.

use std::collections::HashSet;

use super::cascade::{Cascaded, cascade};
use super::rekey::{Referrers, Way};
use crate::driver::Connection;
use crate::error::{Error, Result};
use crate::load::{load_members, load_parents, load_referrers, load_rows, read_members};
use crate::model::{ForeignKey, Link, Relationship, Table};
use crate::query::Criteria;
use crate::tracking::{Changes, ObjectId, Pair, PairEdit, State, Store};
use crate::value::Value;

/// Whether planning needs the database at all; nothing is to be read where it doesn't.
pub(crate) fn needs_reading(store: &Store, cascaded: &Cascaded) -> bool {
    let replaced = store.touched.iter().any(|object| {
        let header = store.header(*object);
        let changes = header.changes.as_ref().filter(|_| header.state == State::Persistent);
        changes.is_some_and(|changes| !changes.replaced.is_empty())
    });
    let restored = store.pairs.edits().any(|(_, edit)| edit == PairEdit::Restore);
    let expired = written(store, cascaded).any(|object| is_found_stale(store, object));
    replaced || restored || expired || !cascaded.missing().is_empty()
}

/// Reads the former members of replaced collections, the collections of deleted parents, and what
/// refers to keys that change: one statement per relationship and level for all of them together.
/// Reads the expired objects again whose rows are to be written. Gives the cascade, followed to its
/// end.
pub(crate) async fn prepare(
    connection: &mut Connection,
    store: &mut Store,
    criteria: &Criteria,
) -> Result<Cascaded> {
    read_replaced(connection, store, criteria).await?;
    read_restored(connection, store).await?;
    // A reference can lead to a row that is gone: its key is read once, and then left alone.
    let mut read = HashSet::new();
    let mut loaded = HashSet::new();
    let mut referrers = HashSet::new();
    let mut sought = HashSet::new();
    let capabilities = connection.dialect().capabilities();
    loop {
        let mut cascaded = cascade(store, capabilities)?;
        let expired: Vec<ObjectId> = written(store, &cascaded)
            .filter(|object| is_found_stale(store, *object) && sought.insert(*object))
            .collect();
        if !expired.is_empty() {
            // Where they lead, and so whom the cascade reaches, may be different now.
            load_expired(connection, store, &expired).await?;
            continue;
        }
        let missing = cascaded.missing();
        let is_new = |foreign_key: &&'static ForeignKey, keys: &Vec<Vec<Value>>| {
            keys.iter().any(|key| !read.contains(&(foreign_key.columns().to_vec(), key.clone())))
        };
        let unread: Vec<&Referrers> = missing
            .referrers
            .iter()
            .filter(|it| {
                let place = (it.child, it.foreign_key.columns());
                it.keys.iter().any(|key| !referrers.contains(&(place, key.clone())))
            })
            .collect();
        if missing.collections.is_empty()
            && unread.is_empty()
            && !missing.parents.iter().any(|(foreign_key, keys)| is_new(foreign_key, keys))
        {
            cascaded.has_read_referrers();
            return Ok(cascaded);
        }
        for it in unread {
            load_referrers(connection, store, it.child, it.foreign_key, &it.keys, it.one).await?;
            let place = (it.child, it.foreign_key.columns());
            referrers.extend(it.keys.iter().map(|key| (place, key.clone())));
        }
        for (relationship, owners) in &missing.collections {
            let place = (relationship.source(), relationship.index());
            if !owners.iter().fold(false, |is_new, owner| loaded.insert((place, *owner)) | is_new) {
                // A load that doesn't fill what it was asked for would be asked for ever.
                return Err(Error::misuse(format!(
                    "`{}.{}` can't be loaded for the objects that are to be deleted",
                    relationship.source().model(),
                    relationship.name(),
                )));
            }
            load_members(connection, store, owners, relationship).await?;
        }
        for (foreign_key, keys) in &missing.parents {
            load_parents(connection, store, foreign_key, keys).await?;
            read.extend(keys.iter().map(|key| (foreign_key.columns().to_vec(), key.clone())));
        }
    }
}

/// The rows that the flush is to update or delete, as far as they are known: some may come twice.
fn written<'s>(store: &'s Store, cascaded: &'s Cascaded) -> impl Iterator<Item = ObjectId> + 's {
    let has_edits = |changes: &Changes| {
        let is_assigned = changes.snapshot.is_some() || !changes.expressions.is_empty();
        is_assigned || !changes.links.is_empty()
    };
    let updated = store.touched.iter().copied().filter(move |object| {
        let header = store.header(*object);
        header.state == State::Persistent && header.changes.as_deref().is_some_and(has_edits)
    });
    let unlinked = cascaded.unlinked.iter().map(|(child, _)| *child);
    let followers = cascaded.followers.all().iter();
    let followers = followers.filter(|it| it.way == Way::Flush && it.stays).map(|it| it.child);
    let deleted = cascaded.deletes.iter().copied();
    let written = deleted.chain(updated).chain(unlinked).chain(followers);
    written.filter(|object| store.header(*object).state == State::Persistent)
}

/// Whether a row would be looked for by a version that may be older than it is. (Objects that hooks
/// are to see are loaded for them.)
fn is_found_stale(store: &Store, object: ObjectId) -> bool {
    let table = store.table(object);
    store.header(object).expired && table.version().is_some() && table.hooks().is_none()
}

/// Loads expired objects again: their memory may be older than their rows, by which version and
/// foreign keys these are found. One statement per model; an object whose row is gone stays
/// expired, and the flush that misses it says so.
pub(crate) async fn load_expired(
    connection: &mut Connection,
    store: &mut Store,
    expired: &[ObjectId],
) -> Result<()> {
    let mut by_arena: Vec<(u32, Vec<Vec<Value>>)> = Vec::new();
    for &object in expired {
        let key = store.database_values(object, store.table(object).primary_key());
        match by_arena.iter_mut().find(|(arena, _)| *arena == object.arena) {
            Some((_, keys)) => keys.push(key),
            None => by_arena.push((object.arena, vec![key])),
        }
    }
    for (arena, keys) in by_arena {
        let table = store.arena_at(arena).table;
        load_rows(connection, store, table, table.primary_key(), &keys).await?;
    }
    Ok(())
}

/// One statement per relationship reads who was in the collections that were replaced without
/// being loaded; whoever is not wanted any more leaves. Of a collection only what the session's
/// criteria admit was replaced, as it would be if it had been loaded.
async fn read_replaced(
    connection: &mut Connection,
    store: &mut Store,
    criteria: &Criteria,
) -> Result<()> {
    let mut by_relation: Vec<(&'static Table, usize, Vec<ObjectId>)> = Vec::new();
    for &object in &store.touched {
        if store.header(object).state != State::Persistent {
            continue;
        }
        let changes = store.header(object).changes.iter();
        for (relation, _) in changes.flat_map(|changes| &changes.replaced) {
            let table = store.table(object);
            match by_relation.iter_mut().find(|(other, at, _)| *other == table && at == relation) {
                Some((_, _, owners)) => owners.push(object),
                None => by_relation.push((table, *relation, vec![object])),
            }
        }
    }
    for (table, relation, owners) in by_relation {
        let relationship = &table.relationships()[relation];
        let criteria = if relationship.kind().is_to_many() { criteria } else { Criteria::NONE };
        let found = read_members(connection, store, criteria, &owners, relationship).await?;
        for (owner, members) in found {
            release(store, owner, relationship, &members)?;
            // What the owner shows is the whole from now on, also if the flush is refused. Where it
            // shows nothing, the replacement stays the only one that knows.
            if store.members(owner, relationship).is_some() {
                store.changes_mut(owner).replaced.retain(|(other, _)| *other != relation);
            }
        }
    }
    Ok(())
}

/// One statement per relationship finds out which of the pairs are rows that were removed and put
/// back without being loaded.
async fn read_restored(connection: &mut Connection, store: &mut Store) -> Result<()> {
    let mut by_relation: Vec<(&'static Relationship, Vec<ObjectId>)> = Vec::new();
    let restored: Vec<Pair> = store
        .pairs
        .edits()
        .filter(|(_, edit)| *edit == PairEdit::Restore)
        .map(|(pair, _)| pair)
        .collect();
    let mut sides = HashSet::new();
    for pair in &restored {
        let Some((owner, relationship)) = store.side_of_pair(pair) else { continue };
        if !sides.insert((owner, relationship.index())) {
            continue;
        }
        match by_relation.iter_mut().find(|(other, _)| std::ptr::eq(*other, relationship)) {
            Some((_, owners)) => owners.push(owner),
            None => by_relation.push((relationship, vec![owner])),
        }
    }
    let mut rows = HashSet::new();
    for (relationship, owners) in by_relation {
        let Link::Through(association) = relationship.link()? else { continue };
        let found = read_members(connection, store, Criteria::NONE, &owners, relationship).await?;
        for (owner, members) in found {
            rows.extend(members.iter().map(|member| Pair::new(association, owner, *member)));
        }
    }
    for pair in restored {
        store.pairs.resolve(pair, rows.contains(&pair));
    }
    Ok(())
}

/// Lets the former members go that are not wanted, and keeps the others as they are.
fn release(
    store: &mut Store,
    owner: ObjectId,
    relationship: &'static Relationship,
    members: &[ObjectId],
) -> Result<()> {
    match *relationship.link()? {
        Link::Direct { child, foreign_key } => {
            let is_moved = |member: ObjectId| {
                let changes = store.header(member).changes.as_ref();
                changes.is_some_and(|changes| changes.link(foreign_key).is_some())
            };
            let leaves = |member: &ObjectId| {
                !is_moved(*member) && store.is_let_go(owner, relationship, *member)
            };
            let leaving: Vec<ObjectId> = members.iter().copied().filter(leaves).collect();
            store.unlink(&leaving, child, foreign_key, true);
        }
        Link::Through(association) => {
            let mut leaving = Vec::new();
            for &member in members {
                let pair = Pair::new(&association, owner, member);
                match store.pairs.edit(&pair) {
                    // Wanted, by the replacement or since then, and a row already.
                    Some(PairEdit::Insert | PairEdit::Restore) => store.pairs.resolve(pair, true),
                    None if store.is_let_go(owner, relationship, member) => {
                        leaving.push((member, true))
                    }
                    _ => {}
                }
            }
            store.cut_pairs(owner, relationship, &association, &leaving);
        }
    }
    Ok(())
}
