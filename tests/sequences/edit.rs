//! The operations that send nothing: edits, and leaving.

use orm_core::error::Error;
use orm_core::session::ObjectState;

use crate::observe::{Object, each};
use crate::operation::{Operation, Pick, ends, is_scalar, path};
use crate::tables::{Id, Kind, Relation, Side, View};
use crate::trace::{Mismatch, ensure};
use crate::verbs;
use crate::world::World;

impl World<'_, '_> {
    pub(crate) fn edit(&mut self, step: &Operation) -> Result<(), Mismatch> {
        match step {
            Operation::Add(kind, text) => {
                let text = kind.text(*text);
                let object = verbs::add(self.session, *kind, text);
                let id = self.reference.add(*kind, text);
                self.hold(id, object);
                self.say(format!("let {} = session.add({kind:?} {text:?})", self.name(id)));
            }
            Operation::AddTo(relation, owner, text) => self.add_to(*relation, *owner, *text)?,
            Operation::Write(kind, object, text) => {
                let Some(id) = self.pick(*kind, *object) else { return Ok(()) };
                let text = kind.text(*text);
                self.say(format!("session[{}] = {text:?}", self.name(id)));
                let is_readable = self.is_readable(id);
                let written = verbs::write(self.session, self.objects[&id], text);
                ensure!(written.is_ok() == is_readable, "10.1: writing gives {written:?}");
                if is_readable {
                    self.reference.write(id, text);
                }
            }
            Operation::Put(view, owner, member) | Operation::TakeOut(view, owner, member) => {
                let (Some(owner), Some(member)) =
                    (self.pick(ends(*view).0, *owner), self.pick(ends(*view).1, *member))
                else {
                    return Ok(());
                };
                if !self.is_editable(*view, owner, Some(member)) {
                    return Ok(());
                }
                let puts = matches!(step, Operation::Put(..));
                let (verb, name) = (if puts { "put" } else { "remove" }, self.name(owner));
                self.say(format!("session.{verb}({name}, {}, {})", path(*view), self.name(member)));
                let (a, b) = (self.objects[&owner], self.objects[&member]);
                let loaded = self.loaded();
                if puts {
                    verbs::put(self.session, a, *view, b);
                    self.reference.put(owner, *view, member, &loaded);
                    if view.0 == Relation::Badge {
                        self.note_filled(*view, owner, Some(member));
                    }
                } else {
                    verbs::take_out(self.session, a, *view, b);
                    self.reference.take_out(owner, *view, member, &loaded);
                }
            }
            Operation::Replace(view, owner, members) => {
                let Some((owner, ids, objects)) = self.chosen(*view, *owner, members) else {
                    return Ok(());
                };
                let (name, names) = (self.name(owner), self.names(ids.clone()));
                self.say(format!("session.replace({name}, {}, {names})", path(*view)));
                let loaded = self.loaded();
                verbs::replace(self.session, self.objects[&owner], *view, &objects);
                self.reference.replace(owner, *view, &ids, &loaded);
                self.note_filled(*view, owner, ids.first().copied());
            }
            Operation::Delete(kind, object) => {
                let Some(id) = self.pick(*kind, *object) else { return Ok(()) };
                self.say(format!("session.delete({})", self.name(id)));
                each!(self.objects[&id], handle => self.session.delete(handle));
                self.reference.delete(id);
            }
            Operation::Expunge(kind, object) => {
                let Some(id) = self.pick(*kind, *object) else { return Ok(()) };
                let Some(followers) = self.followers(id) else { return Ok(()) };
                self.say(format!("session.expunge({})", self.name(id)));
                each!(self.objects[&id], handle => self.session.expunge(handle));
                for id in followers {
                    if self.objects[&id].state(self.session) == ObjectState::Detached {
                        let object = self.objects[&id];
                        self.gone.push(object);
                        self.expunged.insert(object);
                        self.reference.expunge(id);
                        if !self.reference.held.contains_key(&id) {
                            self.objects.remove(&id);
                        }
                    }
                }
            }
            Operation::Expire(kind, object) => {
                let Some(id) = self.pick(*kind, *object) else { return Ok(()) };
                let Some(followers) = self.followers(id) else { return Ok(()) };
                self.say(format!("session.expire({})", self.name(id)));
                each!(self.objects[&id], handle => self.session.expire(handle));
                if !self.reference.is_row(id) {
                    return Ok(());
                }
                self.discard_all(&followers);
                self.blurred.retain(|(id, _)| !followers.contains(id));
                for follower in followers {
                    ensure!(
                        !self.reference.is_row(follower) || !self.is_readable(follower),
                        "10.1: {} can be read although it was expired",
                        self.name(follower)
                    );
                }
            }
            Operation::ExpireAll => {
                self.say("session.expire_all()".to_owned());
                self.session.expire_all();
                self.blurred.clear();
                let mut rows: Vec<Id> =
                    Kind::ALL.into_iter().flat_map(|kind| self.live(kind)).collect();
                rows.retain(|id| self.reference.is_row(*id));
                self.reference.discard_all(&rows);
                for id in rows {
                    ensure!(!self.is_readable(id), "10.1: {} can be read", self.name(id));
                }
            }
            Operation::UseGone(handle) => {
                let gone = self.gone.get(usize::from(*handle) % self.gone.len().max(1));
                let Some(&object) = gone else { return Ok(()) };
                let read = object.columns(self.session);
                ensure!(
                    matches!(read, Err(Error::Detached { .. })),
                    "1.5: the handle {object:?} of a gone object gives {read:?}"
                );
            }
            _ => {}
        }
        Ok(())
    }

    fn add_to(&mut self, relation: Relation, owner: Pick, text: char) -> Result<(), Mismatch> {
        let (from, to) = relation.ends();
        let Some(owner) = self.pick(from, owner) else { return Ok(()) };
        if !self.is_readable(owner) {
            return Ok(());
        }
        let text = to.text(text);
        let loaded = self.loaded();
        let view = (relation, Side::Owner);
        let object = verbs::put_new(self.session, self.objects[&owner], relation, text);
        let id = self.reference.add(to, text);
        self.reference.put(owner, view, id, &loaded);
        self.hold(id, object);
        let (name, owner) = (self.name(id), self.name(owner));
        self.say(format!("let {name} = session.put({owner}, {}, {to:?} {text:?})", path(view)));
        Ok(())
    }

    /// An owner, and members that it is to have.
    pub(crate) fn chosen(
        &self,
        view: View,
        owner: Pick,
        members: &[Pick],
    ) -> Option<(Id, Vec<Id>, Vec<Object>)> {
        let owner = self.pick(ends(view).0, owner)?;
        let mut ids: Vec<Id> = Vec::new();
        for member in members {
            let id = self.pick(ends(view).1, *member)?;
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        if is_scalar(view) {
            ids.truncate(1);
        }
        let shown = self.reference.memory.rows.keys().filter(|id| self.objects.contains_key(id));
        let leaving = shown.copied().filter(|id| self.reference.shown(owner, view).contains(id));
        let all_editable = ids
            .iter()
            .copied()
            .chain(leaving)
            .all(|member| self.is_editable(view, owner, Some(member)));
        if !all_editable || !self.is_editable(view, owner, None) {
            return None;
        }
        let objects = ids.iter().map(|id| self.objects[id]).collect();
        Some((owner, ids, objects))
    }

    /// Discards the edits of a row and of those that follow it; who is pending leaves.
    pub(crate) fn discard_all(&mut self, followers: &[Id]) {
        let (rows, pending): (Vec<Id>, Vec<Id>) =
            followers.iter().partition(|id| self.reference.is_row(**id));
        for id in pending {
            self.reference.expunge(id);
        }
        self.reference.discard_all(&rows);
    }

    /// Those whom a cascade over members that are known may reach from an object: `all`. `None` if
    /// it can't be seen whether one of the views is loaded.
    pub(crate) fn followers(&self, id: Id) -> Option<Vec<Id>> {
        let mut reached = vec![id];
        let mut next = 0;
        while let Some(&id) = reached.get(next) {
            next += 1;
            for relation in Relation::ALL.into_iter().filter(|relation| relation.cascades()) {
                if self.blurred.contains(&(id, (relation, Side::Owner))) {
                    return None;
                }
                // A pending object has the members that it was given, whether it shows them or not.
                let members = match self.reference.is_row(id) {
                    true => self.held_members(id, relation),
                    false => self.reference.memory.children(relation, id),
                };
                let new = members.into_iter().filter(|member| !reached.contains(member));
                reached.extend(new.collect::<Vec<Id>>());
            }
        }
        Some(reached)
    }

    /// Members that a loaded view shows. One that the test has no handle of has no edits either.
    fn held_members(&self, owner: Id, relation: Relation) -> Vec<Id> {
        let shown = self.shown(self.objects[&owner], (relation, Side::Owner)).unwrap_or_default();
        let held = self.objects.iter().filter(|(_, object)| shown.contains(object));
        held.map(|(id, _)| *id).collect()
    }
}
