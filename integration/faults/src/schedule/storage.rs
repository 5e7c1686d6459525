//! From a seed to its schedule of the family `storage`.
//!
//! One or two faults of this family follow one another. A batch is sent before each, one can be written
//! while older copies age, one is under way when it begins, and one is sent while it lasts. Crashes come
//! in between: each is over before a fault of the family begins or ends, because the operator has work
//! then.

use std::ops::RangeInclusive;
use std::time::Duration;

use muster_integration::redis_server::Durability;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::draw::{below, draw_durability, draw_master, milliseconds, pick, range};
use super::{Family, Mode, Schedule, Send, Topology};
use crate::fault::{Fault, Harm, Remedy};

const FAULTS: RangeInclusive<usize> = 1..=2;
const CRASHES: RangeInclusive<usize> = 0..=2;
const WORKERS: RangeInclusive<usize> = 2..=3;
const STREAM_RECORDS: RangeInclusive<usize> = 300..=4_000;
const UNARY_RECORDS: RangeInclusive<usize> = 50..=400;
const IN_FLIGHT: RangeInclusive<u32> = 8..=32;
const OVER_MS: RangeInclusive<u64> = 300..=1_500;
const STORE_DELAY_MS: RangeInclusive<u64> = 0..=10;
/// From the end of a fault to the next one.
const LEAD_MS: RangeInclusive<u64> = 4_000..=7_000;
/// How old a copy is: less than the lead, and enough for a batch to be written.
const AGE_MS: RangeInclusive<u64> = 2_500..=3_500;
const UNDER_WAY_MS: u64 = 800;
/// Mostly long enough for records to rest for longer than they may without a reason.
const LASTS_MS: RangeInclusive<u64> = 8_000..=20_000;
const POWER_OFF_MS: RangeInclusive<u64> = 200..=4_000;
const REUSE_MS: RangeInclusive<u64> = 500..=2_000;
/// How long a crash may take, and how far it stays from the faults of the family.
const CRASH_MS: RangeInclusive<u64> = 100..=3_000;
const APART: Duration = Duration::from_millis(200);

/// The schedule of this seed.
pub(super) fn schedule(seed: u64, topology: Topology) -> Schedule {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let durability = draw_durability(&mut random, topology);
    let workers = range(&mut random, WORKERS);
    let store_delay = milliseconds(&mut random, STORE_DELAY_MS);
    let is_standalone = topology == Topology::Standalone;
    let mut schedule = Schedule {
        family: Family::Storage,
        seed,
        topology,
        durability,
        workers,
        store_delay: if is_standalone { store_delay } else { Duration::ZERO },
        sends: Vec::new(),
        faults: Vec::new(),
    };
    // Between two of these moments there is time for crashes.
    let mut moments = vec![Duration::ZERO];
    for _ in 0..range(&mut random, FAULTS) {
        let (at, lasts) = schedule.add_fault(&mut random, moments[moments.len() - 1]);
        moments.extend([at, at + lasts]);
    }
    for _ in 0..range(&mut random, CRASHES) {
        let gap = below(&mut random, moments.len() - 1);
        schedule.add_crash(&mut random, moments[gap], moments[gap + 1]);
    }
    schedule.faults.sort_by_key(|fault| fault.at);
    schedule
}

impl Schedule {
    /// Adds a fault of the family, and what is sent around it. Returns when it begins and how long it
    /// lasts.
    fn add_fault(&mut self, random: &mut ChaCha8Rng, begin: Duration) -> (Duration, Duration) {
        let at = begin + milliseconds(random, LEAD_MS);
        let age = milliseconds(random, AGE_MS);
        self.add_send(random, begin, 0..=500);
        self.add_send(random, at - age, 0..=200);
        self.add_send(random, at - Duration::from_millis(UNDER_WAY_MS), 0..=UNDER_WAY_MS);
        let (harm, lasts) = self.draw_storage(random, age);
        self.add_send(random, at, 500..=2_000);
        self.faults.push(Fault { at, lasts, harm });
        (at, lasts)
    }

    fn add_send(&mut self, random: &mut ChaCha8Rng, from: Duration, ms: RangeInclusive<u64>) {
        let (mode, records) = if random.random() {
            (Mode::Stream, range(random, STREAM_RECORDS))
        } else {
            (Mode::Unary(random.random_range(IN_FLIGHT)), range(random, UNARY_RECORDS))
        };
        let at = from + milliseconds(random, ms);
        self.sends.push(Send { records, mode, at, over: milliseconds(random, OVER_MS) });
    }

    fn draw_storage(&self, random: &mut ChaCha8Rng, age: Duration) -> (Harm, Duration) {
        let remedy = pick(random, &[Remedy::PutBack, Remedy::Accept]);
        let client = below(random, self.sends.len());
        let same = self.sends[client].records;
        let records = if random.random() { same } else { range(random, 1..=2 * same) };
        let mut possible = vec![
            Harm::SecondFolder,
            Harm::UnmountFolder,
            Harm::ReadOnlyFolder,
            Harm::FillDisk,
            Harm::RestoreRoll { age, remedy },
        ];
        // A store that has forgotten a batch cannot know that its name was used.
        if !self.faults.iter().any(|fault| fault.harm.makes_store_forget()) {
            possible.push(Harm::ReuseName { client, records });
        }
        if self.topology == Topology::Standalone {
            possible.push(Harm::EmptyStore);
            if self.durability != Durability::Memory {
                possible.push(Harm::RestoreStore { age });
            }
            // Few schedules have a store that outlives it.
            if self.durability == Durability::EveryWrite {
                possible.extend([Harm::CutPower, Harm::CutPower]);
            }
        }
        let harm = possible.swap_remove(below(random, possible.len()));
        let lasts = match harm {
            Harm::CutPower => POWER_OFF_MS,
            Harm::ReuseName { .. } => REUSE_MS,
            _ => LASTS_MS,
        };
        (harm, milliseconds(random, lasts))
    }

    /// Adds a crash between two moments, if there is time for one.
    fn add_crash(&mut self, random: &mut ChaCha8Rng, from: Duration, until: Duration) {
        let last =
            (until - from).saturating_sub(APART * 2 + Duration::from_millis(*CRASH_MS.start()));
        let at = from + APART + milliseconds(random, 0..=as_ms(last));
        let longest = as_ms(until.saturating_sub(at + APART)).min(*CRASH_MS.end());
        if longest >= *CRASH_MS.start() {
            let harm = self.draw_crash(random, at);
            let lasts = milliseconds(random, *CRASH_MS.start()..=longest);
            self.faults.push(Fault { at, lasts, harm });
        }
    }

    fn draw_crash(&self, random: &mut ChaCha8Rng, at: Duration) -> Harm {
        let sends = self.sends.iter().enumerate();
        let begun: Vec<usize> =
            sends.filter(|(_, send)| send.at < at).map(|(client, _)| client).collect();
        let mut possible = vec![
            Harm::KillServer,
            Harm::KillWorker(below(random, self.workers)),
            Harm::KillAllWorkers,
            Harm::TerminateServer,
            Harm::TerminateWorker(below(random, self.workers)),
            Harm::Cut(self.any_link(random)),
        ];
        if !begun.is_empty() {
            possible.push(Harm::KillClient(pick(random, &begun)));
        }
        match (self.topology, self.durability) {
            (Topology::Standalone, Durability::Memory) => {}
            (Topology::Standalone, _) => possible.push(Harm::KillStore),
            (Topology::Sentinel | Topology::Cluster, _) => possible.push(draw_master(random).0),
        }
        possible.swap_remove(below(random, possible.len()))
    }
}

fn as_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).expect("a schedule takes minutes")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn all() -> impl Iterator<Item = Schedule> {
        (0..1000).map(|seed| schedule(seed, Topology::of_seed(seed)))
    }

    fn is_crash(fault: &&Fault) -> bool {
        matches!(
            fault.harm,
            Harm::KillClient(_)
                | Harm::KillServer
                | Harm::KillWorker(_)
                | Harm::KillAllWorkers
                | Harm::KillStore
                | Harm::KillMaster { .. }
                | Harm::TerminateServer
                | Harm::TerminateWorker(_)
                | Harm::Cut(_)
        )
    }

    #[test]
    fn every_kind_of_fault_occurs() {
        let harms = all().flat_map(|schedule| schedule.faults).map(|fault| fault.harm.kind());
        assert_eq!(harms.collect::<BTreeSet<_>>().len(), Family::Storage.kinds());
    }

    #[test]
    fn crashes_are_over_before_a_fault_of_the_family_begins_or_ends() {
        for schedule in all() {
            let (crashes, faults): (Vec<_>, Vec<_>) = schedule.faults.iter().partition(is_crash);
            let moments: Vec<_> =
                faults.iter().flat_map(|fault| [fault.at, fault.at + fault.lasts]).collect();
            assert!(moments.is_sorted() && !faults.is_empty(), "{schedule}");
            for Fault { at, lasts, .. } in crashes {
                let within = |moment: &Duration| (*at..=*at + *lasts).contains(moment);
                assert!(!moments.iter().any(within), "{schedule}");
            }
        }
    }

    #[test]
    fn only_a_store_with_a_file_is_restored_and_only_a_synced_one_loses_power() {
        for schedule in all() {
            for Fault { harm, .. } in &schedule.faults {
                match harm {
                    Harm::RestoreStore { .. } | Harm::KillStore => {
                        assert_ne!(schedule.durability, Durability::Memory, "{schedule}");
                    }
                    Harm::CutPower => {
                        assert_eq!(schedule.durability, Durability::EveryWrite, "{schedule}");
                        assert_eq!(schedule.topology, Topology::Standalone, "{schedule}");
                    }
                    _ => {}
                }
            }
        }
    }
}
