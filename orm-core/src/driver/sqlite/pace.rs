//! How long statements have taken: what decides where they run.

use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashMap;

/// A statement that takes less runs where the caller is: others on the same thread hardly notice.
pub(super) const BRIEF: Duration = Duration::from_micros(400);

/// How many texts are remembered.
const TEXTS: usize = 512;

/// Whether a statement is brief, as far as that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    Unknown,
    Brief,
    Long,
}

/// How long the statements of one connection took when they were last run.
#[derive(Debug, Default)]
pub(super) struct Paces(HashMap<Arc<str>, Pace, foldhash::fast::FixedState>);

impl Paces {
    /// What is known of a text.
    pub(super) fn of(&self, text: &str) -> Pace {
        self.0.get(text).copied().unwrap_or(Pace::Unknown)
    }

    /// Notes how long a statement took, given what was known of it.
    pub(super) fn note(&mut self, text: &Arc<str>, known: Pace, took: Duration) {
        // A text stays what it is as long as it is near the limit.
        let pace = match known {
            Pace::Brief if took < BRIEF => Pace::Brief,
            Pace::Unknown | Pace::Long if took < BRIEF / 2 => Pace::Brief,
            _ => Pace::Long,
        };
        if pace == known {
            return;
        }
        if self.0.len() >= TEXTS && !self.0.contains_key(text) {
            self.0.clear();
        }
        self.0.insert(Arc::clone(text), pace);
    }
}
