//! The programs of one schedule, with relays between them.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use muster_integration::disk::Disk;
use muster_integration::relay::Relay;
use muster_integration::users::write_json;

use crate::clients::{Client, Clients};
use crate::clock::Clock;
use crate::commands::Commands;
use crate::fault::{Fault, Harm};
use crate::lines::Lines;
use crate::machine::Machine;
use crate::program::Program;
use crate::schedule::{Mode, Schedule, Send};
use crate::store::Store;
use crate::verdict::Input;
use crate::watch::{REST_MAX, Watch, Watched};

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
    pub(crate) commands: Commands,
    pub(crate) clients: Arc<Clients>,
    pub(crate) server: Program,
    pub(crate) workers: Vec<Program>,
    pub(crate) store: Store,
    pub(crate) lines: Lines,
    pub(crate) clock: Option<Clock>,
    pub(crate) disk: Option<Disk>,
    inputs: Vec<Input>,
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
        let disk = has(|harm| matches!(harm, Harm::FillDisk)).then(|| {
            let records: usize = schedule.sends.iter().map(|send| send.records).sum();
            let bytes = records * RECORD_BYTES * ROLLS_ON_DISK + DISK_BYTES_MORE;
            Disk::mount(&folder.join("roll"), bytes as u64).expect("it can mount disks")
        });

        let mut store = Store::start(schedule, program, &folder.join("store"), clock.as_ref());
        let commands = Commands::new(schedule, &store, folder);
        let lines = Lines::start(schedule, store.one().map(|server| server.port()), commands.grpc);
        let worker = |number: usize| {
            let name = format!("worker {}", number + 1);
            commands.worker(name, &commands.roll, lines.workers.get(number))
        };
        let inputs: Vec<Input> = write_inputs(schedule, folder);
        let client = |((number, send), relay): ((usize, &Send), &Relay)| {
            let (name, batch) = (format!("client {}", number + 1), format!("send-{}", number + 1));
            let input = &inputs[number].path;
            Client::new(commands.send(name, input, &batch, send.mode, relay.port()))
        };
        let sends = schedule.sends.iter().enumerate();
        let clients = sends.zip(&lines.clients).map(client).collect();
        let mut installation = Self {
            server: commands.server(lines.server.as_ref()),
            workers: (0..schedule.workers).map(worker).collect(),
            clients: Arc::new(Clients::new(clients)),
            commands,
            store,
            lines,
            clock,
            disk,
            inputs,
        };
        installation.server.start();
        installation.workers.iter_mut().for_each(Program::start);
        (0..schedule.sends.len()).for_each(|client| installation.clients.start(client));
        installation
    }

    /// Begins to watch whether Muster says why, whenever records wait.
    pub(crate) fn watch(&self) -> Watch {
        let programs = self.workers.iter().chain([&self.server]);
        let probes = programs
            .filter_map(|program| program.probes().map(|port| (program.name().to_owned(), port)));
        Watch::start(Watched {
            clients: Arc::clone(&self.clients),
            probes: probes.collect(),
            stats: self.commands.ask(&["stats"]),
            manifest: self.commands.roll.join("all_users.manifest.json"),
            log: self.commands.folder.join("watch.log"),
            rest_max: REST_MAX,
        })
    }

    /// Lets the batches come as fast as they can from now on.
    pub fn hurry(&self) {
        self.lines.hurry();
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
    pub fn roll(&self) -> PathBuf {
        self.commands.roll.join("all_users.json")
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
