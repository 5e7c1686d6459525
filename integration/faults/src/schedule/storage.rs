//! From a seed to its schedule of the family `storage`.
//!
//! One or two faults of this family follow one another. A batch is sent before each, three can be written
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
use crate::fault::{Fault, FaultKind, Remedy};

const FAULTS: RangeInclusive<usize> = 1..=2;
const CRASHES: RangeInclusive<usize> = 0..=2;
const WORKERS: RangeInclusive<usize> = 2..=3;
const STREAM_RECORDS: RangeInclusive<usize> = 300..=4_000;
const UNARY_RECORDS: RangeInclusive<usize> = 50..=400;
const IN_FLIGHT: RangeInclusive<u32> = 8..=32;
const OVER_MS: RangeInclusive<u64> = 300..=1_500;
const STORE_DELAY_MS: RangeInclusive<u64> = 0..=10;
/// From the end of a fault to the copy that the next one puts back.
const LEAD_MS: RangeInclusive<u64> = 1_500..=3_500;
/// How old a copy is: enough for batches to be written.
const AGE_MS: RangeInclusive<u64> = 4_000..=5_000;
/// The same where the store may forget the last ten seconds: the second batch after the copy is written
/// longer before the last one than that.
const LONG_AGE_MS: RangeInclusive<u64> = 18_000..=20_000;
/// How long before a fault a batch is sent that is written when it begins, and one that is not.
const WRITTEN_MS: u64 = 3_500;
const UNDER_WAY_MS: u64 = 800;
/// Mostly long enough for no record to move for longer than Muster may give no reason.
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
        let copied = begin + milliseconds(random, LEAD_MS);
        let ages = if self.may_forget() { pick(random, &[&AGE_MS, &LONG_AGE_MS]) } else { &AGE_MS };
        let age = milliseconds(random, ages.clone());
        let at = copied + age;
        self.add_send(random, begin, 0..=500);
        self.add_send(random, copied, 0..=200);
        self.add_send(random, copied, 1_200..=1_600);
        self.add_send(random, at - Duration::from_millis(WRITTEN_MS), 0..=200);
        self.add_send(random, at - Duration::from_millis(UNDER_WAY_MS), 0..=UNDER_WAY_MS);
        let (kind, lasts) = self.draw_storage(random, age);
        self.add_send(random, at, 500..=2_000);
        self.faults.push(Fault { at, lasts, kind });
        (at, lasts)
    }

    /// Whether the store may forget its last seconds, so that a worker takes a copy of them for a crash.
    fn may_forget(&self) -> bool {
        self.topology == Topology::Standalone && self.durability == Durability::EverySecond
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

    fn draw_storage(&self, random: &mut ChaCha8Rng, age: Duration) -> (FaultKind, Duration) {
        let remedy = pick(random, &[Remedy::PutBack, Remedy::Accept]);
        let client = below(random, self.sends.len());
        let same = self.sends[client].records;
        let records = if random.random() { same } else { range(random, 1..=2 * same) };
        let mut possible = vec![
            FaultKind::SecondFolder,
            FaultKind::UnmountFolder,
            FaultKind::ReadOnlyFolder,
            FaultKind::FillDisk,
            FaultKind::RestoreRoll { age, remedy },
        ];
        // A store that has forgotten a batch cannot know that its name was used.
        if !self.faults.iter().any(|fault| fault.kind.makes_store_forget()) {
            possible.push(FaultKind::ReuseName { client, records });
        }
        if self.topology == Topology::Standalone {
            possible.push(FaultKind::EmptyStore);
            if self.durability != Durability::Memory {
                possible.push(FaultKind::RestoreStore { age });
            }
            // It has two outcomes there, by its age.
            if self.may_forget() {
                possible.push(FaultKind::RestoreStore { age });
            }
            // Few schedules have a store that outlives it.
            if self.durability == Durability::EveryWrite {
                possible.extend([FaultKind::CutPower, FaultKind::CutPower]);
            }
        }
        let kind = possible.swap_remove(below(random, possible.len()));
        let lasts = match kind {
            FaultKind::CutPower => POWER_OFF_MS,
            FaultKind::ReuseName { .. } => REUSE_MS,
            _ => LASTS_MS,
        };
        (kind, milliseconds(random, lasts))
    }

    /// Adds a crash between two moments, if there is time for one.
    fn add_crash(&mut self, random: &mut ChaCha8Rng, from: Duration, until: Duration) {
        let last =
            (until - from).saturating_sub(APART * 2 + Duration::from_millis(*CRASH_MS.start()));
        let at = from + APART + milliseconds(random, 0..=as_ms(last));
        let longest = as_ms(until.saturating_sub(at + APART)).min(*CRASH_MS.end());
        if longest >= *CRASH_MS.start() {
            let kind = self.draw_crash(random, at);
            let lasts = milliseconds(random, *CRASH_MS.start()..=longest);
            self.faults.push(Fault { at, lasts, kind });
        }
    }

    fn draw_crash(&self, random: &mut ChaCha8Rng, at: Duration) -> FaultKind {
        let sends = self.sends.iter().enumerate();
        let begun: Vec<usize> =
            sends.filter(|(_, send)| send.at < at).map(|(client, _)| client).collect();
        let mut possible = vec![
            FaultKind::KillServer,
            FaultKind::KillWorker(below(random, self.workers)),
            FaultKind::KillAllWorkers,
            FaultKind::TerminateServer,
            FaultKind::TerminateWorker(below(random, self.workers)),
            FaultKind::Cut(self.any_link(random)),
        ];
        if !begun.is_empty() {
            possible.push(FaultKind::KillClient(pick(random, &begun)));
        }
        match (self.topology, self.durability) {
            (Topology::Standalone, Durability::Memory) => {}
            (Topology::Standalone, _) => possible.push(FaultKind::KillStore),
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
            fault.kind,
            FaultKind::KillClient(_)
                | FaultKind::KillServer
                | FaultKind::KillWorker(_)
                | FaultKind::KillAllWorkers
                | FaultKind::KillStore
                | FaultKind::KillMaster { .. }
                | FaultKind::TerminateServer
                | FaultKind::TerminateWorker(_)
                | FaultKind::Cut(_)
        )
    }

    #[test]
    fn every_kind_of_fault_occurs() {
        let kinds = all().flat_map(|schedule| schedule.faults).map(|fault| fault.kind.name());
        assert_eq!(kinds.collect::<BTreeSet<_>>().len(), Family::Storage.kinds());
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
    fn restored_store_lacks_what_a_crash_explains_or_more() {
        let forgetting = Duration::from_secs(10);
        let (mut explained, mut more) = (0, 0);
        for schedule in all().filter(Schedule::may_forget) {
            for Fault { at, kind, .. } in &schedule.faults {
                let FaultKind::RestoreStore { age } = kind else { continue };
                // What is sent a second before the fault is written by then.
                let (copied, written) = (*at - *age, *at - Duration::from_secs(1));
                let sent = schedule.sends.iter().map(|send| (send.at, send.at + send.over));
                let mut sent: Vec<_> =
                    sent.filter(|(begin, end)| copied <= *begin && *end <= written).collect();
                sent.sort_unstable();
                let (Some((_, second)), Some((last, _))) = (sent.get(1), sent.last()) else {
                    panic!("{schedule}")
                };
                match last.saturating_sub(*second) > forgetting {
                    true => more += 1,
                    false => explained += 1,
                }
            }
        }
        assert!(explained > 20 && more > 20, "{explained} are explained, {more} are not");
    }

    #[test]
    fn only_a_store_with_a_file_is_restored_and_only_a_synced_one_loses_power() {
        for schedule in all() {
            for Fault { kind, .. } in &schedule.faults {
                match kind {
                    FaultKind::RestoreStore { .. } | FaultKind::KillStore => {
                        assert_ne!(schedule.durability, Durability::Memory, "{schedule}");
                    }
                    FaultKind::CutPower => {
                        assert_eq!(schedule.durability, Durability::EveryWrite, "{schedule}");
                        assert_eq!(schedule.topology, Topology::Standalone, "{schedule}");
                    }
                    _ => {}
                }
            }
        }
    }
}
