//! The cases of latency: how long one has to wait.

use std::cell::Cell;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::case::Case;
use crate::figures::{self, Figures};
use crate::generator::Generator;
use crate::installation::Setup;
use crate::load::Plan;
use crate::number::whole;
use crate::{clock, measure};

const WARM_UP: usize = 2000;
/// With so many calls in flight the rate is highest.
const IN_FLIGHT: usize = 256;
/// How many records wait for a worker's start.
const WAITING: usize = 1000;
/// How many batches are timed on their way to the roll, in a run.
const BATCHES: usize = 10;
/// How often one looks whether something has begun.
const BETWEEN_LOOKS: Duration = Duration::from_micros(500);
/// How long that may take.
const LOOKS_MAX: usize = 60_000;

/// All of them. Paced calls go on for so many seconds.
pub(crate) fn cases(records: usize, seconds: u32) -> Vec<Case> {
    let highest = Rc::new(Cell::new(None));
    let mut cases = Vec::new();
    let found = Rc::clone(&highest);
    cases.push(Case::new("highest", "the highest rate, 256 in flight", move || {
        let figures = highest_rates(records)?;
        // That of the first round: all rounds have the same rates.
        if found.get().is_none() {
            found.set(figures.get(figures::RATE).copied());
        }
        Ok(figures)
    }));
    for part in [10, 50, 80] {
        for (name, setup) in [("muster", Setup::muster()), ("bare", Setup::bare(1))] {
            let (setup, highest) = (setup.clone(), Rc::clone(&highest));
            let title = format!("{name} at {part} %");
            cases.push(Case::new(format!("paced {name} {part}"), title, move || {
                let highest = highest.get().context("the highest rate is not known")?;
                paced(&setup, highest * f64::from(part) / 100.0, seconds)
            }));
        }
    }
    let titles =
        ["a stream of one record, from its answer to the roll", "the same by a unary call"];
    let plans = [Plan::stream(1), Plan::unary(1, 1)];
    for ((name, title), plan) in ["roll stream", "roll unary"].into_iter().zip(titles).zip(plans) {
        cases.push(Case::new(name, title, move || to_the_roll(&plan)));
    }
    let title = "a worker, from its start to its first commit";
    cases.push(Case::new("worker start", title, first_commit));
    let title = "a server with a Redis that is up, from its start until it is ready";
    cases.push(Case::new("server start", title, server_start));
    cases
}

/// The highest rate of Muster, of the bare path, and the lower of them.
fn highest_rates(records: usize) -> anyhow::Result<Figures> {
    let plan = Plan { warm_up: WARM_UP, ..Plan::unary(records, IN_FLIGHT) };
    let rate = |setup: Setup| -> anyhow::Result<f64> {
        let figures = measure::run(&setup, &plan)?;
        figures.get(figures::RATE).copied().context("it has a rate")
    };
    let (muster, bare) = (rate(Setup::muster())?, rate(Setup::bare(1))?);
    let figures = [("muster", muster), ("bare", bare), (figures::RATE, muster.min(bare))];
    Ok(figures.map(|(name, rate)| (name.to_owned(), rate)).into())
}

/// Calls at a rate, whatever becomes of those before.
fn paced(setup: &Setup, rate: f64, seconds: u32) -> anyhow::Result<Figures> {
    let rate = whole(rate).max(1);
    let records = rate as usize * seconds as usize;
    let plan = Plan { warm_up: WARM_UP, ..Plan::paced(records, rate) };
    let mut figures = measure::run(setup, &plan)?;
    figures.insert(figures::OFFERED_RATE.to_owned(), f64::from(rate));
    Ok(figures)
}

/// From the answer for a batch of one record until it is in the roll.
fn to_the_roll(plan: &Plan) -> anyhow::Result<Figures> {
    let mut installation = Setup::muster().start()?;
    let mut seconds = Vec::new();
    for batch in 1..=BATCHES as u64 {
        let mut generator = Generator::start(&installation.url(), plan)?;
        generator.go()?;
        let answered = generator.answer()?.ended;
        seconds.push(installation.wait_for_roll(batch)? - answered);
    }
    let stored = installation.store()?.totals()?;
    ensure!(stored.kept == BATCHES as u64, "{stored:?} should be {BATCHES}");
    installation.end();
    seconds.sort_by(f64::total_cmp);
    let (median, longest) = (seconds[BATCHES / 2], seconds[BATCHES - 1]);
    let figures = [(figures::SECONDS, median), (figures::LONGEST_SECONDS, longest)];
    Ok(figures.map(|(name, seconds)| (name.to_owned(), seconds)).into())
}

fn first_commit() -> anyhow::Result<Figures> {
    let mut installation = Setup::muster().without_workers().start()?;
    let mut generator = Generator::start(&installation.url(), &Plan::stream(WAITING))?;
    generator.go()?;
    generator.answer()?;
    let began = clock::now();
    installation.start_workers(1)?;
    let seconds = seconds_until(began, || Ok(installation.store()?.totals()?.kept > 0))?;
    installation.wait_until_stored(WAITING as u64)?;
    installation.end();
    Ok(Figures::from([(figures::SECONDS.to_owned(), seconds)]))
}

fn server_start() -> anyhow::Result<Figures> {
    let mut installation = Setup::muster().start_store()?;
    let began = clock::now();
    installation.start_server()?;
    let seconds = seconds_until(began, || Ok(installation.is_ready()))?;
    installation.end();
    Ok(Figures::from([(figures::SECONDS.to_owned(), seconds)]))
}

/// How long after `began` it is so.
fn seconds_until(
    began: f64,
    mut is_so: impl FnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<f64> {
    for _ in 0..LOOKS_MAX {
        if is_so()? {
            return Ok(clock::now() - began);
        }
        thread::sleep(BETWEEN_LOOKS);
    }
    anyhow::bail!("it never is so")
}
