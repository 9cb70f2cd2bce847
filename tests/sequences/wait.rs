//! The operations that may run statements: flushes, loads and queries.

use std::collections::BTreeSet;

use orm_core::error::{Error, Result};
use orm_core::session::ObjectState;

use crate::observe::{Object, each};
use crate::operation::{How, Pick, ends, path, suffix};
use crate::reference::{Refusal, State, Written};
use crate::tables::{Id, Kind, Relation, Row, Side, View};
use crate::trace::{Mismatch, ensure};
use crate::verbs;
use crate::world::{Beside, Level, World};

impl World<'_, '_> {
    pub(crate) async fn flush(&mut self) -> Result<(), Mismatch> {
        let outcome = self.session.flush().await;
        self.flushed(&outcome)?;
        if outcome.is_ok() {
            self.compare_rows().await?;
            let again = self.session.flush().await;
            let emitted = self.log.emitted();
            ensure!(
                again.is_ok() && emitted.is_empty(),
                "4.9: a second flush gives {again:?} and emits {emitted:?}"
            );
        }
        Ok(())
    }

    /// The reference flushes too; outcome and statements must be its own.
    pub(crate) fn flushed<T: std::fmt::Debug>(
        &mut self,
        outcome: &Result<T>,
    ) -> Result<(), Mismatch> {
        let emitted = self.log.emitted();
        let writes: Vec<&String> =
            emitted.iter().filter(|statement| !statement.starts_with("SELECT")).collect();
        match (self.reference.flush(), outcome) {
            (Ok(written), Ok(_)) => {
                ensure!(
                    is_all_needed(&writes, &written),
                    "6.1: {writes:?} was emitted where {written:?} changed"
                );
                if !writes.is_empty() {
                    self.note_write();
                }
                self.learn_keys()?;
                Ok(())
            }
            (Err(refusal), Err(error)) if is_refusal(error, refusal) => {
                let is_early = refusal == Refusal::MissingForeignKey;
                ensure!(!is_early || writes.is_empty(), "{refusal:?} comes after {writes:?}");
                Ok(())
            }
            (expected, _) => Err(format!(
                "the flush gives {}, and the reference {expected:?}",
                outcome.as_ref().map_or_else(ToString::to_string, |_| "Ok".to_owned())
            )),
        }
    }

    /// An operation that flushes before anything else, unless autoflush is off. True if that was
    /// refused.
    pub(crate) fn flushed_first<T: std::fmt::Debug>(
        &mut self,
        outcome: &Result<T>,
        flushes: bool,
    ) -> Result<bool, Mismatch> {
        let emitted = self.log.emitted();
        if emitted.iter().any(|statement| !statement.starts_with("SELECT")) {
            self.note_write();
        }
        let expected = if flushes { self.reference.flush() } else { Ok(Written::default()) };
        match (expected, outcome) {
            (Ok(_), _) => {
                self.learn_keys()?;
                Ok(false)
            }
            (Err(refusal), Err(error)) if is_refusal(error, refusal) => {
                ensure!(
                    error.to_string().contains("autoflush"),
                    "3.2: {error} doesn't say that it comes from an autoflush"
                );
                Ok(true)
            }
            (expected, _) => Err(format!(
                "the autoflush emitted {emitted:?} and the operation gives {outcome:?}, \
                 the reference {expected:?}"
            )),
        }
    }

    fn note_write(&mut self) {
        self.levels.iter_mut().for_each(|level| level.has_written = true);
    }

    pub(crate) fn learn_keys(&mut self) -> Result<(), Mismatch> {
        let new = self.objects.iter().map(|(id, object)| (*id, *object));
        let is_new = |id: Id| self.reference.is_row(id) && !self.keys.contains_key(&id);
        // One that a bulk statement deleted at once will never need a key.
        let new = new.filter(|(id, object)| {
            is_new(*id) && object.state(self.session) != ObjectState::Deleted
        });
        for (id, object) in new.collect::<Vec<_>>() {
            let key = object.key(self.session);
            let Some(key) = key else {
                return Err(format!("5.4: {} has no key after the flush", self.name(id)));
            };
            self.evict_rowless(object.kind(), key);
            self.keys.insert(id, key);
        }
        Ok(())
    }

    /// An operation that flushes first, if autoflush is on, unless it needs no statement. Whether
    /// it did is seen by what it wrote; where there is nothing to write it is all the same.
    fn autoflushed<T: std::fmt::Debug>(&mut self, outcome: &Result<T>) -> Result<bool, Mismatch> {
        let is_refused =
            matches!(outcome, Err(Error::MissingForeignKey { .. } | Error::UniqueViolation(_)));
        // The log is drained by asking: what it says is kept for the comparison.
        let emitted = self.log.emitted();
        let has_written = emitted.iter().any(|statement| !statement.starts_with("SELECT"));
        if !has_written && !is_refused {
            return Ok(false);
        }
        ensure!(self.autoflush, "3.1: {emitted:?} was emitted with autoflush off");
        let expected = self.reference.flush();
        match (&expected, is_refused, outcome) {
            (Ok(_), false, _) => {
                self.note_write();
                self.learn_keys()?;
                Ok(true)
            }
            (Err(refusal), true, Err(error)) if is_refusal(error, *refusal) => {
                ensure!(
                    error.to_string().contains("autoflush"),
                    "3.2: {error} doesn't say that it comes from an autoflush"
                );
                Ok(true)
            }
            _ => Err(format!(
                "the autoflush emitted {emitted:?} and the operation gives {outcome:?}, \
                 the reference {expected:?}"
            )),
        }
    }

    pub(crate) async fn commit(&mut self) -> Result<(), Mismatch> {
        let outcome = self.session.commit().await;
        self.flushed(&outcome)?;
        if outcome.is_ok() {
            self.reference.commit();
            let rows = self.beside.reference.database.rows.iter();
            let keys = rows.map(|(id, row)| (row.kind, self.beside.keys[id]));
            self.beside.used_keys.extend(keys);
            self.let_go();
            self.begin_unit();
            self.compare_committed().await?;
            let again = self.session.commit().await;
            let emitted = self.log.emitted();
            ensure!(
                again.is_ok() && emitted.is_empty(),
                "4.9: a second commit gives {again:?} and emits {emitted:?}"
            );
        }
        Ok(())
    }

    pub(crate) async fn rollback(&mut self) -> Result<(), Mismatch> {
        self.say("session.rollback()".to_owned());
        let outcome = self.session.rollback().await;
        ensure!(outcome.is_ok(), "a rollback gives {outcome:?}");
        self.reference.roll_back();
        self.let_go();
        self.end_level()?;
        self.log.emitted();
        self.compare_committed().await
    }

    fn begin_unit(&mut self) {
        self.levels = vec![Level::default()];
    }

    /// After the rollback of the innermost level: what it had not loaded anew can be read.
    pub(crate) fn end_level(&mut self) -> Result<(), Mismatch> {
        let level = self.levels.pop().unwrap_or_default();
        for id in level.certain {
            let Some(object) = self.objects.get(&id) else { continue };
            let is_row = self.reference.held.get(&id) == Some(&State::Persistent);
            let read = object.columns(self.session);
            let name = self.name(id);
            ensure!(!is_row || read.is_ok(), "1.3: after a rollback {name} gives {read:?}");
        }
        if self.levels.is_empty() {
            self.begin_unit();
        }
        Ok(())
    }

    pub(crate) async fn assign(
        &mut self,
        view: View,
        owner: Pick,
        members: &[Pick],
    ) -> Result<(), Mismatch> {
        let Some((owner, ids, objects)) = self.chosen(view, owner, members) else { return Ok(()) };
        if !self.is_readable(owner) {
            return Ok(());
        }
        let (name, names) = (self.name(owner), self.names(ids.clone()));
        self.say(format!("session[{name}] {} = {names}; session.flush()", path(view)));
        let loaded = self.loaded();
        let assigned = verbs::assign(self.session, self.objects[&owner], view, &objects);
        ensure!(assigned.is_ok(), "assigning gives {assigned:?}");
        // Assigned over, a loaded view is no longer known: the flush reads who was there.
        let is_known = |id, other| (id, other) != (owner, view) && loaded(id, other);
        self.reference.replace(owner, view, &ids, &is_known);
        self.note_filled(view, owner, ids.first().copied());
        self.flush().await
    }

    pub(crate) async fn refresh(&mut self, kind: Kind, object: Pick) -> Result<(), Mismatch> {
        let Some(id) = self.pick(kind, object) else { return Ok(()) };
        let Some(followers) = self.followers(id) else { return Ok(()) };
        self.say(format!("session.refresh({})", self.name(id)));
        let refreshed = each!(self.objects[&id], handle => self.session.refresh(handle).await);
        if !self.reference.is_row(id) {
            ensure!(
                matches!(refreshed, Err(Error::Misuse(_))),
                "10.2: refreshing a pending object gives {refreshed:?}"
            );
            self.log.emitted();
            return Ok(());
        }
        self.discard_all(&followers);
        self.levels.iter_mut().for_each(|level| {
            level.certain.remove(&id);
        });
        if self.autoflushed(&refreshed)? && refreshed.is_err() {
            return Ok(());
        }
        let is_there = self.reference.is_row(id);
        ensure!(
            is_there == refreshed.is_ok() && is_there == self.is_readable(id),
            "10.2: refreshing {} gives {refreshed:?}",
            self.name(id)
        );
        Ok(())
    }

    pub(crate) async fn get(&mut self, kind: Kind, row: Pick) -> Result<(), Mismatch> {
        let rows = self.reference.database.rows.iter().filter(|(_, row)| row.kind == kind);
        let mut ids: Vec<Id> = rows.map(|(id, _)| *id).collect();
        // Rows that were rolled back, too.
        ids.extend(self.live(kind).into_iter().filter(|id| self.keys.contains_key(id)));
        let Some(&id) = ids.get(usize::from(row) % ids.len().max(1)) else { return Ok(()) };
        let key = self.keys[&id];
        self.say(format!("session.get({})", self.name(id)));
        let held = self.reference.is_row(id);
        let is_hit = held && self.is_readable(id);
        let found = verbs::get(self.session, kind, key).await;
        if held {
            let emitted = self.log.emitted();
            let reads = usize::from(!is_hit);
            ensure!(emitted.len() == reads, "2.3: `get` of a held object emits {emitted:?}");
        } else if self.autoflushed(&found)? && found.is_err() {
            return Ok(());
        }
        let is_there = self.reference.database.rows.contains_key(&id);
        match found {
            Ok(Some(object)) if is_there => {
                let found = self.id_of(object)?;
                ensure!(found == id, "`get` of {} gives {}", self.name(id), self.name(found));
                ensure!(self.is_readable(id), "2.3: what `get` gives can't be read");
                Ok(())
            }
            Ok(None) if !is_there => {
                if held {
                    self.reference.held.insert(id, State::Gone);
                }
                Ok(())
            }
            other => Err(format!("`get` gives {other:?}, and the row is there: {is_there}")),
        }
    }

    pub(crate) async fn load(&mut self, view: View, owner: Pick) -> Result<(), Mismatch> {
        let Some(id) = self.pick(ends(view).0, owner) else { return Ok(()) };
        self.say(format!("{}({})", path(view), self.name(id)));
        let object = self.objects[&id];
        let is_readable = self.is_readable(id);
        let is_loaded = self.shown(object, view).is_some();
        let loaded = verbs::load(self.session, object, view).await;
        if !is_readable {
            ensure!(
                matches!(loaded, Err(Error::NotLoaded { .. })),
                "10.1: loading a view of an expired object gives {loaded:?}"
            );
            return Ok(());
        }
        if is_loaded {
            let emitted = self.log.emitted();
            ensure!(emitted.is_empty(), "a view that is loaded emits {emitted:?}");
        } else if self.autoflushed(&loaded)? && self.reference.failed
            || matches!(loaded, Err(Error::MissingForeignKey { .. }))
        {
            return Ok(());
        }
        if !self.reference.is_live(id) {
            ensure!(
                matches!(loaded, Err(Error::Detached { .. })),
                "a view of an object that the autoflush deleted gives {loaded:?}"
            );
            return Ok(());
        }
        let expected = self.reference.shown(id, view);
        match loaded {
            Ok(members) => {
                let members = self.ids_of(members)?;
                ensure!(
                    members == expected,
                    "the load gives {}, the reference {}",
                    self.names(members),
                    self.names(expected)
                );
            }
            Err(Error::NotFound { .. }) if view == (Relation::Tasks, Side::Member) => {
                ensure!(expected.is_empty(), "{} has a person", self.name(id));
            }
            Err(error) => return Err(format!("the load gives {error}")),
        }
        Ok(())
    }

    pub(crate) async fn find(&mut self, kind: Kind, text: char, how: How) -> Result<(), Mismatch> {
        self.say(format!("{kind:?}::select().filter({text:?}){}", suffix(how)));
        let found = verbs::find(self.session, kind, text, how).await;
        let is_wanted = |row: &Row| row.kind == kind && row.text == text;
        if how == How::Again {
            // Without a flush: what it meets loses its edits, and the others keep theirs.
            for id in self.found(is_wanted) {
                self.reference.discard(id);
            }
        }
        self.compare_found(found, is_wanted)?;
        if how != How::Plain {
            // Filled again after a write, memory may show what a rollback undoes.
            for id in self.found(is_wanted) {
                self.levels.iter_mut().for_each(|level| {
                    level.certain.remove(&id);
                });
            }
        }
        Ok(())
    }

    /// The rows that a query finds.
    fn found(&self, is_wanted: impl Fn(&Row) -> bool) -> BTreeSet<Id> {
        let rows = self.reference.database.rows.iter().filter(|(_, row)| is_wanted(row));
        rows.map(|(id, _)| *id).collect()
    }

    pub(crate) async fn find_with(&mut self, view: View, joined: bool) -> Result<(), Mismatch> {
        let kind = ends(view).0;
        let how = if joined { ".joined()" } else { "" };
        self.say(format!("{kind:?}::select().with({}{how})", path(view)));
        let found = verbs::find_with(self.session, view, joined).await;
        let owners = found.as_ref().map_or_else(|_| Vec::new(), Clone::clone);
        self.compare_found(found, |row| row.kind == kind)?;
        for owner in owners {
            let id = self.id_of(owner)?;
            let is_loaded = self.shown(owner, view).is_some();
            ensure!(is_loaded, "11.5: {} of {} is not loaded", path(view), self.name(id));
        }
        Ok(())
    }

    /// A query finds the rows that the database has, once each; all of them can be read.
    fn compare_found(
        &mut self,
        found: Result<Vec<Object>>,
        is_wanted: impl Fn(&Row) -> bool,
    ) -> Result<(), Mismatch> {
        if self.autoflushed(&found)? && found.is_err() {
            return Ok(());
        }
        let found = found.map_err(|error| format!("the query gives {error}"))?;
        let found = self.ids_of(found)?;
        let expected = self.found(is_wanted);
        ensure!(
            found == expected,
            "the query finds {}, the reference {}",
            self.names(found),
            self.names(expected)
        );
        for id in found {
            ensure!(self.is_readable(id), "2.2: {} was met and can't be read", self.name(id));
        }
        Ok(())
    }
}

/// Whether every statement writes to a table that something changed in. Pairs may be written
/// without knowing whether they are there.
fn is_all_needed(writes: &[&String], written: &Written) -> bool {
    writes.iter().all(|statement| {
        let table = statement.rsplit(' ').next().unwrap_or_default();
        let kind = match table {
            "teams" => Kind::Team,
            "badges" => Kind::Badge,
            "people" => Kind::Person,
            "tasks" => Kind::Task,
            "skills" => Kind::Skill,
            _ => return true,
        };
        written.kinds.contains(&kind)
    })
}

impl Beside<'_> {
    /// A flush was refused that something else begins with.
    pub(crate) fn refused_by(&mut self, error: &Error) -> Result<(), Mismatch> {
        self.log.emitted();
        match self.reference.flush() {
            Err(refusal) if is_refusal(error, refusal) => Ok(()),
            expected => Err(format!("the flush gives {error}, and the reference {expected:?}")),
        }
    }
}

/// What the reference's refusals are in the library.
fn is_refusal(error: &Error, refusal: Refusal) -> bool {
    matches!(
        (error, refusal),
        (Error::MissingForeignKey { .. }, Refusal::MissingForeignKey)
            | (Error::UniqueViolation(_), Refusal::UniqueViolation)
    )
}
