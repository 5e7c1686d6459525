//! A batch that is sent again, from wherever: its records count once.

use futures::StreamExt as _;
use muster_proto::v1::BatchState;
use tonic::Code;

use crate::desk::{Desk, ok, records, until};

/// More than two chunks.
const IDS: std::ops::Range<i32> = 0..600;

/// The batch `b` is sealed, and each of its records is queued once and in order.
async fn assert_once(desk: &Desk) {
    let batch = desk.batch("b").await.unwrap();
    assert_eq!((batch.state(), batch.received), (BatchState::Sealed, 600));
    assert_eq!(desk.queued().await, Vec::from_iter(IDS));
}

/// Sends the first 300 records, and breaks off.
async fn break_off(desk: &Desk) {
    let endless = records(0..300).chain(tokio_stream::pending());
    tokio::select! {
        answer = desk.stream(endless, &[("muster-batch", "b")]) => panic!("{answer:?}"),
        () = until("300 records are queued", async || {
            desk.batch("b").await.is_ok_and(|batch| batch.received == 300)
        }) => {}
    }
}

#[tokio::test]
async fn from_the_start_it_counts_once() {
    let desk = Desk::open().await;
    for _ in 0..3 {
        assert_eq!(desk.send_stream("b", 0, IDS).await.unwrap(), ok());
    }
    assert_once(&desk).await;
}

#[tokio::test]
async fn from_a_later_place_it_counts_once() {
    let desk = Desk::open().await;
    desk.send_stream("b", 0, IDS).await.unwrap();
    for place in [1, 256, 400, 599, 600] {
        let rest = IDS.skip(place);
        assert_eq!(desk.send_stream("b", place as u64, rest).await.unwrap(), ok(), "{place}");
    }
    assert_once(&desk).await;
}

#[tokio::test]
async fn a_stream_that_broke_off_is_resumed_from_the_start() {
    let desk = Desk::open().await;
    break_off(&desk).await;
    assert_eq!(desk.batch("b").await.unwrap().state(), BatchState::Open);
    assert_eq!(desk.send_stream("b", 0, IDS).await.unwrap(), ok());
    assert_once(&desk).await;
}

#[tokio::test]
async fn a_stream_that_broke_off_is_resumed_from_a_later_place() {
    let desk = Desk::open().await;
    break_off(&desk).await;
    assert_eq!(desk.send_stream("b", 250, IDS.skip(250)).await.unwrap(), ok());
    assert_once(&desk).await;
}

#[tokio::test]
async fn two_streams_of_one_batch_at_once_count_once() {
    let desk = Desk::open().await;
    desk.store.hold_appends(true);
    let both = async { tokio::join!(desk.send_stream("b", 0, IDS), desk.send_stream("b", 0, IDS)) };
    let release = async {
        until("both streams are under way", async || desk.store.appends() == 2).await;
        desk.store.hold_appends(false);
    };
    let ((first, second), ()) = tokio::join!(both, release);
    assert_eq!((first.unwrap(), second.unwrap()), (ok(), ok()));
    assert_once(&desk).await;
}

#[tokio::test]
async fn with_fewer_or_more_records_it_is_refused() {
    let desk = Desk::open().await;
    desk.send_stream("b", 0, IDS).await.unwrap();
    for (place, ids) in [(0, 0..599), (0, 0..601), (400, 400..599), (600, 600..601)] {
        let status = desk.send_stream("b", place, ids.clone()).await.unwrap_err();
        assert_eq!(status.code(), Code::FailedPrecondition, "{ids:?}: {status}");
        assert!(status.message().contains("600 records"), "{status}");
    }
    assert_once(&desk).await;
}
