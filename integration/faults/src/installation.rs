//! The programs of one schedule, with relays between them.

use std::ffi::OsString;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::time::Instant;

use muster_integration::disk::Disk;
use muster_integration::ports::free_port;
use muster_integration::process::Finished;
use muster_integration::redis_server::Durability;
use muster_integration::relay::Relay;
use muster_integration::users::write_json;

use crate::clock::Clock;
use crate::fault::{Fault, Harm};
use crate::lines::Lines;
use crate::machine::Machine;
use crate::program::Program;
use crate::schedule::{Mode, Schedule, Send, Topology};
use crate::store::Store;
use crate::verdict::Input;

/// What a record has in the roll, at most.
const RECORD_BYTES: usize = 310;
/// Room on the disk of the roll: the old roll and the new one, and what a block rounds up.
const ROLLS_ON_DISK: usize = 2;
/// How many seeds lie between those of two schedules' inputs.
const SEND_SEEDS: u64 = 16;
const DISK_BYTES_MORE: usize = 4 << 20;

/// Everything that runs for one schedule. All of it is killed when dropped.
#[derive(Debug)]
pub struct Installation {
    pub(crate) clients: Vec<Program>,
    pub(crate) server: Program,
    pub(crate) workers: Vec<Program>,
    pub(crate) store: Store,
    pub(crate) lines: Lines,
    pub(crate) clock: Option<Clock>,
    pub(crate) disk: Option<Disk>,
    inputs: Vec<Input>,
    roll: PathBuf,
}

impl Installation {
    /// Writes the inputs, and starts everything, with all files in `folder`.
    ///
    /// # Panics
    ///
    /// When a program is missing or does not start.
    pub fn start(schedule: &Schedule, program: &str, machine: &Machine, folder: &Path) -> Self {
        let has = |harm: fn(&Harm) -> bool| {
            schedule.faults.iter().any(|fault: &Fault| harm(&fault.harm) && machine.can(fault))
        };
        let clock = has(|harm| matches!(harm, Harm::JumpClock(_)))
            .then(|| Clock::new(machine.clock.clone().expect("it can make clocks jump"), folder));
        let roll = folder.join("roll");
        let disk = has(|harm| matches!(harm, Harm::FillDisk)).then(|| {
            let records: usize = schedule.sends.iter().map(|send| send.records).sum();
            let bytes = records * RECORD_BYTES * ROLLS_ON_DISK + DISK_BYTES_MORE;
            Disk::mount(&roll, bytes as u64).expect("it can mount disks")
        });

        let mut store = Store::start(schedule, program, &folder.join("store"), clock.as_ref());
        let grpc = free_port();
        let lines = Lines::start(schedule, store.one().map(|server| server.port()), grpc);
        let inputs = write_inputs(schedule, folder);
        let mut installation = Self {
            clients: clients(schedule, &inputs, &lines, folder),
            server: server(grpc, schedule, &store, &lines, folder),
            workers: workers(schedule, &store, &lines, &roll),
            store,
            lines,
            clock,
            disk,
            inputs,
            roll: roll.join("all_users.json"),
        };
        installation.server.start();
        let programs = installation.workers.iter_mut().chain(&mut installation.clients);
        programs.for_each(Program::start);
        installation
    }

    /// Lets the batches come as fast as they can from now on.
    pub fn hurry(&self) {
        self.lines.hurry();
    }

    /// Waits for the end of each client until `deadline`: `None` for those that have not ended.
    pub fn wait_for_clients(&mut self, deadline: Instant) -> Vec<Option<Finished>> {
        self.clients.iter_mut().map(|client| client.wait_until(deadline)).collect()
    }

    /// The names of servers and workers that ended, and nobody had asked them to.
    pub fn ended(&mut self) -> Vec<String> {
        let programs = self.workers.iter_mut().chain([&mut self.server]);
        programs
            .filter_map(|program| (!program.is_running()).then(|| program.name().to_owned()))
            .collect()
    }

    /// What was sent.
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// The roll that the workers write.
    pub fn roll(&self) -> &Path {
        &self.roll
    }
}

fn write_inputs(schedule: &Schedule, folder: &Path) -> Vec<Input> {
    let write = |(number, send): (usize, &Send)| {
        let input = Input {
            path: folder.join(format!("input-{}.json", number + 1)),
            // Every input has records of its own.
            seed: schedule.seed.wrapping_mul(SEND_SEEDS) + number as u64,
            records: send.records,
            is_ordered: send.mode == Mode::Stream,
        };
        let file = BufWriter::new(File::create(&input.path).expect("a file can be made"));
        write_json(file, input.users()).expect("there is room for an input");
        input
    };
    schedule.sends.iter().enumerate().map(write).collect()
}

fn clients(schedule: &Schedule, inputs: &[Input], lines: &Lines, folder: &Path) -> Vec<Program> {
    let client = |((number, send), relay): ((usize, &Send), &Relay)| {
        let name = format!("client {}", number + 1);
        let server = format!("http://127.0.0.1:{}", relay.port());
        let batch = format!("send-{}", number + 1);
        let mut arguments = words(&["send", "--wait", "--batch", &batch, "--server", &server]);
        arguments.push(inputs[number].path.clone().into());
        if let Mode::Unary(in_flight) = send.mode {
            arguments.extend(words(&["--mode", "unary", "--in-flight", &in_flight.to_string()]));
        }
        Program::new(name, "muster-client", arguments, folder)
    };
    schedule.sends.iter().enumerate().zip(&lines.clients).map(client).collect()
}

fn server(grpc: u16, schedule: &Schedule, store: &Store, lines: &Lines, folder: &Path) -> Program {
    let listen = format!("127.0.0.1:{grpc}");
    let http = format!("127.0.0.1:{}", free_port());
    let mut arguments = words(&["--listen", &listen, "--http", &http]);
    arguments.extend(store_arguments(schedule, store, lines.server.as_ref()));
    Program::new("server".to_owned(), "muster-server", arguments, folder)
}

fn workers(schedule: &Schedule, store: &Store, lines: &Lines, roll: &Path) -> Vec<Program> {
    let folder = roll.parent().expect("the roll's folder lies in the schedule's");
    let worker = |number: usize| {
        let name = format!("worker {}", number + 1);
        let mut arguments = store_arguments(schedule, store, lines.workers.get(number));
        arguments.extend([OsString::from("--roll"), roll.into()]);
        Program::new(name, "muster-worker", arguments, folder)
    };
    (0..schedule.workers).map(worker).collect()
}

/// Where a program finds the store, which is behind its relay, if there is one; and what the store
/// is to have done before anything is "ok".
fn store_arguments(schedule: &Schedule, store: &Store, relay: Option<&Relay>) -> Vec<OsString> {
    let url = relay.map(|relay| format!("redis://127.0.0.1:{}", relay.port()));
    let mut arguments = words(&["--store", &url.unwrap_or_else(|| store.url())]);
    let durability: &[&str] = match (schedule.topology, schedule.durability) {
        // What one master alone has dies with it, and any of its replicas may take its place.
        (Topology::Sentinel, _) => &["--durability", "replicated", "--replicas", "2"],
        (Topology::Cluster, _) => &["--durability", "replicated", "--replicas", "1"],
        (Topology::Standalone, Durability::EveryWrite) => &["--durability", "synced"],
        (Topology::Standalone, _) => &["--durability", "accepted"],
    };
    arguments.extend(words(durability));
    arguments
}

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}
