//! What each program is started with.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use muster_integration::ports::free_port;
use muster_integration::programs;
use muster_integration::redis_server::Durability;
use muster_integration::relay::Relay;

use crate::program::Program;
use crate::schedule::{Family, Mode, Schedule, Topology};
use crate::store::Store;

/// How records are tried again that fail: soon, and so often that none becomes a dead letter.
const RETRIES: [(&str, &str); 3] = [
    ("MUSTER_WORKER_ATTEMPTS_MAX", "1000"),
    ("MUSTER_WORKER_RETRY_DELAY", "500ms"),
    ("MUSTER_WORKER_RETRY_DELAY_MAX", "1s"),
];

/// Where the programs of a schedule find each other.
#[derive(Debug)]
pub(crate) struct Commands {
    /// The folder of the schedule.
    pub(crate) folder: PathBuf,
    /// The folder of the roll.
    pub(crate) roll: PathBuf,
    /// The folder of another roll, which a fault gives to one more worker.
    pub(crate) second_roll: PathBuf,
    /// Where the server takes records in.
    pub(crate) grpc: u16,
    store: String,
    durability: Vec<OsString>,
}

impl Commands {
    pub(crate) fn new(schedule: &Schedule, store: &Store, folder: &Path) -> Self {
        let durability: &[&str] = match (schedule.topology, schedule.durability) {
            // What only the master has dies with it, and any of its replicas may take its place.
            (Topology::Sentinel, _) => &["--durability", "replicated", "--replicas", "2"],
            (Topology::Cluster, _) => &["--durability", "replicated", "--replicas", "1"],
            (Topology::Standalone, Durability::EveryWrite) => &["--durability", "synced"],
            (Topology::Standalone, _) => &["--durability", "accepted"],
        };
        Self {
            folder: folder.to_owned(),
            roll: folder.join("roll"),
            second_roll: folder.join("second-roll"),
            grpc: free_port(),
            store: store.url(),
            durability: words(durability),
        }
    }

    /// A client that sends a file by this port as this batch, and waits until it is in the roll.
    pub(crate) fn send(
        &self,
        name: String,
        input: &Path,
        batch: &str,
        mode: Mode,
        port: u16,
    ) -> Program {
        let mut arguments = words(&["send", "--wait", "--batch", batch, "--server", &url(port)]);
        arguments.push(input.into());
        if let Mode::Unary(in_flight) = mode {
            arguments.extend(words(&["--mode", "unary", "--in-flight", &in_flight.to_string()]));
        }
        Program::new(name, "muster-client", arguments, &self.folder)
    }

    /// The server, with a relay to the store.
    pub(crate) fn server(&self, relay: Option<&Relay>) -> Program {
        let mut arguments = words(&["--listen", &format!("127.0.0.1:{}", self.grpc)]);
        arguments.extend(self.store(relay));
        Program::new("server".to_owned(), "muster-server", arguments, &self.folder).with_probes()
    }

    /// A worker with this folder for the roll. In the family `storage` some records fail when they are
    /// processed first.
    pub(crate) fn worker(
        &self,
        name: String,
        roll: &Path,
        relay: Option<&Relay>,
        family: Family,
    ) -> Program {
        let mut arguments = self.store(relay);
        arguments.extend([OsString::from("--roll"), roll.into()]);
        match family {
            Family::Crashes => Program::new(name, "muster-worker", arguments, &self.folder),
            Family::Storage => Program::new(name, "muster-flaky-worker", arguments, &self.folder)
                .with_environment(&RETRIES),
        }
        .with_probes()
    }

    /// A command that accepts the roll in its folder.
    pub(crate) fn accept_roll(&self) -> Command {
        let mut command = programs::command("muster-worker");
        command.args(self.store(None)).arg("--roll").arg(&self.roll);
        command.args(["roll", "accept"]).current_dir(&self.folder);
        command
    }

    /// A command that asks the server.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Command {
        let mut command = programs::command("muster-client");
        command.args(arguments).arg("--json");
        command.args(["--server", &url(self.grpc)]).current_dir(&self.folder);
        command
    }

    /// Where a program finds the store, which is behind its relay, if there is one; and what the store
    /// is to have done before anything is "ok".
    fn store(&self, relay: Option<&Relay>) -> Vec<OsString> {
        let url = relay.map(|relay| format!("redis://127.0.0.1:{}", relay.port()));
        let mut arguments = words(&["--store", url.as_ref().unwrap_or(&self.store)]);
        arguments.extend_from_slice(&self.durability);
        arguments
    }
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}
