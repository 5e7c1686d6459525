//! Records from files to the roll, by the programs that people run.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use muster_integration::programs;

use crate::digest::Digest;
use crate::figures::{self, Figures};
use crate::installation::Setup;
use crate::measure::{self, Cost};
use crate::program::{Ended, Program};
use crate::{clock, home, records};

/// How long a program may take for its file.
const LIMIT: Duration = Duration::from_secs(1200);

/// A JSON file of so many records, which is made when it is first asked for.
fn json(count: usize) -> anyhow::Result<PathBuf> {
    let path = home::sub("records")?.join(format!("{count}.json"));
    if !path.exists() {
        let part = path.with_extension("part");
        records::write_json(&part, count).context("the file of records")?;
        std::fs::rename(&part, &path)?;
    }
    Ok(path)
}

/// `muster-client send --wait`, to a server with five workers.
pub(crate) fn send(count: usize) -> anyhow::Result<Figures> {
    let input = json(count)?;
    let installation = Setup::muster().start()?;
    let cost = Cost::begin(installation.parts());
    let mut command = programs::command("muster-client");
    command.arg("send").arg(&input).args(["--wait", "--server", &installation.url()]);
    let (seconds, client) = timed("client", &mut command)?;
    let mut figures = cost.end(count, client.usage.cpu);
    say(&mut figures, "client", &client, seconds, count);
    measure::check_roll(&installation, records::digest(count, None))?;
    installation.end();
    Ok(figures)
}

/// `muster run`, on a store of its own.
pub(crate) fn run(count: usize) -> anyhow::Result<Figures> {
    let (input, folder) = (json(count)?, home::scratch()?);
    let roll = folder.path().join("all_users.json");
    let cost = Cost::begin(Vec::new());
    let mut command = programs::command("muster");
    command.arg("run").arg(&input).arg("--output").arg(&roll);
    let (seconds, muster) = timed("muster", &mut command)?;
    let mut figures = cost.end(count, muster.usage.cpu);
    say(&mut figures, "server", &muster, seconds, count);
    ensure!(Digest::of_roll(&roll)? == records::digest(count, None), "the roll has other records");
    Ok(figures)
}

/// Runs a program to its end, and how many seconds it took.
fn timed(name: &str, command: &mut Command) -> anyhow::Result<(f64, Ended)> {
    let began = clock::now();
    let ended = Program::start(name, command, &home::log(name)?)?.wait(LIMIT)?;
    let seconds = clock::now() - began;
    ensure!(ended.status.success(), "{name}: {}\n{}", ended.status, ended.output);
    Ok((seconds, ended))
}

fn say(figures: &mut Figures, part: &str, ended: &Ended, seconds: f64, count: usize) {
    let records = count as f64;
    figures.insert(figures::cpu(part), ended.usage.cpu * 1e6 / records);
    figures.insert(figures::peak(part), ended.usage.peak);
    figures.insert(figures::ROLL_SECONDS.to_owned(), seconds);
    figures.insert(figures::RATE.to_owned(), records / seconds);
}
