//! What looking at the queue costs does not grow with what waits in it.

use std::fs::File;
use std::io::BufWriter;
use std::time::{Duration, Instant};

use muster_integration::process::Process;
use muster_integration::redis_server::Durability::Memory;
use muster_integration::stack::{SEND, Stack};
use muster_integration::users::{Users, write_ndjson};
use muster_integration::{examples, http, programs, resp, wait};

const RECORDS: usize = 1_000_000;
const LIMIT: Duration = Duration::from_secs(30);
/// How often each page is asked for.
const REQUESTS: u32 = 100;
const PAGES: [&str; 8] = [
    "/",
    "/batches",
    "/batches?state=sealed",
    "/batches/examples",
    "/workers",
    "/dead",
    "/roll",
    "/metrics",
];

/// How many commands Redis has carried out so far, those in scripts included; and how often the
/// server has looked at the queue: it alone sends a `PING`, one a look.
fn commands(stack: &Stack) -> (u64, u64) {
    let stats: String =
        resp::ask(stack.redis.port(), &["INFO", "commandstats"]).expect("it is there");
    let calls = |line: &str| -> Option<u64> {
        line.split_once("calls=")?.1.split(',').next()?.parse().ok()
    };
    // This question is not the server's.
    let others = ["cmdstat_info", "cmdstat_client", "cmdstat_hello", "cmdstat_select"];
    let counted = |line: &&str| !others.iter().any(|other| line.starts_with(other));
    let looks = stats.lines().find(|line| line.starts_with("cmdstat_ping:")).and_then(calls);
    (stats.lines().filter(counted).filter_map(calls).sum(), looks.unwrap_or(0))
}

/// How many commands a look costs.
fn cost_of_a_look(stack: &Stack) -> u64 {
    let next = |after: u64| {
        let look = || Some(commands(stack)).filter(|(_, looks)| *looks > after);
        wait::until(LIMIT, look, || "the server does not look".to_owned())
    };
    let (_, now) = commands(stack);
    let (before, first) = next(now);
    let (after, last) = next(first + 2);
    (after - before).div_ceil(last - first)
}

/// What a page costs.
#[derive(Debug)]
struct Cost {
    /// Commands of all requests.
    commands: u64,
    /// What 95 of 100 requests do not take longer than: for who wants to know.
    time: Duration,
}

fn cost_of(stack: &Stack, page: &str, look: u64) -> Cost {
    let (before, looks_before) = commands(stack);
    let mut times: Vec<Duration> = (0..REQUESTS)
        .map(|_| {
            let began = Instant::now();
            let (status, _) = http::get(stack.http_port(), page).expect("the server answers");
            assert_eq!(status, 200, "{page}");
            began.elapsed()
        })
        .collect();
    let (after, looks) = commands(stack);
    times.sort_unstable();
    let commands = (after - before).saturating_sub((looks - looks_before) * look);
    Cost { commands, time: times[times.len() * 95 / 100] }
}

#[test]
fn pages_and_a_scrape_cost_the_same_with_a_million_records_waiting() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let stack = Stack::start(Memory, 0);
    let send = |input: &std::path::Path, batch: &str| {
        let mut command = programs::command("muster-client");
        command.arg("send").arg(input).args(["--batch", batch]);
        command.args(["--server", &format!("http://127.0.0.1:{}", stack.grpc_port())]);
        Process::start("muster-client", &mut command).wait(SEND)
    };
    send(&examples::folder(), "examples").expect_code(3);
    let look = cost_of_a_look(&stack);
    let costs = || PAGES.map(|page| (page, cost_of(&stack, page, look)));
    let little = costs();

    let input = folder.path().join("million.ndjson");
    let file = BufWriter::new(File::create(&input).expect("a file can be made"));
    write_ndjson(file, Users::of_seed(5).take(RECORDS)).expect("there is room for it");
    send(&input, "million").expect_code(0);
    assert!(cost_of_a_look(&stack) <= 2 * look, "a look costs the same");
    for ((page, much), (_, little)) in costs().into_iter().zip(little) {
        let (time, before) = (much.time, little.time);
        let commands = (much.commands, little.commands);
        eprintln!("{page}: commands {commands:?}, 95 of 100 within {time:?}, and {before:?}");
        // There is one batch more to be listed. A look that is under way at either end is counted
        // by half.
        let more = 3 * u64::from(REQUESTS) + 2 * look;
        assert!(much.commands <= little.commands + more, "{page}: {commands:?}");
    }
}
