//! What kind of thread the caller is on: who waits while a statement runs there.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::runtime::{Handle, RuntimeFlavor};

/// Who waits while the caller's thread is busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ground {
    /// Nobody: there is no runtime.
    Free,
    /// The tasks of one of several workers, which another thread can stand in for.
    Worker,
    /// All tasks of a runtime, or of a set of them that stays on this thread.
    Only,
}

/// Whether tokio has refused that a thread is stood in for. It does in a `LocalSet`, which can't be
/// told from outside.
#[derive(Debug, Default)]
pub(super) struct Refusals(AtomicBool);

impl Ground {
    /// Where the caller is.
    pub(super) fn of_caller(refusals: &Refusals) -> Self {
        match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
            Err(_) => Self::Free,
            Ok(RuntimeFlavor::MultiThread) if !refusals.0.load(Ordering::Relaxed) => Self::Worker,
            Ok(_) => Self::Only,
        }
    }
}

impl Refusals {
    /// Does what may take long on a [`Ground::Worker`], while another thread stands in. None if
    /// tokio refuses that, before anything is done; it isn't asked again then.
    pub(super) fn block_in_place<R>(&self, work: impl FnOnce() -> R) -> Option<R> {
        let mut work = Some(work);
        let attempt =
            AssertUnwindSafe(|| tokio::task::block_in_place(|| work.take().map(|work| work())));
        match catch_unwind(attempt) {
            Ok(outcome) => outcome,
            Err(panic) if work.is_none() => resume_unwind(panic),
            Err(_) => {
                self.0.store(true, Ordering::Relaxed);
                None
            }
        }
    }
}
