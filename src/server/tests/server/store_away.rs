//! A store that is away: nobody is told "ok", and all goes on when it is back.

use futures::StreamExt as _;
use tonic::{Code, Status};

use crate::desk::{Desk, ok, placed, records, unplaced, until};

fn assert_unavailable(status: &Status) {
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    // Where the store is and what it said is for the log.
    assert_eq!(status.message(), "the store is unavailable; try again");
}

#[tokio::test]
async fn calls_are_unavailable_until_the_store_is_back() {
    let desk = Desk::open().await;
    assert_eq!(desk.send_stream("before", 0, [1]).await.unwrap(), ok());

    desk.store.set_away(true);
    assert_unavailable(&desk.send(unplaced(2)).await.unwrap_err());
    assert_unavailable(&desk.send(placed("single", 0, 3)).await.unwrap_err());
    assert_unavailable(&desk.send_stream("streamed", 0, [4]).await.unwrap_err());
    assert_unavailable(&desk.stream(records([5]), &[]).await.unwrap_err());
    assert_unavailable(&desk.batch("before").await.unwrap_err());

    desk.store.set_away(false);
    assert_eq!(desk.send(unplaced(2)).await.unwrap(), ok());
    assert_eq!(desk.send(placed("single", 0, 3)).await.unwrap(), ok());
    assert_eq!(desk.send_stream("streamed", 0, [4]).await.unwrap(), ok());
    assert_eq!(desk.batch("before").await.unwrap().received, 1);
    assert_eq!(desk.queued().await, [1, 2, 3, 4]);
}

#[tokio::test]
async fn a_stream_during_which_the_store_goes_away_is_unavailable_and_resumed() {
    let desk = Desk::open().await;
    let (more, waiting) = tokio::sync::oneshot::channel::<()>();
    let last = futures::stream::once(waiting).flat_map(|_| records([2]));
    let stream = desk.stream(records([1]).chain(last), &[("muster-batch", "b")]);
    let go_away = async {
        until("the first record is queued", async || {
            desk.batch("b").await.is_ok_and(|batch| batch.received == 1)
        })
        .await;
        desk.store.set_away(true);
        more.send(()).unwrap();
    };
    let (answer, ()) = tokio::join!(stream, go_away);
    assert_unavailable(&answer.unwrap_err());

    desk.store.set_away(false);
    assert_eq!(desk.send_stream("b", 0, [1, 2]).await.unwrap(), ok());
    assert_eq!(desk.queued().await, [1, 2]);
}

#[tokio::test]
async fn calls_that_wait_for_a_write_when_the_store_goes_away_are_unavailable() {
    let desk = Desk::open().await;
    assert_eq!(desk.send(unplaced(1)).await.unwrap(), ok());
    desk.store.hold_appends(true);
    let call = desk.send(unplaced(2));
    let go_away = async {
        until("the write is held", async || desk.store.appends() == 2).await;
        desk.store.set_away(true);
        desk.store.hold_appends(false);
    };
    let (answer, ()) = tokio::join!(call, go_away);
    assert_unavailable(&answer.unwrap_err());

    desk.store.set_away(false);
    assert_eq!(desk.send(unplaced(2)).await.unwrap(), ok());
    assert_eq!(desk.queued().await, [1, 2]);
}
