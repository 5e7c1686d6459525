//! What came of many schedules, as a page (`docs/reliability.md`).

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::process::Command;
use std::time::{Duration, SystemTime};

use muster_integration::programs;

use crate::run::Outcome;
use crate::schedule::{Family, durability_name};

/// The page, but for the run.
const PAGE: &str = include_str!("report/page.md");
/// What stands in the page where the run goes, and the tables of each family.
const RUN: &str = "<!-- the run -->";
const FAMILIES: [(&str, Family); 2] =
    [("<!-- crashes -->", Family::Crashes), ("<!-- storage -->", Family::Storage)];

/// What a report says of the circumstances.
#[derive(Clone, Debug)]
pub struct Circumstances {
    /// The command that ran the suite.
    pub command: String,
    /// When it ended.
    pub date: SystemTime,
    /// What ran, a version each.
    pub versions: Vec<String>,
}

impl Circumstances {
    /// Asks the programs for their versions.
    pub fn now(command: String, store_program: &str) -> Self {
        let mut programs = [
            programs::command("muster-server"),
            Command::new(store_program),
            Command::new("uname"),
        ];
        programs[0].arg("--version");
        programs[1].arg("--version");
        programs[2].arg("-srm");
        let versions = programs.iter_mut().filter_map(|program| {
            let output = program.output().ok()?;
            Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        });
        Self { command, date: SystemTime::now(), versions: versions.collect() }
    }
}

/// A row's figures.
#[derive(Default)]
struct Sum {
    schedules: usize,
    faults: usize,
    lost: u64,
    doubled: u64,
    foreign: u64,
    stuck: u64,
    untrue: u64,
    explained: u64,
    failed: usize,
    written_after: Vec<Duration>,
}

impl Sum {
    fn add(&mut self, outcome: &Outcome) {
        self.schedules += 1;
        self.faults += outcome.faults.len();
        self.lost += outcome.findings.lost;
        self.doubled += outcome.findings.doubled;
        self.foreign += outcome.findings.foreign;
        self.stuck += outcome.findings.stuck;
        self.untrue += outcome.findings.untrue;
        self.explained += outcome.findings.explained;
        self.failed += usize::from(!outcome.is_good());
        self.written_after.extend(outcome.findings.written_after);
        self.written_after.sort_unstable();
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { schedules, faults, lost, doubled, foreign, stuck, untrue, failed, .. } = self;
        write!(
            f,
            "{schedules} | {faults} | {lost} | {doubled} | {foreign} | {stuck} | {untrue} | \
             {failed} |"
        )?;
        let written_after = &self.written_after;
        let median = written_after.get(written_after.len().saturating_sub(1) / 2);
        for figure in [median, written_after.last()] {
            match figure {
                Some(duration) => write!(f, " {:.1} s |", duration.as_secs_f64())?,
                None => write!(f, " – |")?,
            }
        }
        Ok(())
    }
}

/// The page: what does not change, with the run in its place, in Markdown.
///
/// # Errors
///
/// None: a text takes everything.
pub fn markdown(outcomes: &[Outcome], circumstances: &Circumstances) -> Result<String, fmt::Error> {
    let Circumstances { command, date, versions } = circumstances;
    let date = humantime::format_rfc3339_seconds(*date);
    let run = format!("```text\n{command}\n```\n\n{date}; {}.", versions.join("; "));
    let mut page = PAGE.replace(RUN, &run);
    for (mark, family) in FAMILIES {
        let of_family = |outcome: &&Outcome| outcome.schedule.family == family;
        let outcomes: Vec<&Outcome> = outcomes.iter().filter(of_family).collect();
        page = page.replace(mark, tables(family, &outcomes)?.trim_end());
    }
    Ok(page)
}

/// The tables of a family.
fn tables(family: Family, outcomes: &[&Outcome]) -> Result<String, fmt::Error> {
    if outcomes.is_empty() {
        return Ok(format!("This run has no schedules of this family (`--family {family}`)."));
    }
    let mut rows: BTreeMap<String, Sum> = BTreeMap::new();
    let mut total = Sum::default();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for outcome in outcomes {
        let durability = durability_name(outcome.schedule.durability);
        let row = format!("{} | {durability}", outcome.schedule.topology);
        rows.entry(row).or_default().add(outcome);
        total.add(outcome);
        for kind in &outcome.faults {
            *kinds.entry(kind).or_default() += 1;
        }
    }
    let skipped: usize = outcomes.iter().map(|outcome| outcome.skipped).sum();

    let mut text = String::new();
    writeln!(
        text,
        "| store | its file | schedules | faults | lost | doubled | foreign | stuck | untrue | failed \
         | written after (median) | (worst) |"
    )?;
    writeln!(text, "{}|", "| --- ".repeat(12))?;
    for (row, sum) in &rows {
        writeln!(text, "| {row} | {sum}")?;
    }
    writeln!(text, "| all | | {total}\n")?;
    let Sum { explained, untrue, .. } = total;
    writeln!(
        text,
        "No record moved for ten seconds {} times; {explained} times Muster gave a reason.\n",
        explained + untrue
    )?;
    writeln!(text, "| fault | times |\n| --- | --- |")?;
    for (kind, count) in &kinds {
        writeln!(text, "| {kind} | {count} |")?;
    }
    if skipped > 0 {
        writeln!(text, "\nThis machine could not do {skipped} faults more.")?;
    }
    for outcome in outcomes.iter().filter(|outcome| !outcome.is_good()) {
        let problems = outcome.findings.problems.join("\n");
        writeln!(text, "\n```text\n{}{problems}\n```", outcome.schedule)?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Findings;
    use crate::schedule::{Schedule, Topology};

    fn outcome(family: Family, seed: u64, findings: Findings) -> Outcome {
        let schedule = Schedule::of_seed(family, seed, Topology::Standalone);
        let faults = vec!["kill -9 of the server"; 3];
        Outcome { schedule, faults, skipped: 1, findings, folder: None }
    }

    #[test]
    fn a_report_has_sums_and_what_failed() {
        let good =
            Findings { written_after: Some(Duration::from_millis(1500)), ..Findings::default() };
        let bad = Findings {
            lost: 2,
            problems: vec!["2 records are lost".into()],
            ..Findings::default()
        };
        let untrue = Findings {
            explained: 4,
            untrue: 1,
            problems: vec!["no reason".into()],
            ..Findings::default()
        };
        let circumstances = Circumstances {
            command: "muster-faults --schedules 2".to_owned(),
            date: SystemTime::UNIX_EPOCH,
            versions: vec!["muster-server 0.1.0".to_owned()],
        };
        let outcomes = [
            outcome(Family::Crashes, 1, good),
            outcome(Family::Crashes, 2, bad),
            outcome(Family::Storage, 1, untrue),
        ];
        let text = markdown(&outcomes, &circumstances).unwrap();
        for part in [
            "# Reliability\n",
            "1970-01-01T00:00:00Z; muster-server 0.1.0.",
            "| all | | 2 | 6 | 2 | 0 | 0 | 0 | 0 | 1 | 1.5 s | 1.5 s |",
            "| all | | 1 | 3 | 0 | 0 | 0 | 0 | 1 | 1 | – | – |",
            "No record moved for ten seconds 5 times; 4 times Muster gave a reason.",
            "| kill -9 of the server | 6 |",
            "could not do 2 faults",
            "```text\nseed 2: ",
            "2 records are lost\n```",
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
        let text = markdown(&outcomes[..2], &circumstances).unwrap();
        assert!(text.contains("no schedules of this family (`--family storage`)."), "{text}");
    }
}
