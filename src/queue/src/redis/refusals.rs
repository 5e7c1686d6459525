//! What the log says of a store that is there and does not do what it is asked.
//!
//! Programs notice by themselves when the store does not answer at all. A store that answers, and
//! refuses what is to be stored, looks well to them: it is said here, once a minute at most.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long the same is not said again.
const SILENCE: Duration = Duration::from_secs(60);

/// What was said last, and when.
#[derive(Default)]
pub(super) struct Refusals(Mutex<Option<(String, Instant)>>);

impl Refusals {
    /// Says why the store has refused a step, unless that was said a short while ago.
    pub(super) fn say(&self, store: &str, reason: &str) {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = |(known, at): &(String, Instant)| known == reason && at.elapsed() < SILENCE;
        if !said.as_ref().is_some_and(is_known) {
            tracing::warn!(store, reason, "the store refuses");
            *said = Some((reason.to_owned(), Instant::now()));
        }
    }
}
