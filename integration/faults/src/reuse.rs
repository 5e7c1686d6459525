//! Other records under the name of a batch, and another worker with another roll: neither may change
//! anything.

use std::fs::File;
use std::io::BufWriter;
use std::time::{Duration, Instant};

use muster_integration::roll;
use muster_integration::users::write_json;
use muster_integration::wait;
use serde::Deserialize;

use crate::installation::Installation;
use crate::schedule::Mode;
use crate::verdict::Input;

/// How long a batch may take until its name can be used again.
const SENT: Duration = Duration::from_secs(60);
const REFUSED: Duration = Duration::from_secs(60);
/// What a client says of a batch whose records are others.
const OTHER_RECORDS: &str = "FailedPrecondition";
/// What a worker answers whose folder has another roll.
const OTHER_ROLL: &str = "is not the one that the store knows";

/// What `muster-client batch show --json` prints of a batch, as far as it is wanted.
#[derive(Deserialize)]
struct Shown {
    state: String,
    received: u64,
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
        self.added = Some(other);
    }

    /// Waits for the end of the client that has sent other records: it must have been refused.
    pub(crate) fn expect_other_records_refused(&mut self) {
        let mut other = self.added.take().expect("other records are sent");
        let Some(end) = other.wait_until(Instant::now() + REFUSED) else {
            return self.problems.push(format!("{} has not ended", other.name()));
        };
        if end.code() != Some(1) || !end.stderr.contains(OTHER_RECORDS) {
            self.problems.push(format!("other records were not refused: {end}"));
        }
    }

    /// Starts one more worker, with another folder for its roll.
    pub(crate) fn start_second_folder(&mut self) {
        let folder = self.commands.folder.join("second-roll");
        let mut worker = self.commands.worker("second worker".to_owned(), &folder, None);
        worker.start();
        self.added = Some(worker);
    }

    /// Stops that worker. By now it must not be ready, with the reason, and have written nothing.
    pub(crate) fn expect_second_folder_refused(&mut self) {
        let mut worker = self.added.take().expect("there is a second worker");
        let is_refused = || {
            let (status, said) = worker.readiness()?;
            (status == 503 && said.contains(OTHER_ROLL)).then_some(())
        };
        if wait::by(Instant::now() + REFUSED, is_refused).is_none() {
            let answer = worker.readiness();
            self.problems.push(format!("a worker with another folder answers {answer:?}"));
        }
        worker.stop();
        let roll = self.commands.folder.join("second-roll/all_users.json");
        if roll.exists() {
            let records = roll::count(&roll);
            self.problems.push(format!("{} has {records} records", roll.display()));
        }
    }
}
