//! Redis, a server, five worker processes and a client.

use std::fs::File;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use muster_integration::process::Process;
use muster_integration::redis_server::Durability::Memory;
use muster_integration::roll::{assert_roll, assert_roll_in_any_order};
use muster_integration::stack::{SEND, Stack};
use muster_integration::summary::Summary;
use muster_integration::users::{User, Users, write_json};
use muster_integration::{examples, programs, resp, wait};
use tempfile::TempDir;

const WORKERS: usize = 5;
const STOP: Duration = Duration::from_secs(10);
/// Longer than one read waits at Redis, which is 5 seconds: each worker has waited in vain, and waits
/// again.
const IDLE: Duration = Duration::from_secs(7);
/// What the client itself and the roll take included. Who looked now and then would need longer.
const AT_ONCE: Duration = Duration::from_secs(2);

/// A file with this many users of a seed.
fn input(seed: u64, count: usize) -> (TempDir, PathBuf, Vec<User>) {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let path = folder.path().join("users.json");
    let users: Vec<User> = Users::of_seed(seed).take(count).collect();
    let file = File::create(&path).expect("a new file can be made");
    write_json(std::io::BufWriter::new(file), users.clone()).expect("users can be written");
    (folder, path, users)
}

#[test]
fn the_examples_become_the_same_roll_as_in_one_process() {
    let stack = Stack::start(Memory, WORKERS);
    let finished = stack.send(&examples::folder()).expect_code(3);
    // `run.rs` holds `muster run` to the same bytes.
    let manifest = assert_roll(&stack.roll(), examples::kept());
    let summary = Summary::of(&finished);
    assert_eq!(summary.accepted, examples::ACCEPTED);
    assert_eq!(summary.dead, Some(examples::DEAD));
    assert_eq!(summary.sha256, Some(manifest.sha256));
}

#[test]
fn a_large_batch_becomes_the_expected_roll() {
    let (_folder, path, users) = input(21, 20_000);
    let stack = Stack::start(Memory, WORKERS);
    stack.send(&path).expect_code(0);
    assert_roll(&stack.roll(), users);
}

#[test]
fn unary_calls_32_at_a_time_lose_and_double_nothing() {
    let (_folder, path, users) = input(22, 5_000);
    let stack = Stack::start(Memory, WORKERS);
    let mut command = stack.client(&path);
    command.args(["--mode", "unary", "--in-flight", "32"]);
    Process::start("muster-client", &mut command).wait(SEND).expect_code(0);
    assert_roll_in_any_order(&stack.roll(), users);
}

#[test]
fn a_batch_that_is_sent_twice_is_counted_once() {
    let (_folder, path, users) = input(23, 2_000);
    let stack = Stack::start(Memory, WORKERS);
    for _ in 0..2 {
        let mut command = stack.client(&path);
        command.args(["--batch", "monday"]);
        Process::start("muster-client", &mut command).wait(SEND).expect_code(0);
        assert_roll(&stack.roll(), users.clone());
    }
    // The twin: under another name the same records are other records.
    stack.send(&path).expect_code(0);
    assert_roll(&stack.roll(), users.iter().chain(&users).cloned());
}

#[test]
fn batches_stand_in_the_roll_in_the_order_in_which_they_came() {
    let (_first_folder, first_path, first) = input(24, 1_500);
    let (_second_folder, second_path, second) = input(25, 700);
    let stack = Stack::start(Memory, WORKERS);
    stack.send(&first_path).expect_code(0);
    stack.send(&second_path).expect_code(0);
    assert_roll(&stack.roll(), first.into_iter().chain(second));
}

#[test]
fn server_and_workers_wait_for_a_redis_that_comes_later() {
    let (_folder, path, users) = input(26, 1_000);
    let mut stack = Stack::prepare(Memory);
    stack.start_server();
    stack.start_workers(WORKERS);
    stack.wait_until_not_ready();
    stack.redis.start();
    stack.wait_until_ready();
    stack.send(&path).expect_code(0);
    assert_roll(&stack.roll(), users);
}

#[test]
fn every_program_can_start_before_those_that_it_needs() {
    let (_folder, path, users) = input(24, 2_000);
    let mut stack = Stack::prepare(Memory);
    let mut client = Process::start("muster-client", &mut stack.client(&path));
    stack.start_workers(2);
    for worker in &mut stack.workers {
        worker.wait_for_line("waiting for the store", SEND);
    }
    stack.start_server();
    stack.wait_until_not_ready();
    assert!(client.is_running());
    stack.redis.start();
    client.wait(SEND).expect_code(0);
    assert_roll(&stack.roll(), users);
}

#[test]
fn server_and_workers_stop_within_10_seconds_when_asked_to() {
    let (_folder, path, users) = input(27, 1_000);
    let mut stack = Stack::start(Memory, WORKERS);
    stack.send(&path).expect_code(0);
    let server = stack.server.take().unwrap();
    let programs: Vec<Process> = stack.workers.drain(..).chain([server]).collect();
    for program in &programs {
        program.terminate();
    }
    for program in programs {
        program.wait(STOP).expect_code(0);
    }
    assert_roll(&stack.roll(), users);
}

#[test]
fn workers_that_were_idle_for_a_while_notice_work_at_once() {
    let (_folder, path, users) = input(28, 1);
    let mut stack = Stack::start(Memory, 0);
    stack.start_workers_as(WORKERS, || {
        let mut worker = programs::command("muster-worker");
        // Nothing but the work itself wakes them.
        worker.env("MUSTER_WORKER_SCAN_INTERVAL", "60s");
        worker
    });
    let waiting = format!("blocked_clients:{WORKERS}\r");
    let wait_until_all_wait = || {
        let clients = || resp::ask::<String>(stack.redis.port(), &["INFO", "clients"]);
        wait::until(
            STOP,
            || clients().is_ok_and(|clients| clients.contains(&waiting)).then_some(()),
            || format!("not all of them wait: {:?}", clients()),
        );
    };
    wait_until_all_wait();
    // The time itself is what is tried here.
    thread::sleep(IDLE);
    wait_until_all_wait();

    let sent = Instant::now();
    stack.send(&path).expect_code(0);
    assert!(sent.elapsed() < AT_ONCE, "it took {:?}", sent.elapsed());
    assert_roll(&stack.roll(), users);
}
