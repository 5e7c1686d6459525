//! Whether Muster says why, whenever records wait.
//!
//! Each second the watch looks at how many records are accepted, processed, and in the roll. When none
//! of these has changed for ten seconds while a client waits, it asks everything that is there to tell a
//! person why: `/readyz` of the server and of each worker, `muster-client stats`, and what the clients
//! that wait have printed since. If none of them gives a reason, Muster is untrue: it looks well, and
//! nothing moves.

use std::fmt;
use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use muster_integration::http;
use serde::Deserialize;

use crate::clients::Clients;

/// How long records may rest before a reason must be given.
pub(crate) const REST_MAX: Duration = Duration::from_secs(10);
/// How often the watch looks in that time.
const LOOKS: u32 = 10;

/// What is watched.
#[derive(Debug)]
pub(crate) struct Watched {
    /// The clients.
    pub(crate) clients: Arc<Clients>,
    /// The names and the ports of the probes of servers and workers.
    pub(crate) probes: Vec<(String, u16)>,
    /// `muster-client stats --json`.
    pub(crate) stats: Command,
    /// The manifest of the roll.
    pub(crate) manifest: PathBuf,
    /// Where each rest is noted.
    pub(crate) log: PathBuf,
    /// How long records may rest.
    pub(crate) rest_max: Duration,
}

/// A watch, until it is dropped.
#[derive(Debug)]
pub(crate) struct Watch {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<Rests>>,
}

/// How often records rested for ten seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rests {
    /// How often a reason was given.
    pub(crate) explained: u64,
    /// What was said instead, each time when none was.
    pub(crate) untrue: Vec<String>,
}

/// How many records there are at each step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Progress {
    accepted: u64,
    processed: u64,
    in_roll: u64,
}

/// What `muster-client stats --json` prints, as far as it shows progress or its lack.
#[derive(Debug, Deserialize)]
struct Stats {
    accepted: u64,
    kept: u64,
    dead: u64,
    paused: bool,
    workers: u32,
    store: Option<Health>,
    roll: Option<Health>,
}

#[derive(Debug, Deserialize)]
struct Health {
    problem: Option<String>,
}

#[derive(Deserialize)]
struct Manifest {
    records: u64,
}

impl Watch {
    /// Begins to watch.
    pub(crate) fn start(watched: Watched) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&is_over);
        let thread = thread::spawn(move || watched.watch(&until));
        Self { is_over, thread: Some(thread) }
    }

    /// Ends, and returns what was seen.
    ///
    /// # Panics
    ///
    /// When the watch has failed.
    pub(crate) fn end(mut self) -> Rests {
        self.is_over.store(true, Ordering::Relaxed);
        let thread = self.thread.take().expect("a watch ends once");
        thread.join().expect("a watch does not fail")
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

impl Watched {
    fn watch(mut self, is_over: &AtomicBool) -> Rests {
        let mut rests = Rests::default();
        let mut before = Progress::default();
        let (mut since, mut said) = (Instant::now(), Vec::new());
        while !is_over.load(Ordering::Relaxed) {
            let stats = self.ask_stats();
            let now = self.progress(before, stats.as_ref().ok());
            if now != before || self.clients.count_running() == 0 {
                (before, since, said) = (now, Instant::now(), self.clients.reasons());
            } else if since.elapsed() >= self.rest_max {
                let answers = self.ask_all(&stats, &said);
                self.note(&now, &answers);
                rests.add(&now, &answers);
                (since, said) = (Instant::now(), self.clients.reasons());
            }
            thread::sleep(self.rest_max / LOOKS);
        }
        rests
    }

    /// What is shown of the queue, or why it is not.
    fn ask_stats(&mut self) -> Result<Stats, String> {
        let output = self.stats.output().map_err(|error| error.to_string())?;
        serde_json::from_slice(&output.stdout)
            .map_err(|_| String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }

    /// What cannot be seen is as it was before.
    fn progress(&self, before: Progress, stats: Option<&Stats>) -> Progress {
        let manifest = fs::read(&self.manifest).ok();
        let manifest = manifest.and_then(|text| serde_json::from_slice::<Manifest>(&text).ok());
        let in_roll = manifest.map_or(before.in_roll, |manifest| manifest.records);
        match stats {
            Some(Stats { accepted, kept, dead, .. }) => {
                Progress { accepted: *accepted, processed: kept + dead, in_roll }
            }
            None => Progress { in_roll, ..before },
        }
    }

    /// Everything that can tell a person why records rest.
    fn ask_all(&self, stats: &Result<Stats, String>, said: &[String]) -> Vec<Answer> {
        let probes = self.probes.iter().map(|(name, port)| Answer {
            asked: format!("/readyz of {name}"),
            reason: match http::get(*port, "/readyz") {
                Some((200, _)) | None => None,
                Some((_, reason)) => Some(reason.trim().to_owned()),
            },
        });
        let stats = match stats {
            Ok(stats) => stats.reason(),
            Err(error) => Some(error.clone()),
        };
        let stats = Answer { asked: "muster-client stats".to_owned(), reason: stats };
        let new = self.clients.reasons().into_iter().rfind(|reason| !said.contains(reason));
        let clients = Answer { asked: "send --wait".to_owned(), reason: new };
        probes.chain([stats, clients]).collect()
    }

    fn note(&self, progress: &Progress, answers: &[Answer]) {
        let now = humantime::format_rfc3339_millis(SystemTime::now());
        let log = File::options().create(true).append(true).open(&self.log);
        let lines: String = answers.iter().map(|answer| format!("  {answer}\n")).collect();
        let text = format!("{now} nothing has moved for 10 s: {progress}\n{lines}");
        log.and_then(|mut log| log.write_all(text.as_bytes())).expect("there is room for a log");
    }
}

impl Stats {
    /// What it says of why nothing moves.
    fn reason(&self) -> Option<String> {
        let problem = |health: &Option<Health>| health.as_ref().and_then(|it| it.problem.clone());
        let paused = self.paused.then(|| "the queue is paused".to_owned());
        let idle = (self.workers == 0).then(|| "no workers".to_owned());
        problem(&self.store).or_else(|| problem(&self.roll)).or(paused).or(idle)
    }
}

impl Rests {
    fn add(&mut self, progress: &Progress, answers: &[Answer]) {
        if answers.iter().any(|answer| answer.reason.is_some()) {
            self.explained += 1;
        } else {
            let lines: String = answers.iter().map(|answer| format!("\n  {answer}")).collect();
            self.untrue.push(format!("untrue: nothing moved for 10 s, with {progress}{lines}"));
        }
    }
}

/// What was asked, and the reason that was given.
#[derive(Debug)]
struct Answer {
    asked: String,
    reason: Option<String>,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = self.reason.as_deref().unwrap_or("no reason");
        write!(f, "{}: {reason}", self.asked)
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { accepted, processed, in_roll } = self;
        write!(f, "{accepted} records accepted, {processed} processed, {in_roll} in the roll")
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use muster_integration::ports::free_port;

    use super::*;
    use crate::clients::Client;
    use crate::program::Program;

    fn stats(more: &str) -> Option<String> {
        let text = format!(r#"{{"accepted":3,"kept":2,"dead":1,{more}}}"#);
        serde_json::from_str::<Stats>(&text).unwrap().reason()
    }

    #[test]
    fn stats_give_a_reason_only_where_something_is_wrong() {
        let well = r#""paused":false,"workers":5,"store":{"problem":null},"roll":{"problem":null}"#;
        assert_eq!(stats(well), None);
        for (well, wrong, reason) in [
            (r#""store":{"problem":null}"#, r#""store":{"problem":"away"}"#, "away"),
            (r#""roll":{"problem":null}"#, r#""roll":{"problem":"full"}"#, "full"),
            ("false", "true", "the queue is paused"),
            ("5", "0", "no workers"),
        ] {
            let all =
                r#""paused":false,"workers":5,"store":{"problem":null},"roll":{"problem":null}"#;
            assert_eq!(stats(&all.replace(well, wrong)).as_deref(), Some(reason));
        }
    }

    /// What is seen in a second of a client that reaches no server, when `stats` prints this.
    fn watch_a_client_that_waits(stats: &str) -> Rests {
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("users.json");
        fs::write(&input, "[]").unwrap();
        let server = format!("http://127.0.0.1:{}", free_port());
        let arguments = ["send", "--server", &server].map(OsString::from);
        let arguments = arguments.into_iter().chain([input.into()]).collect();
        let client = Program::new("client".to_owned(), "muster-client", arguments, folder.path());
        let clients = Arc::new(Clients::new(Vec::new()));
        clients.add(Client::new(client, 0, "send-1".to_owned()));
        let mut command = Command::new("echo");
        command.arg(stats);
        let watch = Watch::start(Watched {
            clients,
            probes: Vec::new(),
            stats: command,
            manifest: folder.path().join("all_users.manifest.json"),
            log: folder.path().join("watch.log"),
            rest_max: Duration::from_millis(100),
        });
        thread::sleep(Duration::from_secs(1));
        watch.end()
    }

    #[test]
    fn client_that_waits_without_a_reason_is_found() {
        let well = r#"{"accepted":3,"kept":2,"dead":1,"paused":false,"workers":5}"#;
        let rests = watch_a_client_that_waits(well);
        assert!(rests.explained == 0 && !rests.untrue.is_empty(), "{rests:?}");
        let rests = watch_a_client_that_waits(&well.replace("false", "true"));
        assert!(rests.explained > 0 && rests.untrue.is_empty(), "{rests:?}");
    }

    #[test]
    fn rest_without_a_reason_is_untrue() {
        let mut rests = Rests::default();
        let answer = |reason: Option<&str>| Answer {
            asked: "muster-client stats".to_owned(),
            reason: reason.map(str::to_owned),
        };
        rests.add(&Progress::default(), &[answer(None), answer(Some("the disk is full"))]);
        assert_eq!((rests.explained, rests.untrue.len()), (1, 0));
        rests.add(&Progress { accepted: 7, ..Progress::default() }, &[answer(None), answer(None)]);
        assert_eq!(rests.explained, 1);
        assert!(rests.untrue[0].contains("with 7 records accepted"), "{rests:?}");
        assert!(rests.untrue[0].ends_with("muster-client stats: no reason"), "{rests:?}");
    }
}
