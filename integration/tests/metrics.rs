//! `/metrics`: what is counted is what happened, and what the documents name is there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{PipeWriter, Write as _, pipe};
use std::path::Path;
use std::time::Duration;

use muster_integration::ports::free_port;
use muster_integration::process::Process;
use muster_integration::redis_server::Durability::Memory;
use muster_integration::scrape::Scrape;
use muster_integration::stack::Stack;
use muster_integration::{examples, programs, wait};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(30);

/// What the program on this port measures, once that is as it should be.
fn scraped(port: u16, is_so: impl Fn(&Scrape) -> bool) -> Scrape {
    let look = || Scrape::of(port).filter(&is_so);
    wait::until(LIMIT, look, || format!("{:#?}", Scrape::of(port)))
}

/// A server and a worker that have sent the examples into the roll; what each of them measures.
fn sent_examples() -> (Scrape, Scrape) {
    let mut stack = Stack::start(Memory, 0);
    let http = free_port();
    stack.start_workers_as(1, || {
        let mut command = programs::command("muster-worker");
        command.args(["--http", &format!("127.0.0.1:{http}")]);
        command
    });
    stack.send(&examples::folder()).expect_code(3);
    let server = scraped(stack.http_port(), |scrape| {
        let dead = scrape.sum("muster_dead_letters", &[]);
        scrape.sum("muster_queue_records", &[]) == 0.0 && dead == number(examples::DEAD)
    });
    let worker = scraped(http, |scrape| scrape.sum("muster_roll_seconds_count", &[]) == 1.0);
    (server, worker)
}

#[expect(clippy::cast_precision_loss, reason = "the examples are few")]
fn number(count: u64) -> f64 {
    count as f64
}

#[test]
fn what_is_counted_is_what_was_sent() {
    let (server, worker) = sent_examples();
    assert_eq!(server.sum("muster_records_accepted_total", &[]), number(examples::ACCEPTED));
    let chunks = server.sum("muster_chunks_accepted_total", &[]);
    assert!(chunks > 0.0);
    let appends = server.sum("muster_enqueue_seconds_count", &[]);
    assert!((1.0..=chunks).contains(&appends), "{appends} appends of {chunks} chunks");
    let stream = [("method", "Users/SendUserInfoClientStream"), ("code", "Ok")];
    assert_eq!(server.sum("muster_rpc_seconds_count", &stream), 1.0);
    assert_eq!(server.sum("muster_queue_bytes", &[]), 0.0);
    assert_eq!(server.sum("muster_queue_oldest_seconds", &[]), 0.0);

    let records = |outcome| worker.sum("muster_records_committed_total", &[("outcome", outcome)]);
    assert_eq!(records("kept"), number(examples::ACCEPTED - examples::DEAD));
    assert_eq!(records("dead"), number(examples::DEAD));
    assert_eq!(records("retried"), 0.0);
    let taken = [("outcome", "taken")];
    assert_eq!(worker.sum("muster_chunks_committed_total", &taken), chunks);
    assert_eq!(worker.sum("muster_chunks_committed_total", &[]), chunks, "none is refused");
    for histogram in ["processing", "commit", "queue_wait"] {
        assert_eq!(worker.sum(&format!("muster_{histogram}_seconds_count"), &[]), chunks);
    }
    for (program, scrape) in [("muster-server", &server), ("muster-worker", &worker)] {
        let build = [("program", program), ("version", env!("CARGO_PKG_VERSION"))];
        assert_eq!(scrape.sum("muster_build_info", &build), 1.0);
        assert_eq!(scrape.sum("muster_ready", &[]), 1.0);
        assert!(scrape.sum("muster_store_round_trips_total", &[]) > 0.0);
        assert_eq!(scrape.sum("muster_store_errors_total", &[]), 0.0);
    }
    assert_eq!(worker.sum("muster_workers", &[]), 1.0);
}

/// A client that sends what is written to its input, to a server that may be there; its port.
fn start_client(server: u16) -> (Process, PipeWriter, u16) {
    let (input, writer) = pipe().expect("a pipe can be made");
    let http = free_port();
    let mut command = programs::command("muster-client");
    command.args(["send", "-", "--batch", "watched", "--http", &format!("127.0.0.1:{http}")]);
    command.args(["--server", &format!("http://127.0.0.1:{server}")]);
    (Process::start_with_input("muster-client", &mut command, input.into()), writer, http)
}

#[test]
fn a_client_counts_what_it_has_sent_while_it_sends() {
    let mut stack = Stack::start(Memory, 0);
    let (client, mut input, http) = start_client(stack.grpc_port());
    // Read and sent by pages of 256 records.
    let records = "{\"id\":1}\n".repeat(512);
    write!(input, "{{\"id\":\"one\"}}\n{records}").expect("the client reads");
    let has_sent = |scrape: &Scrape| {
        let sum = |name: &str| scrape.sum(&format!("muster_client_{name}_total"), &[]);
        let records = ["read", "accepted", "rejected"].map(|what| sum(&format!("records_{what}")));
        records == [512.0, 512.0, 1.0] && scrape.sum("muster_ready", &[]) == 1.0
    };
    let scrape = scraped(http, has_sent);
    assert_eq!(scrape.sum("muster_client_retries_total", &[]), 0.0);

    stack.server = None;
    scraped(http, |scrape| scrape.sum("muster_client_retries_total", &[]) > 0.0);
    scraped(http, |scrape| scrape.sum("muster_ready", &[]) == 0.0);
    stack.start_server();
    drop(input);
    client.wait(LIMIT).expect_code(3);
}

#[test]
fn a_call_that_is_refused_is_counted_by_its_code() {
    let stack = Stack::start(Memory, 0);
    let mut command = programs::command("muster-client");
    command.args(["batch", "show", "nobodys"]);
    command.args(["--server", &format!("http://127.0.0.1:{}", stack.grpc_port())]);
    Process::start("muster-client", &mut command).wait(LIMIT).expect_code(1);
    let method = ("method", "muster.v1.Batches/GetBatch");
    let calls = |code| {
        let scrape = Scrape::of(stack.http_port()).expect("the server answers");
        scrape.sum("muster_rpc_seconds_count", &[method, ("code", code)])
    };
    assert_eq!((calls("NotFound"), calls("Ok")), (1.0, 0.0));
}

#[test]
fn a_store_that_is_away_is_counted() {
    let mut stack = Stack::prepare(Memory);
    stack.start_server();
    stack.wait_until_not_ready();
    let unavailable = [("kind", "unavailable")];
    let away = |scrape: &Scrape| scrape.sum("muster_store_errors_total", &unavailable) > 0.0;
    assert_eq!(scraped(stack.http_port(), away).sum("muster_ready", &[]), 0.0);
    stack.redis.start();
    scraped(stack.http_port(), |scrape| scrape.sum("muster_ready", &[]) == 1.0);
}

/// A metric as the table of `operations.md` and a scrape both have it: its kind and its labels.
type Named = BTreeMap<String, (String, BTreeSet<String>)>;

#[test]
fn what_the_documents_name_is_there_and_what_is_there_is_documented() {
    let (server, worker) = sent_examples();
    let (_client, _input, http) = start_client(free_port());
    let client = scraped(http, |scrape| scrape.0.contains_key("muster_client_retries_total"));
    let scrape = server.and(worker).and(client);
    for (name, metric) in &scrape.0 {
        assert!(is_in_style(name, &metric.kind), "the name of the {} {name}", metric.kind);
        assert!(metric.help.ends_with('.'), "{name} has help: {:?}", metric.help);
    }
    let labels = |labels: BTreeSet<&str>| labels.into_iter().map(str::to_owned).collect();
    let named = |(name, metric): (&String, &muster_integration::scrape::Metric)| {
        (name.clone(), (metric.kind.clone(), labels(metric.labels())))
    };
    let measured: Named = scrape.0.iter().map(named).collect();
    assert_eq!(documented(), measured);

    for document in ["alerts.yaml", "grafana.json"] {
        let text = read(document);
        let names = names_in(&text);
        assert!(!names.is_empty(), "{document} names metrics");
        for name in names {
            assert!(is_measured(&measured, &name), "{name}, named in {document}, is not measured");
        }
    }
    let dashboard: Value = serde_json::from_str(&read("grafana.json")).expect("it is JSON");
    let panels = dashboard["panels"].as_array().expect("it has panels");
    assert!(panels.iter().all(|panel| panel["targets"][0]["expr"].is_string()), "{panels:#?}");
}

/// Whether a value has this name: that of a metric, or of a part of a histogram.
fn is_measured(measured: &Named, name: &str) -> bool {
    let parts = ["_bucket", "_count", "_sum"];
    let histogram = parts.iter().find_map(|part| name.strip_suffix(part));
    let kind = |name: &str| measured.get(name).map(|(kind, _)| kind.as_str());
    match kind(name) {
        Some(kind) => kind != "histogram",
        None => histogram.and_then(kind) == Some("histogram"),
    }
}

#[test]
fn all_in_one_process_measures_what_both_do() {
    let (folder, http) = (tempfile::tempdir().expect("there is room for a folder"), free_port());
    let mut command = programs::command("muster");
    command.args(["up", "--listen", "127.0.0.1:0", "--http", &format!("127.0.0.1:{http}")]);
    let _up = Process::start("muster up", command.current_dir(folder.path()));
    let has_begun = |scrape: &Scrape| {
        ["muster_queue_records", "muster_workers"].iter().all(|name| scrape.0.contains_key(*name))
    };
    let scrape = scraped(http, has_begun);
    let measured: BTreeSet<String> = scrape.0.into_keys().collect();
    // Nobody has called it yet, and nobody sends from it.
    let is_there =
        |name: &String| name != "muster_rpc_seconds" && !name.starts_with("muster_client_");
    let expected = documented().into_keys().filter(is_there);
    assert_eq!(measured, expected.collect());
}

fn is_in_style(name: &str, kind: &str) -> bool {
    name.starts_with("muster_")
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        && name.ends_with("_total") == (kind == "counter")
        && (kind != "histogram" || name.ends_with("_seconds"))
}

fn read(document: &str) -> String {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    fs::read_to_string(docs.join(document)).unwrap_or_else(|error| panic!("{document}: {error}"))
}

/// The table in `operations.md`: name, kind, labels, …
fn documented() -> Named {
    let text = read("operations.md");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `muster_"));
    let row = |row: &str| {
        let mut cells = row.split('|').map(str::trim);
        let mut cell = || cells.next().expect("a row has a name, a kind and labels");
        let name = format!("muster_{}", cell().trim_end_matches('`'));
        let (kind, labels) = (cell().to_owned(), cell());
        let labels = labels.split(", ").map(|label| label.trim_matches('`').to_owned());
        (name, (kind, labels.filter(|label| !label.is_empty()).collect()))
    };
    rows.map(row).collect()
}

/// Every name that begins as ours do.
fn names_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words.filter(|word| word.starts_with("muster_")).map(str::to_owned).collect()
}
