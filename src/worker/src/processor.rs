//! What is done with a record: the trait, and the built-in processors.

mod normalise;
mod validate;

use std::fmt;

use muster_proto::user::User;
use muster_proto::users::UserRequest;

pub use normalise::Normalise;
pub use validate::{Rules, Validate};

/// Processes records, one at a time.
///
/// It runs on a thread that may block, on several at once. A record may be processed more than
/// once (when a worker was lost, for one), but only one outcome of it is taken. A panic is a
/// [`Verdict::Fail`] of the record that caused it. A record that ends the process is found and
/// becomes a dead letter, too, at the cost of some processes.
pub trait Processor: fmt::Debug + Send + Sync {
    /// Says what becomes of a record.
    fn process(&self, record: &User<'_>) -> Verdict;
}

/// What becomes of a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It goes into the roll as it is.
    Keep,
    /// This goes into the roll in its place.
    Replace(Box<UserRequest>),
    /// It becomes a dead letter, for this reason.
    Reject(String),
    /// It could not be processed now, for this reason. It is tried again later, some times, and
    /// then becomes a dead letter.
    Fail(String),
}

/// Processors one after another: each sees what the one before it made.
#[derive(Debug, Default)]
pub struct Pipeline {
    steps: Vec<Box<dyn Processor>>,
}

impl Pipeline {
    /// Adds a processor at the end.
    pub fn push(&mut self, step: impl Processor + 'static) {
        self.steps.push(Box::new(step));
    }
}

impl Processor for Pipeline {
    fn process(&self, record: &User<'_>) -> Verdict {
        let mut replaced: Option<Box<UserRequest>> = None;
        for step in &self.steps {
            let seen = replaced.as_deref().map_or(*record, User::from);
            match step.process(&seen) {
                Verdict::Keep => {}
                Verdict::Replace(record) => replaced = Some(record),
                end @ (Verdict::Reject(_) | Verdict::Fail(_)) => return end,
            }
        }
        replaced.map_or(Verdict::Keep, Verdict::Replace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_sees_what_the_one_before_made() {
        let mut pipeline = Pipeline::default();
        pipeline.push(Normalise);
        pipeline.push(Validate::new(Rules::default()));
        let padded = User { email: " a@b.example ", ..User::default() };
        let tidy = User { email: "a@b.example", ..User::default() };
        assert_eq!(pipeline.process(&padded), Verdict::Replace(Box::new(tidy.into())));
        assert_eq!(pipeline.process(&tidy), Verdict::Keep);
        assert!(matches!(pipeline.process(&User::default()), Verdict::Reject(_)));
    }
}
