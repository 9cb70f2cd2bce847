//! Running the hooks of a model on one of its objects.

use super::arena::ObjectId;
use super::rows::Met;
use super::store::Store;
use crate::error::Result;
use crate::model::{HookContext, HookOperation};

impl Store {
    /// Whether any model that has objects here has hooks.
    pub(crate) fn has_hooks(&self) -> bool {
        self.arenas().any(|arena| self.arena_at(arena).table.hooks().is_some())
    }

    /// Runs the hook of an operation on an object that is about to be written, so that what it
    /// changes counts as an edit. Nothing to do if the model has none.
    pub(crate) fn run_hook(
        &mut self,
        object: ObjectId,
        operation: HookOperation,
        columns: &[usize],
    ) -> Result<()> {
        let (table, handle) = (self.table(object), self.any_handle(object));
        let Some(hooks) = table.hooks() else { return Ok(()) };
        self.touch(object);
        let Self { arenas, info, .. } = self;
        let context = HookContext::new(operation, Some(handle), table, columns, info);
        hooks.run(arenas[object.arena as usize].storage.model_mut(object.slot), &context)
    }

    /// Runs the hook of an object whose row has just been read. What it changes in columns is an
    /// edit; an object that it refuses is not loaded.
    pub(super) fn after_load(&mut self, object: ObjectId, met: Met) -> Result<()> {
        let outcome = self.run_hook(object, HookOperation::Load, &[]);
        match (&outcome, met) {
            (Ok(()), _) if self.is_edited(object) => {}
            (Ok(()), _) => self.forget_touch(object),
            (Err(_), Met::New) => self.free(&[object]),
            (Err(_), _) => {
                self.discard_changes(object);
                self.forget_touch(object);
                self.header_mut(object).expired = true;
            }
        }
        outcome
    }

    /// Forgets that an object was touched, which mostly was the latest that happened.
    fn forget_touch(&mut self, object: ObjectId) {
        self.forget_changes(object);
        match self.touched.last() {
            Some(last) if *last == object => {
                self.touched.pop();
            }
            _ => self.touched.retain(|other| *other != object),
        }
    }
}
