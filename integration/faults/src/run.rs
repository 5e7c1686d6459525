//! One schedule from its start to its outcome.

use std::any::Any;
use std::fmt;
use std::fs::{self, File};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use muster_integration::process::Finished;

use crate::fault::Fault;
use crate::installation::Installation;
use crate::machine::Machine;
use crate::schedule::{Family, Schedule};
use crate::verdict::{self, Verdict};
use crate::watch::Stalls;

/// How long after the last fault is over every batch must be written.
pub const WRITTEN_MAX: Duration = Duration::from_secs(60);
/// How much of a client's last words is shown.
const LAST_LINES: usize = 3;

/// What a schedule is run with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name or path of the store's program.
    pub store_program: String,
    /// What this machine can do.
    pub machine: Machine,
}

/// What came of a schedule.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The schedule.
    pub schedule: Schedule,
    /// Its faults that this machine could do, by kind.
    pub faults: Vec<&'static str>,
    /// How many of its faults this machine could not do.
    pub skipped: usize,
    /// What was found.
    pub findings: Findings,
    /// The folder with all logs and files, if something is wrong.
    pub folder: Option<PathBuf>,
}

/// What was found after a schedule.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// From the end of the last fault until all batches were written; `None` if they were not.
    pub written_after: Option<Duration>,
    /// Records that are not in the roll.
    pub lost: u64,
    /// Records that are in it more than once.
    pub doubled: u64,
    /// Records that are in it and were never sent.
    pub foreign: u64,
    /// Batches that were not written in time.
    pub stuck: u64,
    /// How often no record moved for ten seconds, and Muster said why.
    pub explained: u64,
    /// How often it did not.
    pub untrue: u64,
    /// What is wrong, in words; empty when nothing is.
    pub problems: Vec<String>,
}

/// A schedule whose faults are over.
#[derive(Debug)]
pub struct Carried {
    installation: Installation,
    findings: Findings,
    folder: PathBuf,
}

/// Runs a schedule in a folder of its own, which is kept if something is wrong.
///
/// # Panics
///
/// When there is no room for a folder.
pub fn run(schedule: &Schedule, settings: &Settings) -> Outcome {
    let folder = tempfile::Builder::new()
        .prefix(&format!("muster-faults-{}-", schedule.seed))
        .tempdir()
        .expect("there is room for a folder");
    let findings =
        catch_unwind(AssertUnwindSafe(|| carry_out(schedule, settings, folder.path()).judge()));
    let findings = findings.unwrap_or_else(|panic| Findings {
        problems: vec![words_of(panic.as_ref())],
        ..Findings::default()
    });
    let (done, skipped): (Vec<&Fault>, Vec<&Fault>) =
        schedule.faults.iter().partition(|fault| settings.machine.can(fault));
    Outcome {
        schedule: schedule.clone(),
        faults: done.iter().map(|fault| fault.kind.name()).collect(),
        skipped: skipped.len(),
        folder: (!findings.problems.is_empty()).then(|| folder.keep()),
        findings,
    }
}

/// Starts the installation, does all that is to be done to it, and waits for the clients. A step that fails,
/// as when a program has ended by itself, is a problem of the schedule.
///
/// # Panics
///
/// When the installation does not start.
pub fn carry_out(schedule: &Schedule, settings: &Settings, folder: &Path) -> Carried {
    fs::write(folder.join("schedule.txt"), schedule.to_string()).expect("there is room");
    let mut log = File::create(folder.join("faults.log")).expect("there is room for a log");
    let mut log = |what: &str, fault: &Fault| {
        let now = humantime::format_rfc3339_micros(SystemTime::now());
        writeln!(log, "{now} {what} {}", fault.kind).expect("there is room for a log");
    };

    let mut installation =
        Installation::start(schedule, &settings.store_program, &settings.machine, folder);
    let watch = installation.watch();
    // What the watch has seen counts also if a step fails.
    let played =
        catch_unwind(AssertUnwindSafe(|| play(schedule, settings, &mut installation, &mut log)));
    let mut findings = played.unwrap_or_else(|panic| Findings {
        problems: vec![words_of(panic.as_ref())],
        ..Findings::default()
    });
    match watch.end() {
        Ok(stalls) => findings.add_stalls(stalls),
        Err(panic) => findings.problems.push(words_of(panic.as_ref())),
    }
    findings.problems.append(&mut installation.problems);
    Carried { installation, findings, folder: folder.to_owned() }
}

/// Does all steps, and waits for the clients.
fn play(
    schedule: &Schedule,
    settings: &Settings,
    installation: &mut Installation,
    log: &mut dyn FnMut(&str, &Fault),
) -> Findings {
    // A step that takes long, as the end of a program may, moves all that come after it.
    let mut before = Duration::ZERO;
    for (moment, step) in steps(schedule, settings) {
        thread::sleep(moment - before);
        before = moment;
        match step {
            Step::Send(client) => installation.clients.start(client),
            Step::Copy(fault) => installation.copy_for(&fault.kind),
            Step::Begin(fault) => {
                log("begin", fault);
                installation.begin(&fault.kind);
            }
            Step::End(fault) => {
                installation.end(&fault.kind);
                log("end  ", fault);
            }
        }
    }
    let over = Instant::now();
    installation.hurry();
    let mut findings = Findings::default();
    let ends = installation.clients.wait(over + WRITTEN_MAX);
    for (number, end) in ends.into_iter().enumerate() {
        findings.add_client(number + 1, end);
    }
    findings.written_after = findings.problems.is_empty().then(|| over.elapsed());
    findings
}

/// What is done at a moment.
#[derive(Clone, Copy)]
enum Step<'a> {
    Send(usize),
    Copy(&'a Fault),
    Begin(&'a Fault),
    End(&'a Fault),
}

/// All steps of a schedule, but for the faults that this machine cannot do.
fn steps<'a>(schedule: &'a Schedule, settings: &Settings) -> Vec<(Duration, Step<'a>)> {
    let sends = schedule.sends.iter().enumerate();
    let sends = sends.map(|(number, send)| (send.at, Step::Send(number)));
    let faults = || schedule.faults.iter().filter(|fault| settings.machine.can(fault));
    let copies = faults().filter_map(|fault| Some((fault.copied_at()?, Step::Copy(fault))));
    let begins = faults().map(|fault| (fault.at, Step::Begin(fault)));
    let ends = faults().map(|fault| (fault.at + fault.lasts, Step::End(fault)));
    let mut steps: Vec<_> = sends.chain(copies).chain(begins).chain(ends).collect();
    steps.sort_by_key(|(moment, _)| *moment);
    steps
}

impl Carried {
    /// The roll that was written.
    pub fn roll(&self) -> PathBuf {
        self.installation.roll()
    }

    /// Says what is wrong.
    ///
    /// # Panics
    ///
    /// When what is wrong cannot be kept.
    pub fn judge(self) -> Findings {
        let Self { mut installation, mut findings, folder } = self;
        for name in installation.ended() {
            findings.problems.push(format!("{name} ended, and nobody had asked it to"));
        }
        if findings.written_after.is_some() {
            match verdict::of(installation.inputs(), &installation.roll()) {
                Ok(Verdict { lost, doubled, foreign, problems }) => {
                    findings = Findings { lost, doubled, foreign, ..findings };
                    findings.problems.extend(problems);
                }
                Err(error) => findings.problems.push(format!("{error:#}")),
            }
        } else {
            // What a stuck batch lacks is still in the store, and not lost.
            findings.problems.push("the roll is not complete, and was not compared".to_owned());
        }
        // A disk in memory goes with the installation.
        if !findings.problems.is_empty() && installation.disk.is_some() {
            let _ = fs::copy(installation.roll(), folder.join("all_users.json"));
        }
        findings
    }
}

impl Findings {
    fn add_stalls(&mut self, stalls: Stalls) {
        self.explained = stalls.explained;
        self.untrue = stalls.untrue.len() as u64;
        self.problems.extend(stalls.untrue);
    }

    fn add_client(&mut self, number: usize, end: Option<Finished>) {
        match end {
            Some(finished) if finished.code() == Some(0) => {}
            Some(finished) => {
                let lines: Vec<&str> = finished.stderr.lines().collect();
                let last = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n    ");
                let code = finished.code();
                self.problems.push(format!("client {number} failed ({code:?})\n    {last}"));
            }
            None => {
                self.stuck += 1;
                let limit = WRITTEN_MAX.as_secs();
                self.problems.push(format!(
                    "stuck: the batch of client {number} was not written {limit} s after the last \
                     fault was over"
                ));
            }
        }
    }
}

impl Outcome {
    /// Whether everything is as it must be.
    pub fn is_good(&self) -> bool {
        self.findings.problems.is_empty()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { schedule, skipped, findings, folder, .. } = self;
        write!(f, "seed {}: ", schedule.seed)?;
        match findings.written_after {
            Some(after) if self.is_good() => {
                let seconds = after.as_secs_f64();
                write!(f, "every record once, written {seconds:.2} s after the last fault")?;
                if findings.explained > 0 {
                    write!(f, ", {} stalls explained", findings.explained)?;
                }
            }
            _ => f.write_str("FAILED")?,
        }
        if *skipped > 0 {
            write!(f, " ({skipped} faults skipped)")?;
        }
        writeln!(f)?;
        for line in findings.problems.iter().flat_map(|problem| problem.lines()) {
            writeln!(f, "  {line}")?;
        }
        if let Some(folder) = folder {
            let (seed, topology) = (schedule.seed, schedule.topology);
            writeln!(f, "  all logs and files: {}", folder.display())?;
            write!(f, "  once more: muster-faults --replay {seed} --topology {topology}")?;
            match schedule.family {
                Family::Crashes => writeln!(f)?,
                family => writeln!(f, " --family {family}")?,
            }
        }
        Ok(())
    }
}

fn words_of(panic: &(dyn Any + std::marker::Send)) -> String {
    let words = panic.downcast_ref::<String>().cloned();
    let words = words.or_else(|| panic.downcast_ref::<&str>().map(|&words| words.to_owned()));
    words.unwrap_or_else(|| "the suite itself failed, without a word".to_owned())
}
