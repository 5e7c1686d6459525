//! A store that is there, and is not as it should be: programs say so.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use muster_integration::ports::free_port;
use muster_integration::process::Process;
use muster_integration::redis_server::Durability::{EverySecond, EveryWrite, Memory};
use muster_integration::redis_server::RedisServer;
use muster_integration::roll::assert_roll;
use muster_integration::scrape::Scrape;
use muster_integration::skip::skip;
use muster_integration::stack::{SEND, Stack};
use muster_integration::users::{Users, write_json, write_ndjson};
use muster_integration::{http, programs, resp, wait};
use serde_json::Value;
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(30);

fn configure(redis: &RedisServer, key: &str, value: &str) {
    let answer = resp::ask::<()>(redis.port(), &["CONFIG", "SET", key, value]);
    answer.expect("a setting can be changed");
}

/// What `muster-client stats` says of the store.
fn store_of(stack: &Stack) -> Value {
    let mut command = programs::command("muster-client");
    command.args(["stats", "--json", "--server"]);
    command.arg(format!("http://127.0.0.1:{}", stack.grpc_port()));
    let stats = Process::start("stats", &mut command).wait(LIMIT).expect_code(0).stdout;
    let mut stats: Value = serde_json::from_str(&stats).expect("it is JSON");
    stats["store"].take()
}

/// Waits until the statistics of the store are as they should be.
fn wait_for_store(stack: &Stack, is_so: impl Fn(&Value) -> bool) -> Value {
    let look = || Some(store_of(stack)).filter(|store| is_so(store));
    wait::until(LIMIT, look, || format!("{:#}", store_of(stack)))
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

/// With `everysec`, servers of all versions but Redis 8.0 and later say that a write is on the disk before
/// it is.
#[test]
fn a_store_that_syncs_once_a_second_cannot_be_synced() {
    let mut redis = RedisServer::prepare(EverySecond);
    redis.start();
    let server: String = resp::ask(redis.port(), &["INFO", "server"]).expect("it answers");
    let version = server.lines().find_map(|line| line.strip_prefix("redis_version:"));
    let major = version.and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    if !server.contains("valkey") && major.expect("it has a version") >= 8 {
        return skip("a store that says too early that it has synced: this one does not");
    }
    for program in ["muster-server", "muster-worker"] {
        let said = end_of(program, &["--durability", "synced"], &redis);
        assert!(said.contains("answers before it has synced: set appendfsync to always"), "{said}");
    }
}

#[test]
fn a_store_that_no_longer_syncs_is_noticed_while_programs_run() {
    let mut stack = Stack::prepare(EveryWrite);
    stack.environment = vec![("MUSTER_SERVER_DURABILITY".to_owned(), "synced".to_owned())];
    stack.redis.start();
    stack.start_server();
    stack.wait_until_ready();
    for (key, bad, good) in [("appendonly", "no", "yes"), ("appendfsync", "no", "always")] {
        configure(&stack.redis, key, bad);
        stack.wait_until_not_ready();
        let (_, said) = http::get(stack.http_port(), "/readyz").expect("the server answers");
        assert!(said.contains(&format!("set {key} to {good}")), "{said}");
        configure(&stack.redis, key, good);
        stack.wait_until_ready();
    }
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
    let mut client = Process::start("muster-client", &mut stack.client(&input));
    const FULL: &str = "is full (OOM): free some, or raise its maxmemory";
    let mut server = stack.server.take().expect("the server runs");
    server.wait_for_line(FULL, LIMIT);
    client.wait_for_line("has made no progress for 5s: the store's memory is full", LIMIT);
    assert_eq!(store_of(&stack)["full"], true);
    assert_eq!(http::status(stack.http_port(), "/readyz"), Some(200), "the server is ready");
    configure(&stack.redis, "maxmemory", "0");

    client.wait(SEND).expect_code(0);
    assert_roll(&stack.roll(), records());
    server.terminate();
    let log = server.wait(LIMIT).expect_code(0).stderr;
    assert_eq!(log.matches(FULL).count(), 1, "{log}");
}

/// A file with records.
fn input(folder: &TempDir, name: &str, records: usize) -> PathBuf {
    let path = folder.path().join(name);
    let file = File::create(&path).expect("a new file can be made");
    write_json(file, Users::of_seed(7).take(records)).expect("users can be written");
    path
}

#[test]
fn a_batch_that_can_never_fit_into_the_store_is_refused_with_what_it_needs() {
    let folder = TempDir::new().expect("there is room for a folder");
    let stack = Stack::start(Memory, 1);
    configure(&stack.redis, "maxmemory", "8mb");
    let large = input(&folder, "large.json", 150_000);
    let mut send = stack.client(&large);
    send.args(["--batch", "large"]);
    let refused = Process::start("muster-client", &mut send).wait(SEND).expect_code(1).stderr;
    assert!(refused.contains("batch large does not fit into the store: its first "), "{refused}");
    assert!(refused.contains("of the 8.0 MiB that the store may use (maxmemory)"), "{refused}");
    let need = refused.split_once("all of it needs a maxmemory of about ");
    let need = need.expect("it says what is needed").1;
    let need: f64 = need.split(' ').next().and_then(|need| need.parse().ok()).expect("a number");
    assert!((9.0..60.0).contains(&need), "{refused}");

    // The records that fit are given up, and others get through.
    let mut abort = programs::command("muster-client");
    abort.args(["batch", "abort", "large", "--yes", "--server"]);
    abort.arg(format!("http://127.0.0.1:{}", stack.grpc_port()));
    Process::start("abort", &mut abort).wait(LIMIT).expect_code(0);
    stack.send(&input(&folder, "small.json", 100)).expect_code(0);
    assert_roll(&stack.roll(), Users::of_seed(7).take(100));
    // With the memory that it needs, it gets through as well.
    configure(&stack.redis, "maxmemory", "0");
    stack.send(&large).expect_code(0);
}

#[test]
fn what_the_store_keeps_is_said_by_every_program() {
    const NONE: &str =
        "the store has no persistence: when it restarts, all accepted records are lost";
    let mut stack = Stack::start(Memory, 1);
    stack.server.as_mut().expect("it runs").wait_for_line(NONE, LIMIT);
    stack.workers[0].wait_for_line(NONE, LIMIT);
    let store = wait_for_store(&stack, |store| store["may_lose"] == NONE);
    assert_eq!(store["persistence"], "no persistence");
    let persistence = |kind: &str| {
        let scrape = Scrape::of(stack.http_port()).expect("the server answers");
        scrape.sum("muster_store_persistence", &[("kind", kind)])
    };
    assert_eq!([persistence("none"), persistence("append_only")], [1.0, 0.0]);
    let (status, page) = http::get(stack.http_port(), "/").expect("the server answers");
    assert!(status == 200 && page.contains(NONE) && !page.contains("nothing that was accepted"));

    configure(&stack.redis, "appendfsync", "everysec");
    configure(&stack.redis, "appendonly", "yes");
    let store = wait_for_store(&stack, |store| store["persistence"] != "no persistence");
    assert_eq!(store["persistence"], "append-only file, synced each second");
    let may_lose = store["may_lose"].as_str().expect("it may lose something");
    assert!(may_lose.contains("in the last two seconds may be lost"), "{may_lose}");
    configure(&stack.redis, "appendonly", "no");
    configure(&stack.redis, "save", "3600 1");
    let store = wait_for_store(&stack, |store| store["persistence"] == "snapshots only");
    let may_lose = store["may_lose"].as_str().expect("it may lose something");
    assert!(may_lose.contains("since the last snapshot are lost"), "{may_lose}");
}

#[test]
fn nothing_is_lost_where_the_settings_promise_it() {
    let mut stack = Stack::prepare(EveryWrite);
    stack.environment = vec![("MUSTER_SERVER_DURABILITY".to_owned(), "synced".to_owned())];
    stack.redis.start();
    stack.start_server();
    stack.start_workers(1);
    stack.wait_until_ready();
    let store = wait_for_store(&stack, |store| store["persistence"] != Value::Null);
    assert_eq!((&store["durability"], &store["may_lose"]), (&"synced".into(), &Value::Null));
    let (_, page) = http::get(stack.http_port(), "/").expect("the server answers");
    assert!(page.contains("nothing that was accepted"), "{page}");
    // The worker is set to less, and does as much nevertheless.
    let said =
        "another process of the store has a stricter durability: this process uses it as well";
    stack.workers[0].wait_for_line(said, LIMIT);

    let refused = end_of("muster-worker", &["--durability", "replicated"], &stack.redis);
    let expected = "durability is `replicated 1` here, and `synced` at another process of this store, or \
                    was until a minute ago: set the same at all of them";
    assert!(refused.ends_with(expected), "{refused}");
}

#[test]
fn a_sender_whose_store_was_emptied_says_so_and_the_same_command_then_succeeds() {
    let folder = TempDir::new().expect("there is room for a folder");
    let stack = Stack::start(Memory, 1);
    let records = input(&folder, "users.json", 300);
    let (lines, mut pipe) = std::io::pipe().expect("a pipe can be made");
    let mut command = stack.client(Path::new("-"));
    let http = free_port();
    command.args(["--batch", "monday"]).env("MUSTER_CLIENT_HTTP", format!("127.0.0.1:{http}"));
    let sender = Process::start_with_input("muster-client", &mut command, lines.into());
    write_ndjson(&mut pipe, Users::of_seed(7).take(100)).expect("the client reads");
    let accepted = || {
        let scrape = Scrape::of(http)?;
        (scrape.sum("muster_client_records_accepted_total", &[]) == 100.0).then_some(())
    };
    wait::until(LIMIT, accepted, || "100 records are accepted".to_owned());
    resp::ask::<()>(stack.redis.port(), &["FLUSHALL"]).expect("it can be emptied");
    drop(pipe);
    let said = sender.wait(SEND).expect_code(1).stderr;
    assert!(said.contains("lost records of batch monday that it had accepted"), "{said}");
    assert!(said.contains("send all of it again"), "{said}");
    let mut again = stack.client(&records);
    again.args(["--batch", "monday"]);
    // The workers write no roll for a store that knows none: that is another test's matter.
    let position = again.get_args().position(|argument| argument == "--wait").expect("it waits");
    let words: Vec<_> = again.get_args().map(ToOwned::to_owned).collect();
    let mut command = programs::command("muster-client");
    command.args(
        words.into_iter().enumerate().filter(|(at, _)| *at != position).map(|(_, word)| word),
    );
    Process::start("muster-client", &mut command).wait(SEND).expect_code(0);
}
