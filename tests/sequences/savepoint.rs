//! Savepoints: a world inside a world, up to where its guard ends.

use std::future::Future;
use std::pin::Pin;
use std::slice::Iter;

use orm_core::error::Error;

use crate::operation::{End, Operation};
use crate::trace::{Mismatch, ensure};
use crate::world::{Level, World};

/// How deep savepoints nest.
const DEPTH: usize = 3;

impl World<'_, '_> {
    /// Sets a savepoint, runs the steps inside it, and ends it. In a box: it may be inside one
    /// itself.
    pub(crate) fn savepoint<'f>(
        &'f mut self,
        steps: &'f mut Iter<'_, Operation>,
    ) -> Pin<Box<dyn Future<Output = Result<(), Mismatch>> + Send + 'f>> {
        Box::pin(async move {
            if self.levels.len() > DEPTH {
                return Ok(());
            }
            self.say("savepoint = session.savepoint()".to_owned());
            let mut guard = match self.session.savepoint().await {
                Ok(guard) => guard,
                Err(error) => return self.beside.refused_by(&error),
            };
            let mut inside = World { session: &mut guard, beside: self.beside };
            inside.flushed(&Ok(()))?;
            inside.reference.set_savepoint();
            inside.levels.push(Level::default());
            inside.let_go();
            inside.compare()?;
            let end = inside.run(steps).await?;
            let has_failed = inside.reference.failed;
            match end {
                End::Commit if !has_failed => {
                    self.beside.trace.add("savepoint.commit()".to_owned());
                    let outcome = guard.commit().await;
                    self.released(outcome)?;
                }
                End::Commit | End::Rollback => {
                    self.beside.trace.add("savepoint.rollback()".to_owned());
                    let outcome = guard.rollback().await;
                    ensure!(outcome.is_ok(), "9.3: a savepoint's rollback gives {outcome:?}");
                    self.undone()?;
                }
                End::Drop => {
                    self.beside.trace.add("drop(savepoint)".to_owned());
                    drop(guard);
                    self.undone()?;
                }
            }
            self.let_go();
            self.compare()?;
            self.compare_rows().await
        })
    }

    /// A savepoint was committed, or undone by the flush that it begins with.
    fn released(&mut self, outcome: orm_core::Result<()>) -> Result<(), Mismatch> {
        self.flushed(&outcome)?;
        if outcome.is_err() {
            return self.undone();
        }
        self.reference.release_savepoint();
        // What was loaded in it counts for what is around it.
        self.levels.pop();
        Ok(())
    }

    fn undone(&mut self) -> Result<(), Mismatch> {
        self.log.emitted();
        self.reference.undo_savepoint();
        self.end_level()
    }

    /// The session's own end is refused while a savepoint is open.
    pub(crate) async fn refused(&mut self, step: &Operation) -> Result<(), Mismatch> {
        self.say(format!("{step:?}"));
        let outcome = match step {
            Operation::Rollback => self.session.rollback().await,
            _ => self.session.commit().await,
        };
        let emitted = self.log.emitted();
        ensure!(
            matches!(outcome, Err(Error::Misuse(_))) && emitted.is_empty(),
            "9.3: inside a savepoint it gives {outcome:?} and emits {emitted:?}"
        );
        Ok(())
    }
}
