//! One run: load on an installation, and what it cost.

use anyhow::{Context as _, ensure};

use crate::digest::Digest;
use crate::figures::{self, Figures};
use crate::generator::Generator;
use crate::installation::{Installation, Setup, System};
use crate::load::{Answer, Plan};
use crate::store::Totals;
use crate::usage::{self, Usage};
use crate::{clock, records};

/// Runs shorter than this do not say what else was busy.
const FOREIGN_SECONDS_MIN: f64 = 0.5;

/// Starts the installation, sends what is planned, waits until it is stored, and checks that
/// nothing is missing, and nothing there twice.
pub(crate) fn run(setup: &Setup, plan: &Plan) -> anyhow::Result<Figures> {
    let mut installation = setup.start()?;
    let figures = run_on(&mut installation, setup, plan)?;
    installation.end();
    Ok(figures)
}

fn run_on(installation: &mut Installation, setup: &Setup, plan: &Plan) -> anyhow::Result<Figures> {
    let mut generator = Generator::start(&installation.url(), plan)?;
    let before = plan.total() - plan.records;
    if setup.workers > 0 {
        installation.wait_until_stored(before as u64)?;
    }
    let mut parts = installation.parts();
    parts.push(("client", vec![generator.id()]));
    let cost = Cost::begin(parts);
    let redis_before = RedisCost::look(installation)?;

    generator.go()?;
    let stored = match setup.workers {
        0 => None,
        _ => Some(installation.wait_until_stored(plan.total() as u64)?),
    };
    let answer = generator.answer()?;
    let mut figures = cost.end(plan.records, 0.0);

    let records = plan.records as f64;
    if let (Some(before), Some(after)) = (redis_before, RedisCost::look(installation)?) {
        let input = (after.input - before.input) / records;
        figures.insert(figures::REDIS_INPUT_BYTES.to_owned(), input);
        if setup.workers == 0 {
            let memory = (after.memory - before.memory) / records;
            figures.insert(figures::REDIS_MEMORY_BYTES.to_owned(), memory);
        }
    }
    let rate = |end: f64| records / (end - answer.began);
    figures.insert(figures::RATE.to_owned(), rate(stored.unwrap_or(answer.ended)));
    figures.insert(figures::ACCEPTED_RATE.to_owned(), rate(answer.ended));
    say_answer(&answer, &mut figures);
    check(installation, setup, plan, &answer, &mut figures)?;
    Ok(figures)
}

/// What the generator has seen.
pub(crate) fn say_answer(answer: &Answer, figures: &mut Figures) {
    figures.insert(figures::RECORD_BYTES.to_owned(), answer.record_bytes);
    if let Some(latency) = answer.latency {
        figures.insert(figures::P50.to_owned(), latency.p50);
        figures.insert(figures::P99.to_owned(), latency.p99);
        figures.insert(figures::P999.to_owned(), latency.p999);
    }
}

/// Checks that every record is there once.
fn check(
    installation: &mut Installation,
    setup: &Setup,
    plan: &Plan,
    answer: &Answer,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    let total = plan.total() as u64;
    match setup.system {
        System::Echo => {}
        System::Bare { .. } => {
            let stored = installation.store()?.results()?;
            ensure!(stored == total, "{stored} results of {total} records");
        }
        System::Muster { .. } => {
            let kept = if setup.workers == 0 { 0 } else { total };
            let wanted = Totals { accepted: total, kept, dead: 0 };
            let totals = installation.store()?.totals()?;
            ensure!(totals == wanted, "{totals:?} should be {wanted:?}");
            if setup.workers > 0 {
                let mut wanted = records::digest(plan.records, plan.size);
                wanted.add(records::digest(plan.warm_up, plan.size));
                let at = check_roll(installation, wanted)?;
                figures.insert(figures::ROLL_SECONDS.to_owned(), at - answer.began);
            }
        }
    }
    Ok(())
}

/// Waits for the roll, and checks that it has these records. Returns when it had.
pub(crate) fn check_roll(installation: &Installation, wanted: Digest) -> anyhow::Result<f64> {
    let at = installation.wait_for_roll(wanted.records).context("the roll")?;
    let found = Digest::of_roll(&installation.roll())?;
    ensure!(found == wanted, "the roll has other records than those that were sent: {found:?}");
    Ok(at)
}

/// What the parts of a run use, from a moment on.
pub(crate) struct Cost {
    parts: Vec<(&'static str, Vec<u32>, Usage)>,
    began: f64,
    machine: f64,
    own: f64,
}

impl Cost {
    /// Looks at these parts, each of some processes.
    pub(crate) fn begin(parts: Vec<(&'static str, Vec<u32>)>) -> Self {
        let parts = parts.into_iter().map(|(name, ids)| {
            let usage = together(&ids);
            (name, ids, usage)
        });
        Self {
            parts: parts.collect(),
            began: clock::now(),
            machine: usage::machine_cpu(),
            own: usage::own_cpu(),
        }
    }

    /// What they have used since, for so many records. What else belongs to the run, and is none of
    /// the parts, has used `others` seconds of processor time.
    pub(crate) fn end(self, records: usize, others: f64) -> Figures {
        let mut figures = Figures::from([(figures::RECORDS.to_owned(), records as f64)]);
        let since = self.look(others);
        for (part, usage) in &since.parts {
            figures.insert(figures::cpu(part), usage.cpu * 1e6 / records as f64);
            figures.insert(figures::peak(part), usage.peak);
        }
        figures.extend(since.foreign());
        figures
    }

    /// What they have used since, with nothing to do.
    pub(crate) fn end_of_rest(self) -> Figures {
        let since = self.look(0.0);
        let mut figures = Figures::from_iter(since.foreign());
        for (part, usage) in &since.parts {
            figures.insert(figures::share(part), usage.cpu / since.seconds);
            figures.insert(figures::resident(part), usage.resident);
        }
        figures
    }

    fn look(self, others: f64) -> Since {
        let seconds = clock::now() - self.began;
        let machine = usage::machine_cpu() - self.machine;
        let parts = self.parts.into_iter().filter(|(_, processes, _)| !processes.is_empty());
        let parts = parts.map(|(part, processes, before)| {
            let usage = together(&processes);
            (part, Usage { cpu: usage.cpu - before.cpu, ..usage })
        });
        let parts: Vec<(&'static str, Usage)> = parts.collect();
        let of_parts: f64 = parts.iter().map(|(_, usage)| usage.cpu).sum();
        let ours = of_parts + others + usage::own_cpu() - self.own;
        Since { parts, seconds, others: (machine - ours).max(0.0) }
    }
}

/// What was used since one looked.
struct Since {
    parts: Vec<(&'static str, Usage)>,
    seconds: f64,
    /// What was used by all that is no part of the run, in seconds of processor time.
    others: f64,
}

impl Since {
    /// How many processors others kept busy; `None` of a time so short that the system's count of
    /// busy ticks says little of it.
    fn foreign(&self) -> Option<(String, f64)> {
        let is_long = self.seconds >= FOREIGN_SECONDS_MIN;
        is_long.then(|| (figures::FOREIGN.to_owned(), self.others / self.seconds))
    }
}

fn together(ids: &[u32]) -> Usage {
    ids.iter().copied().map(usage::of).fold(Usage::default(), Usage::and)
}

/// What Redis has been sent so far, and what it keeps.
struct RedisCost {
    input: f64,
    memory: f64,
}

impl RedisCost {
    /// Looks; `None` where there is no Redis.
    fn look(installation: &mut Installation) -> anyhow::Result<Option<Self>> {
        let Ok(store) = installation.store() else { return Ok(None) };
        let input = store.info("stats", "total_net_input_bytes")?;
        let memory = store.info("memory", "used_memory")?;
        Ok(Some(Self { input, memory }))
    }
}
