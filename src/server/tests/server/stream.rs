//! Records that come as one stream.

use muster_proto::metadata::BATCH;
use muster_proto::v1::BatchState;
use tonic::Code;

use crate::desk::{Desk, ok, records};

#[tokio::test]
async fn the_answer_names_the_batch_that_the_server_made() {
    let desk = Desk::open().await;
    let response = desk.stream(records(1..=3), &[]).await.unwrap();
    let name = response.metadata().get(BATCH).unwrap().to_str().unwrap().to_owned();
    assert!(name.starts_with("stream-"), "{name}");
    assert_eq!(response.into_inner(), ok());
    let batch = desk.batch(&name).await.unwrap();
    assert_eq!((batch.state(), batch.received), (BatchState::Sealed, 3));
}

#[tokio::test]
async fn the_answer_names_the_batch_that_the_sender_named() {
    let desk = Desk::open().await;
    let response = desk.stream(records(1..=3), &[(BATCH, "mine")]).await.unwrap();
    assert_eq!(response.metadata().get(BATCH).unwrap(), "mine");
    assert_eq!(desk.batch("mine").await.unwrap().received, 3);
}

#[tokio::test]
async fn records_are_queued_in_their_order() {
    let desk = Desk::open().await;
    desk.send_stream("b", 0, 0..1000).await.unwrap();
    assert_eq!(desk.queued().await, Vec::from_iter(0..1000));
}

#[tokio::test]
async fn a_stream_without_records_is_a_complete_batch() {
    let desk = Desk::open().await;
    assert_eq!(desk.send_stream("empty", 0, []).await.unwrap(), ok());
    let batch = desk.batch("empty").await.unwrap();
    assert_eq!((batch.state(), batch.received), (BatchState::Complete, 0));
}

#[tokio::test]
async fn a_gap_is_out_of_range() {
    let desk = Desk::open().await;
    let status = desk.send_stream("b", 1, [1]).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange);
    assert!(status.message().contains("0 records"), "{status}");
    assert!(desk.queued().await.is_empty());
    // The twin: without the gap it is taken.
    assert_eq!(desk.send_stream("b", 0, [1]).await.unwrap(), ok());
}
