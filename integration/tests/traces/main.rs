//! One trace, from the client's environment to the roll: at a collector, and in the logs.

mod collector;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use muster_integration::certificates::Authority;
use muster_integration::ports::free_port;
use muster_integration::process::{Finished, Process};
use muster_integration::redis_server::Durability::Memory;
use muster_integration::stack::{SEND, Stack};
use muster_integration::{examples, programs};
use serde_json::Value;

use collector::{Collector, Span};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";
const BATCH: &str = "b-1";
const LIMIT: Duration = Duration::from_secs(30);

/// What a program finds in its environment that is started within the trace.
fn traceparent() -> (String, String) {
    ("TRACEPARENT".to_owned(), format!("00-{TRACE}-{CALLER}-01"))
}

/// What the programs of a job have written.
struct Written {
    client: Finished,
    server: Finished,
    worker: Finished,
}

/// Sends the examples by a server to a worker; all of them have `settings`, and the client is started
/// within the trace if `environment` says so. Then all are told to end.
fn send_examples(
    settings: &[(&str, String)],
    environment: Option<(String, String)>,
    arguments: &[&str],
) -> Written {
    let mut stack = Stack::prepare(Memory);
    stack.environment =
        settings.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    stack.redis.start();
    stack.start_server();
    stack.start_workers(1);
    stack.wait_until_ready();
    let mut command = stack.client(&examples::folder());
    command.args(["--log", "info", "--batch", BATCH]).args(arguments).envs(environment);
    let client = Process::start("muster-client", &mut command).wait(SEND).expect_code(3);
    let end = |program: Process| {
        program.terminate();
        program.wait(LIMIT).expect_code(0)
    };
    let worker = end(stack.workers.pop().expect("there is a worker"));
    let server = end(stack.server.take().expect("there is a server"));
    Written { client, server, worker }
}

/// The lines of a program's log; other lines, such as what a client says of the input, are left out.
fn lines(finished: &Finished) -> Vec<Value> {
    finished.stderr.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// The messages of those lines that are of this trace.
fn of_trace(finished: &Finished, trace: &str) -> BTreeSet<String> {
    let lines = lines(finished).into_iter().filter(|line| line["span"]["trace"] == trace);
    lines.map(|line| line["message"].as_str().expect("a message is a text").to_owned()).collect()
}

fn messages<const N: usize>(messages: [&str; N]) -> BTreeSet<String> {
    messages.map(str::to_owned).into()
}

fn assert_all_logs_have(written: &Written, trace: &str) {
    let Written { client, server, worker } = written;
    assert_eq!(of_trace(client, trace), messages(["the server has all of it"]));
    assert_eq!(of_trace(server, trace), messages(["the batch is whole"]));
    assert_eq!(of_trace(worker, trace), messages(["dead letter", "the roll is written"]));
}

/// The spans of this name: at least one.
fn named<'a>(spans: &'a [Span], service: &str, name: &str) -> Vec<&'a Span> {
    let found: Vec<_> = spans.iter().filter(|span| span.name == name).collect();
    assert!(!found.is_empty(), "no span `{name}` in {spans:#?}");
    assert!(found.iter().all(|span| span.service == service), "`{name}` of {service}: {found:#?}");
    found
}

fn one<'a>(spans: &'a [Span], service: &str, name: &str) -> &'a Span {
    let found = named(spans, service, name);
    assert_eq!(found.len(), 1, "{found:#?}");
    found[0]
}

/// That each of `children` follows from one of `parents`.
fn assert_follow(children: &[&Span], parents: &[&Span]) {
    for child in children {
        let follows = parents.iter().any(|parent| parent.id == child.parent);
        assert!(follows, "{child:#?} follows from none of {parents:#?}");
    }
}

fn field<'a>(spans: &[&'a Span], name: &str) -> BTreeSet<&'a str> {
    spans.iter().map(|span| span.field(name)).collect()
}

/// The way of the chunks from those spans to the roll: every step follows from the one before, and
/// says what it is about.
fn assert_way(spans: &[Span], from: &[&Span], [server, worker]: [&str; 2], batch: &str) {
    let appends = named(spans, server, "append");
    let processes = named(spans, worker, "process");
    let commits = named(spans, worker, "commit");
    let roll = one(spans, worker, "write roll");
    assert_follow(&appends, from);
    assert_follow(&processes, &appends);
    assert_follow(&commits, &processes);
    assert_follow(&[roll], &appends);
    for steps in [&appends, &processes, &commits] {
        assert_eq!(steps.len(), appends.len(), "one for each chunk: {steps:#?}");
        assert_eq!(field(steps, "batch"), [batch].into());
        assert_eq!(field(steps, "chunk"), field(&processes, "chunk"));
    }
    assert_eq!(roll.field("batch"), batch);
    let workers = field(&processes, "worker");
    assert_eq!(field(&commits, "worker"), workers);
    assert!(!workers.contains(""), "{processes:#?}");
    assert_eq!(field(&processes, "attempt"), ["1"].into());
}

#[test]
fn a_trace_goes_from_the_client_s_environment_through_every_program_to_the_roll() {
    let collector = Collector::start();
    let written = send_examples(&[("MUSTER_TRACES", collector.url())], Some(traceparent()), &[]);
    let spans = collector.spans();
    assert!(spans.iter().all(|span| span.trace == TRACE), "{spans:#?}");
    let send = one(&spans, "muster-client", "send");
    assert_eq!(send.parent, CALLER);
    let call = one(&spans, "muster-server", "Users/SendUserInfoClientStream");
    assert_eq!(call.parent, send.id);
    assert_eq!(call.field("code"), "Ok");
    assert_eq!((send.field("batch"), call.field("batch")), (BATCH, BATCH));
    assert_way(&spans, &[call], ["muster-server", "muster-worker"], BATCH);
    assert_all_logs_have(&written, TRACE);
}

#[test]
fn a_trace_begins_with_the_client_when_there_is_none_and_the_standard_variable_is_enough() {
    let collector = Collector::start();
    let standard = ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url());
    let written = send_examples(&[standard], None, &[]);
    let spans = collector.spans();
    let send = one(&spans, "muster-client", "send");
    assert_eq!(send.parent, "");
    assert!(spans.iter().all(|span| span.trace == send.trace), "{spans:#?}");
    assert_all_logs_have(&written, &send.trace);
}

#[test]
fn a_collector_with_tls_gets_the_traces_of_those_that_trust_its_authority() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let (authority, stranger) = (Authority::new("test CA"), Authority::new("test CA"));
    let collector = Collector::start_with_tls(&authority.server(&["127.0.0.1"]));
    let send = |trusted: std::path::PathBuf| {
        let trusted = trusted.display().to_string();
        let settings = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url()),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", trusted),
        ];
        send_examples(&settings, None, &[])
    };
    let written = send(stranger.write(folder.path(), "stranger"));
    assert_eq!(collector.spans().len(), 0);
    let lost = "traces are lost until the collector takes them";
    assert!(
        lines(&written.client).iter().any(|line| line["message"] == lost),
        "{}",
        written.client
    );

    send(authority.write(folder.path(), "authority"));
    let spans = collector.spans();
    let trace = &one(&spans, "muster-client", "send").trace;
    assert!(spans.iter().all(|span| span.trace == *trace), "{spans:#?}");
    named(&spans, "muster-worker", "write roll");
}

#[test]
fn unary_calls_are_steps_of_the_trace_and_chunks_follow_from_the_first_of_theirs() {
    let collector = Collector::start();
    let settings = [("MUSTER_TRACES", collector.url())];
    let written = send_examples(&settings, Some(traceparent()), &["--mode", "unary"]);
    let spans = collector.spans();
    assert!(spans.iter().all(|span| span.trace == TRACE), "{spans:#?}");
    let send = one(&spans, "muster-client", "send");
    let calls = named(&spans, "muster-server", "Users/SendUserInfo");
    assert_eq!(calls.len() as u64, examples::ACCEPTED);
    assert_follow(&calls, &[send]);
    let appends = named(&spans, "muster-server", "append");
    assert_follow(&appends, &calls);
    assert_follow(&named(&spans, "muster-worker", "process"), &appends);
    let worker = of_trace(&written.worker, TRACE);
    assert_eq!(worker, messages(["dead letter", "the roll is written"]));
}

#[test]
fn without_a_collector_a_trace_is_handed_on_and_stands_in_the_logs() {
    let collector = Collector::start();
    assert_all_logs_have(&send_examples(&[], Some(traceparent()), &[]), TRACE);
    assert_eq!((collector.connections(), collector.spans().len()), (0, 0));
}

#[test]
fn without_a_collector_and_a_trace_there_is_none_in_the_logs() {
    let Written { client, server, worker } = send_examples(&[], None, &[]);
    for program in [&client, &server, &worker] {
        let lines = lines(program);
        assert!(!lines.is_empty());
        assert!(lines.iter().all(|line| line["span"].get("trace").is_none()), "{lines:#?}");
        let shape = |line: &Value| {
            ["timestamp", "level", "message", "target"].iter().all(|part| line[part].is_string())
        };
        assert!(lines.iter().all(shape), "{lines:#?}");
    }
}

#[test]
fn a_collector_that_is_away_costs_a_warning() {
    let nowhere = format!("http://127.0.0.1:{}", free_port());
    let mut stack = Stack::prepare(Memory);
    stack.environment = vec![("MUSTER_TRACES".to_owned(), nowhere)];
    stack.redis.start();
    stack.start_server();
    stack.start_workers(1);
    stack.wait_until_ready();
    let lost = "traces are lost until the collector takes them";
    let warnings =
        |finished: &Finished| lines(finished).iter().filter(|line| line["message"] == lost).count();
    for _ in 0..2 {
        let client = stack.send(&examples::folder()).expect_code(3);
        assert_eq!(warnings(&client), 1, "{client}");
        // The second time there is nothing to wait for.
        stack.server.as_mut().unwrap().wait_for_line(lost, LIMIT);
        stack.workers[0].wait_for_line(lost, LIMIT);
    }
    for program in [stack.workers.pop(), stack.server.take()].into_iter().flatten() {
        program.terminate();
        let finished = program.wait(LIMIT).expect_code(0);
        assert_eq!(warnings(&finished), 1, "{finished}");
    }
}

/// Does the whole job in one process, within the trace if `environment` says so.
fn run(collector: &Collector, ratio: &str, environment: Option<(String, String)>) -> Vec<Span> {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let mut command = programs::command("muster");
    let output = folder.path().join("all_users.json");
    command.arg("run").arg(examples::folder()).arg("--output").arg(&output);
    command.args(["--traces", &collector.url()]).env("MUSTER_TRACES_RATIO", ratio);
    command.envs(environment);
    Process::start("muster run", &mut command).wait(SEND).expect_code(3);
    assert!(Path::new(&output).exists());
    collector.spans()
}

#[test]
fn all_in_one_process_is_one_trace_too() {
    let collector = Collector::start();
    let spans = run(&collector, "1", None);
    let send = one(&spans, "muster", "send");
    assert!(spans.iter().all(|span| span.trace == send.trace), "{spans:#?}");
    let call = one(&spans, "muster", "Users/SendUserInfoClientStream");
    assert_eq!(call.parent, send.id);
    assert_way(&spans, &[call], ["muster", "muster"], send.field("batch"));
}

#[test]
fn the_ratio_is_of_traces_that_begin_here() {
    let collector = Collector::start();
    assert_eq!(run(&collector, "0", None).len(), 0);
    let spans = run(&collector, "0", Some(traceparent()));
    assert_eq!(one(&spans, "muster", "send").parent, CALLER);
}
