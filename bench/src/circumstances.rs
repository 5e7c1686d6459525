//! Where, when and with what something was measured.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::SystemTime;

use muster_integration::programs;
use serde::{Deserialize, Serialize};

/// What a report says of the circumstances.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Circumstances {
    /// The command that was given.
    pub(crate) command: String,
    /// When it began, in UTC.
    pub(crate) date: String,
    /// In how many rounds each case was run.
    pub(crate) rounds: u32,
    /// Whether it was made small, to try it: then the figures say nothing.
    pub(crate) quick: bool,
    /// The machine, a property each.
    pub(crate) machine: Vec<(String, String)>,
    /// What ran, a version each.
    pub(crate) versions: Vec<(String, String)>,
}

impl Circumstances {
    /// Looks at the machine, and asks the programs for their versions.
    pub(crate) fn now(command: String, rounds: u32, quick: bool) -> Self {
        let date = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        Self { command, date, rounds, quick, machine: machine(), versions: versions() }
    }
}

fn machine() -> Vec<(String, String)> {
    let field = |file: &str, name: &str| {
        let text = fs::read_to_string(file).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.trim_start_matches([':', ' ', '\t']).trim().to_owned())
    };
    let cores = thread::available_parallelism().ok().map(|cores| cores.to_string());
    let memory = field("/proc/meminfo", "MemTotal").and_then(|kilobytes| {
        let kilobytes: f64 = kilobytes.split_whitespace().next()?.parse().ok()?;
        Some(format!("{:.1} GiB", kilobytes / f64::from(1 << 20)))
    });
    let properties = [
        ("processor", field("/proc/cpuinfo", "model name")),
        ("cores", cores),
        ("memory", memory),
        ("kernel", said_by(Command::new("uname").arg("-sr")).map(without_suffix)),
    ];
    known(properties)
}

/// A kernel's version without what whoever built it has added.
fn without_suffix(version: String) -> String {
    version.split('-').next().unwrap_or_default().to_owned()
}

fn versions() -> Vec<(String, String)> {
    let server = said_by(programs::command("muster-server").arg("--version"));
    let commit = said_by(Command::new("git").args(["rev-parse", "--short", "HEAD"]));
    let version = |program: &str| said_by(Command::new(program).arg("--version"));
    let programs = [
        ("Muster", server.map(|said| said.replace("muster-server ", ""))),
        ("commit", commit),
        ("Rust", version("rustc")),
        ("store", version(&programs::store_program())),
    ];
    known(programs)
}

fn known<const N: usize>(properties: [(&str, Option<String>); N]) -> Vec<(String, String)> {
    properties.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// What a program says on its standard output.
fn said_by(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned()).filter(|said| !said.is_empty())
}
