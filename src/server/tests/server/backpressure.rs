//! A queue at its limits.

use std::num::NonZeroU64;
use std::pin::pin;

use futures::FutureExt as _;
use muster_proto::metadata::RETRY_AFTER;
use muster_proto::v1::BatchState;
use muster_queue::Queue as _;
use muster_server::config::Config;
use tonic::Code;

use crate::desk::{Desk, ok, placed, unplaced, until};

/// More than fit into a chunk.
const RECORDS_MAX: u64 = 300;
/// As many as are appended in one step.
const STEP_RECORDS_MAX: u64 = 16 * 256;
/// More than the queue takes, and a stream holds.
const MANY: i32 = 20_000;

async fn open() -> Desk {
    let records_max = NonZeroU64::new(RECORDS_MAX);
    Desk::open_with(Config { records_max, ..Config::default() }).await
}

#[tokio::test]
async fn a_stream_is_slowed_down_and_goes_on_when_there_is_room() {
    let desk = open().await;
    let mut stream = pin!(desk.send_stream("b", 0, 0..MANY));
    let full = until("the queue is full", async || {
        desk.store.depth().await.unwrap().records >= RECORDS_MAX
    });
    tokio::select! {
        answer = &mut stream => panic!("{answer:?}"),
        () = full => {}
    }
    // Nothing moves as long as nobody makes room.
    let appends = desk.store.appends();
    let again = until("it has tried again", async || desk.store.appends() >= appends + 2);
    tokio::select! {
        answer = &mut stream => panic!("{answer:?}"),
        () = again => {}
    }
    assert!(desk.store.depth().await.unwrap().records < RECORDS_MAX + STEP_RECORDS_MAX);

    let answer = loop {
        desk.keep_all().await;
        if let Some(answer) = (&mut stream).now_or_never() {
            break answer;
        }
    };
    assert_eq!(answer.unwrap(), ok());
    assert_eq!(desk.batch("b").await.unwrap().received, MANY as u64);
}

#[tokio::test]
async fn a_unary_call_is_told_when_to_try_again() {
    let desk = open().await;
    for place in 0..RECORDS_MAX {
        desk.send(placed("b", place, 1)).await.unwrap();
    }
    for call in [placed("b", RECORDS_MAX, 1), unplaced(1)] {
        let status = desk.send(call).await.unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert!(status.message().contains("the queue is full: 300 records"), "{status}");
        assert_eq!(status.metadata().get(RETRY_AFTER).unwrap(), "250");
    }
    // What the batch has is still ok.
    assert_eq!(desk.send(placed("b", 0, 1)).await.unwrap(), ok());
    while desk.store.depth().await.unwrap().records > 0 {
        desk.keep_all().await;
    }
    for call in [placed("b", RECORDS_MAX, 1), unplaced(1)] {
        assert_eq!(desk.send(call).await.unwrap(), ok());
    }
}

#[tokio::test]
async fn calls_that_a_full_queue_refuses_leave_nothing_for_the_roll() {
    let desk = open().await;
    for place in 0..RECORDS_MAX {
        desk.send(placed("b", place, 1)).await.unwrap();
    }
    desk.send(unplaced(1)).await.unwrap_err();
    let run = desk.store.last_opened().unwrap().to_string();
    until("the run has ended", async || {
        desk.batch(&run).await.unwrap().state() != BatchState::Open
    })
    .await;
    assert_eq!(desk.batch(&run).await.unwrap().state(), BatchState::Aborted);
}
