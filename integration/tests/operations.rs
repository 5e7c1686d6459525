//! What an operator does to an installation that runs: by the command line, on real programs.

use std::fs;
use std::time::Duration;

use muster_integration::feed::Feed;
use muster_integration::process::Process;
use muster_integration::redis_server::Durability::Memory;
use muster_integration::stack::Stack;
use muster_integration::users::{Users, write_ndjson};
use muster_integration::{examples, http, ports, programs, resp, wait};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

const LIMIT: Duration = Duration::from_secs(60);

/// A client of the stack's server.
fn client(stack: &Stack, words: &[&str]) -> Process {
    let mut command = programs::command("muster-client");
    command.args(words).args(["--server", &format!("http://127.0.0.1:{}", stack.grpc_port())]);
    Process::start("muster-client", &mut command)
}

/// What a command prints as JSON, an object a line.
fn ask(stack: &Stack, words: &[&str]) -> Vec<Value> {
    let finished = client(stack, &[words, &["--json"]].concat()).wait(LIMIT).expect_code(0);
    let read =
        |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    finished.stdout.lines().map(read).collect()
}

fn ask_one(stack: &Stack, words: &[&str]) -> Value {
    let mut answers = ask(stack, words);
    assert_eq!(answers.len(), 1, "{words:?}: {answers:?}");
    answers.remove(0)
}

/// Sends the examples as this batch, and does not wait.
fn send(stack: &Stack, batch: &str) {
    let folder = examples::folder();
    let folder = folder.to_str().expect("the path is text");
    client(stack, &["send", folder, "--batch", batch]).wait(LIMIT).expect_code(3);
}

/// Waits until an answer is as it should be.
fn wait_for(stack: &Stack, words: &[&str], is_so: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let look = || Some(ask(stack, words)).filter(|answers| is_so(answers));
    wait::until(LIMIT, look, || format!("{words:?}: {:#?}", ask(stack, words)))
}

/// Waits until the server has looked at the queue again, and again.
fn wait_for_looks(stack: &Stack) {
    for _ in 0..2 {
        let before = ask_one(stack, &["stats"])["at"].clone();
        wait_for(stack, &["stats"], |stats| stats[0]["at"] != before);
    }
}

#[test]
fn a_paused_queue_keeps_what_comes_until_it_is_resumed() {
    let stack = Stack::start(Memory, 2);
    assert_eq!(ask_one(&stack, &["queue", "pause"])["paused"], true);
    send(&stack, "kept");
    wait_for_looks(&stack);
    let stats = ask_one(&stack, &["stats"]);
    assert_eq!((&stats["paused"], &stats["in_hand"]), (&true.into(), &0.into()), "{stats:#}");
    let batch = ask_one(&stack, &["batch", "show", "kept"]);
    assert_eq!((&batch["state"], &batch["kept"]), (&"sealed".into(), &0.into()), "{batch:#}");

    assert_eq!(ask_one(&stack, &["queue", "resume"])["paused"], false);
    client(&stack, &["batch", "wait", "kept"]).wait(LIMIT).expect_code(3);
    let stats = wait_for(&stack, &["stats"], |stats| stats[0]["dead"] == examples::DEAD);
    assert_eq!(stats[0]["accepted"], examples::ACCEPTED);
}

#[test]
fn a_slow_pipe_is_sent_as_it_comes() {
    let stack = Stack::start(Memory, 1);
    let mut feed = Feed::begin(&stack, "slow");
    let mut users = Users::of_seed(1);
    for sent in 1..=3 {
        feed.send(users.by_ref().take(1));
        let kept = || {
            // The batch does not exist until the client has sent the first record.
            let shown = client(&stack, &["batch", "show", "slow", "--json"]).wait(LIMIT).stdout;
            let batch: Value = serde_json::from_str(&shown).ok()?;
            (batch["kept"] == sent).then_some(())
        };
        wait::until(LIMIT, kept, || format!("record {sent} is not sent"));
    }
    feed.finish().expect_code(0);
}

#[test]
fn a_pause_outlives_the_server_and_the_workers() {
    let mut stack = Stack::start(Memory, 1);
    ask_one(&stack, &["queue", "pause"]);
    stack.workers.drain(..).chain(stack.server.take()).for_each(Process::kill);
    stack.start_server();
    stack.start_workers(1);
    stack.wait_until_ready();
    send(&stack, "kept");
    wait_for_looks(&stack);
    assert_eq!(ask_one(&stack, &["batch", "show", "kept"])["state"], "sealed");
    ask_one(&stack, &["queue", "resume"]);
    client(&stack, &["batch", "wait", "kept"]).wait(LIMIT).expect_code(3);
}

#[test]
fn workers_are_listed_while_they_are_there_and_when_they_are_lost() {
    let mut stack = Stack::start(Memory, 3);
    let states = |answers: &[Value]| -> Vec<String> {
        let state = |worker: &Value| worker["state"].as_str().expect("it is text").to_owned();
        let mut states: Vec<String> = answers.iter().map(state).collect();
        states.sort();
        states
    };
    wait_for(&stack, &["workers"], |workers| states(workers) == ["running"; 3]);
    stack.workers.remove(0).kill();
    stack.workers[0].terminate();
    let left = wait_for(&stack, &["workers"], |workers| states(workers) == ["lost", "running"]);
    assert!(left.iter().all(|worker| worker["workers"] == 1), "{left:#?}");
    wait_for(&stack, &["stats"], |stats| stats[0]["workers"] == 1 && stats[0]["workers_lost"] == 1);
}

#[test]
fn a_report_that_cannot_be_read_makes_no_server_unready() {
    let stack = Stack::start(Memory, 1);
    let redis = |command: &[&str]| {
        resp::ask::<redis::Value>(stack.redis.port(), command).expect("it answers");
    };
    redis(&["SET", "{muster}:worker:odd", "{"]);
    redis(&["ZADD", "{muster}:workers", "9999999999999", "odd"]);
    wait_for(&stack, &["stats"], |stats| !stats[0]["store"]["problem"].is_null());
    assert_eq!(http::status(stack.http_port(), "/readyz"), Some(200));
    send(&stack, "well");
    client(&stack, &["batch", "wait", "well"]).wait(LIMIT).expect_code(3);

    redis(&["ZREM", "{muster}:workers", "odd"]);
    wait_for(&stack, &["stats"], |stats| stats[0]["store"]["problem"].is_null());
}

#[test]
fn a_file_is_said_to_be_synced_since_it_always_is() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let server = format!("127.0.0.1:{}", ports::free_port());
    let mut command = programs::command("muster");
    command.args(["up", "--listen", &server, "--http", "127.0.0.1:0"]).current_dir(folder.path());
    let mut up = Process::start("muster", &mut command);
    up.wait_for_line("listening", LIMIT);

    let mut command = programs::command("muster-client");
    command.args(["stats", "--json", "--server", &format!("http://{server}")]);
    let stats = Process::start("muster-client", &mut command).wait(LIMIT).expect_code(0).stdout;
    let stats: Value = serde_json::from_str(&stats).expect("it is JSON");
    assert_eq!(stats["store"]["durability"], "synced", "{stats:#}");
}

#[test]
fn batches_are_listed_the_newest_first_and_by_state() {
    let stack = Stack::start(Memory, 1);
    for batch in ["first", "second", "third"] {
        send(&stack, batch);
        client(&stack, &["batch", "wait", batch]).wait(LIMIT).expect_code(3);
    }
    let names = |words: &[&str]| -> Vec<String> {
        let name = |batch: Value| batch["batch"].as_str().expect("it is text").to_owned();
        ask(&stack, words).into_iter().map(name).collect()
    };
    assert_eq!(names(&["batch", "list"]), ["third", "second", "first"]);
    assert_eq!(names(&["batch", "list", "--limit", "2"]), ["third", "second"]);
    assert_eq!(names(&["batch", "list", "--state", "written"]), ["third", "second", "first"]);
    assert!(names(&["batch", "list", "--state", "open"]).is_empty());
    let batch = ask_one(&stack, &["batch", "show", "second"]);
    for time in ["opened_at", "sealed_at", "completed_at", "ended_at"] {
        assert!(batch[time].is_string(), "{time}: {batch:#}");
    }
}

#[test]
fn the_log_of_all_programs_says_more_when_it_is_told_to() {
    let mut stack = Stack::start(Memory, 1);
    assert_eq!(ask_one(&stack, &["log", "debug"])["log_filter"], "debug");
    let changed = "the log's filter has changed";
    let server = stack.server.as_mut().expect("it runs");
    server.wait_for_line("the log's filter is set", LIMIT);
    server.wait_for_line(changed, LIMIT);
    stack.workers[0].wait_for_line(changed, LIMIT);
    send(&stack, "seen");
    stack.workers[0].wait_for_line("\"message\":\"committed\"", LIMIT);
    assert_eq!(ask_one(&stack, &["log", "--reset"])["log_filter"], Value::Null);
    client(&stack, &["log", "loudly"]).wait(LIMIT).expect_code(2);
}

#[test]
fn who_changes_something_is_in_the_log() {
    let mut stack = Stack::start(Memory, 0);
    for (command, line) in [("pause", "the queue is paused"), ("resume", "the queue is resumed")] {
        ask_one(&stack, &["queue", command]);
        let server = stack.server.as_mut().expect("it runs");
        server.wait_for_line(&format!("\"message\":\"{line}\",\"by\":\"127.0.0.1:"), LIMIT);
    }
}

#[test]
fn the_roll_is_downloaded_as_it_is() {
    let stack = Stack::start(Memory, 1);
    let copy = tempfile::tempdir().expect("there is room for a folder");
    let copy = copy.path().join("copy.json");
    let to = copy.to_str().expect("the path is text");
    client(&stack, &["roll", "download", to]).wait(LIMIT).expect_code(1);
    assert!(!copy.exists(), "nothing is there before there is a roll");

    send(&stack, "examples");
    client(&stack, &["batch", "wait", "examples"]).wait(LIMIT).expect_code(3);
    let said = ask_one(&stack, &["roll", "download", to]);
    let bytes = fs::read(&copy).expect("it was downloaded");
    assert_eq!(bytes, fs::read(stack.roll()).expect("there is a roll"));
    let sha256: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(said["sha256"], sha256.as_str());
    let manifest = ask_one(&stack, &["roll", "show"]);
    assert_eq!(manifest["records"], examples::ACCEPTED - examples::DEAD);
    assert_eq!(manifest["recent"][0]["batch"], "examples");
}

/// The roll of `muster run` and its manifest are replaced together.
#[test]
fn downloaded_roll_is_proven_with_its_manifest() {
    let stack = Stack::start(Memory, 1);
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let (input, roll) = (folder.path().join("users.json"), folder.path().join("all_users.json"));
    let file = fs::File::create(&input).expect("a file can be made");
    write_ndjson(file, Users::of_seed(1).take(10)).expect("the file can be written");
    let muster = |words: &[&str]| {
        let mut command = programs::command("muster");
        command.current_dir(folder.path()).args(words).arg(&input);
        Process::start("muster", &mut command).wait(LIMIT).expect_code(0)
    };
    muster(&["run"]);
    for batch in ["one", "two"] {
        let input = input.to_str().expect("the path is text");
        client(&stack, &["send", input, "--batch", batch, "--wait"]).wait(LIMIT).expect_code(0);
    }
    let to = roll.to_str().expect("the path is text");
    client(&stack, &["roll", "download", to]).wait(LIMIT).expect_code(0);
    let verified = muster(&["verify", input.to_str().expect("the path is text")]);
    assert!(verified.stdout.contains("the manifest agrees"), "{verified}");
}
