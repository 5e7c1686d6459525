//! The service `muster.v1.Batches`.

use muster_proto::metadata::{BATCH, POLICY};
use muster_proto::v1::{
    AbortBatchRequest, BatchPolicy, BatchState, GetBatchRequest, SealBatchRequest,
};
use muster_queue::Queue as _;
use tonic::{Code, Status};

use crate::desk::{Desk, id, ok, placed, records};

async fn abort(desk: &Desk, id: &str) -> Result<BatchState, Status> {
    let request = AbortBatchRequest { id: id.to_owned() };
    Ok(desk.batches().abort_batch(request).await?.into_inner().state())
}

async fn seal(desk: &Desk, id: &str, records: u64) -> Result<(BatchState, u64), Status> {
    let request = SealBatchRequest { id: id.to_owned(), records, digest: String::new() };
    let batch = desk.batches().seal_batch(request).await?.into_inner();
    Ok((batch.state(), batch.received))
}

#[tokio::test]
async fn a_batch_is_shown_with_its_state_and_counts() {
    let desk = Desk::open().await;
    desk.send(placed("b", 0, 1)).await.unwrap();
    assert_eq!(desk.batch("b").await.unwrap().state(), BatchState::Open);
    assert_eq!(seal(&desk, "b", 1).await.unwrap(), (BatchState::Sealed, 1));
    desk.keep_all().await;
    assert_eq!(desk.batch("b").await.unwrap().state(), BatchState::Complete);
    desk.store.mark_written(&id("b"), "digest").await.unwrap();
    let batch = desk.batch("b").await.unwrap();
    assert_eq!((batch.received, batch.kept, batch.dead), (1, 1, 0));
    assert_eq!((batch.state(), batch.roll_sha256.as_str()), (BatchState::Written, "digest"));
}

#[tokio::test]
async fn a_sealed_batch_takes_no_more_and_what_it_has_is_still_ok() {
    let desk = Desk::open().await;
    for place in 0..2 {
        desk.send(placed("b", place, 1)).await.unwrap();
    }
    for _ in 0..2 {
        assert_eq!(seal(&desk, "b", 2).await.unwrap(), (BatchState::Sealed, 2));
    }
    assert_eq!(desk.send(placed("b", 1, 1)).await.unwrap(), ok());
    let status = desk.send(placed("b", 2, 1)).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert!(status.message().contains("sealed with 2 records"), "{status}");
}

#[tokio::test]
async fn a_batch_is_not_sealed_with_another_number_of_records() {
    let desk = Desk::open().await;
    desk.send(placed("b", 0, 1)).await.unwrap();
    for records in [0, 2] {
        let status = seal(&desk, "b", records).await.unwrap_err();
        assert_eq!(status.code(), Code::FailedPrecondition);
        assert!(status.message().contains("1 records, not"), "{status}");
    }
    assert_eq!(desk.batch("b").await.unwrap().state(), BatchState::Open);
}

#[tokio::test]
async fn a_batch_that_nobody_opened_is_not_found() {
    let desk = Desk::open().await;
    for status in [
        desk.batch("nobody").await.unwrap_err(),
        seal(&desk, "nobody", 0).await.unwrap_err(),
        abort(&desk, "nobody").await.unwrap_err(),
    ] {
        assert_eq!(status.code(), Code::NotFound, "{status}");
        assert!(status.message().contains("nobody"), "{status}");
    }
}

#[tokio::test]
async fn a_batch_that_cannot_be_is_an_invalid_argument() {
    let desk = Desk::open().await;
    let get = GetBatchRequest { id: "a b".to_owned() };
    for (field, status) in [
        ("`id`", desk.batches().get_batch(get).await.unwrap_err()),
        ("`id`", seal(&desk, "", 0).await.unwrap_err()),
        ("`id`", abort(&desk, "a/b").await.unwrap_err()),
    ] {
        assert_eq!(status.code(), Code::InvalidArgument, "{status}");
        assert!(status.message().starts_with(field), "{status}");
    }
}

#[tokio::test]
async fn a_batch_that_is_aborted_takes_nothing_and_is_over() {
    let desk = Desk::open().await;
    desk.send(placed("b", 0, 1)).await.unwrap();
    for _ in 0..2 {
        assert_eq!(abort(&desk, "b").await.unwrap(), BatchState::Aborted);
    }
    for status in [
        desk.send(placed("b", 1, 1)).await.unwrap_err(),
        desk.send_stream("b", 0, [1]).await.unwrap_err(),
        seal(&desk, "b", 1).await.unwrap_err(),
    ] {
        assert_eq!(status.code(), Code::FailedPrecondition);
        assert!(status.message().contains("batch b was aborted"), "{status}");
    }
}

#[tokio::test]
async fn a_batch_that_is_complete_is_not_aborted() {
    let desk = Desk::open().await;
    desk.send_stream("b", 0, []).await.unwrap();
    let status = abort(&desk, "b").await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert!(status.message().contains("batch b is complete"), "{status}");
}

#[tokio::test]
async fn a_batch_of_the_policy_fail_is_held_until_its_dead_letters_are_resolved() {
    let desk = Desk::open().await;
    let labels = [(BATCH, "b"), (POLICY, "fail")];
    desk.stream(records(0..2), &labels).await.unwrap();
    desk.bury_all(|_| "ill".to_owned()).await;
    let batch = desk.batch("b").await.unwrap();
    assert_eq!((batch.state(), batch.held, batch.dead), (BatchState::Sealed, true, 2));
    assert_eq!(batch.policy(), BatchPolicy::Fail);
    desk.store.drop_letters(&id("b"), &[0, 1]).await.unwrap();
    let batch = desk.batch("b").await.unwrap();
    assert_eq!((batch.state(), batch.held, batch.dropped), (BatchState::Complete, false, 2));
}
