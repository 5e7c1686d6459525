//! The service `muster.v1.Batches`.

use bytes::Bytes;
use muster_proto::v1::{
    BatchState, GetBatchRequest, ListDeadLettersRequest, ListDeadLettersResponse, SealBatchRequest,
};
use muster_queue::{DeadLetter, Outcome, Output, Queue as _};
use tonic::{Code, Status};

use crate::desk::{Desk, id, ok, placed};

async fn seal(desk: &Desk, id: &str, records: u64) -> Result<(BatchState, u64), Status> {
    let request = SealBatchRequest { id: id.to_owned(), records };
    let batch = desk.batches().seal_batch(request).await?.into_inner();
    Ok((batch.state(), batch.received))
}

async fn list(
    desk: &Desk,
    batch: &str,
    from_place: u64,
    page_size: u32,
) -> Result<ListDeadLettersResponse, Status> {
    let request = ListDeadLettersRequest { batch: batch.to_owned(), from_place, page_size };
    Ok(desk.batches().list_dead_letters(request).await?.into_inner())
}

/// The places on a page, and where the next one begins.
async fn page(desk: &Desk, from_place: u64, page_size: u32) -> (Vec<u64>, Option<u64>) {
    let page = list(desk, "b", from_place, page_size).await.unwrap();
    (page.dead_letters.iter().map(|letter| letter.place).collect(), page.next_place)
}

/// Sends so many records as the batch `b`, each of which becomes a dead letter.
async fn send_dead(desk: &Desk, count: i32) {
    desk.send_stream("b", 0, 0..count).await.unwrap();
    for chunk in desk.lease_when_there().await {
        let letter = |place: u64| DeadLetter {
            place,
            record_id: i32::try_from(place).unwrap(),
            reason: format!("reason {place}"),
            record: Bytes::new(),
        };
        let dead = (chunk.first..).take(chunk.count as usize).map(letter).collect();
        let outcome = Outcome { output: Output::Rewritten(Bytes::new()), dead };
        desk.store.commit(&chunk, &outcome).await.unwrap();
    }
}

#[tokio::test]
async fn a_batch_is_shown_with_its_state_and_counts() {
    let desk = Desk::open().await;
    desk.send(placed("b", 0, 1)).await.unwrap();
    assert_eq!(desk.batch("b").await.unwrap().state(), BatchState::Open);
    assert_eq!(seal(&desk, "b", 1).await.unwrap(), (BatchState::Sealed, 1));
    let chunk = desk.lease_when_there().await.remove(0);
    let kept = Outcome { output: Output::AsSent, dead: Vec::new() };
    desk.store.commit(&chunk, &kept).await.unwrap();
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
        list(&desk, "nobody", 0, 0).await.unwrap_err(),
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
        ("`batch`", list(&desk, "a/b", 0, 0).await.unwrap_err()),
    ] {
        assert_eq!(status.code(), Code::InvalidArgument, "{status}");
        assert!(status.message().starts_with(field), "{status}");
    }
}

#[tokio::test]
async fn dead_letters_are_listed_with_their_reasons() {
    let desk = Desk::open().await;
    send_dead(&desk, 2).await;
    let letters = list(&desk, "b", 1, 0).await.unwrap().dead_letters;
    let [letter] = letters.as_slice() else { panic!("{letters:?}") };
    assert_eq!((letter.place, letter.record_id, letter.reason.as_str()), (1, 1, "reason 1"));
}

#[tokio::test]
async fn a_batch_without_dead_letters_has_an_empty_page() {
    let desk = Desk::open().await;
    desk.send_stream("b", 0, [1]).await.unwrap();
    assert_eq!(page(&desk, 0, 0).await, (vec![], None));
}

#[tokio::test]
async fn dead_letters_come_by_pages_and_the_last_one_says_so() {
    let desk = Desk::open().await;
    send_dead(&desk, 4).await;
    assert_eq!(page(&desk, 0, 3).await, (vec![0, 1, 2], Some(3)));
    assert_eq!(page(&desk, 3, 3).await, (vec![3], None));
    // A last page that is full is the last one all the same.
    assert_eq!(page(&desk, 2, 2).await, (vec![2, 3], None));
    assert_eq!(page(&desk, 4, 2).await, (vec![], None));
}

#[tokio::test]
async fn a_page_has_a_usual_and_a_largest_size() {
    let desk = Desk::open().await;
    send_dead(&desk, 1001).await;
    assert_eq!(page(&desk, 0, 0).await, (Vec::from_iter(0..100), Some(100)));
    assert_eq!(page(&desk, 0, u32::MAX).await, (Vec::from_iter(0..1000), Some(1000)));
    assert_eq!(page(&desk, 1000, u32::MAX).await, (vec![1000], None));
}
