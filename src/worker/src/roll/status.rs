//! How it goes with the roll of this process: what its probes and its reports say of it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use muster_queue::RollProblem;

use super::Error;

/// How long the file system may take for a step. Long writings take many steps.
const STEP_MAX: Duration = Duration::from_secs(5);

/// How long the store may be unavailable for the roll before that is a problem of the roll: it is not ready
/// for other reasons if it is really away.
const AWAY_MAX: Duration = Duration::from_secs(5);

/// How it goes with the roll.
#[derive(Debug, Default)]
pub(super) struct Status(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Whether the roll was checked, or written, once.
    is_checked: bool,
    problem: Option<RollProblem>,
    /// What tells this problem from others, though its words change.
    kind: String,
    /// Since when the store has not answered what the roll needs.
    away: Option<Instant>,
    /// When the step of the file system began that is under way.
    step: Option<Instant>,
}

/// What a check of the roll found, if nothing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// The roll can be written.
    Well,
    /// Another writer is at work: it finds out.
    Unknown,
}

/// A step of the file system, which is under way until this is dropped.
pub(super) struct Step<'a>(&'a Status);

impl Status {
    /// Why the roll cannot be written, if it cannot.
    pub(super) fn problem(&self) -> Option<RollProblem> {
        let state = self.lock();
        let stuck = state.step.map(|began| began.elapsed()).filter(|taken| *taken > STEP_MAX);
        let stuck = stuck.map(|taken| RollProblem {
            reason: "the file system of its folder does not answer".to_owned(),
            since: SystemTime::now() - taken,
        });
        stuck.or_else(|| state.problem.clone())
    }

    /// Notes how a check or a writing ended. Returns whether that is another problem than before, or the
    /// end of one. A check that could not look, because another writer was at work, changes nothing.
    pub(super) fn ended(&self, result: &Result<Look, Error>) -> bool {
        let mut state = self.lock();
        match result {
            Ok(Look::Unknown) => {
                state.away = None;
                return false;
            }
            Err(Error::Queue(muster_queue::Error::Unavailable { .. })) => {
                if state.away.get_or_insert_with(Instant::now).elapsed() < AWAY_MAX {
                    return false;
                }
            }
            _ => state.away = None,
        }
        state.is_checked = true;
        let (kind, reason) = match result {
            Ok(_) => (String::new(), None),
            Err(error) => (error.kind(), Some(error.to_string())),
        };
        if state.kind == kind {
            return false;
        }
        let since = state.problem.as_ref().map_or_else(SystemTime::now, |problem| problem.since);
        state.problem = reason.map(|reason| RollProblem { reason, since });
        state.kind = kind;
        true
    }

    /// Whether this is the problem that is known already.
    pub(super) fn is_known(&self, error: &Error) -> bool {
        self.lock().kind == error.kind()
    }

    /// Whether the roll was checked, or written, once.
    pub(super) fn is_checked(&self) -> bool {
        self.lock().is_checked
    }

    /// Begins a step of the file system, which may take long.
    pub(super) fn step(&self) -> Step<'_> {
        self.lock().step = Some(Instant::now());
        Step(self)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Step<'_> {
    /// The next step begins.
    pub(super) fn renew(&self) {
        self.0.lock().step = Some(Instant::now());
    }
}

impl Drop for Step<'_> {
    fn drop(&mut self) {
        self.0.lock().step = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(problem: &'static str) -> Result<Look, Error> {
        Err(Error::Changed { path: "roll".into(), problem })
    }

    #[test]
    fn problem_stays_until_a_check_succeeds() {
        let status = Status::default();
        assert!(!status.ended(&Ok(Look::Well)) && status.problem().is_none());
        assert!(status.ended(&failed("one")));
        let first = status.problem().unwrap();
        assert!(!status.ended(&failed("one")));
        assert_eq!(status.problem().as_ref(), Some(&first));
        assert!(status.ended(&failed("two")));
        let second = status.problem().unwrap();
        assert!(second.reason.contains("two") && second.since == first.since, "{second:?}");
        let away = || {
            let (store, reason) = (String::new(), "no permission".to_owned());
            muster_queue::Error::Unavailable { store, reason }
        };
        assert!(!status.ended(&Err(Error::Queue(away()))));
        assert!(!status.ended(&Ok(Look::Unknown)));
        assert_eq!(status.problem(), Some(second));
        assert!(status.ended(&Ok(Look::Well)));
        assert_eq!(status.problem(), None);
    }

    #[test]
    fn store_that_does_not_answer_for_long_is_a_problem() {
        let status = Status::default();
        let unavailable = || {
            let (store, reason) = (String::new(), "no permission".to_owned());
            Err(Error::Queue(muster_queue::Error::Unavailable { store, reason }))
        };
        assert!(!status.ended(&unavailable()) && !status.is_checked());
        status.lock().away = Instant::now().checked_sub(AWAY_MAX);
        assert!(status.ended(&unavailable()));
        assert!(status.problem().is_some_and(|problem| problem.reason.contains("no permission")));
        assert!(status.ended(&Ok(Look::Well)) && status.lock().away.is_none());
        // What is wrong with its data is one at once.
        let corrupt = muster_queue::Error::Corrupt { store: String::new(), what: String::new() };
        assert!(status.ended(&Err(Error::Queue(corrupt))));
    }

    #[test]
    fn step_that_does_not_end_is_a_problem() {
        let status = Status::default();
        let step = status.step();
        assert_eq!(status.problem(), None);
        status.lock().step = Instant::now().checked_sub(STEP_MAX + Duration::from_secs(1));
        assert!(status.problem().is_some_and(|problem| problem.reason.contains("does not answer")));
        drop(step);
        assert_eq!(status.problem(), None);
    }
}
