//! Records that come one by one.

use muster_queue::{BatchState, Queue as _};
use tonic::Code;

use crate::desk::{Desk, ok, placed, unplaced, until};

#[tokio::test]
async fn records_without_a_batch_get_one_that_is_sealed() {
    let desk = Desk::open().await;
    for record in 1..=3 {
        assert_eq!(desk.send(unplaced(record)).await.unwrap(), ok());
    }
    let batch = desk.lease_when_there().await.remove(0).batch;
    assert!(batch.as_str().starts_with("unary-"), "{batch}");
    until("the batch is sealed", async || {
        let batch = desk.store.batch(&batch).await.unwrap().unwrap();
        batch.state == BatchState::Sealed && batch.received == 3
    })
    .await;
}

#[tokio::test]
async fn a_batch_that_was_sealed_by_others_is_followed_by_a_new_one() {
    let desk = Desk::open().await;
    assert_eq!(desk.send(unplaced(1)).await.unwrap(), ok());
    let first = desk.lease_when_there().await.remove(0).batch;
    // As a worker does when this server has been silent for too long.
    desk.store.seal(&first, None, None).await.unwrap();

    assert_eq!(desk.send(unplaced(2)).await.unwrap(), ok());
    let second = desk.lease_when_there().await.remove(0).batch;
    assert_ne!(first, second);
    assert_eq!(desk.store.batch(&first).await.unwrap().unwrap().received, 1);
}

#[tokio::test]
async fn a_record_that_is_sent_again_counts_once() {
    let desk = Desk::open().await;
    // In no order: each names its place.
    for place in [2, 0, 0, 1, 2] {
        assert_eq!(desk.send(placed("b", place, 10)).await.unwrap(), ok());
    }
    assert_eq!(desk.batch("b").await.unwrap().received, 3);
    assert_eq!(desk.queued().await.len(), 3);
}

#[tokio::test]
async fn a_record_that_is_sent_twice_at_once_counts_once() {
    let desk = Desk::open().await;
    desk.store.hold_appends(true);
    let both = async { tokio::join!(desk.send(placed("b", 0, 1)), desk.send(placed("b", 0, 1))) };
    let release = async {
        until("a record arrives", async || desk.store.appends() == 1).await;
        desk.store.hold_appends(false);
    };
    let ((first, second), ()) = tokio::join!(both, release);
    assert_eq!((first.unwrap(), second.unwrap()), (ok(), ok()));
    assert_eq!(desk.queued().await, [1]);
}

#[tokio::test]
async fn a_batch_keeps_to_the_kind_of_call_that_began_it() {
    let desk = Desk::open().await;
    desk.send(placed("single", 0, 1)).await.unwrap();
    let status = desk.send_stream("single", 1, [2]).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition, "{status}");

    desk.send_stream("streamed", 0, [1]).await.unwrap();
    let status = desk.send(placed("streamed", 1, 2)).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition, "{status}");
}
