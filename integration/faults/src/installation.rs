//! The programs of one schedule, with relays between them.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use muster_integration::disk::Disk;
use muster_integration::users::write_json;

use crate::clients::{Client, Clients};
use crate::clock::Clock;
use crate::commands::Commands;
use crate::fault::{Fault, FaultKind};
use crate::lines::Lines;
use crate::machine::Machine;
use crate::power::Power;
use crate::program::Program;
use crate::reuse::SecondWorker;
use crate::schedule::{Family, Mode, Schedule, Send};
use crate::store::Store;
use crate::verdict::Input;
use crate::watch::{STALL_AFTER, Watch, Watched};

/// What a record has in the roll, at most.
const RECORD_BYTES: usize = 310;
/// Room on the disk of the roll: the old roll and the new one, and what a block rounds up.
const ROLLS_ON_DISK: usize = 2;
/// How many seeds lie between those of two schedules' inputs. The second half is for other records under
/// the names of the batches.
const SEND_SEEDS: u64 = 32;
const DISK_BYTES_MORE: usize = 4 << 20;

/// Everything that runs for one schedule. All of it is killed when dropped.
#[derive(Debug)]
pub struct Installation {
    pub(crate) commands: Commands,
    pub(crate) sends: Vec<Send>,
    pub(crate) clients: Arc<Clients>,
    pub(crate) server: Program,
    pub(crate) workers: Vec<Program>,
    /// The client that sends other records under the name of a batch.
    pub(crate) other_client: Option<Program>,
    /// The worker with another folder for the roll.
    pub(crate) second_worker: Option<SecondWorker>,
    pub(crate) store: Store,
    pub(crate) lines: Lines,
    pub(crate) clock: Option<Clock>,
    pub(crate) disk: Option<Disk>,
    pub(crate) power: Option<Power>,
    /// What was not as it must be, in words.
    pub(crate) problems: Vec<String>,
    seed: u64,
    inputs: Vec<Input>,
}

impl Installation {
    /// Writes the inputs, and starts everything but the clients, with all files in `folder`. In the family
    /// `storage` it waits until the workers are ready: from then on, the store knows its roll.
    ///
    /// # Panics
    ///
    /// When a program is missing or does not start.
    pub fn start(schedule: &Schedule, program: &str, machine: &Machine, folder: &Path) -> Self {
        let has = |is: fn(&FaultKind) -> bool| {
            schedule.faults.iter().any(|fault: &Fault| is(&fault.kind) && machine.can(fault))
        };
        let clock = has(|kind| matches!(kind, FaultKind::JumpClock(_)))
            .then(|| Clock::new(machine.clock.clone().expect("it can make clocks jump"), folder));
        let power = has(|kind| matches!(kind, FaultKind::CutPower))
            .then(|| Power::new(folder).expect("it can cut the power"));
        let disk = has(FaultKind::needs_disk).then(|| {
            let records: usize = schedule.sends.iter().map(|send| send.records).sum();
            let bytes = records * RECORD_BYTES * ROLLS_ON_DISK + DISK_BYTES_MORE;
            Disk::mount(&folder.join("roll"), bytes as u64).expect("it can mount disks")
        });

        let environment = clock.as_ref().map(Clock::environment);
        let environment = environment.or_else(|| power.as_ref().map(Power::environment));
        let mut store =
            Store::start(schedule, program, &folder.join("store"), environment.unwrap_or_default());
        let commands = Commands::new(schedule, &store, folder);
        let lines = Lines::start(schedule, store.one().map(|server| server.port()), commands.grpc);
        let worker = |number: usize| {
            let name = format!("worker {}", number + 1);
            commands.worker(name, &commands.roll, lines.workers.get(number), schedule.family)
        };
        let mut installation = Self {
            server: commands.server(lines.server.as_ref()),
            workers: (0..schedule.workers).map(worker).collect(),
            clients: Arc::new(Clients::new(Vec::new())),
            other_client: None,
            second_worker: None,
            commands,
            sends: schedule.sends.clone(),
            store,
            lines,
            clock,
            disk,
            power,
            problems: Vec::new(),
            seed: schedule.seed,
            inputs: Vec::new(),
        };
        installation.inputs =
            (0..schedule.sends.len()).map(|n| installation.write_input(n)).collect();
        let clients = (0..schedule.sends.len()).map(|number| {
            let name = number + 1;
            installation.new_client(format!("client {name}"), number, format!("send-{name}"))
        });
        installation.clients = Arc::new(Clients::new(clients.collect()));
        installation.server.start();
        installation.start_workers();
        if schedule.family == Family::Storage {
            installation.wait_until_ready();
        }
        installation
    }

    /// A client that sends an input, by the relay of that input.
    pub(crate) fn new_client(&self, name: String, number: usize, batch: String) -> Client {
        let (input, port) = (&self.inputs[number], self.lines.clients[number].port());
        let mode = self.sends[number].mode;
        let program = self.commands.send(name, &input.path, &batch, mode, port);
        Client::new(program, number, batch)
    }

    /// Begins to watch whether Muster says why, whenever records wait.
    pub(crate) fn watch(&self) -> Watch {
        let programs = self.workers.iter().chain([&self.server]);
        let probes = programs
            .filter_map(|program| program.probes().map(|port| (program.name().to_owned(), port)));
        Watch::start(Watched {
            clients: Arc::clone(&self.clients),
            probes: probes.collect(),
            stats: self.commands.ask(&["stats", "--retry-for", "0s"]),
            manifest: self.commands.roll.join("all_users.manifest.json"),
            second_roll: self.commands.second_roll.clone(),
            log: self.commands.folder.join("watch.log"),
            stall_after: STALL_AFTER,
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

    /// The seed of other records than those of this client.
    pub(crate) fn other_seed(&self, client: usize) -> u64 {
        self.input_seed(client).wrapping_add(SEND_SEEDS / 2)
    }

    /// Every input has records of its own.
    fn input_seed(&self, number: usize) -> u64 {
        self.seed.wrapping_mul(SEND_SEEDS).wrapping_add(number as u64)
    }

    fn write_input(&self, number: usize) -> Input {
        let Send { records, mode, .. } = self.sends[number];
        let input = Input {
            path: self.commands.folder.join(format!("input-{}.json", number + 1)),
            seed: self.input_seed(number),
            records,
            is_ordered: mode == Mode::Stream,
        };
        let file = BufWriter::new(File::create(&input.path).expect("a file can be made"));
        write_json(file, input.users()).expect("there is room for an input");
        input
    }
}
