//! A batch is identified by its records, not by its name and their number: on real programs.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use muster_integration::feed::Feed;
use muster_integration::process::{Finished, Process};
use muster_integration::redis_server::Durability::Memory;
use muster_integration::roll::assert_roll;
use muster_integration::stack::Stack;
use muster_integration::users::{User, Users, write_ndjson};
use muster_integration::{programs, resp, wait};
use muster_proto::users::UserRequest;
use muster_proto::users::users_client::UsersClient;
use serde_json::Value;
use tempfile::TempDir;
use tonic::{Code, Request, Status};

const LIMIT: Duration = Duration::from_secs(60);

/// Records of a seed: those of another seed are others.
fn users(seed: u64, count: usize) -> Vec<User> {
    Users::of_seed(seed).take(count).collect()
}

fn file(folder: &TempDir, name: &str, users: &[User]) -> PathBuf {
    let path = folder.path().join(name);
    let file = File::create(&path).expect("a file can be made");
    write_ndjson(file, users.iter().cloned()).expect("the file can be written");
    path
}

/// Sends a file as the batch `monday`, and waits until it is in the roll.
fn send(stack: &Stack, path: &Path, more: &[&str]) -> Finished {
    let mut command = stack.client(path);
    command.args(["--batch", "monday"]).args(more);
    Process::start("muster-client", &mut command).wait(LIMIT)
}

/// What the server shows of a batch; `None` if it has none.
fn shown(stack: &Stack, batch: &str) -> Option<Value> {
    let mut command = programs::command("muster-client");
    command.args(["batch", "show", batch, "--json"]);
    command.args(["--server", &format!("http://127.0.0.1:{}", stack.grpc_port())]);
    let shown = Process::start("muster-client", &mut command).wait(LIMIT);
    serde_json::from_str(&shown.stdout).ok()
}

/// The two numbers that follow `from` and `to` at the end of an explanation.
fn range(refused: &Finished) -> (u64, u64) {
    let (_, range) = refused.stderr.split_once("at an index from ").expect(&refused.stderr);
    let mut numbers = range.split(|c: char| !c.is_ascii_digit()).filter(|text| !text.is_empty());
    let mut next = || numbers.next().and_then(|number| number.parse().ok()).expect(range);
    (next(), next())
}

#[test]
fn other_records_under_the_name_of_a_written_batch_are_refused() {
    let stack = Stack::start(Memory, 1);
    let folder = TempDir::new().unwrap();
    let (first, second) = (users(1, 5), users(2, 5));
    send(&stack, &file(&folder, "w1.ndjson", &first), &[]).expect_code(0);
    let refused = send(&stack, &file(&folder, "w2.ndjson", &second), &[]).expect_code(1);
    assert!(
        refused.stderr.contains(
            "batch monday has different records: the first difference is at an index from 0 to 4; send \
             these records under another batch id"
        ),
        "{refused}"
    );
    assert_roll(&stack.roll(), first);
}

/// A batch of unary calls has no digest: a stream is refused, whatever its records are.
#[test]
fn stream_is_refused_for_a_batch_of_unary_calls() {
    let stack = Stack::start(Memory, 1);
    let folder = TempDir::new().unwrap();
    let (first, second) = (users(1, 5), users(2, 5));
    send(&stack, &file(&folder, "w1.ndjson", &first), &["--mode", "unary"]).expect_code(0);
    let refused = send(&stack, &file(&folder, "w2.ndjson", &second), &[]).expect_code(1);
    assert!(refused.stderr.contains("batch monday was begun the other way"), "{refused}");
    assert_roll(&stack.roll(), first);
}

#[test]
fn the_same_records_again_count_once() {
    let stack = Stack::start(Memory, 1);
    let folder = TempDir::new().unwrap();
    let records = users(1, 5);
    let path = file(&folder, "w1.ndjson", &records);
    for mode in ["stream", "unary"] {
        let batch = format!("of-{mode}");
        let send = || {
            let mut command = programs::command("muster-client");
            command.arg("send").arg(&path).args(["--wait", "--batch", &batch, "--mode", mode]);
            command.args(["--server", &format!("http://127.0.0.1:{}", stack.grpc_port())]);
            Process::start("muster-client", &mut command).wait(LIMIT).expect_code(0)
        };
        let again = format!("{batch} was sent before: 5 records, nothing new\n");
        let first = send();
        assert!(!first.stdout.contains("before"), "{first}");
        let second = send();
        assert!(second.stdout.contains(&again), "{second}");
    }
    assert_roll(&stack.roll(), records.iter().chain(&records).cloned());
}

#[test]
fn interrupted_send_goes_on_with_the_same_records_only() {
    let stack = Stack::start(Memory, 1);
    let folder = TempDir::new().unwrap();
    let (records, others) = (users(1, 30_000), users(2, 5000));
    let mut feed = Feed::begin(&stack, "monday");
    feed.send(records[..20_000].iter().cloned());
    let received = || shown(&stack, "monday").filter(|batch| batch["received"] == 20_000);
    wait::until(LIMIT, received, || "not all that was read is sent".to_owned());
    drop(feed);

    let reordered: Vec<User> = others.iter().chain(&records).cloned().collect();
    let refused = send(&stack, &file(&folder, "yx.ndjson", &reordered), &[]).expect_code(1);
    let (from, to) = range(&refused);
    assert!(from == 0 && to < 2048, "{refused}");

    let mut changed = records.clone();
    changed[15_000].email = "other@example.net".to_owned();
    let refused = send(&stack, &file(&folder, "changed.ndjson", &changed), &[]).expect_code(1);
    let (from, to) = range(&refused);
    assert!((from..=to).contains(&15_000) && to - from < 2048, "{refused}");

    assert_eq!(shown(&stack, "monday").unwrap()["state"], "open");
    let whole = send(&stack, &file(&folder, "x.ndjson", &records), &[]).expect_code(0);
    let report: Value = serde_json::from_str(&whole.stdout).unwrap();
    assert_eq!((&report["accepted"], &report["sent_before"]), (&30_000.into(), &20_000.into()));
    assert_roll(&stack.roll(), records);
}

#[test]
fn other_record_at_the_index_of_a_unary_call_is_refused() {
    let stack = Stack::start(Memory, 1);
    let folder = TempDir::new().unwrap();
    let records = users(1, 100);
    let unary = ["--mode", "unary"];
    send(&stack, &file(&folder, "w1.ndjson", &records), &unary).expect_code(0);
    let mut changed = records.clone();
    changed[70].email = "other@example.net".to_owned();
    let refused = send(&stack, &file(&folder, "w2.ndjson", &changed), &unary).expect_code(1);
    let expected =
        "batch monday has a different record at index 70; send these records under another";
    assert!(refused.stderr.contains(expected), "{refused}");
    assert_roll(&stack.roll(), records);
}

/// A stream with a digest of the records before it is checked; one without is not.
#[tokio::test]
async fn stream_that_goes_on_with_other_records_is_refused() {
    let stack = Stack::start(Memory, 0);
    send_stream(&stack, "one", &["one"], 0, None).await.unwrap();
    send_stream(&stack, "monday", &["one", "two"], 0, None).await.unwrap();
    let digest = |batch| shown(&stack, batch).unwrap()["digest"].as_str().unwrap().to_owned();
    let (one, both) = (digest("one"), digest("monday"));
    let different = Some(Code::FailedPrecondition);
    for (names, first, digest, code) in [
        (&["one", "two"][..], 0, None, None),
        (&["one", "other"], 0, None, different),
        (&["one", "other"], 0, Some(&both), different),
        (&["two"], 1, Some(&one), None),
        (&["other"], 1, Some(&one), different),
        (&["two"], 1, Some(&both), different),
        (&["other"], 1, None, None),
        (&[], 2, Some(&both), None),
        (&[], 2, Some(&one), different),
        (&[], 2, Some(&"5ha".to_owned()), Some(Code::InvalidArgument)),
    ] {
        let answer = send_stream(&stack, "monday", names, first, digest).await;
        let found = answer.as_ref().err().map(Status::code);
        assert_eq!(found, code, "{names:?} from {first}, behind {digest:?}: {answer:?}");
    }
}

/// Sends records of these names as a stream.
async fn send_stream(
    stack: &Stack,
    batch: &str,
    names: &[&'static str],
    first: u64,
    digest: Option<&String>,
) -> Result<(), Status> {
    let records: Vec<UserRequest> = names.iter().map(|name| named(name)).collect();
    let mut request = Request::new(tokio_stream::iter(records));
    label(&mut request, batch, first);
    if let Some(digest) = digest {
        request.metadata_mut().insert("muster-digest", digest.parse().expect("it is text"));
    }
    client(stack).await.send_user_info_client_stream(request).await.map(drop)
}

/// The keys of an aborted batch expire, while entries of it still wait: the next batch of this id is
/// another one, and its records are not held up.
#[tokio::test]
async fn batch_with_the_id_of_an_aborted_one_that_expired_is_another_batch() {
    let stack = Stack::start(Memory, 1);
    let folder = TempDir::new().unwrap();
    let manage = |arguments: &[&str]| {
        let mut command = programs::command("muster-client");
        command.args(arguments);
        command.args(["--server", &format!("http://127.0.0.1:{}", stack.grpc_port())]);
        Process::start("muster-client", &mut command).wait(LIMIT).expect_code(0);
    };
    manage(&["queue", "pause"]);
    for index in 0..3 {
        let mut request = Request::new(named("one"));
        label(&mut request, "monday", index);
        client(&stack).await.send_user_info(request).await.unwrap();
    }
    manage(&["batch", "abort", "monday", "--yes"]);
    expire_all(&stack);
    assert_eq!(shown(&stack, "monday"), None, "nothing is left of the first one");

    let records = users(1, 1_000);
    let path = file(&folder, "users.ndjson", &records);
    let mut command = stack.client(&path);
    let sender =
        Process::start("muster-client", command.args(["--batch", "monday", "--mode", "unary"]));
    let is_sealed = || shown(&stack, "monday").filter(|batch| batch["state"] == "sealed");
    wait::until(LIMIT, is_sealed, || format!("it is sealed: {:?}", shown(&stack, "monday")));
    manage(&["queue", "resume"]);
    sender.wait(LIMIT).expect_code(0);
    assert_roll(&stack.roll(), records.iter().cloned());
}

/// Removes every key that would be removed some day.
fn expire_all(stack: &Stack) {
    const ANSWERS: &str = "the store answers";
    let ask = |command: &[&str]| resp::ask::<i64>(stack.redis.port(), command).expect(ANSWERS);
    let keys: Vec<String> = resp::ask(stack.redis.port(), &["KEYS", "*"]).expect(ANSWERS);
    let expiring = keys.iter().filter(|key| ask(&["TTL", key]) > 60);
    let removed: i64 = expiring.map(|key| ask(&["DEL", key])).sum();
    assert!(removed > 0, "an aborted batch expires");
}

/// Sixty calls, each with an index far from all others, cost as little as any.
#[tokio::test]
async fn unary_call_with_a_sparse_index_costs_what_it_carries() {
    let stack = Stack::start(Memory, 0);
    let used = || -> u64 {
        let info: String = resp::ask(stack.redis.port(), &["INFO", "memory"]).unwrap();
        let (_, used) = info.split_once("used_memory:").unwrap();
        used.lines().next().unwrap().parse().unwrap()
    };
    let before = used();
    for call in 0..60 {
        let mut request = Request::new(named("one"));
        label(&mut request, &format!("sparse-{call}"), 134_217_720);
        client(&stack).await.send_user_info(request).await.unwrap();
    }
    let bytes = (used() - before) / 60;
    assert!(bytes < 10_000, "{bytes} bytes a call");
}

async fn client(stack: &Stack) -> UsersClient<tonic::transport::Channel> {
    let server = format!("http://127.0.0.1:{}", stack.grpc_port());
    UsersClient::connect(server).await.expect("the server listens")
}

fn named(name: &str) -> UserRequest {
    UserRequest { id: 1, user_name: name.to_owned(), ..UserRequest::default() }
}

fn label<T>(request: &mut Request<T>, batch: &str, index: u64) {
    request.metadata_mut().insert("muster-batch", batch.parse().expect("it is text"));
    request.metadata_mut().insert("muster-place", index.into());
}
