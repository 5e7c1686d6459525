//! The cases of cost: what it costs to have Muster, and what ten million records need.

use std::thread;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use muster_integration::programs;

use crate::case::Case;
use crate::figures::{self, Figures};
use crate::generator::Generator;
use crate::installation::{Installation, Setup};
use crate::load::Plan;
use crate::measure::{self, Cost};
use crate::number::short;
use crate::program::Program;
use crate::{home, records, usage};

/// How long everything has after its start, or after its load, to come to rest.
const SETTLE: Duration = Duration::from_secs(2);
/// How long ten million records may take.
const LIMIT: Duration = Duration::from_secs(3600);

/// All of them. What is idle is watched so long; the load before is so many records, and `many`
/// pass through in one batch.
pub(crate) fn cases(idle: Duration, load: usize, many: usize) -> Vec<Case> {
    let title = format!("a server and a worker, idle for {} s", idle.as_secs());
    let rest = Case::new("idle", title, move || at_rest(idle, load));
    let title = format!("{} records in one batch", short(many as f64));
    // Once is enough: it is about memory, and not about time.
    let many = Case::new(format!("many {many}"), title, move || pass_through(many)).in_rounds(1);
    vec![rest, many]
}

fn at_rest(idle: Duration, load: usize) -> anyhow::Result<Figures> {
    let mut installation = Setup { workers: 1, ..Setup::muster() }.start()?;
    thread::sleep(SETTLE);
    let mut figures = watch(&mut installation, idle)?;
    let plan = Plan::stream(load);
    let mut generator = Generator::start(&installation.url(), &plan)?;
    generator.go()?;
    generator.answer()?;
    measure::check_roll(&installation, records::digest(load, None))?;
    thread::sleep(SETTLE);
    for (part, processes) in installation.parts() {
        let usage = usage::of(*processes.first().context("it runs")?);
        figures.insert(figures::resident_after(part), usage.resident);
        figures.insert(figures::peak(part), usage.peak);
    }
    installation.end();
    Ok(figures)
}

/// What it costs to wait.
fn watch(installation: &mut Installation, idle: Duration) -> anyhow::Result<Figures> {
    let [commands, reads] = counters(installation)?;
    let cost = Cost::begin(installation.parts());
    thread::sleep(idle);
    let mut figures = cost.end_of_rest();
    let since = counters(installation)?;
    let seconds = idle.as_secs_f64();
    let [commands, reads] = [(since[0] - commands) / seconds, (since[1] - reads) / seconds];
    figures.insert(figures::COMMANDS_PER_SECOND.to_owned(), commands);
    figures.insert(figures::READS_PER_SECOND.to_owned(), reads);
    Ok(figures)
}

/// How many commands Redis has carried out, and how often it has read from a connection: as often as
/// somebody asked, with however many commands at once.
fn counters(installation: &mut Installation) -> anyhow::Result<[f64; 2]> {
    let store = installation.store()?;
    let commands = store.info("stats", "total_commands_processed")?;
    Ok([commands, store.info("stats", "total_reads_processed")?])
}

/// Records from standard input to the roll, through a client, a server and five workers.
fn pass_through(many: usize) -> anyhow::Result<Figures> {
    let installation = Setup::muster().start()?;
    let cost = Cost::begin(installation.parts());
    let mut command = programs::command("muster-client");
    command.args(["send", "-", "--wait", "--server", &installation.url()]);
    let mut client = Program::start("client", &mut command, &home::log("client")?)?;
    let input = client.take_input().context("it reads")?;
    let writer = thread::spawn(move || records::write_ndjson(input, many));
    let client = client.wait(LIMIT)?;
    let mut figures = cost.end(many, client.usage.cpu);
    ensure!(client.status.success(), "the client: {}\n{}", client.status, client.output);
    writer.join().expect("a pipe does not panic").context("the client's input")?;
    figures.insert(figures::cpu("client"), client.usage.cpu * 1e6 / many as f64);
    figures.insert(figures::peak("client"), client.usage.peak);
    measure::check_roll(&installation, records::digest(many, None))?;
    installation.end();
    Ok(figures)
}
