//! What an operator does about a fault: looks at what the workers say, puts the right roll back or
//! accepts the one that is there, and sends again what is lost with it (docs/backup.md).

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use muster_integration::process::Process;
use muster_integration::wait;
use serde::Deserialize;

use crate::clients::Client;
use crate::installation::Installation;
use crate::program::Program;

/// How soon a worker must say what is wrong with its roll, or that nothing is.
const SAID: Duration = Duration::from_secs(30);
const ACCEPTED: Duration = Duration::from_secs(60);
const READY: Duration = Duration::from_secs(60);
/// How often the operator looks.
const INTERVAL: Duration = Duration::from_secs(1);

/// What a worker answers that cannot write the roll.
const CANNOT_WRITE: &str = "the roll cannot be written: ";
/// What it names as a remedy.
const ACCEPT: &str = "muster-worker roll accept";

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

    /// What a worker says that cannot write the roll, once each has looked at it.
    pub(crate) fn roll_problem(&self) -> Option<String> {
        let looked = || {
            let answers: Option<Vec<_>> = self.workers.iter().map(Program::readiness).collect();
            let (well, bad): (Vec<_>, Vec<_>) =
                answers?.into_iter().partition(|(status, _)| *status == 200);
            let said = bad.iter().find(|(_, said)| said.starts_with(CANNOT_WRITE)).cloned();
            (well.len() == self.workers.len() || said.is_some()).then_some(said)
        };
        let said = wait::until(SAID, looked, || "no worker says how it goes".to_owned());
        said.map(|(_, said)| said)
    }

    /// Accepts the roll once a worker asks for that.
    pub(crate) fn accept_when_asked(&self) {
        let asked = || self.is_asked_to_accept().then_some(());
        wait::until(SAID, asked, || "no worker says that the roll is not the store's".to_owned());
        self.accept();
    }

    /// Does whatever is to be done by now: accepts the roll if a worker asks for that, and starts the
    /// clients again that have failed because the store has forgotten their batch.
    pub(crate) fn operate(&mut self) {
        if self.looked.is_some_and(|looked| looked.elapsed() < INTERVAL) {
            return;
        }
        if self.may_accept && self.is_asked_to_accept() {
            self.accept();
        }
        self.clients.start_excused();
        self.looked = Some(Instant::now());
    }

    fn is_asked_to_accept(&self) -> bool {
        let mut answers = self.workers.iter().filter_map(Program::readiness);
        answers.any(|(_, said)| said.starts_with(CANNOT_WRITE) && said.contains(ACCEPT))
    }

    /// Accepts the roll, sends again what it lacks, and waits until the workers have noticed.
    fn accept(&self) {
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
