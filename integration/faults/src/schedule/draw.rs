//! From a seed to its schedule of crashes, and how anything is drawn.

use std::ops::RangeInclusive;
use std::time::Duration;

use muster_integration::redis_server::Durability;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Family, Mode, Schedule, Send, Topology};
use crate::fault::{Fault, FaultKind, Link};

const SENDS: RangeInclusive<usize> = 1..=3;
const FAULTS: RangeInclusive<usize> = 3..=6;
const WORKERS: RangeInclusive<usize> = 3..=5;
/// Records of all streams together.
const STREAM_RECORDS: RangeInclusive<usize> = 20_000..=100_000;
const UNARY_RECORDS: RangeInclusive<usize> = 500..=3_000;
const IN_FLIGHT: RangeInclusive<u32> = 16..=64;
/// How long a batch takes on its way, in milliseconds: faults find it under way.
const OVER_MS: RangeInclusive<u64> = 4_000..=8_000;
const FIRST_FAULT_MS: u64 = 300;
/// The way from a program to the store: work is in hand for that long at least.
const STORE_DELAY_MS: RangeInclusive<u64> = 0..=20;
/// Moments and lengths are multiples of this, so that they are shown as they are.
const STEP_MS: u64 = 10;
/// Longer than a lease, which is 6 s.
const FROZEN_MS: RangeInclusive<u64> = 6_500..=8_500;
const STORE_DOWN_MS: RangeInclusive<u64> = 200..=4000;
/// Less than the Sentinels and the nodes of a cluster take for a death.
const ALONE_MS: RangeInclusive<u64> = 0..=500;
const TORN_BYTES: RangeInclusive<u64> = 1..=4096;
const JUMP_SECONDS: RangeInclusive<i64> = 1..=3600;

/// Draws the parameters of one kind of fault, and how long it lasts.
type Draw = fn(&Schedule, &mut ChaCha8Rng) -> (FaultKind, Duration);

/// The schedule of crashes of this seed.
pub(super) fn schedule(seed: u64, topology: Topology) -> Schedule {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let is_standalone = topology == Topology::Standalone;
    let durability = draw_durability(&mut random, topology);
    let workers = random.random_range(WORKERS);
    let store_delay = milliseconds(&mut random, STORE_DELAY_MS);
    let mut schedule = Schedule {
        family: Family::Crashes,
        seed,
        topology,
        durability,
        workers,
        // Several servers have no relay before them.
        store_delay: if is_standalone { store_delay } else { Duration::ZERO },
        sends: draw_sends(&mut random),
        faults: Vec::new(),
    };
    let end = schedule.sends.iter().map(|send| send.over).max().unwrap_or_default();
    let end = u64::try_from(end.as_millis()).expect("a schedule takes seconds");
    for number in 0..random.random_range(FAULTS) {
        let at = milliseconds(&mut random, FIRST_FAULT_MS..=end);
        // What several servers are there for is that one of them is lost.
        let (kind, lasts) = if number == 0 && !is_standalone {
            draw_master(&mut random)
        } else {
            schedule.draw_kind(&mut random)
        };
        schedule.faults.push(Fault { at, lasts, kind });
    }
    schedule.faults.sort_by_key(|fault| fault.at);
    schedule
}

/// Draws what the store keeps on its disk.
pub(super) fn draw_durability(random: &mut ChaCha8Rng, topology: Topology) -> Durability {
    // A master that forgot everything would come back and empty its replicas.
    let durabilities = match topology {
        Topology::Standalone => {
            &[Durability::Memory, Durability::EverySecond, Durability::EveryWrite][..]
        }
        Topology::Sentinel | Topology::Cluster => {
            &[Durability::EverySecond, Durability::EveryWrite]
        }
    };
    pick(random, durabilities)
}

impl Schedule {
    /// Draws a fault that this installation must outlive, and how long it lasts.
    ///
    /// Without a file the store may not be killed: it would forget what it has said to keep.
    /// The relays of a store of several servers are left out: its programs find them by
    /// themselves.
    fn draw_kind(&self, random: &mut ChaCha8Rng) -> (FaultKind, Duration) {
        let is_standalone = self.topology == Topology::Standalone;
        let keeps = self.durability != Durability::Memory;
        let mut possible: Vec<Draw> = vec![
            |this, random| {
                (FaultKind::KillClient(this.any_client(random)), milliseconds(random, 100..=3000))
            },
            |_, random| (FaultKind::KillServer, milliseconds(random, 100..=3000)),
            |this, random| {
                (FaultKind::KillWorker(this.any_worker(random)), milliseconds(random, 100..=3000))
            },
            |_, random| (FaultKind::KillAllWorkers, milliseconds(random, 100..=3000)),
            |_, random| (FaultKind::TerminateServer, milliseconds(random, 100..=2000)),
            |this, random| {
                (
                    FaultKind::TerminateWorker(this.any_worker(random)),
                    milliseconds(random, 100..=2000),
                )
            },
            |this, random| {
                (FaultKind::FreezeWorker(this.workers - 1), milliseconds(random, FROZEN_MS))
            },
            |this, random| (FaultKind::Cut(this.any_link(random)), milliseconds(random, 0..=1500)),
            |this, random| {
                let delay = milliseconds(random, 50..=500);
                (FaultKind::Slow(this.any_link(random), delay), milliseconds(random, 500..=3000))
            },
            |_, random| (FaultKind::FillDisk, milliseconds(random, 1000..=4000)),
        ];
        if !is_standalone {
            possible.push(|_, random| draw_master(random));
        }
        if keeps && is_standalone {
            possible.push(|_, random| (FaultKind::KillStore, milliseconds(random, STORE_DOWN_MS)));
            possible.push(|_, random| {
                let unheard = milliseconds(random, 20..=300);
                let bytes = random.random_range(TORN_BYTES);
                (FaultKind::TearStore { unheard, bytes }, milliseconds(random, STORE_DOWN_MS))
            });
        }
        if is_standalone {
            possible.push(|_, random| {
                let seconds = random.random_range(JUMP_SECONDS);
                let seconds = if random.random() { seconds } else { -seconds };
                (FaultKind::JumpClock(seconds), Duration::ZERO)
            });
        }
        pick(random, &possible)(self, random)
    }

    fn any_client(&self, random: &mut ChaCha8Rng) -> usize {
        below(random, self.sends.len())
    }

    /// Any but the last, which is the one that is frozen: it cannot be asked to end meanwhile.
    fn any_worker(&self, random: &mut ChaCha8Rng) -> usize {
        below(random, self.workers - 1)
    }

    pub(super) fn any_link(&self, random: &mut ChaCha8Rng) -> Link {
        let client = Link::ClientServer(self.any_client(random));
        match self.topology {
            Topology::Standalone => {
                let worker = Link::WorkerStore(below(random, self.workers));
                pick(random, &[client, Link::ServerStore, worker])
            }
            Topology::Sentinel | Topology::Cluster => client,
        }
    }
}

pub(super) fn draw_master(random: &mut ChaCha8Rng) -> (FaultKind, Duration) {
    let alone = milliseconds(random, ALONE_MS);
    (FaultKind::KillMaster { alone }, milliseconds(random, STORE_DOWN_MS))
}

fn draw_sends(random: &mut ChaCha8Rng) -> Vec<Send> {
    let count = random.random_range(SENDS);
    let mut sends: Vec<Send> = (0..count)
        .map(|number| {
            // The first is a stream: it alone brings many records.
            let mode = if number == 0 || random.random() {
                Mode::Stream
            } else {
                Mode::Unary(random.random_range(IN_FLIGHT))
            };
            let (at, over) = (Duration::ZERO, milliseconds(random, OVER_MS));
            Send { records: 0, mode, at, over }
        })
        .collect();
    let streams = sends.iter().filter(|send| send.mode == Mode::Stream).count();
    let stream_records = range(random, STREAM_RECORDS) / streams;
    for send in &mut sends {
        send.records = match send.mode {
            Mode::Stream => stream_records,
            Mode::Unary(_) => range(random, UNARY_RECORDS),
        };
    }
    sends
}

pub(super) fn pick<T: Copy>(random: &mut ChaCha8Rng, from: &[T]) -> T {
    from[below(random, from.len())]
}

pub(super) fn below(random: &mut ChaCha8Rng, end: usize) -> usize {
    range(random, 0..=end - 1)
}

/// As a u32: the generator draws differently for a usize of another width.
pub(super) fn range(random: &mut ChaCha8Rng, range: RangeInclusive<usize>) -> usize {
    let bound = |value: &usize| u32::try_from(*value).expect("a bound of a schedule is small");
    random.random_range(bound(range.start())..=bound(range.end())) as usize
}

pub(super) fn milliseconds(random: &mut ChaCha8Rng, range: RangeInclusive<u64>) -> Duration {
    let steps = random.random_range(range.start() / STEP_MS..=range.end() / STEP_MS);
    Duration::from_millis(steps * STEP_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_always_gives_the_same_schedule_and_another_one_another() {
        for family in [Family::Crashes, Family::Storage] {
            let schedule = |seed| Schedule::of_seed(family, seed, Topology::Standalone);
            assert_eq!(schedule(7), schedule(7));
            let other = schedule(8).to_string().replace("seed 8", "seed 7");
            assert_ne!(schedule(7).to_string(), other);
        }
    }

    #[test]
    fn a_store_that_forgets_is_never_killed_and_every_kind_of_fault_occurs() {
        let mut kinds = std::collections::BTreeSet::new();
        for seed in 0..1000 {
            let schedule = schedule(seed, Topology::of_seed(seed));
            assert!(
                FAULTS.contains(&schedule.faults.len()) && SENDS.contains(&schedule.sends.len())
            );
            for Fault { kind, .. } in &schedule.faults {
                kinds.insert(kind.name());
                let kills_store =
                    matches!(kind, FaultKind::KillStore | FaultKind::TearStore { .. });
                assert!(!kills_store || schedule.durability != Durability::Memory, "{schedule}");
            }
        }
        assert_eq!(kinds.len(), Family::Crashes.kinds());
    }

    #[test]
    fn of_several_servers_a_master_is_always_lost() {
        for seed in 0..100 {
            for topology in [Topology::Sentinel, Topology::Cluster] {
                let schedule = schedule(seed, topology);
                let mut kinds = schedule.faults.iter().map(|fault| &fault.kind);
                assert!(
                    kinds.any(|kind| matches!(kind, FaultKind::KillMaster { .. })),
                    "{schedule}"
                );
            }
        }
    }
}
