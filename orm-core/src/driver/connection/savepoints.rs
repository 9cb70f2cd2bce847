//! Savepoints of the open transaction, one inside the other. They are named by their depth, so
//! that how many are open is all there is to know of them.

use super::{Connection, Transaction};
use crate::driver::StatementKind;
use crate::error::{Error, Result};

impl Connection {
    /// How many savepoints are open.
    pub(crate) fn savepoints(&self) -> usize {
        self.savepoints
    }

    /// How deep the failure of the open transaction reaches: to return to the savepoint with this
    /// number, or to an outer one, repairs it; nothing but a rollback of everything, if it is 0.
    pub(crate) fn failed_at(&self) -> Option<usize> {
        match &self.transaction {
            Transaction::Failed { savepoint, .. } => Some(*savepoint),
            _ => None,
        }
    }

    /// Sets a savepoint inside those that are open.
    ///
    /// # Errors
    /// As [`run`](Self::run); [`Error::Misuse`] outside of a transaction.
    pub(crate) async fn set_savepoint(&mut self) -> Result<()> {
        self.expect_no_failure()?;
        self.take_back().await?;
        if !self.in_transaction() {
            return Err(Error::misuse("a savepoint is set inside of a transaction only"));
        }
        let set = self.control(StatementKind::Savepoint, set(self.savepoints + 1)).await;
        set.map_err(|error| self.note_failure(error))?;
        self.savepoints += 1;
        Ok(())
    }

    /// Forgets the innermost savepoint: what was done since is part of what is around it.
    ///
    /// # Errors
    /// As [`run`](Self::run); [`Error::Misuse`] without a savepoint.
    pub(crate) async fn release_savepoint(&mut self) -> Result<()> {
        self.expect_no_failure()?;
        self.take_back().await?;
        let innermost = self.savepoints;
        if innermost == 0 {
            return Err(Error::misuse("no savepoint is set"));
        }
        let released = self.control(StatementKind::Savepoint, release(innermost)).await;
        released.map_err(|error| self.note_failure(error))?;
        self.savepoints -= 1;
        Ok(())
    }

    /// Undoes and forgets savepoints until no more than so many are open. What has failed inside
    /// of them is repaired by that.
    ///
    /// # Errors
    /// [`Error::RollbackRequired`] if the whole transaction has failed. It has, too, if the
    /// database doesn't return to the savepoint.
    pub(crate) async fn leave_savepoints(&mut self, remaining: usize) -> Result<()> {
        if self.savepoints <= remaining {
            return Ok(());
        }
        self.return_to(remaining + 1).await?;
        let released = self.control(StatementKind::Savepoint, release(remaining + 1)).await;
        released.map_err(|error| self.lose_everything(error))?;
        self.savepoints = remaining;
        Ok(())
    }

    /// Undoes what a failed statement and those before it did, as far as can be: back to the
    /// innermost savepoint, which stays, else to where there is no transaction.
    ///
    /// # Errors
    /// As [`leave_savepoints`](Self::leave_savepoints).
    pub(crate) async fn undo(&mut self) -> Result<()> {
        if self.savepoints > 0 && self.failed_at() != Some(0) {
            return self.return_to(self.savepoints).await;
        }
        self.rollback().await;
        Ok(())
    }

    async fn return_to(&mut self, savepoint: usize) -> Result<()> {
        if let Transaction::Failed { first, savepoint: failed } = &self.transaction
            && *failed < savepoint
        {
            return Err(Error::RollbackRequired { first: first.clone() });
        }
        // The savepoint of a lent connection is inside, and goes with the others.
        let was_lent = std::mem::take(&mut self.lent);
        let returned = match was_lent {
            true => self.after_lending(back_to(savepoint)).await,
            false => self.control(StatementKind::Savepoint, back_to(savepoint)).await,
        };
        returned.map_err(|error| self.lose_everything(error))?;
        self.savepoints = savepoint;
        self.transaction = Transaction::Begun;
        Ok(())
    }

    /// Notes that no savepoint repairs the transaction any more. The first failure is the one
    /// that there was before, if there was any.
    fn lose_everything(&mut self, error: Error) -> Error {
        let former = std::mem::replace(&mut self.transaction, Transaction::Begun);
        self.savepoints = 0;
        let error = self.note_failure(error);
        let first = match former {
            Transaction::Failed { first, .. } => first,
            _ => error.to_string(),
        };
        self.transaction = Transaction::Failed { first: first.clone(), savepoint: 0 };
        Error::RollbackRequired { first }
    }
}

/// Sets the savepoint with this number. The one with the number 0 stands for the transaction, where
/// that is somebody else's.
pub(super) fn set(savepoint: usize) -> String {
    format!("SAVEPOINT orm_{savepoint}")
}

/// Forgets the savepoint with this number and those inside it.
pub(super) fn release(savepoint: usize) -> String {
    format!("RELEASE SAVEPOINT orm_{savepoint}")
}

/// Undoes what was done since the savepoint with this number, which stays.
pub(super) fn back_to(savepoint: usize) -> String {
    format!("ROLLBACK TO SAVEPOINT orm_{savepoint}")
}
