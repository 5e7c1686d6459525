//! Whether Muster says why, whenever records wait.
//!
//! Each second the watch looks at how many records are accepted, processed, and in the roll. When none
//! of these has changed for ten seconds while a client waits, or while accepted records are not in the roll,
//! that is a stall. The watch then asks everything that is there to tell a person why: `/readyz` of the
//! server and of each worker, `muster-client stats`, and what the clients have printed since records moved.
//! If none of them gives a reason, Muster is untrue: it looks well, and nothing moves.

use std::fmt;
use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use muster_integration::http;
use serde::Deserialize;

use crate::clients::{self, Clients};

/// How long no record may move before a reason must be given.
pub(crate) const STALL_AFTER: Duration = Duration::from_secs(10);
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
    /// A folder that a fault gives to one more worker. What is wrong with the roll there is not why records
    /// wait.
    pub(crate) second_roll: PathBuf,
    /// Where each stall is noted.
    pub(crate) log: PathBuf,
    /// How long no record may move.
    pub(crate) stall_after: Duration,
}

/// A watch, until it is dropped.
#[derive(Debug)]
pub(crate) struct Watch {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<Stalls>>,
}

/// How often no record moved for ten seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stalls {
    /// How often a reason was given.
    pub(crate) explained: u64,
    /// What was said each time when none was.
    pub(crate) untrue: Vec<String>,
}

/// How many records there are at each step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Progress {
    accepted: u64,
    processed: u64,
    in_roll: u64,
    /// Whether accepted records are not processed, or complete batches not in the roll.
    has_work: bool,
}

/// What `muster-client stats --json` prints, as far as it shows progress or its lack.
#[derive(Debug, Deserialize)]
struct Stats {
    accepted: u64,
    kept: u64,
    dead: u64,
    paused: bool,
    workers: u32,
    lines: Vec<Line>,
    store: Option<Store>,
    roll: Option<Roll>,
}

#[derive(Debug, Deserialize)]
struct Line {
    records: u64,
}

#[derive(Debug, Deserialize)]
struct Store {
    problem: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Roll {
    problem: Option<String>,
    unwritten_batches: u64,
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
    /// # Errors
    ///
    /// What the watch has panicked with.
    pub(crate) fn end(mut self) -> thread::Result<Stalls> {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.take().expect("a watch ends once").join()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

impl Watched {
    fn watch(mut self, is_over: &AtomicBool) -> Stalls {
        let mut stalls = Stalls::default();
        let mut before = Progress::default();
        let mut since = Instant::now();
        while !is_over.load(Ordering::Relaxed) {
            let stats = self.ask_stats();
            let now = self.progress(before, stats.as_ref().ok());
            let is_waited_for = now.has_work || self.clients.count_running() > 0;
            if now != before || !is_waited_for {
                self.clients.note_progress();
                (before, since) = (now, Instant::now());
            } else if since.elapsed() >= self.stall_after {
                let answers = self.ask_all(&stats);
                self.note(&now, &answers);
                stalls.add(&now, &answers);
                // The clients repeat their reason each minute only: it stands until records move.
                since = Instant::now();
            }
            thread::sleep(self.stall_after / LOOKS);
        }
        stalls
    }

    /// What is shown of the queue, or why it is not.
    fn ask_stats(&mut self) -> Result<Stats, String> {
        read_stats(self.stats.output().map_err(|error| error.to_string())?)
    }

    /// What cannot be seen is as it was before.
    fn progress(&self, before: Progress, stats: Option<&Stats>) -> Progress {
        let manifest = fs::read(&self.manifest).ok();
        let manifest = manifest.and_then(|text| serde_json::from_slice::<Manifest>(&text).ok());
        let in_roll = manifest.map_or(before.in_roll, |manifest| manifest.records);
        match stats {
            Some(stats) => Progress {
                accepted: stats.accepted,
                processed: stats.kept + stats.dead,
                in_roll,
                has_work: stats.has_work(),
            },
            None => Progress { in_roll, ..before },
        }
    }

    /// Everything that can tell a person why no record moves.
    fn ask_all(&self, stats: &Result<Stats, String>) -> Vec<Answer> {
        let probes = self.probes.iter().map(|(name, port)| {
            let (said, reason) = match http::get(*port, "/readyz") {
                Some((200, body)) => (format!("200 {}", body.trim()), None),
                Some((status, body)) => (format!("{status} {}", body.trim()), Some(body)),
                None => ("it does not answer".to_owned(), None),
            };
            self.answer(format!("/readyz of {name}"), said, reason)
        });
        let (said, reasons) = match stats {
            Ok(stats) => (format!("{stats:?}"), stats.reasons()),
            Err(error) => (error.clone(), vec![error.clone()]),
        };
        let stats = self.answer("muster-client stats".to_owned(), said, reasons);
        let lines = self.clients.last_lines();
        let reasons = lines.iter().filter_map(|line| clients::reason(line)).map(str::to_owned);
        let said =
            if lines.is_empty() { "it has printed nothing".to_owned() } else { lines.join("; ") };
        let clients = self.answer("send --wait".to_owned(), said, reasons);
        probes.chain([stats, clients]).collect()
    }

    /// An answer, with the first of these reasons that is one.
    fn answer(
        &self,
        asked: String,
        said: String,
        reasons: impl IntoIterator<Item = String>,
    ) -> Answer {
        let second_roll = self.second_roll.to_string_lossy();
        let is_reason =
            |reason: &String| !reason.trim().is_empty() && !reason.contains(&*second_roll);
        Answer { asked, said, is_reason: reasons.into_iter().any(|reason| is_reason(&reason)) }
    }

    fn note(&self, progress: &Progress, answers: &[Answer]) {
        let now = humantime::format_rfc3339_millis(SystemTime::now());
        let log = File::options().create(true).append(true).open(&self.log);
        let lines: String = answers.iter().map(|answer| format!("  {answer}\n")).collect();
        let text = format!("{now} nothing has moved for 10 s: {progress}\n{lines}");
        log.and_then(|mut log| log.write_all(text.as_bytes())).expect("there is room for a log");
    }
}

/// What `muster-client stats --json` has printed, or why it has failed.
///
/// # Panics
///
/// When it has succeeded, and what it has printed cannot be read: the watch would see nothing.
fn read_stats(output: Output) -> Result<Stats, String> {
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    let stats = serde_json::from_slice(&output.stdout);
    Ok(stats.unwrap_or_else(|error| {
        panic!("muster-client stats --json: {error}: {}", String::from_utf8_lossy(&output.stdout))
    }))
}

impl Stats {
    /// What it says of why no record moves.
    fn reasons(&self) -> Vec<String> {
        let store = self.store.as_ref().and_then(|store| store.problem.clone());
        let roll = self.roll.as_ref().and_then(|roll| roll.problem.clone());
        let paused = self.paused.then(|| "the queue is paused".to_owned());
        let idle = (self.workers == 0).then(|| "no workers".to_owned());
        [store, roll, paused, idle].into_iter().flatten().collect()
    }

    /// Whether accepted records are not processed, or complete batches not in the roll.
    fn has_work(&self) -> bool {
        let unwritten = self.roll.as_ref().map_or(0, |roll| roll.unwritten_batches);
        unwritten > 0 || self.lines.iter().any(|line| line.records > 0)
    }
}

impl Stalls {
    fn add(&mut self, progress: &Progress, answers: &[Answer]) {
        if answers.iter().any(|answer| answer.is_reason) {
            self.explained += 1;
        } else {
            let lines: String = answers.iter().map(|answer| format!("\n  {answer}")).collect();
            self.untrue.push(format!("untrue: nothing moved for 10 s, with {progress}{lines}"));
        }
    }
}

/// What was asked, what it said, and whether that is a reason.
#[derive(Debug)]
struct Answer {
    asked: String,
    said: String,
    is_reason: bool,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { asked, said, is_reason } = self;
        let mark = if *is_reason { "a reason" } else { "no reason" };
        write!(f, "{asked}: {mark}: {said}")
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { accepted, processed, in_roll, .. } = self;
        write!(f, "{accepted} records accepted, {processed} processed, {in_roll} in the roll")
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::os::unix::process::ExitStatusExt;
    use std::path::Path;
    use std::process::ExitStatus;

    use muster_integration::ports::free_port;
    use muster_integration::programs;
    use muster_integration::redis_server::Durability;
    use muster_integration::stack::Stack;

    use super::*;
    use crate::clients::Client;
    use crate::program::Program;

    const WELL: &str = r#"{"accepted":3,"kept":2,"dead":1,"paused":false,"workers":5,
        "lines":[{"records":0}],"store":{"problem":null},
        "roll":{"problem":null,"unwritten_batches":0}}"#;

    fn stats(text: &str) -> Stats {
        serde_json::from_str(text).unwrap()
    }

    fn watched(clients: Arc<Clients>, stats: Command, folder: &Path) -> Watched {
        Watched {
            clients,
            probes: Vec::new(),
            stats,
            manifest: folder.join("all_users.manifest.json"),
            second_roll: folder.join("second-roll"),
            log: folder.join("watch.log"),
            stall_after: Duration::from_millis(100),
        }
    }

    #[test]
    fn stats_give_a_reason_only_where_something_is_wrong() {
        assert!(stats(WELL).reasons().is_empty());
        for (well, wrong, reason) in [
            (r#""store":{"problem":null"#, r#""store":{"problem":"away""#, "away"),
            (r#""roll":{"problem":null"#, r#""roll":{"problem":"full""#, "full"),
            ("false", "true", "the queue is paused"),
            (r#""workers":5"#, r#""workers":0"#, "no workers"),
        ] {
            assert_eq!(stats(&WELL.replace(well, wrong)).reasons(), [reason]);
        }
    }

    #[test]
    fn stats_show_whether_accepted_records_are_not_in_the_roll() {
        assert!(!stats(WELL).has_work());
        assert!(stats(&WELL.replace(r#""records":0"#, r#""records":1"#)).has_work());
        assert!(stats(&WELL.replace(r#"batches":0"#, r#"batches":1"#)).has_work());
    }

    #[test]
    fn what_the_real_stats_print_is_read() {
        let stack = Stack::start(Durability::Memory, 1);
        let mut command = programs::command("muster-client");
        let server = format!("http://127.0.0.1:{}", stack.grpc_port());
        command.args(["stats", "--json", "--server", &server]);
        let stats = read_stats(command.output().unwrap()).unwrap();
        assert_eq!((stats.accepted, stats.has_work()), (0, false));
        assert!(!stats.lines.is_empty() && stats.store.is_some() && stats.roll.is_some());
    }

    #[test]
    #[should_panic(expected = "muster-client stats --json: ")]
    fn stats_that_cannot_be_read_are_not_a_reason() {
        let (stdout, stderr) = (b"{}".to_vec(), Vec::new());
        let _ = read_stats(Output { status: ExitStatus::from_raw(0), stdout, stderr });
    }

    #[test]
    fn empty_answer_or_a_problem_of_the_second_roll_is_not_a_reason() {
        let folder = Path::new("/tmp/schedule");
        let watched = watched(Arc::new(Clients::new(Vec::new())), Command::new("true"), folder);
        let is_reason = |reason: &str| {
            watched.answer(String::new(), String::new(), [reason.to_owned()]).is_reason
        };
        assert!(!is_reason("") && !is_reason("\n"));
        assert!(!is_reason("the roll in /tmp/schedule/second-roll is not the one …"));
        assert!(is_reason("the roll in /tmp/schedule/roll is not the one …"));
    }

    /// What is seen in a second of a client that reaches no server, when `stats` prints this.
    fn watch_a_client_that_waits(stats: &str) -> Stalls {
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("users.json");
        fs::write(&input, "[]").unwrap();
        let server = format!("http://127.0.0.1:{}", free_port());
        let arguments = ["send", "--server", &server].map(OsString::from);
        let arguments = arguments.into_iter().chain([input.into()]).collect();
        let client = Program::new("client".to_owned(), "muster-client", arguments, folder.path());
        let clients = Arc::new(Clients::new(Vec::new()));
        clients.add(Client::new(client, 0, "send-1".to_owned()));
        watch_for_a_second(clients, stats, folder.path())
    }

    fn watch_for_a_second(clients: Arc<Clients>, stats: &str, folder: &Path) -> Stalls {
        let mut command = Command::new("echo");
        command.arg(stats);
        let watch = Watch::start(watched(clients, command, folder));
        thread::sleep(Duration::from_secs(1));
        watch.end().unwrap()
    }

    #[test]
    fn client_that_waits_without_a_reason_is_found() {
        let stalls = watch_a_client_that_waits(WELL);
        assert!(stalls.explained == 0 && !stalls.untrue.is_empty(), "{stalls:?}");
        let stalls = watch_a_client_that_waits(&WELL.replace("false", "true"));
        assert!(stalls.explained > 0 && stalls.untrue.is_empty(), "{stalls:?}");
    }

    #[test]
    fn records_that_wait_without_a_client_are_watched() {
        let folder = tempfile::tempdir().unwrap();
        let watch = |stats: &str| {
            watch_for_a_second(Arc::new(Clients::new(Vec::new())), stats, folder.path())
        };
        assert_eq!(watch(WELL), Stalls::default());
        assert!(!watch(&WELL.replace("batches\":0", "batches\":1")).untrue.is_empty());
    }

    #[test]
    fn stall_without_a_reason_is_untrue() {
        let mut stalls = Stalls::default();
        let answer = |said: &str, is_reason| Answer {
            asked: "muster-client stats".to_owned(),
            said: said.to_owned(),
            is_reason,
        };
        let (well, full) = (answer("all is well", false), answer("the disk is full", true));
        stalls.add(&Progress::default(), &[well, full]);
        assert_eq!((stalls.explained, stalls.untrue.len()), (1, 0));
        let progress = Progress { accepted: 7, ..Progress::default() };
        stalls.add(&progress, &[answer("all is well", false)]);
        assert_eq!(stalls.explained, 1);
        assert!(stalls.untrue[0].contains("with 7 records accepted"), "{stalls:?}");
        assert!(
            stalls.untrue[0].ends_with("muster-client stats: no reason: all is well"),
            "{stalls:?}"
        );
    }
}
