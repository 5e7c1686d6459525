//! Metadata that cannot be read is refused by its name, in calls of both kinds.

use muster_proto::metadata::{BATCH, PLACE, PRIORITY};
use muster_queue::{Priority, Queue as _};
use tonic::{Code, Status};

use crate::desk::{Desk, id, labelled, ok, record, records};

/// Sends a record with this metadata by a unary call and by a stream.
async fn refusals(desk: &Desk, labels: &[(&'static str, &str)]) -> [Status; 2] {
    [
        desk.send(labelled(record(1), labels)).await.unwrap_err(),
        desk.stream(records([1]), labels).await.unwrap_err(),
    ]
}

#[tokio::test]
async fn what_cannot_be_read_is_named() {
    let desk = Desk::open().await;
    let long = "b".repeat(65);
    for (key, value) in [
        (BATCH, "a b"),
        (BATCH, ""),
        (BATCH, &long),
        (PLACE, "-1"),
        (PLACE, "first"),
        (PRIORITY, "urgent"),
        (PRIORITY, "High"),
    ] {
        for status in refusals(&desk, &[(key, value)]).await {
            assert_eq!(status.code(), Code::InvalidArgument, "{key}: {value}");
            assert!(status.message().contains(key), "{status}");
        }
    }
    assert!(desk.queued().await.is_empty());
}

#[tokio::test]
async fn what_can_be_read_is_taken() {
    let desk = Desk::open().await;
    let long = "b".repeat(64);
    let labels = [(BATCH, long.as_str()), (PLACE, "0"), (PRIORITY, "high")];
    let response = desk.stream(records([1]), &labels).await.unwrap();
    assert_eq!(response.into_inner(), ok());
    let batch = desk.store.batch(&id(&long)).await.unwrap().unwrap();
    assert_eq!((batch.received, batch.priority), (1, Priority::High));

    let labels = [(BATCH, "unary"), (PLACE, "7"), (PRIORITY, "low")];
    assert_eq!(desk.send(labelled(record(1), &labels)).await.unwrap(), ok());
    let batch = desk.store.batch(&id("unary")).await.unwrap().unwrap();
    assert_eq!((batch.received, batch.priority), (1, Priority::Low));
}

#[tokio::test]
async fn batch_and_place_go_together_in_a_unary_call() {
    let desk = Desk::open().await;
    for label in [(BATCH, "b"), (PLACE, "0")] {
        let status = desk.send(labelled(record(1), &[label])).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{label:?}");
        assert!(status.message().contains(BATCH) && status.message().contains(PLACE), "{status}");
    }
    assert!(desk.queued().await.is_empty());
}
