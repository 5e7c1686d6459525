//! A guard against what makes the hot functions slower: how many instructions they take, a record.
//!
//! Times are noisy, instructions are not. Each case runs under Valgrind's `cachegrind` twice, the
//! second time with twice as many repetitions: the difference is that of the repetitions alone.

mod baseline;

use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, bail, ensure};
use clap::Args;

use crate::hot::{Case, RECORDS};
use crate::say::say;
use baseline::Baseline;

/// How often a case is repeated in the first of its two runs.
const TIMES: usize = 8;
/// How many percent more or less than the baseline are none: other machines have other libraries.
const ROOM: f64 = 5.0;

/// What to do with what is counted.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Make what is counted now the baseline
    #[arg(long)]
    write: bool,
}

/// Calls a hot function again and again, for whoever counts what it does.
#[derive(Clone, Debug, Args)]
pub struct Hot {
    case: Case,
    /// How many times
    times: usize,
}

impl Hot {
    /// Does it.
    ///
    /// # Errors
    ///
    /// The file system fails, or the function has not done what it is for.
    pub fn run(&self) -> anyhow::Result<()> {
        let mut call = self.case.prepare()?;
        (0..self.times).try_for_each(|_| call())
    }
}

/// Counts, and holds it against the baseline, or makes it that. The exit code is 1 when a function
/// takes more instructions than it should, or so many fewer that the baseline says nothing any more.
///
/// # Errors
///
/// Valgrind is missing, or what it says cannot be read.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let mut baseline = Baseline::read()?;
    let mut is_right = true;
    for case in Case::ALL {
        let counted = count(case)?;
        if options.write {
            baseline.set(case.name(), counted);
            say(&format!("{}: {counted} instructions a record", case.name()));
            continue;
        }
        let Some(before) = baseline.get(case.name()) else {
            bail!("{} has no baseline; {}", case.name(), Baseline::HOW_TO_WRITE);
        };
        let percent = (f64::from(counted) / f64::from(before) - 1.0) * 100.0;
        let verdict = if percent.abs() <= ROOM { "as it should be" } else { "NOT as it should be" };
        say(&format!(
            "{}: {counted} instructions a record, {before} before: {percent:+.1} %, {verdict}",
            case.name()
        ));
        is_right &= percent.abs() <= ROOM;
    }
    if options.write {
        baseline.write()?;
    } else if !is_right {
        say(&format!(
            "more than {ROOM} % off: mend it, or if it is meant: {}",
            Baseline::HOW_TO_WRITE
        ));
    }
    Ok(if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// How many instructions a case takes for one record.
fn count(case: Case) -> anyhow::Result<u32> {
    let [once, twice] = [TIMES, 2 * TIMES].map(|times| run_counted(case, times));
    let (once, twice) = (once?, twice?);
    let more = twice.checked_sub(once).context("twice as much took fewer instructions")?;
    let a_record = more / (TIMES * RECORDS) as u64;
    ensure!(a_record > 0, "{} did nothing", case.name());
    Ok(u32::try_from(a_record)?)
}

/// How many instructions this program takes to repeat a case so many times.
fn run_counted(case: Case, times: usize) -> anyhow::Result<u64> {
    let program = std::env::current_exe()?;
    let output = Command::new("valgrind")
        .args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"])
        .arg(program)
        .args(["hot", case.name(), &times.to_string()])
        .stdin(Stdio::null())
        .output()
        .context("cannot run valgrind; in Debian it is in the package `valgrind`")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "under valgrind, {} failed: {said}", case.name());
    counted(&said).with_context(|| format!("valgrind counts nothing: {said}"))
}

/// The count in what cachegrind says, as in `==12== I   refs:      1,234,567`.
fn counted(said: &str) -> Option<u64> {
    let words = |line: &str| line.split_whitespace().skip(1).map(str::to_owned).collect();
    said.lines().map(words).find_map(|words: Vec<String>| match &words[..] {
        [of, what, count] if of == "I" && what == "refs:" => count.replace(',', "").parse().ok(),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_found() {
        let said = "==7== Cachegrind\n==7== \n==7== I   refs:      1,234,567\n";
        assert_eq!(counted(said), Some(1_234_567));
        assert_eq!(counted("valgrind: not today"), None);
    }
}
