//! Programs that are killed in the middle of a batch. The roll never shows it.
//!
//! Every test puts a relay between client and server, which holds the batch back in its second
//! half until the harm is done: what is killed is killed in the middle.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::iter::Take;
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use muster_integration::process::Process;
use muster_integration::redis_server::Durability::{EveryWrite, Memory};
use muster_integration::relay::Relay;
use muster_integration::resp;
use muster_integration::roll::assert_roll;
use muster_integration::stack::{SEND, Stack};
use muster_integration::users::{Users, write_json};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;

const WORKERS: usize = 5;
const RECORDS: usize = 100_000;
/// On the wire the batch is more than 18 MB.
const HOLD_AT_BYTES: u64 = 12_000_000;
const FIRST_HARM_BYTES: u64 = 1_000_000;
const FLOW: Duration = Duration::from_secs(120);
/// What a program may take for its end, which is 10 seconds, and some for a busy machine.
const END: Duration = Duration::from_secs(20);
/// What an HTTP/2 client says first: the preface, and settings that set nothing.
const HTTP2_BEGIN: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// A batch under way from a client, through a relay, to a stack.
struct Sending {
    stack: Stack,
    relay: Relay,
    client: Process,
    _input: TempDir,
}

fn users() -> Take<Users> {
    Users::of_seed(31).take(RECORDS)
}

fn input() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let path = folder.path().join("users.json");
    let file = File::create(&path).expect("a new file can be made");
    write_json(BufWriter::new(file), users()).expect("users can be written");
    (folder, path)
}

fn start_sending(stack: Stack, options: &[&str]) -> Sending {
    let (folder, path) = input();
    let relay = Relay::start(stack.grpc_port(), HOLD_AT_BYTES);
    let mut command = stack.client_by(relay.port(), &path);
    let client = Process::start("muster-client", command.args(options));
    Sending { stack, relay, client, _input: folder }
}

impl Sending {
    /// Lets the rest of the batch through, and compares the roll with what was sent.
    fn finish(self) -> Stack {
        self.relay.release();
        self.client.wait(SEND).expect_code(0);
        assert_roll(&self.stack.roll(), users());
        self.stack
    }
}

/// Seeded moments in the first part of the batch, in order, as bytes that have passed.
fn moments(seed: u64, count: usize) -> Vec<u64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut moments: Vec<u64> =
        (0..count).map(|_| random.random_range(FIRST_HARM_BYTES..HOLD_AT_BYTES)).collect();
    moments.sort_unstable();
    moments
}

#[test]
fn a_killed_worker_loses_and_doubles_nothing() {
    let mut sending = start_sending(Stack::start(Memory, WORKERS), &[]);
    for moment in moments(41, 1) {
        sending.relay.wait_for(moment, FLOW);
        sending.stack.workers.remove(0).kill();
    }
    sending.finish();
}

#[test]
fn workers_killed_one_after_another_lose_and_double_nothing() {
    let mut sending = start_sending(Stack::start(Memory, WORKERS), &[]);
    for moment in moments(42, 8) {
        sending.relay.wait_for(moment, FLOW);
        sending.stack.workers.remove(0).kill();
        sending.stack.start_workers(1);
    }
    sending.finish();
}

#[test]
fn all_workers_killed_at_once_lose_and_double_nothing() {
    let mut sending = start_sending(Stack::start(Memory, WORKERS), &[]);
    sending.relay.wait_for(HOLD_AT_BYTES / 2, FLOW);
    for worker in sending.stack.workers.drain(..) {
        worker.kill();
    }
    sending.stack.start_workers(WORKERS);
    sending.finish();
}

#[test]
fn workers_that_are_asked_to_stop_in_mid_batch_leave_their_work_to_others() {
    let mut sending = start_sending(Stack::start(Memory, WORKERS), &[]);
    sending.relay.wait_for(HOLD_AT_BYTES / 2, FLOW);
    for worker in sending.stack.workers.drain(1..) {
        worker.terminate();
        worker.wait(Duration::from_secs(10)).expect_code(0);
    }
    sending.finish();
}

/// Starts the workers, and waits until they work.
fn start_workers(stack: &mut Stack) {
    stack.start_workers(WORKERS);
    for worker in &mut stack.workers {
        worker.wait_for_line("working", END);
    }
}

/// Asks all workers to stop at once, and waits until they have.
fn stop_workers(stack: &mut Stack) {
    stack.workers.iter().for_each(Process::terminate);
    for worker in stack.workers.drain(..) {
        worker.wait(END).expect_code(0);
    }
}

#[test]
fn all_workers_that_are_stopped_in_mid_batch_and_started_again_leave_nothing_behind() {
    let mut stack = Stack::start(Memory, 0);
    // What a worker left behind would be missing until the test's own limit.
    stack.environment.push(("MUSTER_WORKER_LEASE".to_owned(), "1h".to_owned()));
    start_workers(&mut stack);
    let mut sending = start_sending(stack, &[]);
    sending.relay.wait_for(FIRST_HARM_BYTES, FLOW);
    stop_workers(&mut sending.stack);
    // Without workers all of this waits, so that the next ones are stopped in the middle of it.
    sending.relay.wait_for(HOLD_AT_BYTES / 2, FLOW);
    start_workers(&mut sending.stack);
    stop_workers(&mut sending.stack);
    start_workers(&mut sending.stack);
    let stack = sending.finish();
    let left = ["XLEN", "{muster}:queue:normal"];
    assert_eq!(resp::ask::<u64>(stack.redis.port(), &left).expect("it answers"), 0);
}

#[test]
fn a_killed_redis_that_syncs_every_write_loses_and_doubles_nothing() {
    let mut sending = start_sending(Stack::start(EveryWrite, WORKERS), &[]);
    for moment in moments(43, 2) {
        sending.relay.wait_for(moment, FLOW);
        sending.stack.redis.kill();
        sending.stack.wait_until_not_ready();
        sending.stack.redis.start();
        sending.stack.wait_until_ready();
    }
    sending.finish();
}

#[test]
fn a_killed_server_loses_and_doubles_nothing() {
    let mut sending = start_sending(Stack::start(Memory, WORKERS), &[]);
    for moment in moments(44, 2) {
        sending.relay.wait_for(moment, FLOW);
        sending.stack.server.take().unwrap().kill();
        sending.stack.start_server();
        sending.stack.wait_until_ready();
    }
    sending.finish();
}

#[test]
fn a_killed_client_that_sends_its_batch_again_doubles_nothing() {
    let batch = ["--batch", "again"];
    let Sending { stack, relay, client, _input } =
        start_sending(Stack::start(Memory, WORKERS), &batch);
    relay.wait_for(HOLD_AT_BYTES / 2, FLOW);
    client.kill();
    relay.release();
    start_sending(stack, &batch).finish();
}

#[test]
fn a_connection_that_never_answers_does_not_keep_the_server_from_ending_well() {
    let mut stack = Stack::start(Memory, 0);
    let mut silent = TcpStream::connect((Ipv4Addr::LOCALHOST, stack.grpc_port())).unwrap();
    silent.write_all(HTTP2_BEGIN).unwrap();
    // The server's own settings: from here on the connection is open, and nothing answers it.
    silent.read_exact(&mut [0; 9]).unwrap();

    let server = stack.server.take().unwrap();
    server.terminate();
    server.wait(END).expect_code(0);
}
