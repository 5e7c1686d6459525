//! A store that is there, and is not as it should be: programs say so.

use std::fs::File;
use std::time::Duration;

use muster_integration::process::Process;
use muster_integration::programs;
use muster_integration::redis_server::Durability::Memory;
use muster_integration::redis_server::RedisServer;
use muster_integration::resp;
use muster_integration::roll::assert_roll;
use muster_integration::stack::{SEND, Stack};
use muster_integration::users::{Users, write_json};

const LIMIT: Duration = Duration::from_secs(30);

fn configure(redis: &RedisServer, key: &str, value: &str) {
    let answer = resp::ask::<()>(redis.port(), &["CONFIG", "SET", key, value]);
    answer.expect("a setting can be changed");
}

/// What a program that has this store says as it ends with 1.
fn end_of(program: &str, options: &[&str], redis: &RedisServer) -> String {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let mut command = programs::command(program);
    command.args(options).args(["--store", &redis.url()]).current_dir(folder.path());
    let finished = Process::start(program, &mut command).wait(LIMIT).expect_code(1);
    let last = finished.stderr.lines().last().expect("it says why");
    last.replace(&redis.url(), "[store]")
}

#[test]
fn a_store_that_may_evict_ends_what_starts_on_it() {
    let mut redis = RedisServer::prepare(Memory);
    redis.start();
    configure(&redis, "maxmemory-policy", "allkeys-lru");
    let ports: &[&str] = &["--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"];
    for (program, options) in
        [("muster-server", ports), ("muster-worker", &[]), ("muster", &[&["up"], ports].concat())]
    {
        assert_eq!(
            end_of(program, options, &redis),
            format!(
                "{program}: the store at [store] is misconfigured: its eviction policy is \
                 allkeys-lru, which may drop the queue when memory is full: set maxmemory-policy \
                 to noeviction"
            )
        );
    }
}

#[test]
fn a_store_without_a_disk_cannot_be_synced() {
    let mut redis = RedisServer::prepare(Memory);
    redis.start();
    assert_eq!(
        end_of("muster-worker", &["--durability", "synced"], &redis),
        "muster-worker: the store at [store] is misconfigured: durability is synced, but it \
         writes nothing to its disk: set appendonly to yes and appendfsync to always, or \
         durability to accepted"
    );
}

#[test]
fn a_store_without_memory_is_said_once_and_moves_again_with_some() {
    let records = || Users::of_seed(7).take(5_000);
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let input = folder.path().join("users.json");
    write_json(File::create(&input).expect("a new file can be made"), records())
        .expect("users can be written");
    let mut stack = Stack::start(Memory, 1);

    configure(&stack.redis, "maxmemory", "1");
    let client = Process::start("muster-client", &mut stack.client(&input));
    const FULL: &str = "its memory is full (OOM): free some, or raise its maxmemory";
    let mut server = stack.server.take().expect("the server runs");
    server.wait_for_line(FULL, LIMIT);
    configure(&stack.redis, "maxmemory", "0");

    client.wait(SEND).expect_code(0);
    assert_roll(&stack.roll(), records());
    server.terminate();
    let log = server.wait(LIMIT).expect_code(0).stderr;
    assert_eq!(log.matches(FULL).count(), 1, "{log}");
}
