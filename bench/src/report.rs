//! All of it measured, and the page about it: `docs/performance.md`.

mod demands;
mod latency;
mod measured;
mod page;
mod rest;
mod scaling;
mod table;
mod throughput;

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::ensure;

use crate::case::{Case, interleave};
use crate::cases::scaling::Extent;
use crate::circumstances::Circumstances;
use crate::peers::{self, Found};
use crate::results::{Results, Row};
use crate::say::say;
use crate::section::Section;
use crate::{cases, home};

/// The page, if it is not said.
const PAGE: &str = "docs/performance.md";

/// How many records a stream has, if it is not said.
const RECORDS: usize = 1_000_000;
/// The same if all is only tried.
const QUICK_RECORDS: usize = 20_000;
/// How many records a run of a peer has at most then.
const QUICK_PEER_RECORDS: usize = 200;

/// How long idle programs are watched.
const IDLE: Duration = Duration::from_secs(60);
/// The same if all is only tried.
const QUICK_IDLE: Duration = Duration::from_secs(2);
/// How many records pass through in one batch, to see what memory they need.
const MANY: usize = 10_000_000;

/// `report`
#[derive(Clone, Debug, clap::Args)]
pub struct Report {
    /// What is measured, by commas [default: all]
    #[arg(long, value_name = "SECTION", value_delimiter = ',')]
    only: Vec<Section>,
    /// Of the cases of these sections, only those that have one of these texts in their names
    #[arg(long, value_name = "TEXT", value_delimiter = ',')]
    cases: Vec<String>,
    /// How often each case is run; the figures are medians [default: 5; with --quick 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,
    /// How many records a stream has [default: 1000000; with --quick 20000]
    #[arg(long, value_name = "N", value_parser = at_least_a_thousand)]
    records: Option<usize>,
    /// Make everything small, to try it: the figures then say nothing
    #[arg(long)]
    quick: bool,
    /// The peers, by commas, or `none` [default: all]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    peers: Vec<String>,
    /// The page; its pictures, and the results, go into the folder of the same name [default:
    /// docs/performance.md; with --quick target/bench-quick/performance.md]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Where logs and what a run needs are [default: target/bench; with --quick
    /// target/bench-quick]
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// `write`
#[derive(Clone, Debug, clap::Args)]
pub struct Write {
    /// The page; its pictures go into the folder of the same name, where the results are
    #[arg(long, value_name = "FILE", default_value = PAGE)]
    output: PathBuf,
}

fn at_least_a_thousand(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(records) if records >= 1000 => Ok(records),
        _ => Err("must be a whole number from 1000 on".to_owned()),
    }
}

/// Measures, and writes the page. The exit code is 1 if a run failed, or lost or doubled a record.
///
/// # Errors
///
/// The results or the page cannot be written, or no program of Muster is there.
pub fn measure(command: &Report) -> anyhow::Result<ExitCode> {
    check_programs()?;
    home::choose(command.folder.as_deref(), command.quick)?;
    // Those of another version, or of another run.
    for old in ["records", "log"] {
        fs::remove_dir_all(home::sub(old)?)?;
    }
    let page = command.page()?;
    let mut results = Results::of_page(&page)?;
    for section in Section::ALL {
        if command.only.is_empty() || command.only.contains(&section) {
            command.measure(section, &mut results)?;
        }
    }
    page::write(&results.rows, &page)?;
    Ok(if results.has_failures() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Writes the page from what was measured last.
///
/// # Errors
///
/// Nothing was measured, or the page cannot be written.
pub fn write(command: &Write) -> anyhow::Result<ExitCode> {
    let results = Results::of_page(&command.output)?;
    ensure!(!results.rows.is_empty(), "nothing was measured yet: run `muster-bench report`");
    page::write(&results.rows, &command.output)?;
    Ok(ExitCode::SUCCESS)
}

/// Finds out first that what is measured is not built.
fn check_programs() -> anyhow::Result<()> {
    let folder = muster_integration::programs::profile_folder();
    for name in ["muster", "muster-client", "muster-server", "muster-worker"] {
        let release = if cfg!(debug_assertions) { "" } else { " --release" };
        let advice = format!("build it with `cargo build{release} --workspace --bins`");
        ensure!(folder.join(name).is_file(), "{name} is missing: {advice}");
    }
    Ok(())
}

impl Report {
    fn page(&self) -> anyhow::Result<PathBuf> {
        match &self.output {
            Some(page) => Ok(page.clone()),
            None if self.quick => Ok(home::folder()?.join("performance.md")),
            None => Ok(PAGE.into()),
        }
    }

    fn measure(&self, section: Section, results: &mut Results) -> anyhow::Result<()> {
        let rounds = self.rounds.unwrap_or(if self.quick { 1 } else { 5 });
        let found = match section {
            Section::Throughput => self.peers()?,
            _ => Found::default(),
        };
        let command = env::args().skip(1).collect::<Vec<_>>().join(" ");
        let command = format!("muster-bench {command}");
        let mut circumstances = Circumstances::now(command, rounds, self.quick);
        circumstances.versions.extend(found.versions);
        results.begin(section, circumstances);
        for (what, why) in found.missing {
            say(&format!("{what} is left out: {why}"));
            results.add(Row::Missing { section, what, why });
        }
        let mut cases = self.all_cases(section, found.peers);
        cases.retain(|case| self.is_wanted(case));
        interleave(section, &cases, rounds, results);
        results.save()
    }

    fn is_wanted(&self, case: &Case) -> bool {
        self.cases.is_empty() || self.cases.iter().any(|text| case.name.contains(text))
    }

    fn all_cases(&self, section: Section, peers: Vec<peers::Peer>) -> Vec<Case> {
        let records = self.records.unwrap_or(if self.quick { QUICK_RECORDS } else { RECORDS });
        let quick = self.quick;
        match section {
            Section::Throughput => cases::throughput::cases(records, peers),
            Section::Scaling if quick => cases::scaling::cases(&Extent::quick(records)),
            Section::Scaling => cases::scaling::cases(&Extent::full(records)),
            Section::Latency => cases::latency::cases(records / 5, if quick { 1 } else { 10 }),
            Section::Rest => {
                let idle = if quick { QUICK_IDLE } else { IDLE };
                cases::rest::cases(idle, records, if quick { records } else { MANY })
            }
        }
    }

    fn peers(&self) -> anyhow::Result<Found> {
        let names = (!self.peers.is_empty()).then_some(self.peers.as_slice());
        peers::find(names, if self.quick { QUICK_PEER_RECORDS } else { usize::MAX })
    }
}
