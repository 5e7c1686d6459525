//! A schedule: what is sent and what goes wrong when. All of it follows from its family and one number
//! (`draw` for crashes, `storage`).

mod draw;
mod storage;

use std::fmt;
use std::time::Duration;

use clap::ValueEnum;
use muster_integration::redis_server::Durability;

use crate::fault::Fault;

/// What goes wrong in a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Family {
    /// Programs, machines and connections fail
    Crashes,
    /// The folder of the roll, the data of the store, or the records of a batch are not those before
    Storage,
}

/// What the store is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Topology {
    /// One server.
    Standalone,
    /// A master, two replicas, three Sentinels.
    Sentinel,
    /// Three masters with a replica each.
    Cluster,
}

/// A schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// What goes wrong.
    pub family: Family,
    /// The number that all of it follows from; the topology too, unless one is named.
    pub seed: u64,
    /// What the store is made of.
    pub topology: Topology,
    /// What the store keeps on its disk.
    pub durability: Durability,
    /// How many worker processes run.
    pub workers: usize,
    /// How long everything takes between the store and the programs, each way.
    pub store_delay: Duration,
    /// What is sent.
    pub sends: Vec<Send>,
    /// What goes wrong, by its moment.
    pub faults: Vec<Fault>,
}

/// One batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Send {
    /// How many records it has.
    pub records: usize,
    /// How it is sent.
    pub mode: Mode,
    /// When it begins, from the start of the schedule.
    pub at: Duration,
    /// How long the line to the server takes for it.
    pub over: Duration,
}

/// How a batch is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// By one stream.
    Stream,
    /// By a call for each record, this many at once.
    Unary(u32),
}

impl Schedule {
    /// The schedule of this family and seed.
    pub fn of_seed(family: Family, seed: u64, topology: Topology) -> Self {
        match family {
            Family::Crashes => draw::schedule(seed, topology),
            Family::Storage => storage::schedule(seed, topology),
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let family = match self.family {
            Family::Crashes => "",
            Family::Storage => "storage, ",
        };
        writeln!(
            f,
            "seed {}: {family}{}, {}, {} ms away, {} workers",
            self.seed,
            self.topology,
            durability_name(self.durability),
            self.store_delay.as_millis(),
            self.workers,
        )?;
        for (number, Send { records, mode, at, over }) in self.sends.iter().enumerate() {
            let seconds = over.as_secs_f64();
            write!(f, "  client {} sends {records} records by ", number + 1)?;
            match mode {
                Mode::Stream => write!(f, "a stream")?,
                Mode::Unary(in_flight) => write!(f, "unary calls, {in_flight} at once")?,
            }
            write!(f, ", over {seconds:.2} s")?;
            if !at.is_zero() {
                write!(f, " from {:.2} s on", at.as_secs_f64())?;
            }
            writeln!(f)?;
        }
        for fault in &self.faults {
            writeln!(f, "  {fault}")?;
        }
        Ok(())
    }
}

impl Topology {
    /// That of a seed for which none is named: three of five are standalone.
    pub fn of_seed(seed: u64) -> Self {
        match seed % 5 {
            3 => Self::Sentinel,
            4 => Self::Cluster,
            _ => Self::Standalone,
        }
    }
}

impl Family {
    /// How many kinds of faults its schedules have.
    pub const fn kinds(self) -> usize {
        match self {
            Self::Crashes => 16,
            Self::Storage => 21,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Crashes => "crashes",
            Self::Storage => "storage",
        })
    }
}

impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Standalone => "standalone",
            Self::Sentinel => "sentinel",
            Self::Cluster => "cluster",
        })
    }
}

/// What a durability is called where people read it.
pub fn durability_name(durability: Durability) -> &'static str {
    match durability {
        Durability::Memory => "in memory",
        Durability::EverySecond => "AOF everysec",
        Durability::EveryWrite => "AOF always",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{FaultKind, Link};

    #[test]
    fn a_schedule_is_shown_as_it_is() {
        let mut schedule = Schedule {
            family: Family::Crashes,
            seed: 7,
            topology: Topology::Standalone,
            durability: Durability::EveryWrite,
            workers: 3,
            store_delay: Duration::from_millis(20),
            sends: vec![Send {
                records: 20_000,
                mode: Mode::Unary(8),
                at: Duration::ZERO,
                over: Duration::from_millis(4100),
            }],
            faults: vec![
                Fault {
                    at: Duration::from_millis(310),
                    lasts: Duration::from_millis(500),
                    kind: FaultKind::Cut(Link::WorkerStore(0)),
                },
                Fault {
                    at: Duration::from_millis(2000),
                    lasts: Duration::ZERO,
                    kind: FaultKind::JumpClock(-60),
                },
            ],
        };
        assert_eq!(
            schedule.to_string(),
            "seed 7: standalone, AOF always, 20 ms away, 3 workers\n  \
             client 1 sends 20000 records by unary calls, 8 at once, over 4.10 s\n  \
             at  0.31 s  cut worker 1 - store, for 0.50 s\n  \
             at  2.00 s  clock of the store jumps -60 s\n"
        );

        schedule.family = Family::Storage;
        schedule.sends[0].at = Duration::from_millis(1200);
        schedule.faults.truncate(0);
        schedule.faults.push(Fault {
            at: Duration::from_millis(5000),
            lasts: Duration::from_millis(12_000),
            kind: FaultKind::RestoreStore { age: Duration::from_millis(3100) },
        });
        assert_eq!(
            schedule.to_string(),
            "seed 7: storage, standalone, AOF always, 20 ms away, 3 workers\n  \
             client 1 sends 20000 records by unary calls, 8 at once, over 4.10 s from 1.20 s on\n  \
             at  5.00 s  older data of the store restored (a copy from 3.10 s before), for 12.00 s\n"
        );
    }
}
