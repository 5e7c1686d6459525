//! A few schedules on real programs: ten fixed seeds of crashes and a new one each time, and some of the
//! family `storage`.

use std::collections::BTreeSet;
use std::fs;

use muster_faults::machine::Machine;
use muster_faults::run::{self, Outcome, Settings};
use muster_faults::schedule::{Family, Schedule, Topology};
use muster_faults::suite;
use muster_integration::programs::store_program;
use muster_integration::skip::skip;

/// Of those that take few seconds. Together they have every kind of fault. The last two are of
/// Sentinels and of a cluster.
const FIXED: [u64; 10] = [11, 12, 15, 16, 17, 22, 25, 27, 13, 14];
/// How many schedules run at once: most of the time they wait for something.
const JOBS: usize = 3;
/// Of the family `storage`: together they have every kind of fault that only this family has.
const STORAGE: [u64; 5] = [85, 216, 227, 345, 376];
const ONLY_STORAGE: usize = 9;

fn settings() -> Settings {
    let machine = Machine::look();
    machine.lacks().iter().for_each(|lack| skip(lack));
    Settings { store_program: store_program(), machine }
}

fn run_all(family: Family, seeds: &[u64], say: &(dyn Fn(&str) + Sync)) {
    let outcomes = suite::run(&[family], seeds, None, &settings(), JOBS, say);
    let bad = outcomes.iter().filter(|outcome| !outcome.is_good());
    let bad: Vec<u64> = bad.map(|Outcome { schedule, .. }| schedule.seed).collect();
    assert!(bad.is_empty(), "these seeds failed, for the reasons above: {bad:?}");
}

fn kinds(family: Family, seeds: &[u64]) -> BTreeSet<&'static str> {
    let schedules = seeds.iter().map(|seed| (*seed, Topology::of_seed(*seed)));
    let schedules = schedules.map(|(seed, topology)| Schedule::of_seed(family, seed, topology));
    schedules.flat_map(|schedule| schedule.faults).map(|fault| fault.kind.name()).collect()
}

#[test]
fn ten_fixed_seeds_and_a_new_one_lose_and_double_nothing() {
    let new = u64::from(rand::random::<u32>());
    let seeds: Vec<u64> = FIXED.into_iter().chain([new]).collect();
    run_all(Family::Crashes, &seeds, &|words| eprint!("{words}"));
}

#[test]
fn storage_that_is_exchanged_or_lost_costs_no_record_and_is_said() {
    run_all(Family::Storage, &STORAGE, &|words| eprint!("{words}"));
}

#[test]
fn the_fixed_seeds_have_every_kind_of_fault() {
    let found = kinds(Family::Crashes, &FIXED);
    assert_eq!(found.len(), Family::Crashes.kinds(), "{found:?}");
    let only_storage = &kinds(Family::Storage, &STORAGE) - &found;
    assert_eq!(only_storage.len(), ONLY_STORAGE, "{only_storage:?}");
    let topologies = FIXED.map(Topology::of_seed);
    assert!(topologies.contains(&Topology::Sentinel) && topologies.contains(&Topology::Cluster));
}

#[test]
fn a_roll_with_a_record_lost_and_another_one_doubled_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let mut schedule = Schedule::of_seed(Family::Crashes, 1, Topology::Standalone);
    schedule.faults.clear();
    let carried = run::carry_out(&schedule, &settings(), folder.path());
    let roll = fs::read_to_string(carried.roll()).unwrap();
    let mut lines: Vec<&str> = roll.lines().collect();
    lines[100] = lines[200];
    fs::write(carried.roll(), lines.join("\n")).unwrap();

    let findings = carried.judge();
    assert_eq!((findings.lost, findings.doubled, findings.stuck), (1, 1, 0), "{findings:?}");
}
