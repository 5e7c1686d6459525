//! Records that fail, panic, end their worker, or take long: each costs itself, and nobody else.

use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use muster_integration::process::Process;
use muster_integration::programs;
use muster_integration::redis_server::Durability::Memory;
use muster_integration::roll::{assert_roll, count};
use muster_integration::stack::{SEND, Stack};
use muster_integration::users::{User, Users, write_json};
use serde_json::Value;
use tempfile::TempDir;

const WORKERS: usize = 5;
const RECORDS: usize = 10_000;
/// Where the record is that is different.
const PLACE: usize = 4_321;
/// How long a poisonous record may keep a batch.
const POISON: Duration = Duration::from_secs(60);
/// How long it may take until a lost worker's chunks are processed by others.
const TAKE_OVER: Duration = Duration::from_secs(10);
/// A lease, where a test does not want to wait for the default one.
const SHORT_LEASE: &str = "1s";

/// Some users, of whom one asks the processor for something, and their file.
struct Input {
    users: Vec<User>,
    path: PathBuf,
    _folder: TempDir,
}

fn input(records: usize, place: usize, asks_for: &'static str) -> Input {
    let mut users: Vec<User> = Users::of_seed(51).take(records).collect();
    users[place].agent = asks_for;
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let path = folder.path().join("users.json");
    let file = BufWriter::new(File::create(&path).expect("a new file can be made"));
    write_json(file, users.clone()).expect("users can be written");
    Input { users, path, _folder: folder }
}

impl Input {
    /// All users but the one at this place.
    fn without(&self, place: usize) -> impl Iterator<Item = User> {
        let users = self.users.iter().enumerate();
        users.filter(move |(number, _)| *number != place).map(|(_, user)| user.clone())
    }
}

/// A worker that does what the records ask for, with these settings.
fn faulty(settings: &[(&str, &str)]) -> Command {
    let mut command = programs::example("faulty-worker");
    command.envs(settings.iter().copied());
    command
}

fn start(settings: &'static [(&'static str, &'static str)], workers: usize) -> Stack {
    let mut stack = Stack::start(Memory, 0);
    stack.start_workers_as(workers, || faulty(settings));
    stack
}

/// The dead letters of a batch, as they are exported.
fn dead_letters(stack: &Stack, batch: &str) -> Vec<Value> {
    let mut command = programs::command("muster-client");
    command.args(["dead", "export", "--batch", batch]);
    command.args(["--server", &format!("http://127.0.0.1:{}", stack.grpc_port())]);
    let exported = Process::start("muster-client dead", &mut command).wait(SEND).expect_code(0);
    let letters = exported.stdout.lines().map(serde_json::from_str);
    letters.map(|letter| letter.expect("a letter is a line of JSON")).collect()
}

/// Sends the input as the batch `poison`, and waits until it is in the roll.
fn send(stack: &Stack, input: &Input) -> Process {
    let mut command = stack.client(&input.path);
    Process::start("muster-client", command.args(["--batch", "poison"]))
}

#[test]
fn a_record_that_ends_every_worker_that_processes_it_is_one_dead_letter() {
    let input = input(RECORDS, PLACE, "abort");
    // Nobody starts a worker again: the last one is left.
    let stack = start(&[], WORKERS);
    send(&stack, &input).wait(POISON).expect_code(3);
    assert_roll(&stack.roll(), input.without(PLACE));
    let letters = dead_letters(&stack, "poison");
    let [letter] = letters.as_slice() else { panic!("{letters:?}") };
    assert_eq!(letter["place"], PLACE);
    assert_eq!(letter["record"]["email"], input.users[PLACE].email);
    assert_eq!((&letter["attempts"], &letter["crashes"]), (&0.into(), &2.into()));
    let reason = letter["reason"].as_str().expect("a reason is a text");
    assert!(reason.contains("processing it ends them"), "{reason}");
}

#[test]
fn a_record_that_fails_or_panics_is_tried_five_times_and_is_one_dead_letter() {
    for (asks_for, reason) in
        [("fail", "failed, as it asked for"), ("panic", "the processor panicked: as it asked for")]
    {
        let input = input(RECORDS, PLACE, asks_for);
        let stack = start(&[("MUSTER_WORKER_RETRY_DELAY", "20ms")], WORKERS);
        send(&stack, &input).wait(POISON).expect_code(3);
        assert_roll(&stack.roll(), input.without(PLACE));
        let letters = dead_letters(&stack, "poison");
        let [letter] = letters.as_slice() else { panic!("{letters:?}") };
        assert_eq!((&letter["place"], &letter["reason"]), (&PLACE.into(), &reason.into()));
        assert_eq!((&letter["attempts"], &letter["crashes"]), (&5.into(), &0.into()));
        assert!(letter["first"].as_str() < letter["last"].as_str(), "{letter}");
    }
}

#[test]
fn a_killed_worker_costs_its_record_no_attempt_and_others_take_it_over_in_time() {
    let input = input(1, 0, "slow 2");
    let mut stack = start(&[], 1);
    let client = send(&stack, &input);
    // It is in the only worker's hands when the others come.
    stack.workers[0].wait_for_line("working", POISON);
    wait_until_in_hand(&mut stack);
    stack.start_workers_as(2, || faulty(&[]));
    stack.workers[2].wait_for_line("working", POISON);
    stack.workers.remove(0).kill();
    let killed = Instant::now();
    client.wait(SEND).expect_code(0);
    let limit = TAKE_OVER + Duration::from_secs(2);
    assert!(killed.elapsed() < limit, "it took {:?}", killed.elapsed());
    assert_roll(&stack.roll(), input.users);
}

#[test]
fn a_record_that_takes_longer_than_a_lease_is_left_to_its_worker() {
    let input = input(1, 0, "slow 4");
    let mut stack = start(&[("MUSTER_WORKER_LEASE", SHORT_LEASE)], 3);
    send(&stack, &input).wait(SEND).expect_code(0);
    assert_roll(&stack.roll(), input.users);
    for worker in stack.workers.drain(..) {
        worker.terminate();
        let ended = worker.wait(SEND).expect_code(0);
        assert!(!ended.stderr.contains("took over"), "{}", ended.stderr);
    }
}

#[test]
fn what_a_worker_has_in_hand_when_its_time_is_up_goes_to_others_at_once() {
    let input = input(1, 0, "slow 30");
    let mut stack = start(&[("MUSTER_WORKER_GRACE", "2s"), ("MUSTER_WORKER_LEASE", "60s")], 1);
    let client = send(&stack, &input);
    wait_until_in_hand(&mut stack);
    let worker = stack.workers.remove(0);
    worker.terminate();
    let ended = worker.wait(Duration::from_secs(5)).expect_code(0);
    assert!(ended.stderr.contains("goes back to the queue"), "{}", ended.stderr);

    // This one does not do what the record asks for, and its lease is as long.
    stack.start_workers_as(1, || {
        let mut command = programs::command("muster-worker");
        command.env("MUSTER_WORKER_LEASE", "60s");
        command
    });
    client.wait(Duration::from_secs(10)).expect_code(0);
    assert_eq!(count(&stack.roll()), 1);
}

#[test]
fn a_second_sigterm_ends_a_worker_at_once_and_loses_nothing() {
    let input = input(1, 0, "slow 30");
    let mut stack = start(&[], 1);
    let client = send(&stack, &input);
    wait_until_in_hand(&mut stack);
    let mut worker = stack.workers.remove(0);
    worker.terminate();
    worker.wait_for_line("a second signal ends at once", POISON);
    worker.terminate();
    worker.wait(Duration::from_secs(2)).expect_code(143);
    stack.start_workers(1);
    client.wait(SEND).expect_code(0);
    assert_roll(&stack.roll(), input.users);
}

/// Waits until the only worker has the record that takes long in hand.
fn wait_until_in_hand(stack: &mut Stack) {
    stack.workers[0].wait_for_line("slow, as it asked for", POISON);
}
