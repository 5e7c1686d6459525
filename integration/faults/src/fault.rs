//! The faults.

use std::fmt;
use std::time::Duration;

/// One thing that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// When it begins, from the start of the schedule.
    pub at: Duration,
    /// How long until it is over: what was stopped is started again, what was cut is whole.
    pub lasts: Duration,
    /// What goes wrong.
    pub kind: FaultKind,
}

/// What goes wrong. Clients and workers are counted from 0 here, and from 1 where it is shown.
///
/// A fault that finds its target down already does nothing to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// `kill -9` of a client; it is started again with the same `--batch`.
    KillClient(usize),
    /// `kill -9` of the server.
    KillServer,
    /// `kill -9` of a worker.
    KillWorker(usize),
    /// `kill -9` of all workers at once.
    KillAllWorkers,
    /// `kill -9` of the store.
    KillStore,
    /// `kill -9` of the store's master.
    KillMaster {
        /// How long its replicas hear nothing of it before, while it serves.
        alone: Duration,
    },
    /// `kill -9` of the store, and the end of its append-only file is cut off, as a power loss
    /// may leave it.
    TearStore {
        /// How long the store works before, without anybody hearing its answers.
        unheard: Duration,
        /// How much is cut off, at most.
        bytes: u64,
    },
    /// SIGTERM of the server, which must end well.
    TerminateServer,
    /// SIGTERM of a worker, which must end well.
    TerminateWorker(usize),
    /// SIGSTOP of a worker for longer than its lease, then SIGCONT.
    FreezeWorker(usize),
    /// All connections are cut, and new ones refused until it is over.
    Cut(Link),
    /// Everything takes this much longer, each way.
    Slow(Link, Duration),
    /// No room on the disk of the roll.
    FillDisk,
    /// The clock of the store's machine jumps by this many seconds, and goes on from there.
    JumpClock(i64),
    /// Other records are sent as the batch of a client. The server must refuse them.
    ReuseName {
        /// The client.
        client: usize,
        /// How many other records.
        records: usize,
    },
    /// One more worker is started, with another folder for the roll. It must not be ready.
    SecondFolder,
    /// The folder of the roll is empty, as if its disk was not mounted.
    UnmountFolder,
    /// The folder of the roll cannot be written to.
    ReadOnlyFolder,
    /// An older copy of the roll is put back.
    RestoreRoll {
        /// How old it is.
        age: Duration,
        /// What the operator does about it.
        remedy: Remedy,
    },
    /// An older copy of the store's data is put back. The operator accepts the roll if a worker asks
    /// for that, and sends again what the store has forgotten.
    RestoreStore {
        /// How old it is.
        age: Duration,
    },
    /// The store is restarted without its data. The operator accepts the roll, and sends again what
    /// the store has forgotten.
    EmptyStore,
    /// The power of the store's machine is cut: its file has what was synced.
    CutPower,
}

/// What the operator does about a roll that is an older copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Puts the newer roll back.
    PutBack,
    /// Accepts the older one, and sends the batches again that it lacks.
    Accept,
}

/// Between which programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// A client and the server.
    ClientServer(usize),
    /// The server and the store.
    ServerStore,
    /// A worker and the store.
    WorkerStore(usize),
}

impl Fault {
    /// When the copy is taken that this fault puts back.
    pub(crate) fn copied_at(&self) -> Option<Duration> {
        match self.kind {
            FaultKind::RestoreRoll { age, .. } | FaultKind::RestoreStore { age } => {
                Some(self.at - age)
            }
            _ => None,
        }
    }
}

impl FaultKind {
    /// Whether the store forgets batches that it has accepted, or parts of them: clients that wait for
    /// one may fail, and are started again.
    pub(crate) fn makes_store_forget(&self) -> bool {
        matches!(self, Self::RestoreStore { .. } | Self::EmptyStore)
    }

    /// What a worker says of how the store and the roll differ, if this fault makes them differ.
    pub(crate) fn difference(&self) -> Option<&'static str> {
        match self {
            Self::RestoreRoll { .. } => Some(": the roll is an older copy"),
            Self::RestoreStore { .. } => Some(": the store is an older copy"),
            Self::EmptyStore => Some(": the store was emptied"),
            _ => None,
        }
    }

    /// Whether the roll must be on a disk of its own.
    pub(crate) fn needs_disk(&self) -> bool {
        matches!(self, Self::FillDisk | Self::UnmountFolder | Self::ReadOnlyFolder)
    }

    /// Its name, for counting.
    pub fn name(&self) -> &'static str {
        match self {
            Self::KillClient(_) => "kill -9 of a client",
            Self::KillServer => "kill -9 of the server",
            Self::KillWorker(_) => "kill -9 of a worker",
            Self::KillAllWorkers => "kill -9 of all workers",
            Self::KillStore => "kill -9 of the store",
            Self::KillMaster { .. } => "kill -9 of the store's master, its replicas cut off",
            Self::TearStore { .. } => "kill -9 of the store, its file cut at the end",
            Self::TerminateServer => "SIGTERM of the server",
            Self::TerminateWorker(_) => "SIGTERM of a worker",
            Self::FreezeWorker(_) => "SIGSTOP of a worker beyond its lease",
            Self::Cut(Link::ClientServer(_)) => "client and server cut",
            Self::Cut(Link::ServerStore) => "server and store cut",
            Self::Cut(Link::WorkerStore(_)) => "worker and store cut",
            Self::Slow(..) => "connections slowed",
            Self::FillDisk => "disk of the roll full",
            Self::JumpClock(_) => "clock of the store jumps",
            Self::ReuseName { .. } => "other records under the name of a batch",
            Self::SecondFolder => "worker with another roll folder",
            Self::UnmountFolder => "folder of the roll not mounted",
            Self::ReadOnlyFolder => "folder of the roll read-only",
            Self::RestoreRoll { remedy: Remedy::PutBack, .. } => {
                "older roll restored, the newer one put back"
            }
            Self::RestoreRoll { remedy: Remedy::Accept, .. } => "older roll restored and accepted",
            Self::RestoreStore { .. } => "older data of the store restored",
            Self::EmptyStore => "store restarted empty",
            Self::CutPower => "power cut of the store",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, lasts, kind } = self;
        write!(f, "at {:>5.2} s  {kind}", at.as_secs_f64())?;
        if !lasts.is_zero() {
            write!(f, ", for {:.2} s", lasts.as_secs_f64())?;
        }
        Ok(())
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KillClient(client) => write!(f, "kill -9 client {}", client + 1),
            Self::KillServer => f.write_str("kill -9 server"),
            Self::KillWorker(worker) => write!(f, "kill -9 worker {}", worker + 1),
            Self::KillAllWorkers => f.write_str("kill -9 all workers"),
            Self::KillStore => f.write_str("kill -9 store"),
            Self::KillMaster { alone } => {
                write!(
                    f,
                    "kill -9 master, {} ms after its replicas were cut off",
                    alone.as_millis()
                )
            }
            Self::TearStore { unheard, bytes } => write!(
                f,
                "kill -9 store after {} ms of unheard answers, up to {bytes} bytes of them cut off",
                unheard.as_millis()
            ),
            Self::TerminateServer => f.write_str("SIGTERM server"),
            Self::TerminateWorker(worker) => write!(f, "SIGTERM worker {}", worker + 1),
            Self::FreezeWorker(worker) => write!(f, "SIGSTOP worker {}", worker + 1),
            Self::Cut(link) => write!(f, "cut {link}"),
            Self::Slow(link, delay) => write!(f, "slow {link} by {} ms", delay.as_millis()),
            Self::FillDisk => f.write_str("disk of the roll full"),
            Self::JumpClock(seconds) => write!(f, "clock of the store jumps {seconds:+} s"),
            Self::ReuseName { client, records } => {
                write!(f, "{records} other records as the batch of client {}", client + 1)
            }
            Self::RestoreRoll { age, .. } | Self::RestoreStore { age } => {
                write!(f, "{} (a copy from {:.2} s before)", self.name(), age.as_secs_f64())
            }
            Self::SecondFolder
            | Self::UnmountFolder
            | Self::ReadOnlyFolder
            | Self::EmptyStore
            | Self::CutPower => f.write_str(self.name()),
        }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClientServer(client) => write!(f, "client {} - server", client + 1),
            Self::ServerStore => f.write_str("server - store"),
            Self::WorkerStore(worker) => write!(f, "worker {} - store", worker + 1),
        }
    }
}
