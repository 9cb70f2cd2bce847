//! Does each operation on a session and on the reference, and compares the two.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::{Deref, DerefMut};
use std::slice::Iter;

use orm_core::Session;
use orm_core::error::Error;
use orm_tests::{Database, Log};

use crate::observe::{Object, views_of};
use crate::operation::{End, Operation, Pick};
use crate::reference::{Reference, State};
use crate::tables::{Id, Kind, Relation, Side, View};
use crate::trace::{Mismatch, Trace, ensure};

/// A session, or a savepoint of it, and what stands beside it.
pub(crate) struct World<'w, 'd> {
    pub(crate) session: &'w mut Session,
    pub(crate) beside: &'w mut Beside<'d>,
}

/// The reference of a session, and which of the session's objects are which of the reference's.
pub(crate) struct Beside<'d> {
    pub(crate) db: &'d Database,
    pub(crate) log: Log,
    pub(crate) autoflush: bool,
    pub(crate) reference: Reference,
    pub(crate) objects: BTreeMap<Id, Object>,
    pub(crate) keys: BTreeMap<Id, i64>,
    /// Handles whose object is gone.
    pub(crate) gone: Vec<Object>,
    /// Those of them that were expunged.
    pub(crate) expunged: HashSet<Object>,
    /// Views of expired objects that an edit has filled: whether they are loaded can't be seen.
    pub(crate) blurred: BTreeSet<(Id, View)>,
    /// The keys of rows that were committed once: the database gives them to no other row.
    pub(crate) used_keys: BTreeSet<(Kind, i64)>,
    /// The unit of work, and the open savepoints.
    pub(crate) levels: Vec<Level>,
    pub(crate) trace: Trace,
}

/// What can be undone alone.
#[derive(Clone, Default)]
pub(crate) struct Level {
    /// Whether anything was written in it.
    pub(crate) has_written: bool,
    /// Rows whose memory its rollback must keep readable (SEMANTICS 1.3): they were last loaded
    /// before its first write.
    pub(crate) certain: BTreeSet<Id>,
}

impl<'d> Deref for World<'_, 'd> {
    type Target = Beside<'d>;
    fn deref(&self) -> &Beside<'d> {
        self.beside
    }
}

impl DerefMut for World<'_, '_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.beside
    }
}

/// Runs a sequence in an empty database.
pub(crate) async fn live(db: &Database, steps: &[Operation], trace: Trace) -> Result<(), Mismatch> {
    empty(db).await.map_err(|error| error.to_string())?;
    let mut session = db.session();
    let mut beside = Beside {
        db,
        log: db.log(),
        autoflush: true,
        reference: Reference::default(),
        objects: BTreeMap::new(),
        keys: BTreeMap::new(),
        gone: Vec::new(),
        expunged: HashSet::new(),
        blurred: BTreeSet::new(),
        used_keys: BTreeSet::new(),
        levels: vec![Level::default()],
        trace,
    };
    let mut world = World { session: &mut session, beside: &mut beside };
    world.run(&mut steps.iter()).await?;
    world.say("session.commit()".to_owned());
    world.commit().await?;
    world.compare()
}

async fn empty(db: &Database) -> Result<(), sqlx::Error> {
    db.run(
        "DELETE FROM person_skills; UPDATE skills SET parent_id = NULL; DELETE FROM skills; \
         DELETE FROM tasks; DELETE FROM people; DELETE FROM badges; DELETE FROM teams;",
    )
    .await
}

// ---------------------------------------------------------------- objects by their numbers

impl World<'_, '_> {
    pub(crate) fn name(&self, id: Id) -> String {
        let kind = self.objects.get(&id).map(|object| object.kind());
        let kind = kind.or(self.reference.database.rows.get(&id).map(|row| row.kind));
        kind.map_or_else(|| format!("#{id}"), |kind| format!("{kind:?}{id}").to_lowercase())
    }

    pub(crate) fn names(&self, ids: impl IntoIterator<Item = Id>) -> String {
        let names: Vec<String> = ids.into_iter().map(|id| self.name(id)).collect();
        format!("[{}]", names.join(", "))
    }

    pub(crate) fn say(&self, line: String) {
        self.trace.add(line);
    }

    /// The objects of a model that can be worked with.
    pub(crate) fn live(&self, kind: Kind) -> Vec<Id> {
        let of_kind = |id: &&Id| self.objects[*id].kind() == kind && self.reference.is_live(**id);
        self.objects.keys().filter(of_kind).copied().collect()
    }

    pub(crate) fn pick(&self, kind: Kind, pick: Pick) -> Option<Id> {
        let live = self.live(kind);
        live.get(usize::from(pick) % live.len().max(1)).copied()
    }

    pub(crate) fn is_readable(&self, id: Id) -> bool {
        self.objects[&id].is_readable(self.session)
    }

    /// What a view shows. One with an object that was expunged since is no longer the whole: the
    /// next load of it reads anew.
    pub(crate) fn shown(&self, object: Object, view: View) -> Option<Vec<Object>> {
        let shown = object.shown(self.session, view)?;
        let is_whole = !shown.iter().any(|member| self.expunged.contains(member));
        is_whole.then_some(shown)
    }

    /// Whether a view can be edited: a row whose own columns that changes has to be loaded before.
    pub(crate) fn is_editable(&self, view: View, owner: Id, member: Option<Id>) -> bool {
        let child = match view {
            (Relation::Skills, _) => None,
            (_, Side::Owner) => member,
            (_, Side::Member) => Some(owner),
        };
        let filled = filled_by(view, owner, member);
        child.is_none_or(|child| self.is_readable(child))
            && filled.is_none_or(|filled| !self.blurred.contains(&filled))
    }

    /// After an edit that fills a view, loaded before or not.
    pub(crate) fn note_filled(&mut self, view: View, owner: Id, member: Option<Id>) {
        let filled = filled_by(view, owner, member);
        let filled = filled.filter(|(holder, _)| !self.is_readable(*holder));
        self.blurred.extend(filled);
    }

    /// The views that are loaded now.
    pub(crate) fn loaded(&self) -> impl Fn(Id, View) -> bool + use<> {
        let mut loaded = BTreeSet::new();
        for (id, object) in &self.objects {
            for view in views_of(object.kind()) {
                if self.reference.is_live(*id) && self.shown(*object, view).is_some() {
                    loaded.insert((*id, view));
                }
            }
        }
        move |id, view| loaded.contains(&(id, view))
    }

    /// The number of an object that the session gave: known already, or one of a row.
    pub(crate) fn id_of(&mut self, object: Object) -> Result<Id, Mismatch> {
        let held = self.objects.iter().find(|(id, held)| {
            **held == object
                && self.reference.held.get(id).is_some_and(|state| *state != State::Gone)
        });
        if let Some((id, _)) = held {
            return Ok(*id);
        }
        let key = object.key(self.session);
        let rows = &self.reference.database.rows;
        let row = rows.iter().find(|(id, row)| {
            row.kind == object.kind() && key.is_some() && self.keys.get(id) == key.as_ref()
        });
        let Some((&id, _)) = row else {
            return Err(format!("{object:?} with the key {key:?} is no row of the reference"));
        };
        ensure!(
            !self.reference.held.contains_key(&id),
            "2.1: {} has a second handle, {object:?}",
            self.name(id)
        );
        self.objects.insert(id, object);
        self.reference.held.insert(id, State::Persistent);
        Ok(id)
    }

    pub(crate) fn ids_of(&mut self, objects: Vec<Object>) -> Result<BTreeSet<Id>, Mismatch> {
        let count = objects.len();
        let ids: BTreeSet<Id> =
            objects.into_iter().map(|object| self.id_of(object)).collect::<Result<_, _>>()?;
        ensure!(ids.len() == count, "{} comes more than once", self.names(ids));
        Ok(ids)
    }

    pub(crate) fn hold(&mut self, id: Id, object: Object) {
        self.objects.insert(id, object);
    }

    /// Handles of objects that are no longer held.
    pub(crate) fn let_go(&mut self) {
        let held = &self.reference.held;
        let is_gone = |id: &Id| held.get(id).is_none_or(|state| *state == State::Gone);
        let gone: Vec<Id> = self.objects.keys().copied().filter(is_gone).collect();
        for id in gone {
            let object = self.objects.remove(&id);
            self.gone.extend(object);
            self.reference.held.remove(&id);
            self.levels.iter_mut().for_each(|level| {
                level.certain.remove(&id);
            });
        }
    }
}

/// The view of several members, or of a team's badge, in which an edit puts the members.
fn filled_by(view: View, owner: Id, member: Option<Id>) -> Option<(Id, View)> {
    match view {
        (Relation::Badge, Side::Member) => Some((member?, (Relation::Badge, Side::Owner))),
        (_, Side::Owner) | (Relation::Skills, _) => Some((owner, view)),
        (_, Side::Member) => None,
    }
}

// ---------------------------------------------------------------- steps

impl World<'_, '_> {
    /// Runs the steps up to the end of the savepoint that this is, and says how that ends.
    pub(crate) async fn run(&mut self, steps: &mut Iter<'_, Operation>) -> Result<End, Mismatch> {
        while let Some(step) = steps.next() {
            let is_inside = self.levels.len() > 1;
            match step {
                Operation::End(end) if is_inside => return Ok(*end),
                Operation::End(_) => {}
                Operation::Savepoint => self.savepoint(steps).await?,
                step => self.step(step).await?,
            }
            if self.reference.failed {
                if is_inside {
                    return Ok(End::Rollback);
                }
                self.rollback().await?;
                self.let_go();
                self.compare()?;
            }
        }
        Ok(End::Commit)
    }

    async fn step(&mut self, step: &Operation) -> Result<(), Mismatch> {
        self.act(step).await?;
        self.let_go();
        self.compare()?;
        if self.reference.failed {
            let again = self.session.flush().await;
            ensure!(
                matches!(again, Err(Error::RollbackRequired { .. })),
                "9.2: after a failure a flush gives {again:?}"
            );
        }
        Ok(())
    }

    async fn act(&mut self, step: &Operation) -> Result<(), Mismatch> {
        match step {
            Operation::Add(..)
            | Operation::AddTo(..)
            | Operation::Write(..)
            | Operation::Put(..)
            | Operation::TakeOut(..)
            | Operation::Replace(..)
            | Operation::Delete(..)
            | Operation::Expunge(..)
            | Operation::Expire(..)
            | Operation::ExpireAll
            | Operation::UseGone(..) => {
                self.edit(step)?;
                let emitted = self.log.emitted();
                ensure!(emitted.is_empty(), "an edit emits {emitted:?}");
                Ok(())
            }
            Operation::Assign(view, owner, members) => self.assign(*view, *owner, members).await,
            Operation::Refresh(kind, object) => self.refresh(*kind, *object).await,
            Operation::Get(kind, row) => self.get(*kind, *row).await,
            Operation::Load(view, owner) => self.load(*view, *owner).await,
            Operation::Find(kind, text, how) => self.find(*kind, *text, *how).await,
            Operation::FindWith(view, joined) => self.find_with(*view, *joined).await,
            Operation::Merge(kind, tree) => self.merge(*kind, tree).await,
            Operation::MergeRow(kind, row, text) => self.merge_row(*kind, *row, *text).await,
            Operation::FindOrAdd(codes) => self.find_or_add(codes).await,
            Operation::Update(kind, from, to) => self.update(*kind, *from, *to).await,
            Operation::DeleteAll(kind, text) => self.delete_all(*kind, *text).await,
            Operation::Autoflush(on) => {
                self.say(format!("session.autoflush({on})"));
                self.session.autoflush(*on);
                self.autoflush = *on;
                Ok(())
            }
            Operation::Commit | Operation::Rollback | Operation::Forget
                if self.levels.len() > 1 =>
            {
                self.refused(step).await
            }
            Operation::Flush => {
                self.say("session.flush()".to_owned());
                self.flush().await
            }
            Operation::Commit => {
                self.say("session.commit()".to_owned());
                self.commit().await
            }
            Operation::Rollback => self.rollback().await,
            Operation::Forget => {
                self.say("session.commit()".to_owned());
                self.commit().await?;
                if self.reference.is_edited() || self.reference.failed {
                    return Ok(());
                }
                self.say("session = sessions.session()".to_owned());
                let session = self.db.session();
                *self.session = session;
                self.session.autoflush(self.beside.autoflush);
                self.reference.forget();
                self.objects.clear();
                self.gone.clear();
                Ok(())
            }
            Operation::Savepoint | Operation::End(_) => Ok(()),
        }
    }
}
