//! What comes while a write is under way shares the next one.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use futures::future::join_all;
use muster_proto::users::UserRequest;
use tonic::{Code, Request};

use crate::desk::{Desk, ok, placed, unplaced, until};

const CALLS: i32 = 500;
/// The first call's write, and the others' in chunks of 256; with room for one more.
const APPENDS_MAX: usize = 4;

/// The first chunk, and as many as are written at once.
const STREAMED: i32 = 17 * 256;

/// Calls come in one after another on a connection: when these are answered, all have come.
async fn all_has_come(desk: &Desk) {
    for _ in 0..3 {
        assert_eq!(desk.batch("nobody").await.unwrap_err().code(), Code::NotFound);
    }
}

/// Makes many calls while the write of the first one is held. Returns how many writes there were.
async fn appends_of_many_calls(call: impl Fn(i32) -> Request<UserRequest>) -> usize {
    let desk = Desk::open().await;
    desk.store.hold_appends(true);
    let calls = join_all((0..CALLS).map(|place| desk.send(call(place))));
    let release = async {
        until("the first write is held", async || desk.store.appends() == 1).await;
        all_has_come(&desk).await;
        desk.store.hold_appends(false);
    };
    let (answers, ()) = tokio::join!(calls, release);
    for answer in answers {
        assert_eq!(answer.unwrap(), ok());
    }
    let mut queued = desk.queued().await;
    queued.sort_unstable();
    assert_eq!(queued, Vec::from_iter(0..CALLS));
    desk.store.appends()
}

#[tokio::test]
async fn calls_without_a_batch_share_writes() {
    let appends = appends_of_many_calls(unplaced).await;
    assert!(appends <= APPENDS_MAX, "{appends} appends");
}

#[tokio::test]
async fn calls_of_one_batch_share_writes() {
    let appends = appends_of_many_calls(|place| placed("b", place as u64, place)).await;
    // The first one finds out that the batch is new.
    assert!(appends <= APPENDS_MAX + 1, "{appends} appends");
}

#[tokio::test]
async fn calls_with_the_same_record_share_one_place() {
    let desk = Desk::open().await;
    desk.store.hold_appends(true);
    let calls = join_all((0..CALLS).map(|_| desk.send(placed("b", 0, 1))));
    let release = async {
        until("the first write is held", async || desk.store.appends() == 1).await;
        all_has_come(&desk).await;
        desk.store.hold_appends(false);
    };
    let (answers, ()) = tokio::join!(calls, release);
    assert!(answers.into_iter().all(|answer| answer.unwrap() == ok()));
    let appends = desk.store.appends();
    assert_eq!(desk.queued().await, [1]);
    assert!(appends <= APPENDS_MAX, "{appends} appends");
}

#[tokio::test]
async fn call_does_not_wait_for_a_write_to_another_batch() {
    let desk = Desk::open().await;
    desk.store.hold_appends_to(&"slow".parse().unwrap());
    let slow = desk.send(placed("slow", 0, 1));
    let others = async {
        until("the slow write is held", async || desk.store.appends() == 1).await;
        for place in 0..3 {
            assert_eq!(desk.send(placed("fast", place, 2)).await.unwrap(), ok());
            assert_eq!(desk.send(unplaced(3)).await.unwrap(), ok());
        }
        desk.store.hold_appends(false);
    };
    let (slow, ()) = tokio::join!(slow, others);
    assert_eq!(slow.unwrap(), ok());
}

#[tokio::test]
async fn chunks_of_a_stream_share_writes() {
    let desk = Desk::open().await;
    desk.store.hold_appends(true);
    let sent = Arc::new(AtomicI32::new(0));
    let sending = Arc::clone(&sent);
    let ids = (0..STREAMED).inspect(move |id| sending.store(*id, Ordering::SeqCst));
    let release = async {
        until("all is sent while the first write is held", async || {
            desk.store.appends() == 1 && sent.load(Ordering::SeqCst) == STREAMED - 1
        })
        .await;
        all_has_come(&desk).await;
        desk.store.hold_appends(false);
    };
    let (answer, ()) = tokio::join!(desk.send_stream("b", 0, ids), release);
    assert_eq!(answer.unwrap(), ok());
    assert!(desk.store.appends() <= APPENDS_MAX, "{} appends", desk.store.appends());
    assert_eq!(desk.queued().await, Vec::from_iter(0..STREAMED));
}
