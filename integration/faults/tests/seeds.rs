//! A few schedules on real programs: ten fixed seeds, and a new one each time.

use std::collections::BTreeSet;
use std::fs;

use muster_faults::fault::Harm;
use muster_faults::machine::Machine;
use muster_faults::run::{self, Settings};
use muster_faults::schedule::{Schedule, Topology};
use muster_faults::suite;
use muster_integration::programs::store_program;

/// Of those that take few seconds. Together they have every kind of fault. The last two are of
/// Sentinels and of a cluster.
const FIXED: [u64; 10] = [11, 12, 15, 16, 17, 22, 25, 27, 13, 14];
/// How many schedules run at once: most of the time they wait for something.
const JOBS: usize = 3;

fn settings() -> Settings {
    Settings { store_program: store_program(), machine: Machine::look() }
}

#[test]
fn ten_fixed_seeds_and_a_new_one_lose_and_double_nothing() {
    let new = u64::from(rand::random::<u32>());
    let seeds = FIXED.into_iter().chain([new]).collect();
    let outcomes = suite::run(seeds, None, &settings(), JOBS, &|words| eprint!("{words}"));
    let bad: Vec<u64> = outcomes
        .iter()
        .filter(|outcome| !outcome.is_good())
        .map(|outcome| outcome.schedule.seed)
        .collect();
    assert!(bad.is_empty(), "these seeds failed, for the reasons above: {bad:?}");
}

#[test]
fn the_fixed_seeds_have_every_kind_of_fault() {
    let schedules = FIXED.map(|seed| Schedule::of_seed(seed, Topology::of_seed(seed)));
    let faults = schedules.iter().flat_map(|schedule| &schedule.faults);
    let kinds: BTreeSet<&str> = faults.map(|fault| fault.harm.kind()).collect();
    assert_eq!(kinds.len(), Harm::KINDS, "{kinds:?}");
    let topologies = schedules.map(|schedule| schedule.topology);
    assert!(topologies.contains(&Topology::Sentinel) && topologies.contains(&Topology::Cluster));
}

#[test]
fn a_roll_with_a_record_lost_and_another_one_doubled_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let mut schedule = Schedule::of_seed(1, Topology::Standalone);
    schedule.faults.clear();
    let carried = run::carry_out(&schedule, &settings(), folder.path());
    let roll = fs::read_to_string(carried.roll()).unwrap();
    let mut lines: Vec<&str> = roll.lines().collect();
    lines[100] = lines[200];
    fs::write(carried.roll(), lines.join("\n")).unwrap();

    let findings = carried.judge();
    assert_eq!((findings.lost, findings.doubled, findings.stuck), (1, 1, 0), "{findings:?}");
}
