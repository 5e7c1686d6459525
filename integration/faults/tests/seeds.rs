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

/// Client and server killed, a worker ends, the clock goes back, the disk is full.
#[test]
fn seed_1() {
    assert_good(1);
}

/// The store's file is cut, all workers are killed, the disk is full.
#[test]
fn seed_4() {
    assert_good(4);
}

/// A worker sleeps beyond its lease, twice, and others end; two clients make unary calls.
#[test]
fn seed_9() {
    assert_good(9);
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
