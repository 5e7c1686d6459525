//! What is left in Redis of batches that are in the roll.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::time::Duration;

use muster_integration::process::Process;
use muster_integration::redis_server::Durability::Memory;
use muster_integration::redis_server::RedisServer;
use muster_integration::stack::{SEND, Stack};
use muster_integration::summary::Manifest;
use muster_integration::users::{Users, write_json};
use muster_integration::{programs, wait};

const BATCHES: u64 = 100;
const RECORDS: u64 = 10_000;
const WORKERS: usize = 5;
/// A batch that is written keeps its counters for seven days, and one of unary calls its places.
const LEFT_BYTES_MAX: u64 = 5 << 20;
/// A record takes more than this while it waits, compressed: so that what must go again was there.
const RECORD_BYTES_MIN: u64 = 50;
const WORK: Duration = Duration::from_secs(300);
/// Redis frees what is large in the background.
const FREE: Duration = Duration::from_secs(10);

fn used_memory(redis: &RedisServer) -> u64 {
    let bytes = redis.info("memory", "used_memory").expect("Redis answers");
    bytes.parse().expect("a number of bytes")
}

/// Sends the file as a batch of its own, without waiting until it is in the roll.
fn send(stack: &Stack, input: &Path, options: &[&str]) {
    let mut command = programs::command("muster-client");
    command.arg("send").arg(input).args(options);
    command.args(["--server", &format!("http://127.0.0.1:{}", stack.grpc_port())]);
    Process::start("muster-client", &mut command).wait(SEND).expect_code(0);
}

#[test]
fn the_memory_of_redis_returns_when_the_batches_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("users.json");
    let users = Users::of_seed(61).take(usize::try_from(RECORDS).unwrap());
    write_json(BufWriter::new(File::create(&input).unwrap()), users).unwrap();

    let mut stack = Stack::prepare(Memory);
    stack.redis.start();
    let start = used_memory(&stack.redis);
    stack.start_server();
    stack.wait_until_ready();
    send(&stack, &input, &["--mode", "unary", "--in-flight", "64"]);
    for _ in 1..BATCHES {
        send(&stack, &input, &[]);
    }
    let waiting = used_memory(&stack.redis) - start;
    assert!(waiting > BATCHES * RECORDS * RECORD_BYTES_MIN, "{waiting} bytes for what waits");

    stack.start_workers(WORKERS);
    // The roll comes first, then its manifest.
    let is_there = || stack.roll().with_extension("manifest.json").exists();
    let records = || if is_there() { Manifest::of(&stack.roll()).records } else { 0 };
    wait::until(
        WORK,
        || (records() == BATCHES * RECORDS).then_some(()),
        || format!("{} records are in the roll", records()),
    );
    let left = || used_memory(&stack.redis).saturating_sub(start);
    wait::until(
        FREE,
        || (left() < LEFT_BYTES_MAX).then_some(()),
        || format!("{} bytes of {waiting} are left", left()),
    );
}
