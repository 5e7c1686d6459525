//! Other records under the name of a batch, and another worker with another roll: neither may change
//! anything.

use std::fs::File;
use std::io::BufWriter;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use muster_integration::users::write_json;
use muster_integration::{http, roll, wait};
use serde::Deserialize;

use crate::installation::Installation;
use crate::program::Program;
use crate::schedule::{Family, Mode};
use crate::verdict::Input;

/// How long a batch may take until its name can be used again.
const SENT: Duration = Duration::from_secs(60);
const REFUSED: Duration = Duration::from_secs(60);
/// What a client says of a batch whose records are others, or are more.
const OTHER_RECORDS: [&str; 3] =
    [" has different records", " has a different record at index ", " records, not "];
/// What a worker answers whose folder has another roll,
const OTHER_ROLL: &str = "is not the one that the store knows";
/// and how soon it must.
const OTHER_ROLL_WITHIN: Duration = Duration::from_secs(12);
/// How often it is asked.
const INTERVAL: Duration = Duration::from_millis(50);

/// What `muster-client batch show --json` prints of a batch, as far as it is wanted.
#[derive(Deserialize)]
struct Shown {
    state: String,
    received: u64,
}

/// A worker with another folder for the roll, and what it answers from its start on.
#[derive(Debug)]
pub(crate) struct SecondWorker {
    program: Program,
    is_over: Arc<AtomicBool>,
    readiness: JoinHandle<Readiness>,
}

/// What a worker has answered when it was asked again and again whether it is ready.
#[derive(Debug, Default)]
struct Readiness {
    /// How long after its start it was ready first, if it was.
    ready_after: Option<Duration>,
    /// How long after its start it refused another roll first, if it did.
    refused_after: Option<Duration>,
    last: Option<(u16, String)>,
}

impl Installation {
    /// Sends other records as the batch of this client, once the batch has records of its own. Of unary
    /// calls it must have all: until then, a call decides which record is at its place.
    pub(crate) fn reuse_name(&mut self, client: usize, records: usize) {
        let (batch, mode) = (format!("send-{}", client + 1), self.sends[client].mode);
        let is_begun = || {
            let show = ["batch", "show", &batch, "--retry-for", "0s"];
            let shown = self.commands.ask(&show).output().ok()?;
            let Shown { state, received } = serde_json::from_slice(&shown.stdout).ok()?;
            let has_own = match mode {
                Mode::Stream => received > 0,
                Mode::Unary(_) => state != "open",
            };
            has_own.then_some(())
        };
        wait::until(SENT, is_begun, || format!("{batch} has no records"));
        let input = Input {
            path: self.commands.folder.join(format!("other-{}.json", client + 1)),
            seed: self.other_seed(client),
            records,
            is_ordered: false,
        };
        let file = BufWriter::new(File::create(&input.path).expect("a file can be made"));
        write_json(file, input.users()).expect("there is room for an input");
        let name = format!("other client {}", client + 1);
        let port = self.commands.grpc;
        let mut other = self.commands.send(name, &input.path, &batch, mode, port);
        other.start();
        self.other_client = Some(other);
    }

    /// Waits for the end of the client that has sent other records: it must have been refused.
    pub(crate) fn expect_other_records_refused(&mut self) {
        let mut other = self.other_client.take().expect("other records are sent");
        let Some(end) = other.wait_until(Instant::now() + REFUSED) else {
            return self.problems.push(format!("{} has not ended", other.name()));
        };
        if !is_refused(end.code(), &end.stderr) {
            self.problems.push(format!("other records were not refused: {end}"));
        }
    }

    /// Starts one more worker, with another folder for its roll, and asks it from now on whether it is ready.
    pub(crate) fn start_second_folder(&mut self) {
        let (name, folder) = ("second worker".to_owned(), &self.commands.second_roll);
        let mut program = self.commands.worker(name, folder, None, Family::Storage);
        program.start();
        let port = program.probes().expect("a worker has probes");
        let is_over = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&is_over);
        let readiness = thread::spawn(move || Readiness::watch(port, &until));
        self.second_worker = Some(SecondWorker { program, is_over, readiness });
    }

    /// Stops that worker. It must not have been ready at any time, must have said why soon, and must have
    /// written nothing.
    pub(crate) fn expect_second_folder_refused(&mut self) {
        let second = self.second_worker.take().expect("there is a second worker");
        let SecondWorker { mut program, is_over, readiness } = second;
        is_over.store(true, Ordering::Relaxed);
        let readiness = readiness.join().expect("a worker can be asked");
        self.problems.extend(readiness.problem());
        program.stop();
        let roll = self.commands.second_roll.join("all_users.json");
        if roll.exists() {
            let records = roll::count(&roll);
            self.problems.push(format!("{} has {records} records", roll.display()));
        }
    }
}

/// Whether a client that ended like this has been refused because the batch has other records.
fn is_refused(code: Option<i32>, stderr: &str) -> bool {
    code == Some(1) && OTHER_RECORDS.iter().any(|refused| stderr.contains(refused))
}

impl Readiness {
    /// Asks until it is over, and until the worker has refused the roll or its time for that has passed.
    fn watch(port: u16, is_over: &AtomicBool) -> Self {
        let started = Instant::now();
        let mut readiness = Self::default();
        loop {
            readiness.note(started.elapsed(), http::get(port, "/readyz"));
            let is_due = readiness.refused_after.is_some() || started.elapsed() > OTHER_ROLL_WITHIN;
            if is_due && is_over.load(Ordering::Relaxed) {
                return readiness;
            }
            thread::sleep(INTERVAL);
        }
    }

    fn note(&mut self, after: Duration, answer: Option<(u16, String)>) {
        match &answer {
            Some((200, _)) => {
                self.ready_after.get_or_insert(after);
            }
            Some((503, said)) if said.contains(OTHER_ROLL) => {
                self.refused_after.get_or_insert(after);
            }
            _ => {}
        }
        self.last = answer;
    }

    /// What is wrong with the answers of a worker that has another roll, if something is.
    fn problem(&self) -> Option<String> {
        let Self { ready_after, refused_after, last } = self;
        if let Some(after) = ready_after {
            return Some(format!("a worker with another folder was ready after {after:.1?}"));
        }
        let in_time = refused_after.is_some_and(|after| after <= OTHER_ROLL_WITHIN);
        (!in_time).then(|| {
            format!(
                "a worker with another folder has not refused it within {OTHER_ROLL_WITHIN:?}, but \
                 after {refused_after:?}; it answers {last:?}"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_other_records_are_a_refusal() {
        for (said, expected) in [
            (
                "batch send-1 has different records: the first difference is at an index from 0 to 255; \
                 send these records under another batch id (FailedPrecondition)",
                true,
            ),
            (
                "batch send-1 has a different record at index 3; send these records under another batch \
                 id (FailedPrecondition)",
                true,
            ),
            ("batch send-1 has 2102 records, not 295 (FailedPrecondition)", true),
            ("batch send-1 is sealed with 5 records and takes no more (FailedPrecondition)", false),
            ("the store at redis://localhost is misconfigured (FailedPrecondition)", false),
        ] {
            assert_eq!(is_refused(Some(1), said), expected, "{said}");
            assert!(!is_refused(Some(0), said) && !is_refused(None, said));
        }
    }

    #[test]
    fn worker_with_another_folder_is_never_ready_and_says_why_soon() {
        let other = || Some((503, format!("the roll in /second {OTHER_ROLL}: …")));
        let problem = |answers: Vec<(u64, Option<(u16, String)>)>| {
            let mut readiness = Readiness::default();
            for (seconds, answer) in answers {
                readiness.note(Duration::from_secs(seconds), answer);
            }
            readiness.problem()
        };
        assert_eq!(problem(vec![(0, None), (2, other())]), None);
        let ready = problem(vec![(0, Some((200, String::new()))), (2, other())]);
        assert!(ready.unwrap().contains("was ready after 0.0ns"));
        assert!(problem(vec![(13, other())]).unwrap().contains("after Some(13s)"));
        assert!(problem(vec![(1, Some((503, "the store is away".to_owned())))]).is_some());
    }
}
