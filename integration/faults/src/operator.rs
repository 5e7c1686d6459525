//! What an operator does about a fault: looks at what the workers say, puts the right roll back or
//! accepts the one that is there, and sends again what is lost with it (docs/backup.md).

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use muster_integration::process::Process;
use muster_integration::wait;
use serde::Deserialize;

use crate::clients::Client;
use crate::fault::FaultKind;
use crate::installation::Installation;
use crate::program::Program;

/// How soon a worker must say what is wrong with its roll, or that nothing is.
const SAID: Duration = Duration::from_secs(30);
const ACCEPTED: Duration = Duration::from_secs(60);
const READY: Duration = Duration::from_secs(60);

/// What a worker answers that cannot write the roll.
const CANNOT_WRITE: &str = "the roll cannot be written: ";
/// What it names as the remedy for a difference.
const ACCEPT: &str = "muster-worker roll accept";

/// Whether a worker says that it cannot write the roll because of this difference, and how to accept it.
fn names_difference(said: &str, difference: &str) -> bool {
    said.starts_with(CANNOT_WRITE) && said.contains(difference) && said.contains(ACCEPT)
}

/// A batch, as `muster-client batch list --json` and the manifest of the roll have it.
#[derive(Deserialize)]
struct Named {
    batch: String,
}

#[derive(Deserialize)]
struct Manifest {
    recent: Vec<Named>,
}

impl Installation {
    /// Waits until every worker is ready.
    pub(crate) fn wait_until_ready(&self) {
        let answers = || self.workers.iter().map(Program::readiness).collect::<Vec<_>>();
        let is_ready = |answer: &Option<(u16, String)>| matches!(answer, Some((200, _)));
        wait::until(
            READY,
            || answers().iter().all(is_ready).then_some(()),
            || format!("the workers answer {:?}", answers()),
        );
    }

    /// Stops all workers.
    pub(crate) fn stop_workers(&mut self) {
        self.workers.iter_mut().for_each(Program::stop);
    }

    /// Starts all workers.
    pub(crate) fn start_workers(&mut self) {
        self.workers.iter_mut().for_each(Program::start);
    }

    /// Whether the store and the roll differ, once each worker has looked at it. Only the difference that
    /// this fault makes is one that the operator may do something about.
    pub(crate) fn is_different(&self, kind: &FaultKind) -> bool {
        let difference =
            kind.difference().expect("a fault that makes the store and the roll differ");
        let answers = || self.workers.iter().map(Program::readiness).collect::<Vec<_>>();
        let looked = || {
            let answers: Vec<_> = answers().into_iter().flatten().collect();
            let is_different = answers.iter().any(|(_, said)| names_difference(said, difference));
            let ready = answers.iter().filter(|(status, _)| *status == 200).count();
            (is_different || ready == self.workers.len()).then_some(is_different)
        };
        let late = || format!("no worker answers {difference:?}: they answer {:?}", answers());
        wait::until(SAID, looked, late)
    }

    /// Accepts the roll, sends again what it lacks, and waits until the workers have noticed.
    pub(crate) fn accept(&self) {
        let log = self.commands.folder.join("operator.log");
        let accepted =
            Process::start_with_log("roll accept", &mut self.commands.accept_roll(), &log);
        accepted.wait(ACCEPTED).expect_code(0);
        self.send_missing();
        self.wait_until_ready();
    }

    /// Sends the batches again, each under a new name, that the store takes for written and the roll
    /// lacks.
    fn send_missing(&self) {
        let list = ["batch", "list", "--state", "written", "--limit", "0"];
        let listed = self.commands.ask(&list).output().expect("a program can be started");
        let written: BTreeSet<String> = serde_json::Deserializer::from_slice(&listed.stdout)
            .into_iter()
            .map(|batch: serde_json::Result<Named>| batch.expect("a batch is JSON").batch)
            .collect();
        assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
        // The manifest is read last: what is written meanwhile is in it.
        let manifest = fs::read(self.roll().with_extension("manifest.json"));
        let manifest = manifest.expect("a roll that was accepted has a manifest");
        let Manifest { recent } = serde_json::from_slice(&manifest).expect("a manifest is JSON");
        let in_roll: BTreeSet<String> = recent.into_iter().map(|entry| entry.batch).collect();
        for (input, batch) in self.clients.last_batches() {
            if written.contains(&batch) && !in_roll.contains(&batch) {
                self.clients.add(self.client(input, format!("{batch}-again")));
            }
        }
    }

    /// A client that sends this input as this batch.
    fn client(&self, input: usize, batch: String) -> Client {
        self.new_client(format!("client {}", &batch["send-".len()..]), input, batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_difference_of_the_fault_is_accepted() {
        let emptied = "the roll cannot be written: the roll in /roll is not the one that the store knows: \
             this folder has roll 12 (3 batches), and the store knows no roll: the store was emptied, or \
             is the wrong store. Put the right one back, or accept this one with `muster-worker roll accept`";
        let changed = "the roll cannot be written: /roll/all_users.json is not what its manifest says: its \
             SHA-256 differs. Something else changed it: put it back, or accept it as it is with \
             `muster-worker roll accept`";
        let difference = FaultKind::EmptyStore.difference().unwrap();
        assert!(names_difference(emptied, difference));
        assert!(!names_difference(changed, difference));
        let restored = FaultKind::RestoreStore { age: Duration::ZERO };
        assert!(!names_difference(emptied, restored.difference().unwrap()));
    }
}
