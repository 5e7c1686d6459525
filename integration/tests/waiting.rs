//! A sender that waits says why: after five seconds, and then each minute.

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use muster_integration::feed::Feed;
use muster_integration::ports::free_port;
use muster_integration::process::Process;
use muster_integration::redis_server::Durability::Memory;
use muster_integration::stack::{SEND, Stack};
use muster_integration::users::{User, Users, write_ndjson};
use muster_integration::{programs, wait};
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(60);

/// How soon a reason must be said.
const SOON: Duration = Duration::from_secs(12);

const RECORDS: usize = 5_000;

fn users() -> impl Iterator<Item = User> {
    Users::of_seed(3).take(RECORDS)
}

fn input(folder: &TempDir) -> PathBuf {
    let path = folder.path().join("users.ndjson");
    let file = File::create(&path).expect("a file can be made");
    write_ndjson(file, users()).expect("the file can be written");
    path
}

/// A stack whose server has this setting, without workers.
fn stack_with(setting: &str, value: &str) -> Stack {
    let mut stack = Stack::prepare(Memory);
    stack.environment = vec![(setting.to_owned(), value.to_owned())];
    stack.redis.start();
    stack.start_server();
    stack.wait_until_ready();
    stack
}

#[test]
fn a_full_queue_is_said_with_what_keeps_it_full() {
    let folder = TempDir::new().expect("there is room for a folder");
    let mut stack = stack_with("MUSTER_SERVER_RECORDS_MAX", "1000");
    for mode in ["stream", "unary"] {
        let mut send = stack.client(&input(&folder));
        send.args(["--mode", mode, "--batch", mode]);
        let mut sender = Process::start("muster-client", &mut send);
        let said = format!("batch {mode} has made no progress for 5s: the queue is full: ");
        sender.wait_for_line(&said, SOON);
        assert!(
            sender.lines().contains(" records wait, and no worker is running"),
            "{}",
            sender.lines()
        );
        stack.start_workers(1);
        sender.wait(SEND).expect_code(0);
        stack.workers.drain(..).for_each(Process::kill);
        // Its workers are lost once they were silent for as long as their leases last.
        wait::until(
            LIMIT,
            || {
                let mut stats = programs::command("muster-client");
                let server = format!("http://127.0.0.1:{}", stack.grpc_port());
                stats.args(["stats", "--json", "--server", &server]);
                let stats = Process::start("stats", &mut stats).wait(LIMIT).stdout;
                let stats: serde_json::Value = serde_json::from_str(&stats).ok()?;
                (stats["workers"] == 0 && stats["workers_lost"] != 0).then_some(())
            },
            || "the workers are lost".to_owned(),
        );
    }
    // Unary calls are in the order in which they arrive.
    let roll = std::fs::read_to_string(stack.roll()).expect("the roll can be read");
    assert_eq!(roll.matches("\"id\":").count(), 2 * RECORDS);
}

#[test]
fn a_server_that_is_away_is_said() {
    let folder = TempDir::new().expect("there is room for a folder");
    let port = free_port();
    for mode in ["stream", "unary"] {
        let mut send = programs::command("muster-client");
        send.arg("send").arg(input(&folder)).args(["--mode", mode, "--batch", "monday"]);
        send.args(["--server", &format!("http://127.0.0.1:{port}")]);
        let mut sender = Process::start("muster-client", &mut send);
        sender.wait_for_line("batch monday has made no progress for 5s: ", SOON);
        assert!(sender.lines().contains("Connection refused"), "{}", sender.lines());
        sender.kill();
    }
}

#[test]
fn a_stream_that_gets_no_place_says_so() {
    let folder = TempDir::new().expect("there is room for a folder");
    let mut stack = stack_with("MUSTER_SERVER_STREAMS_PER_ADDRESS_MAX", "1");
    let mut first = Feed::begin(&stack, "first");
    first.send(users().take(1));
    let mut shown = programs::command("muster-client");
    let server = format!("http://127.0.0.1:{}", stack.grpc_port());
    shown.args(["batch", "show", "first", "--server", &server]);
    let mut is_open = || {
        let shown = Process::start("show", &mut shown).wait(LIMIT);
        (shown.code() == Some(0)).then_some(())
    };
    wait::until(LIMIT, &mut is_open, || "the first stream has begun".to_owned());
    let mut second = Process::start("muster-client", &mut stack.client(&input(&folder)));
    second.wait_for_line("has made no progress for 5s: ", SOON);
    assert!(second.lines().contains("streams"), "{}", second.lines());
    stack.start_workers(1);
    first.finish().expect_code(0);
    second.wait(SEND).expect_code(0);
}

#[test]
fn a_sender_that_waits_for_the_roll_says_what_keeps_it() {
    let folder = TempDir::new().expect("there is room for a folder");
    let mut stack = stack_with("MUSTER_SERVER_RECORDS_MAX", "100000");
    let server = format!("http://127.0.0.1:{}", stack.grpc_port());
    let queue = |command: &str| {
        let mut client = programs::command("muster-client");
        client.args(["queue", command, "--server", &server]);
        Process::start("muster-client", &mut client).wait(LIMIT).expect_code(0);
    };
    queue("pause");
    let mut send = stack.client(&input(&folder));
    send.args(["--batch", "monday"]);
    let mut sender = Process::start("muster-client", &mut send);
    sender.wait_for_line("batch monday waits: no worker is running", SOON);
    stack.start_workers(1);
    sender.wait_for_line("batch monday waits: the queue is paused", SOON);
    queue("resume");
    sender.wait(SEND).expect_code(0);
}
