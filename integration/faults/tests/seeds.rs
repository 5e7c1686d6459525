//! A few schedules on real programs: fixed seeds, and a new one each time.

use std::fs;

use muster_faults::machine::Machine;
use muster_faults::run::{self, Settings};
use muster_faults::schedule::{Schedule, Topology};
use muster_integration::programs::store_program;

fn settings() -> Settings {
    Settings { store_program: store_program(), machine: Machine::look() }
}

fn assert_good(seed: u64) {
    let schedule = Schedule::of_seed(seed, Topology::Standalone);
    let outcome = run::run(&schedule, &settings());
    assert!(outcome.is_good(), "{schedule}{outcome}");
}

/// AOF everysec: the store is killed three times, once with its file cut; the server ends.
#[test]
fn seed_15() {
    assert_good(15);
}

/// AOF always: workers are killed one by one and all at once, the disk is full, the store's file
/// is cut.
#[test]
fn seed_16() {
    assert_good(16);
}

/// In memory: a worker sleeps beyond its lease, the client is killed, the server's line is slow.
#[test]
fn seed_38() {
    assert_good(38);
}

#[test]
fn a_new_seed() {
    assert_good(u64::from(rand::random::<u32>()));
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
