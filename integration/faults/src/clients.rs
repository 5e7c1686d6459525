//! The clients: each sends a batch and waits until it is in the roll. The schedule starts and kills
//! them, and the watch looks at what they print.

use std::fs;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use muster_integration::process::Finished;
use muster_integration::wait;

use crate::program::Program;

/// How a line of a client begins that is about the progress of its batch.
const PROGRESS: &str = "batch ";
/// What such a line says of the batch. The reason follows behind a colon.
const STALLED: [&str; 3] = [" has made no progress for ", ": calls fail again and again", " waits"];
/// How such a line ends if it gives no reason: the workers of the suite need no time for a record.
const UNKNOWN: [&str; 2] = [" for a reason that is not known", ": workers are processing records"];
/// What a client prints when the store has forgotten its batch, or some of its records.
const FORGOTTEN: [&str; 2] = [" lost records of batch ", "the server knows no such batch"];

/// The clients, counted from 0 in the order in which they were added.
#[derive(Debug)]
pub(crate) struct Clients(Mutex<Vec<Client>>);

/// A client. It is started again when it was killed.
#[derive(Debug)]
pub(crate) struct Client {
    program: Program,
    /// The number of its input, from 0.
    pub(crate) input: usize,
    /// Its batch.
    pub(crate) batch: String,
    has_begun: bool,
    end: Option<Finished>,
    /// Whether a fault makes the store forget what it waits for: then it may fail, and is started again.
    may_be_forgotten: bool,
    /// How much of its log is from before the last progress, in bytes.
    log_before: usize,
}

impl Client {
    /// A client that has not begun to send this input.
    pub(crate) fn new(program: Program, input: usize, batch: String) -> Self {
        let (has_begun, may_be_forgotten) = (false, false);
        Self { program, input, batch, has_begun, end: None, may_be_forgotten, log_before: 0 }
    }

    fn start(&mut self) {
        self.has_begun = true;
        self.program.start();
    }

    /// Notes its end, if it has ended.
    fn is_running(&mut self) -> bool {
        if self.end.is_none() && !self.program.is_running() {
            self.end = self.program.wait_until(Instant::now());
        }
        self.program.is_running()
    }

    /// Whether it has failed, and only because of the fault that makes the store forget.
    fn was_forgotten(&mut self) -> bool {
        self.is_running();
        self.may_be_forgotten
            && self.end.as_ref().is_some_and(|end| is_forgotten(end.code(), &end.stderr))
    }

    /// The whole lines of its log, of all processes that it had.
    fn log(&self) -> Vec<u8> {
        let mut log = fs::read(self.program.log()).unwrap_or_default(); // It fails before the first start.
        let end = log.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        log.truncate(end);
        log
    }
}

/// The reason that a line of a client gives for why its batch makes no progress.
pub(crate) fn reason(line: &str) -> Option<&str> {
    let line = line.strip_prefix(PROGRESS)?;
    if UNKNOWN.iter().any(|unknown| line.ends_with(unknown)) {
        return None;
    }
    let (_, rest) = STALLED.iter().find_map(|stalled| line.split_once(stalled))?;
    let (_, reason) = rest.split_once(": ")?;
    Some(reason.trim()).filter(|reason| !reason.is_empty())
}

/// Whether a client that ended like this has failed because the store has forgotten its batch.
fn is_forgotten(code: Option<i32>, stderr: &str) -> bool {
    code == Some(1) && FORGOTTEN.iter().any(|forgotten| stderr.contains(forgotten))
}

impl Clients {
    pub(crate) fn new(clients: Vec<Client>) -> Self {
        Self(Mutex::new(clients))
    }

    /// Starts this client.
    pub(crate) fn start(&self, client: usize) {
        self.lock()[client].start();
    }

    /// Adds a client and starts it.
    pub(crate) fn add(&self, mut client: Client) {
        client.start();
        self.lock().push(client);
    }

    /// Kills this client, if it runs.
    pub(crate) fn kill(&self, client: usize) {
        let client = &mut self.lock()[client];
        if client.is_running() {
            client.program.kill();
        }
    }

    /// Starts this client again, if it was killed.
    pub(crate) fn start_killed(&self, client: usize) {
        let client = &mut self.lock()[client];
        if client.has_begun && client.end.is_none() {
            client.start();
        }
    }

    /// Lets those that run now fail because the store has forgotten their batch, until
    /// [`Clients::start_forgotten`].
    pub(crate) fn may_be_forgotten(&self) {
        self.running(|client| client.may_be_forgotten = true);
    }

    /// Starts those again that have failed because the store has forgotten their batch, with the same
    /// command. From now on no failure is allowed.
    pub(crate) fn start_forgotten(&self) {
        for client in self.lock().iter_mut() {
            if client.was_forgotten() {
                client.end = None;
                client.start();
            }
            client.may_be_forgotten = false;
        }
    }

    /// Waits until each of them has ended or `deadline` has passed. Returns the end of each; `None` for
    /// those that have not ended.
    pub(crate) fn wait(&self, deadline: Instant) -> Vec<Option<Finished>> {
        let have_ended = || {
            let mut clients = self.lock();
            clients
                .iter_mut()
                .all(|client| !client.is_running() && client.end.is_some())
                .then_some(())
        };
        wait::by(deadline, have_ended);
        self.lock().iter_mut().map(|client| client.end.take()).collect()
    }

    /// How many run.
    pub(crate) fn count_running(&self) -> usize {
        let mut count = 0;
        self.running(|_| count += 1);
        count
    }

    /// Notes that records have moved: what was printed before is about an earlier stall.
    pub(crate) fn note_progress(&self) {
        for client in self.lock().iter_mut() {
            client.log_before = client.log().len();
        }
    }

    /// The last line of each client about the progress of its batch, of those that it has printed since
    /// records have moved.
    pub(crate) fn last_lines(&self) -> Vec<String> {
        let clients = self.lock();
        let last = clients.iter().filter_map(|client| {
            let log = client.log();
            let new = String::from_utf8_lossy(log.get(client.log_before..)?);
            new.lines().rfind(|line| line.starts_with(PROGRESS)).map(str::to_owned)
        });
        last.collect()
    }

    /// The last batch that was begun for each input.
    pub(crate) fn last_batches(&self) -> Vec<(usize, String)> {
        let clients = self.lock();
        let mut batches: Vec<(usize, String)> = Vec::new();
        for Client { input, batch, .. } in clients.iter() {
            batches.retain(|(other, _)| other != input);
            batches.push((*input, batch.clone()));
        }
        batches
    }

    fn running(&self, mut each: impl FnMut(&mut Client)) {
        self.lock()
            .iter_mut()
            .filter_map(|client| client.is_running().then_some(client))
            .for_each(&mut each);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Client>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn line_of_a_client_gives_a_reason_only_if_it_names_one() {
        for (line, expected) in [
            (
                "batch send-1 has made no progress for 5s: the store is away",
                Some("the store is away"),
            ),
            ("batch send-1 has made no progress for 5s: ", None),
            ("batch send-1: calls fail again and again: no route", Some("no route")),
            ("batch send-1 waits: the queue is paused", Some("the queue is paused")),
            ("batch send-1 waits: ", None),
            (
                "batch send-1 has made no progress for 1m 5s: the server has not accepted the records, for \
                 a reason that is not known",
                None,
            ),
            ("batch send-1 waits: workers are processing records", None),
            ("batch send-1: 300 records accepted", None),
            ("the queue is paused", None),
        ] {
            assert_eq!(reason(line), expected, "{line}");
        }
    }

    #[test]
    fn last_whole_line_since_records_moved_counts() {
        let folder = tempfile::tempdir().unwrap();
        let program =
            Program::new("client 1".to_owned(), "muster-client", Vec::new(), folder.path());
        let log = program.log();
        let clients = Clients::new(vec![Client::new(program, 0, "send-1".to_owned())]);
        assert!(clients.last_lines().is_empty());
        fs::write(&log, "batch send-1 waits: first\nbatch send-1 waits: second\n{}\n").unwrap();
        assert_eq!(clients.last_lines(), ["batch send-1 waits: second"]);
        clients.note_progress();
        assert!(clients.last_lines().is_empty());
        // The same reason again is a new line.
        let mut log = fs::File::options().append(true).open(&log).unwrap();
        log.write_all(b"batch send-1 waits: second\nbatch send-1 wai").unwrap();
        assert_eq!(clients.last_lines(), ["batch send-1 waits: second"]);
    }

    #[test]
    fn only_a_forgotten_batch_is_an_allowed_failure() {
        let lost = "http://127.0.0.1:1 lost records of batch send-1 that it had accepted: it has 0";
        let unknown =
            "http://127.0.0.1:1: the server knows no such batch (NotFound). Of batch send-1 …";
        assert!(is_forgotten(Some(1), lost) && is_forgotten(Some(1), unknown));
        assert!(
            !is_forgotten(Some(3), lost)
                && !is_forgotten(None, lost)
                && !is_forgotten(Some(0), lost)
        );
        let other = "http://127.0.0.1:1: batch send-1 has different records (FailedPrecondition)";
        assert!(!is_forgotten(Some(1), other));
    }
}
