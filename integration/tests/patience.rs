//! A sender whose connection a proxy cuts again and again gives up only if records fail to get through:
//! not while the queue is full, and not while it has nothing to send.

use std::fs::File;
use std::time::{Duration, Instant};

use muster_integration::feed::Feed;
use muster_integration::process::Process;
use muster_integration::redis_server::Durability::Memory;
use muster_integration::relay::Relay;
use muster_integration::roll::assert_roll;
use muster_integration::scrape::Scrape;
use muster_integration::stack::{SEND, Stack};
use muster_integration::users::{User, Users, write_ndjson};
use muster_integration::wait;

/// How long the client tries again while calls fail. Longer than its longest pause, so that it connects
/// in this time.
const RETRY_FOR: Duration = Duration::from_secs(5);
/// How long its connections are cut.
const CUTS_FOR: Duration = Duration::from_secs(12);
/// How soon it must connect again.
const RECONNECT: Duration = Duration::from_secs(20);

const RECORDS: usize = 5_000;
const RECORDS_MAX: &str = "1000";
/// More than it takes to connect and to ask how much is queued; less than the records that do not fit.
const RECORD_BYTES: u64 = 50_000;
/// Less than it takes to connect and to ask how much is queued.
const CONNECT_BYTES: u64 = 100;

fn users() -> impl Iterator<Item = User> {
    Users::of_seed(3).take(RECORDS)
}

/// A stack without workers, and a relay to its server.
fn stack() -> (Stack, Relay) {
    let mut stack = Stack::prepare(Memory);
    stack.environment = vec![
        ("MUSTER_SERVER_RECORDS_MAX".to_owned(), RECORDS_MAX.to_owned()),
        ("MUSTER_CLIENT_RETRY_FOR".to_owned(), format!("{}s", RETRY_FOR.as_secs())),
    ];
    stack.redis.start();
    stack.start_server();
    stack.wait_until_ready();
    let relay = Relay::start(stack.grpc_port(), u64::MAX);
    (stack, relay)
}

/// Cuts the connection, and again each time that this many bytes have been sent on the next one. Returns how
/// often.
fn cut_again_and_again(relay: &Relay, bytes: u64) -> u32 {
    let (begun, mut cuts) = (Instant::now(), 0);
    while begun.elapsed() < CUTS_FOR {
        let before = relay.passed();
        relay.cut();
        relay.wait_for(before + bytes, RECONNECT);
        cuts += 1;
    }
    cuts
}

/// Waits until the queue has this many records.
fn wait_until_queued(stack: &Stack, records: f64) {
    let queued = || {
        let scrape = Scrape::of(stack.http_port())?;
        (scrape.sum("muster_queue_records", &[]) >= records).then_some(())
    };
    wait::until(SEND, queued, || format!("the queue should have {records} records"));
}

/// How many calls of this method the server has answered.
fn calls(stack: &Stack, method: &str) -> f64 {
    let scrape = Scrape::of(stack.http_port()).expect("the server answers");
    scrape.sum("muster_rpc_seconds_count", &[("method", method)])
}

#[test]
fn sender_goes_on_after_cuts_while_the_queue_is_full() {
    let (mut stack, relay) = stack();
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("users.ndjson");
    write_ndjson(File::create(&input).unwrap(), users()).unwrap();
    let sender = Process::start("muster-client", &mut stack.client_by(relay.port(), &input));
    cut_again_and_again(&relay, RECORD_BYTES);
    stack.start_workers(1);
    sender.wait(SEND).expect_code(0);
    assert_roll(&stack.roll(), users());
}

#[test]
fn sender_goes_on_after_cuts_while_it_has_nothing_to_send() {
    let (mut stack, relay) = stack();
    let mut feed = Feed::begin_by(&stack, relay.port(), "monday");
    feed.send(users().take(10));
    wait_until_queued(&stack, 10.0);
    let asked = calls(&stack, "muster.v1.Batches/GetBatch");
    let cuts = cut_again_and_again(&relay, CONNECT_BYTES);
    let asked = calls(&stack, "muster.v1.Batches/GetBatch") - asked;
    // It asks once after each cut, and a few times for the first records.
    assert!(asked <= f64::from(cuts + 10), "{asked} calls after {cuts} cuts");
    feed.send(users().skip(10).take(500));
    stack.start_workers(1);
    feed.finish().expect_code(0);
    assert_roll(&stack.roll(), users().take(510));
}

#[test]
fn sender_gives_up_when_its_records_do_not_get_through() {
    let (stack, relay) = stack();
    let mut feed = Feed::begin_by(&stack, relay.port(), "monday");
    feed.send(users().take(10));
    wait_until_queued(&stack, 10.0);
    relay.refuse();
    relay.cut();
    feed.send(users().skip(10).take(10));
    feed.finish().expect_code(1);
}
