//! The cases of scaling: the same load against more of one thing.

use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::case::Case;
use crate::figures::{self, Figures};
use crate::generator::Generator;
use crate::installation::{Installation, Setup};
use crate::load::Plan;
use crate::measure::{self, Cost};
use crate::store::Totals;
use crate::{clock, records};

const WARM_UP: usize = 2000;
/// How many bytes of long records are sent.
const LONG_BYTES: usize = 400_000_000;
/// How many short batches are sent: each is written to the roll.
const SHORT_BATCHES: usize = 100;
/// How many records are added to a roll.
const ADDED: usize = 10_000;
/// How long nothing may move.
const STILL_MAX: Duration = Duration::from_secs(60);

/// How much of what is tried.
#[derive(Clone, Debug)]
pub(crate) struct Extent {
    /// How many records a stream has.
    pub(crate) records: usize,
    workers: Vec<usize>,
    sizes: Vec<usize>,
    /// Of batches, backlogs and rolls, in records.
    lengths: Vec<usize>,
    open_batches: Vec<usize>,
}

impl Extent {
    /// As much as is wanted.
    pub(crate) fn full(records: usize) -> Self {
        Self {
            records,
            workers: vec![1, 2, 5, 16],
            sizes: vec![100, 200, 1000, 4096, 16_384, 65_536],
            lengths: vec![1000, 10_000, 100_000, 1_000_000, 10_000_000],
            open_batches: vec![1, 10, 100, 1000, 10_000],
        }
    }

    /// As little as shows that it works.
    pub(crate) fn quick(records: usize) -> Self {
        Self {
            records,
            workers: vec![1, 5],
            sizes: vec![100, 4096],
            lengths: vec![1000, 10_000],
            open_batches: vec![1, 100],
        }
    }
}

/// All of them.
pub(crate) fn cases(extent: &Extent) -> Vec<Case> {
    let Extent { records, .. } = *extent;
    let mut cases = Vec::new();
    let mut add = |what: &str, number: usize, setup: Setup, plan: Plan| {
        let plan = Plan { warm_up: WARM_UP.min(plan.records), ..plan };
        let run = move || measure::run(&setup, &plan);
        cases.push(Case::new(format!("{what} {number}"), format!("{what}: {number}"), run));
    };
    for workers in &extent.workers {
        let setup = Setup { workers: *workers, ..Setup::muster() };
        add("workers", *workers, setup, Plan::stream(records));
    }
    for batch in &extent.lengths {
        let records = batch * (records / batch).clamp(1, SHORT_BATCHES);
        let plan = Plan { batch: Some(*batch), ..Plan::stream(records) };
        add("batch", *batch, Setup::muster(), plan);
    }
    for size in &extent.sizes {
        let records = records.min(LONG_BYTES / size);
        let plan = Plan { size: Some(*size), ..Plan::stream(records) };
        add("size", *size, Setup::muster(), plan);
    }
    for open in &extent.open_batches {
        let plan = Plan { open_batches: *open, ..Plan::stream(records) };
        add("open", *open, Setup::muster(), plan);
    }
    for &waiting in &extent.lengths {
        let run = move || backlog(waiting, records);
        let title = format!("backlog: {waiting}");
        cases.push(Case::new(format!("backlog {waiting}"), title, run));
    }
    for &length in &extent.lengths {
        let run = move || roll(length);
        cases.push(Case::new(format!("roll {length}"), format!("roll: {length}"), run));
    }
    cases
}

/// The rate with so many records waiting, while others come, and until so many have come, or been
/// worked off. Workers get more done than comes where much waits: what has gone through is half of
/// the records that came and of those that were worked off.
fn backlog(waiting: usize, flow: usize) -> anyhow::Result<Figures> {
    let mut installation = Setup::muster().without_workers().start()?;
    send(&installation, &Plan::stream(waiting))?;
    let mut generator = Generator::start(&installation.url(), &Plan::stream(flow))?;
    installation.start_workers(Setup::muster().workers)?;
    installation.wait_until_stored(1)?;

    let total = (waiting + flow) as u64;
    let mut parts = installation.parts();
    parts.push(("client", vec![generator.id()]));
    let cost = Cost::begin(parts);
    let before = installation.store()?.totals()?;
    let began = clock::now();
    generator.go()?;
    let (done, totals) = wait_for_totals(&mut installation, |totals| {
        totals.accepted == total || totals.kept >= before.kept + flow as u64
    })?;
    let (came, worked_off) = (totals.accepted - before.accepted, totals.kept - before.kept);
    let went_through = (came + worked_off) / 2;
    let mut figures = cost.end(went_through as usize, 0.0);
    for (figure, records) in [
        (figures::RATE, went_through),
        (figures::ACCEPTED_RATE, came),
        (figures::WORKED_OFF_RATE, worked_off),
    ] {
        figures.insert(figure.to_owned(), records as f64 / (done - began));
    }

    generator.answer()?;
    let (_, totals) = wait_for_totals(&mut installation, |totals| totals.kept >= total)?;
    let wanted = Totals { accepted: total, kept: total, dead: 0 };
    ensure!(totals == wanted, "{totals:?} should be {wanted:?}");
    installation.end();
    Ok(figures)
}

/// How long it takes until a batch is in a roll of this length.
fn roll(length: usize) -> anyhow::Result<Figures> {
    let installation = Setup::muster().start()?;
    send(&installation, &Plan::stream(length))?;
    let mut wanted = records::digest(length, None);
    measure::check_roll(&installation, wanted)?;

    let mut generator = Generator::start(&installation.url(), &Plan::stream(ADDED))?;
    let cost = Cost::begin(installation.parts());
    generator.go()?;
    let answer = generator.answer()?;
    wanted.add(records::digest(ADDED, None));
    let at = installation.wait_for_roll(wanted.records)?;
    let mut figures = cost.end(ADDED, 0.0);
    measure::check_roll(&installation, wanted)?;
    figures.insert(figures::ROLL_SECONDS.to_owned(), at - answer.ended);
    installation.end();
    Ok(figures)
}

/// Sends, and waits until all is answered.
fn send(installation: &Installation, plan: &Plan) -> anyhow::Result<()> {
    let mut generator = Generator::start(&installation.url(), plan)?;
    generator.go()?;
    generator.answer()?;
    Ok(())
}

/// Waits until Muster has counted enough. Returns when it had, and what.
fn wait_for_totals(
    installation: &mut Installation,
    is_enough: impl Fn(Totals) -> bool,
) -> anyhow::Result<(f64, Totals)> {
    let (mut last, mut moved) = (Totals::default(), Instant::now());
    loop {
        let totals = installation.store()?.totals()?;
        if is_enough(totals) {
            return Ok((clock::now(), totals));
        }
        if totals != last {
            (last, moved) = (totals, Instant::now());
        }
        ensure!(moved.elapsed() < STILL_MAX, "it stands still at {totals:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
