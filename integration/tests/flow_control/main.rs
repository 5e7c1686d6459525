//! A full queue and a stalled store slow streams down, whatever the size of their records and however many
//! share a connection. Other calls on the connection still get through, and the server's memory is bounded.

#![expect(clippy::disallowed_methods, reason = "the tasks of a test end with it")]

mod connection;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::future::try_join_all;
use muster_integration::process::Process;
use muster_integration::programs;
use muster_integration::redis_server::Durability::Memory;
use muster_integration::scrape::Scrape;
use muster_integration::stack::Stack;
use muster_proto::users::{UserRequest, UserResponse};
use prost::Message as _;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use connection::{Answer, Connection, frame};

const STREAM: &str = "/Users/SendUserInfoClientStream";
const UNARY: &str = "/Users/SendUserInfo";
const HEALTH: &str = "/grpc.health.v1.Health/Check";
const RESOURCE_EXHAUSTED: u32 = 8;

/// How many records the queue takes.
const RECORDS_MAX: usize = 20_000;
/// How many bytes of a call may wait in the server. A stream is blocked when it has sent this many that
/// are not read.
const CALL_WINDOW_BYTES: usize = 256 << 10;
/// How long streams take until they are blocked, and then until they end.
const FLOW: Duration = Duration::from_secs(240);
/// How long a call may take beside blocked streams.
const CALL: Duration = Duration::from_secs(10);
/// What the server may need at most: 64 blocked streams with records of 10 bytes need the most.
const PEAK_MIB_MAX: u64 = 600;

/// A record of this many bytes, encoded.
fn record(bytes: usize) -> UserRequest {
    let mut record = UserRequest { id: 1, ..UserRequest::default() };
    while record.encoded_len() < bytes {
        // The first character also takes two bytes for its field.
        let missing = bytes - record.encoded_len();
        record.agent.extend(std::iter::repeat_n('x', missing.saturating_sub(2).max(1)));
    }
    record
}

/// A stack with one worker.
fn stack() -> Stack {
    let mut stack = Stack::prepare(Memory);
    let limit = ("MUSTER_SERVER_RECORDS_MAX".to_owned(), RECORDS_MAX.to_string());
    stack.environment = vec![limit];
    stack.redis.start();
    stack.start_server();
    stack.start_workers(1);
    stack.wait_until_ready();
    stack
}

/// Pauses or resumes the queue.
fn queue(stack: &Stack, command: &str) {
    let mut client = programs::command("muster-client");
    let server = format!("http://127.0.0.1:{}", stack.grpc_port());
    client.args(["queue", command, "--server", &server]);
    Process::start("muster-client", &mut client).wait(CALL).expect_code(0);
}

/// Streams of one connection, each of which sends more than fits into the queue and its window together.
struct Streams {
    sent: Vec<Arc<AtomicUsize>>,
    running: Vec<JoinHandle<Result<Answer, h2::Error>>>,
    bytes: usize,
}

impl Streams {
    async fn begin(connection: &Connection, count: usize, record_bytes: usize) -> Self {
        let frame = frame(&record(record_bytes));
        // The server also reads ahead for the next chunk.
        let bytes = CALL_WINDOW_BYTES / 4 * 5 + RECORDS_MAX * frame.len() / count;
        let (mut sent, mut running) = (Vec::new(), Vec::new());
        for index in 0..count {
            let batch = format!("{record_bytes}-bytes-{count}-streams-{index}");
            let mut call = connection.begin(STREAM, &[("muster-batch", &batch)]).await;
            let (frame, counter) = (frame.clone(), Arc::new(AtomicUsize::new(0)));
            sent.push(Arc::clone(&counter));
            running.push(tokio::spawn(async move {
                call.send(&frame, bytes / frame.len(), &counter).await?;
                call.finish().await
            }));
        }
        Self { sent, running, bytes }
    }

    /// Waits until each has sent as much as may wait in the server.
    async fn fill_windows(&self) {
        let is_full =
            |sent: &Arc<AtomicUsize>| sent.load(Ordering::Relaxed) + 4096 + 5 > CALL_WINDOW_BYTES;
        while !self.sent.iter().all(is_full) {
            assert!(!self.running.iter().any(JoinHandle::is_finished), "a stream has ended");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until all are accepted.
    async fn finish(self) {
        for answer in try_join_all(self.running).await.expect("no task panics") {
            let answer = answer.expect("the connection lives");
            assert_eq!((answer.code, response(&answer.body)), (0, "ok".to_owned()));
        }
    }
}

/// The text of a response of the service `Users`.
fn response(body: &Bytes) -> String {
    let response = UserResponse::decode(&body[5..]).expect("a response");
    response.message
}

/// Waits until the queue has as many records as it takes.
async fn fill_queue(stack: &Stack) {
    let records = || {
        let scrape = Scrape::of(stack.http_port()).expect("the server answers");
        scrape.sum("muster_queue_records", &[])
    };
    while records() < RECORDS_MAX as f64 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn full_queue_slows_streams_down_and_lets_small_calls_through() {
    let stack = stack();
    for record_bytes in [10, 25, 256, 4096] {
        for count in [1, 8, 64] {
            let case = format!("{count} streams with records of {record_bytes} bytes");
            queue(&stack, "pause");
            let connection = Connection::open(stack.grpc_port()).await;
            let streams = Streams::begin(&connection, count, record_bytes).await;
            let full = async { tokio::join!(streams.fill_windows(), fill_queue(&stack)) };
            timeout(FLOW, full).await.unwrap_or_else(|_| panic!("{case} do not fill the queue"));

            let health = timeout(CALL, connection.call(HEALTH, &())).await;
            let health = health.unwrap_or_else(|_| panic!("no call gets past {case}"));
            assert_eq!(health.unwrap().code, 0, "{case}");
            let unary = timeout(CALL, connection.call(UNARY, &record(25))).await;
            let unary = unary.unwrap_or_else(|_| panic!("no record gets past {case}"));
            assert_eq!(unary.unwrap().code, RESOURCE_EXHAUSTED, "{case}");

            let peak = stack.server.as_ref().expect("it runs").peak_memory() >> 20;
            println!("{case}, {} bytes each: at most {peak} MiB", streams.bytes);
            assert!(peak < PEAK_MIB_MAX, "{case}: {peak} MiB");
            queue(&stack, "resume");
            timeout(FLOW, streams.finish()).await.unwrap_or_else(|_| panic!("{case} do not end"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stalled_store_slows_streams_of_small_records_down() {
    let stack = stack();
    let connection = Connection::open(stack.grpc_port()).await;
    stack.redis.freeze();
    // The server waits three seconds for its store. Two streams fill their windows sooner.
    let streams = Streams::begin(&connection, 2, 25).await;
    let full = timeout(FLOW, streams.fill_windows()).await;
    full.expect("the streams fill their windows");
    let health = timeout(CALL, connection.call(HEALTH, &())).await;
    assert_eq!(health.expect("a call gets through").unwrap().code, 0);
    stack.redis.thaw();
    timeout(FLOW, streams.finish()).await.expect("the streams end");
}
