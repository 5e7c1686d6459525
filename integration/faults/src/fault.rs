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
    pub harm: Harm,
}

/// What goes wrong. Clients and workers are counted from 0 here, and from 1 where it is shown.
///
/// A fault that finds its target down already does nothing to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Harm {
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

impl Harm {
    /// How many kinds there are.
    pub const KINDS: usize = 16;

    /// The kind of fault, for counting.
    pub fn kind(&self) -> &'static str {
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
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, lasts, harm } = self;
        write!(f, "at {:>5.2} s  {harm}", at.as_secs_f64())?;
        if !lasts.is_zero() {
            write!(f, ", for {:.2} s", lasts.as_secs_f64())?;
        }
        Ok(())
    }
}

impl fmt::Display for Harm {
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
