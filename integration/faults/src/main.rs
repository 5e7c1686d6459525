//! `muster-faults`: runs Muster through seeded schedules of faults, and says whether a record was lost or
//! doubled, or records waited without a reason.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs, panic};

use anyhow::Context;
use clap::Parser;
use muster_faults::machine::Machine;
use muster_faults::report::{self, Circumstances};
use muster_faults::run::{Outcome, Settings};
use muster_faults::schedule::{Family, Topology};
use muster_faults::suite;

/// Kills, freezes, cuts, fills and exchanges what Muster runs on, and says whether a record was lost or
/// doubled, or records waited without a reason.
///
/// Each schedule starts a store, a server, workers and clients of its own on this machine. All
/// that happens in it follows from its seed, which is printed first.
#[derive(Debug, Parser)]
#[command(
    name = "muster-faults",
    version,
    after_help = "Exit codes: 0 every schedule ended with \
    every record exactly once, and Muster said why whenever records waited, 1 not so, 2 wrong usage"
)]
struct Cli {
    /// How many schedules to run: the seeds from S on
    #[arg(long, value_name = "N", default_value_t = 10)]
    schedules: u64,
    /// The first seed [default: a random one]
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// What goes wrong: one family, or both, separated by a comma
    #[arg(
        long,
        value_name = "FAMILY",
        value_enum,
        value_delimiter = ',',
        default_value = "crashes"
    )]
    family: Vec<Family>,
    /// Run the one schedule of this seed
    #[arg(long, value_name = "SEED", conflicts_with_all = ["schedules", "seed"])]
    replay: Option<u64>,
    /// What the store is made of [default: what the seed says; three of five are standalone]
    #[arg(long, value_enum)]
    topology: Option<Topology>,
    /// The name or path of the store's program
    #[arg(
        long,
        value_name = "PROGRAM",
        env = "MUSTER_STORE_PROGRAM",
        default_value = "redis-server"
    )]
    store_program: String,
    /// How many schedules run at once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..))]
    jobs: u8,
    /// Write a page about what was done and found, in Markdown
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

fn main() -> anyhow::Result<ExitCode> {
    let cli = Cli::parse();
    // What fails in a schedule is said with its outcome.
    panic::set_hook(Box::new(|_| ()));
    let settings = Settings { store_program: cli.store_program.clone(), machine: Machine::look() };
    for lack in settings.machine.lacks() {
        say(&format!("skipped: {lack}\n"));
    }
    let jobs = cli.jobs.into();
    let outcomes = suite::run(&cli.family, &cli.seeds(), cli.topology, &settings, jobs, &say);
    let failed = outcomes.iter().filter(|outcome| !outcome.is_good()).count();
    say(&format!("{} schedules, {failed} failed\n", outcomes.len()));
    if let Some(file) = &cli.report {
        let command = env::args().collect::<Vec<_>>().join(" ");
        let circumstances = Circumstances::now(command, &cli.store_program);
        let text = report::markdown(&outcomes, &circumstances)?;
        fs::write(file, text)
            .with_context(|| format!("the report {} cannot be written", file.display()))?;
    }
    let all_good = outcomes.iter().all(Outcome::is_good);
    Ok(if all_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Cli {
    fn seeds(&self) -> Vec<u64> {
        match self.replay {
            Some(seed) => vec![seed],
            None => {
                let first = self.seed.unwrap_or_else(|| u64::from(rand::random::<u32>()));
                (0..self.schedules).map(|number| first.wrapping_add(number)).collect()
            }
        }
    }
}

/// A reader that has seen enough does not end the suite.
fn say(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
