//! What is measured, and the order in which it is.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};

use crate::figures::{self, Figures};
use crate::number::figure;
use crate::results::{Results, Row};
use crate::say::say;
use crate::section::Section;

/// Something that is measured in one run.
pub(crate) struct Case {
    /// Its name in the results.
    pub(crate) name: String,
    /// Its name in the report.
    pub(crate) title: String,
    /// In how many rounds it takes part, if not in all.
    pub(crate) rounds: Option<u32>,
    pub(crate) run: Run,
}

/// Carries out one run.
pub(crate) type Run = Box<dyn Fn() -> anyhow::Result<Figures>>;

impl Case {
    pub(crate) fn new(
        name: impl Into<String>,
        title: impl Into<String>,
        run: impl Fn() -> anyhow::Result<Figures> + 'static,
    ) -> Self {
        Self { name: name.into(), title: title.into(), rounds: None, run: Box::new(run) }
    }

    /// The same, in no more than so many rounds.
    pub(crate) fn in_rounds(self, rounds: u32) -> Self {
        Self { rounds: Some(rounds), ..self }
    }
}

/// Runs all cases once, then all of them again: what happens to the machine meanwhile happens to
/// all of them. What they come to is in the results, a failure too.
pub(crate) fn interleave(section: Section, cases: &[Case], rounds: u32, results: &mut Results) {
    for round in 1..=rounds {
        for case in cases.iter().filter(|case| case.rounds.is_none_or(|most| round <= most)) {
            let outcome = panic::catch_unwind(AssertUnwindSafe(|| (case.run)()));
            let outcome = match outcome {
                Ok(Ok(figures)) => Ok(figures),
                Ok(Err(error)) => Err(format!("{error:#}")),
                Err(panic) => Err(words_of(panic.as_ref())),
            };
            let (name, title) = (case.name.clone(), case.title.clone());
            say(&format!("{section} {round}/{rounds} {title}: {}", sum_up(&outcome)));
            results.add(match outcome {
                Ok(figures) => Row::Measured { section, name, title, round, figures },
                Err(why) => Row::Failed { section, name, title, round, why },
            });
        }
    }
}

fn sum_up(outcome: &Result<Figures, String>) -> String {
    match outcome {
        Ok(figures) => {
            // The first that there is says most.
            let telling = [figures::RATE, figures::ROLL_SECONDS, figures::SECONDS];
            let found = telling.iter().find_map(|name| Some((name, figures.get(*name)?)));
            found.map_or("done".to_owned(), |(name, value)| format!("{name} {}", figure(*value)))
        }
        Err(why) => format!("FAILED: {why}"),
    }
}

/// What was said with a panic: the helpers of the tests say so what is wrong.
fn words_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without words").to_owned()
}
