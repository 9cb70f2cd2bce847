//! Memory and rows beside those of the reference.

use std::collections::{BTreeMap, BTreeSet};

use orm_core::Session;
use orm_core::error::{Error, Result};
use orm_core::session::ObjectState;

use crate::models::*;
use crate::observe::{Columns, Object, letter, views_of};
use crate::operation::path;
use crate::reference::State;
use crate::tables::{Id, Kind, Tables};
use crate::trace::{Mismatch, ensure};
use crate::world::World;

impl World<'_, '_> {
    /// What memory shows is what the reference holds.
    pub(crate) fn compare(&mut self) -> Result<(), Mismatch> {
        for (id, object) in self.objects.clone() {
            self.compare_object(id, object)?;
        }
        for object in &self.gone {
            let state = object.state(self.session);
            ensure!(state == ObjectState::Detached, "1.5: a gone {object:?} is {state:?}");
        }
        let blurred = std::mem::take(&mut self.blurred).into_iter();
        let is_hidden = |id: Id| self.reference.is_live(id) && !self.is_readable(id);
        let blurred = blurred.filter(|(id, _)| is_hidden(*id)).collect();
        self.blurred = blurred;
        let held = self.reference.held.iter();
        let is_readable = |(id, state): &(&Id, &State)| match state {
            State::Persistent => self.is_readable(**id),
            State::Deleted => true,
            State::Pending | State::Gone => false,
        };
        let readable: BTreeSet<Id> = held.filter(is_readable).map(|(id, _)| *id).collect();
        for level in &mut self.levels {
            if level.has_written {
                level.certain.retain(|id| readable.contains(id));
            } else {
                level.certain.clone_from(&readable);
            }
        }
        Ok(())
    }

    fn compare_object(&mut self, id: Id, object: Object) -> Result<(), Mismatch> {
        let name = self.name(id);
        let state = object.state(self.session);
        let held = self.reference.held[&id];
        let expected = match held {
            State::Pending => ObjectState::Pending,
            State::Persistent if self.reference.marked.contains(&id) => ObjectState::Deleted,
            State::Persistent => ObjectState::Persistent,
            State::Deleted => ObjectState::Deleted,
            State::Gone => ObjectState::Detached,
        };
        ensure!(state == expected, "1.1: {name} is {state:?}, the reference says {expected:?}");
        let read = object.columns(self.session);
        if matches!(held, State::Deleted | State::Gone) {
            ensure!(matches!(read, Err(Error::Detached { .. })), "1.5: {name} gives {read:?}");
            return Ok(());
        }
        let columns = match read {
            Ok(columns) => columns,
            Err(Error::NotLoaded { .. }) if held == State::Persistent => return Ok(()),
            Err(error) => return Err(format!("{name} can't be read: {error}")),
        };
        let Some(row) = self.reference.memory.rows.get(&id) else {
            return Err(format!("1.4: {name} can be read, and its row is gone"));
        };
        if held == State::Persistent {
            let parent = self.reference.database.parent(id).map(|parent| self.keys[&parent]);
            let expected = Columns { text: row.text, parent, version: row.version };
            ensure!(columns == expected, "{name} reads {columns:?}, and should {expected:?}");
        } else {
            ensure!(columns.text == row.text, "{name} reads {columns:?}, and should {row:?}");
        }
        for view in views_of(object.kind()) {
            let Some(shown) = self.shown(object, view) else { continue };
            let shown = self.ids_of(shown)?;
            let expected = self.reference.shown(id, view);
            ensure!(
                shown == expected,
                "{} of {name} shows {}, and should {}",
                path(view),
                self.names(shown),
                self.names(expected)
            );
        }
        Ok(())
    }

    /// The rows that the session's transaction sees are those of the reference.
    pub(crate) async fn compare_rows(&mut self) -> Result<(), Mismatch> {
        self.session.autoflush(false);
        let rows = Rows::read(self.session).await;
        self.session.autoflush(self.beside.autoflush);
        self.log.emitted();
        self.expect(rows, "after the flush")
    }

    /// The rows that another session sees are those of the reference.
    pub(crate) async fn compare_committed(&mut self) -> Result<(), Mismatch> {
        let rows = Rows::read(&mut self.db.session()).await;
        self.log.emitted();
        self.expect(rows, "for another session")
    }

    fn expect(&self, rows: Result<Rows>, when: &str) -> Result<(), Mismatch> {
        let rows = rows.map_err(|error| format!("reading the rows gives {error}"))?;
        let expected = Rows::of(&self.reference.database, &self.keys);
        ensure!(rows == expected, "the rows are, {when}, {rows:?}, and should be {expected:?}");
        Ok(())
    }
}

/// All rows of all tables, in order.
#[derive(Debug, PartialEq, Eq)]
struct Rows {
    rows: BTreeMap<(Kind, i64), Columns>,
    pairs: BTreeSet<(i64, i64)>,
}

impl Rows {
    fn of(tables: &Tables, keys: &BTreeMap<Id, i64>) -> Self {
        let rows = tables.rows.iter().map(|(id, row)| {
            let parent = row.parent.map(|parent| keys[&parent]);
            ((row.kind, keys[id]), Columns { text: row.text, parent, version: row.version })
        });
        let pairs = tables.pairs.iter().map(|(person, skill)| (keys[person], keys[skill]));
        Self { rows: rows.collect(), pairs: pairs.collect() }
    }

    /// Reads columns, not objects: nothing in the session's memory changes.
    async fn read(session: &mut Session) -> Result<Self> {
        let mut rows = BTreeMap::new();
        let mut add = |kind, key, text: Option<&str>, parent, version| {
            rows.insert((kind, key), Columns { text: letter(text), parent, version });
        };
        for (key, name) in Team::select().columns((Team::id, Team::name)).all(session).await? {
            add(Kind::Team, key, Some(&name), None, 1);
        }
        let badges = Badge::select().columns((Badge::id, Badge::text, Badge::team_id));
        for (key, text, team) in badges.all(session).await? {
            add(Kind::Badge, key, Some(&text), team, 1);
        }
        let columns = (Person::id, Person::name, Person::team_id, Person::version);
        for (key, name, team, version) in Person::select().columns(columns).all(session).await? {
            add(Kind::Person, key, Some(&name), team, version);
        }
        let tasks = Task::select().columns((Task::id, Task::title, Task::person_id));
        for (key, title, person) in tasks.all(session).await? {
            add(Kind::Task, key, Some(&title), Some(person), 1);
        }
        let skills = Skill::select().columns((Skill::id, Skill::code, Skill::parent_id));
        for (key, code, parent) in skills.all(session).await? {
            add(Kind::Skill, key, code.as_deref(), parent, 1);
        }
        let pairs = PersonSkill::select().columns((PersonSkill::person_id, PersonSkill::skill_id));
        let pairs = pairs.all(session).await?.into_iter().collect();
        Ok(Self { rows, pairs })
    }
}
