//! The service `muster.v1.DeadLetters`.

use muster_proto::metadata::{BATCH, TRACE};
use muster_proto::users::UserRequest;
use muster_proto::v1::dead_letter_selector::Which;
use muster_proto::v1::list_dead_letters_request::Of;
use muster_proto::v1::{
    BatchState, DeadLetter, DeadLetterId, DeadLetterIds, DeadLetterSelector,
    DropDeadLettersRequest, ListDeadLetterGroupsRequest, ListDeadLettersRequest,
    ReplayDeadLettersRequest, ReplayDeadLettersResponse,
};
use muster_queue::Queue as _;
use prost::Message as _;
use tonic::{Code, Status};

use crate::desk::{Desk, id, record, records};

const TRACE_OF_TEST: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Sends so many records as this batch, each of which becomes a dead letter.
async fn send_dead(desk: &Desk, batch: &str, count: i32) {
    let labels = [(BATCH, batch), (TRACE, TRACE_OF_TEST)];
    desk.stream(records(0..count), &labels).await.unwrap();
    desk.bury_all(|place| format!("reason {place} of \"{batch}\"")).await;
}

async fn list(
    desk: &Desk,
    of: Of,
    token: &str,
    size: u32,
) -> Result<(Vec<DeadLetter>, String), Status> {
    let request =
        ListDeadLettersRequest { of: Some(of), page_token: token.to_owned(), page_size: size };
    let page = desk.dead_letters().list_dead_letters(request).await?.into_inner();
    Ok((page.dead_letters, page.next_page_token))
}

/// The places on every page of such a size, page by page.
async fn pages(desk: &Desk, of: Of, size: u32) -> Vec<Vec<u64>> {
    let (mut pages, mut token) = (Vec::new(), String::new());
    loop {
        let (letters, next) = list(desk, of.clone(), &token, size).await.unwrap();
        pages.push(letters.iter().map(|letter| letter.place).collect());
        if next.is_empty() {
            return pages;
        }
        token = next;
    }
}

async fn replay(
    desk: &Desk,
    which: Which,
    record: Option<UserRequest>,
) -> Result<ReplayDeadLettersResponse, Status> {
    let request = ReplayDeadLettersRequest {
        selector: Some(DeadLetterSelector { which: Some(which) }),
        record: record.map(|record| record.encode_to_vec().into()),
    };
    Ok(desk.dead_letters().replay_dead_letters(request).await?.into_inner())
}

async fn drop_letters(desk: &Desk, which: Which) -> Result<u64, Status> {
    let selector = Some(DeadLetterSelector { which: Some(which) });
    let request = DropDeadLettersRequest { selector };
    Ok(desk.dead_letters().drop_dead_letters(request).await?.into_inner().letters)
}

async fn groups(desk: &Desk) -> Vec<(String, u64)> {
    let request = ListDeadLetterGroupsRequest {};
    let groups = desk.dead_letters().list_dead_letter_groups(request).await.unwrap();
    groups.into_inner().groups.into_iter().map(|group| (group.name, group.letters)).collect()
}

fn letter(batch: &str, place: u64) -> DeadLetterId {
    DeadLetterId { batch: batch.to_owned(), place }
}

fn batch(batch: &str) -> Of {
    Of::Batch(batch.to_owned())
}

const GROUP: &str = "reason N of \"…\"";

#[tokio::test]
async fn a_letter_is_shown_whole() {
    let desk = Desk::open().await;
    send_dead(&desk, "b", 2).await;
    let shown = desk.dead_letters().get_dead_letter(letter("b", 1)).await.unwrap().into_inner();
    assert_eq!((shown.batch.as_str(), shown.place, shown.record_id), ("b", 1, 1));
    assert_eq!((shown.reason.as_str(), shown.group.as_str()), ("reason 1 of \"b\"", GROUP));
    assert_eq!((shown.attempts, shown.crashes), (5, 0));
    let last = shown.last.unwrap();
    assert_eq!((last.seconds, last.nanos), (1, 500_000_000));
    assert_eq!(shown.trace, TRACE_OF_TEST);
    assert_eq!(UserRequest::decode(shown.record).unwrap(), record(1));
}

#[tokio::test]
async fn a_letter_that_is_not_there_is_not_found() {
    let desk = Desk::open().await;
    send_dead(&desk, "b", 2).await;
    for id in [letter("b", 2), letter("nobody", 0)] {
        for status in [
            desk.dead_letters().get_dead_letter(id.clone()).await.unwrap_err(),
            replay(&desk, Which::Letter(id.clone()), None).await.unwrap_err(),
            drop_letters(&desk, Which::Letter(id)).await.unwrap_err(),
        ] {
            assert_eq!(status.code(), Code::NotFound, "{status}");
            assert!(status.message().starts_with("no dead letter at place"), "{status}");
        }
    }
    for status in [
        list(&desk, batch("nobody"), "", 0).await.unwrap_err(),
        replay(&desk, Which::Batch("nobody".to_owned()), None).await.unwrap_err(),
    ] {
        assert_eq!(status.code(), Code::NotFound, "{status}");
        assert!(status.message().contains("nobody"), "{status}");
    }
}

#[tokio::test]
async fn what_cannot_be_is_an_invalid_argument() {
    let desk = Desk::open().await;
    send_dead(&desk, "b", 1).await;
    let no_record = ReplayDeadLettersRequest {
        selector: Some(DeadLetterSelector { which: Some(Which::Letter(letter("b", 0))) }),
        record: Some(vec![0xff].into()),
    };
    let nothing = ListDeadLettersRequest::default();
    for (what, status) in [
        ("`batch`", list(&desk, batch("a b"), "", 0).await.unwrap_err()),
        ("name a `batch`", desk.dead_letters().list_dead_letters(nothing).await.unwrap_err()),
        ("`page_token`", list(&desk, batch("b"), "x", 0).await.unwrap_err()),
        ("`page_token`", list(&desk, Of::Group(GROUP.to_owned()), "x", 0).await.unwrap_err()),
        ("`selector`", drop_letters(&desk, Which::All(false)).await.unwrap_err()),
        ("`record` goes", replay(&desk, Which::All(true), Some(record(1))).await.unwrap_err()),
        ("`record` is no", desk.dead_letters().replay_dead_letters(no_record).await.unwrap_err()),
    ] {
        assert_eq!(status.code(), Code::InvalidArgument, "{status}");
        assert!(status.message().starts_with(what), "{status}");
    }
}

#[tokio::test]
async fn letters_of_a_batch_come_by_pages_in_order() {
    let desk = Desk::open().await;
    send_dead(&desk, "b", 4).await;
    assert_eq!(pages(&desk, batch("b"), 3).await, [vec![0, 1, 2], vec![3]]);
    // A last page that is full is the last one all the same.
    assert_eq!(pages(&desk, batch("b"), 2).await, [vec![0, 1], vec![2, 3]]);
    desk.send_stream("healthy", 0, [1]).await.unwrap();
    assert_eq!(pages(&desk, batch("healthy"), 2).await, [Vec::<u64>::new()]);
}

#[tokio::test]
async fn a_page_has_a_usual_and_a_largest_size() {
    let desk = Desk::open().await;
    send_dead(&desk, "b", 1001).await;
    let sizes = |pages: Vec<Vec<u64>>| Vec::from_iter(pages.iter().map(Vec::len));
    assert_eq!(sizes(pages(&desk, batch("b"), 0).await)[0], 100);
    assert_eq!(sizes(pages(&desk, batch("b"), u32::MAX).await), [1000, 1]);
}

#[tokio::test]
async fn a_page_of_large_letters_fits_into_a_message() {
    let desk = Desk::open().await;
    let large = |id| UserRequest { agent: "x".repeat(900 * 1024), ..record(id) };
    let letters = tokio_stream::iter((0..6).map(large).collect::<Vec<_>>());
    desk.stream(letters, &[(BATCH, "b")]).await.unwrap();
    desk.bury_all(|place| format!("reason {place} of \"b\"")).await;
    let expected = [[0, 1], [2, 3], [4, 5]];
    assert_eq!(pages(&desk, batch("b"), 0).await, expected);
    assert_eq!(pages(&desk, Of::Group(GROUP.to_owned()), 0).await, expected);
}

#[tokio::test]
async fn letters_of_a_group_come_by_pages_whatever_their_batch() {
    let desk = Desk::open().await;
    for batch in ["a", "b"] {
        send_dead(&desk, batch, 3).await;
    }
    assert_eq!(groups(&desk).await, [(GROUP.to_owned(), 6)]);
    let of_group = pages(&desk, Of::Group(GROUP.to_owned()), 2).await;
    assert_eq!(of_group, [[0, 1], [2, 0], [1, 2]]);
    assert_eq!(pages(&desk, Of::Group("another".to_owned()), 2).await, [Vec::<u64>::new()]);
}

#[tokio::test]
async fn one_letter_is_replayed_as_it_was_or_mended() {
    let desk = Desk::open().await;
    send_dead(&desk, "b", 3).await;
    desk.store.mark_written(&id("b"), "digest").await.unwrap();
    let as_it_was = replay(&desk, Which::Letter(letter("b", 2)), None).await.unwrap();
    let mended = replay(&desk, Which::Letter(letter("b", 0)), Some(record(9))).await.unwrap();
    for replayed in [as_it_was, mended] {
        assert_eq!((replayed.letters, replayed.batches.len()), (1, 1));
        let into = desk.batch(&replayed.batches[0]).await.unwrap();
        assert_eq!((into.state(), into.received), (BatchState::Sealed, 1));
    }
    assert_eq!(desk.queued().await, [2, 9]);
    let batch = desk.batch("b").await.unwrap();
    assert_eq!((batch.dead, batch.replayed), (1, 2));
}

#[tokio::test]
async fn all_letters_are_replayed_once_however_many_they_are() {
    let desk = Desk::open().await;
    for batch in ["a", "b"] {
        send_dead(&desk, batch, 300).await;
        desk.store.mark_written(&id(batch), "digest").await.unwrap();
    }
    let replayed = replay(&desk, Which::All(true), None).await.unwrap();
    assert_eq!(replayed.letters, 600);
    assert_eq!(groups(&desk).await, []);
    let mut received = 0;
    for batch in &replayed.batches {
        received += desk.batch(batch).await.unwrap().received;
    }
    assert_eq!(received, 600);
    assert_eq!(replay(&desk, Which::All(true), None).await.unwrap().letters, 0);
}

#[tokio::test]
async fn letters_of_a_batch_that_is_not_complete_go_back_to_their_places() {
    let desk = Desk::open().await;
    let labels = [(BATCH, "b"), ("muster-policy", "fail")];
    desk.stream(records(0..300), &labels).await.unwrap();
    desk.bury_all(|place| format!("reason {place}")).await;
    let replayed = replay(&desk, Which::Group("reason N".to_owned()), None).await.unwrap();
    assert_eq!((replayed.letters, replayed.batches), (300, vec!["b".to_owned()]));
    while desk.batch("b").await.unwrap().kept < 300 {
        desk.keep_all().await;
    }
    let batch = desk.batch("b").await.unwrap();
    assert_eq!((batch.state(), batch.dead), (BatchState::Complete, 0));
}

#[tokio::test]
async fn letters_are_dropped_for_good() {
    let desk = Desk::open().await;
    send_dead(&desk, "a", 3).await;
    send_dead(&desk, "b", 3).await;
    assert_eq!(drop_letters(&desk, Which::Letter(letter("a", 1))).await.unwrap(), 1);
    assert_eq!(pages(&desk, batch("a"), 0).await, [[0, 2]]);
    assert_eq!(drop_letters(&desk, Which::Batch("a".to_owned())).await.unwrap(), 2);
    assert_eq!(groups(&desk).await, [(GROUP.to_owned(), 3)]);
    let letters = [("b", 2), ("a", 0), ("b", 0)].map(|(id, place)| letter(id, place));
    let these = Which::Letters(DeadLetterIds { letters: letters.into() });
    assert_eq!(drop_letters(&desk, these.clone()).await.unwrap(), 2, "one was dropped before");
    assert_eq!(drop_letters(&desk, these).await.unwrap(), 0);
    assert_eq!(pages(&desk, batch("b"), 0).await, [[1]]);
    send_dead(&desk, "c", 2).await;
    assert_eq!(drop_letters(&desk, Which::Group(GROUP.to_owned())).await.unwrap(), 3);
    assert_eq!(drop_letters(&desk, Which::All(true)).await.unwrap(), 0);
    assert_eq!(groups(&desk).await, []);
}
