//! Bulk statements and `find_or_add`.

use orm_core::error::Result;

use crate::reference::Refusal;
use crate::tables::{Id, Kind};
use crate::trace::{Mismatch, ensure};
use crate::verbs;
use crate::world::World;

impl World<'_, '_> {
    pub(crate) async fn update(
        &mut self,
        kind: Kind,
        from: char,
        to: char,
    ) -> Result<(), Mismatch> {
        self.say(format!("{kind:?}::update().set({to:?}).filter({from:?})"));
        let updated = verbs::bulk::update(self.session, kind, from, to).await;
        if self.flushed_first(&updated, self.autoflush)? {
            return Ok(());
        }
        let expected = self.reference.update_all(kind, from, to);
        self.found_rows(updated, expected)
    }

    pub(crate) async fn delete_all(&mut self, kind: Kind, text: char) -> Result<(), Mismatch> {
        self.say(format!("{kind:?}::delete().filter({text:?})"));
        let deleted = verbs::bulk::delete(self.session, kind, text).await;
        if self.flushed_first(&deleted, self.autoflush)? {
            return Ok(());
        }
        let expected = self.reference.delete_all(kind, text);
        self.found_rows(deleted, expected)
    }

    fn found_rows(&self, found: Result<u64>, expected: u64) -> Result<(), Mismatch> {
        ensure!(
            matches!(found, Ok(found) if found == expected),
            "12.1: the statement gives {found:?}, the reference {expected}"
        );
        Ok(())
    }

    pub(crate) async fn find_or_add(&mut self, codes: &[char]) -> Result<(), Mismatch> {
        self.say(format!("session.find_or_add(Skill::code, {codes:?})"));
        let found = verbs::bulk::find_or_add(self.session, codes).await;
        if self.flushed_first(&found, true)? {
            return Ok(());
        }
        let found = found.map_err(|error| format!("12.4: it gives {error}"))?;
        let mut distinct: Vec<char> = Vec::new();
        for code in codes {
            if !distinct.contains(code) {
                distinct.push(*code);
            }
        }
        ensure!(found.len() == distinct.len(), "12.4: {} objects are given", found.len());
        for (code, object) in distinct.into_iter().zip(found) {
            let skills = &self.reference.database.rows;
            let mut known = skills.iter().filter(|(_, row)| row.kind == Kind::Skill);
            let known: Option<Id> = known.find(|(_, row)| row.text == code).map(|(id, _)| *id);
            match known {
                Some(known) => {
                    let id = self.id_of(object)?;
                    ensure!(id == known, "12.4: {code:?} gives {}", self.name(id));
                }
                None => {
                    let id = self.reference.add(Kind::Skill, code);
                    self.hold(id, object);
                }
            }
        }
        let inserted: Result<_, Refusal> = self.reference.flush();
        ensure!(inserted.is_ok(), "12.4: the reference is {inserted:?}");
        self.learn_keys()
    }
}
