//! Senders that go away in the middle of a stream.

use std::time::Duration;

use futures::StreamExt as _;
use muster_proto::metadata::BATCH;
use muster_proto::users::UserRequest;
use muster_proto::v1::BatchState;
use muster_queue::{BatchState as State, Ending, Queue as _};
use muster_server::config::Config;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::desk::{Desk, ok, record, until};

const DEADLINE: Duration = Duration::from_secs(1);
/// So many deadlines does a stream wait that is not abandoned.
const DEADLINES: u32 = 2;

fn config(at_deadline: Ending) -> Config {
    Config { deadline: DEADLINE, at_deadline, ..Config::default() }
}

/// Sends one record by a stream with these labels, and goes away when it is queued.
async fn send_and_go_away(desk: &Desk, labels: &[(&'static str, &str)]) {
    let endless = tokio_stream::iter([record(1)]).chain(futures::stream::pending());
    let queued =
        until("the record is queued", async || desk.store.depth().await.unwrap().records == 1);
    tokio::select! {
        answer = desk.stream(endless, labels) => panic!("{answer:?}"),
        () = queued => {}
    }
}

#[tokio::test]
async fn a_batch_that_its_sender_cannot_name_is_aborted_at_once() {
    let desk = Desk::open().await;
    send_and_go_away(&desk, &[]).await;
    let batch = desk.store.last_opened().unwrap();
    until("the batch is aborted", async || {
        desk.store.batch(&batch).await.unwrap().unwrap().state == State::Aborted
    })
    .await;
    assert!(batch.as_str().starts_with("stream-"), "{batch}");
}

#[tokio::test]
async fn a_batch_that_is_named_ends_at_its_deadline_and_not_before() {
    for (at_deadline, state) in [(Ending::Abort, State::Aborted), (Ending::Seal, State::Sealed)] {
        let desk = Desk::open_with(config(at_deadline)).await;
        send_and_go_away(&desk, &[(BATCH, "b")]).await;
        assert_eq!(desk.batch("b").await.unwrap().state(), BatchState::Open);
        let mut ended = Vec::new();
        until("the deadline has passed", async || {
            ended = desk.store.end_overdue(10).await.unwrap();
            !ended.is_empty()
        })
        .await;
        assert_eq!((ended[0].id.as_str(), ended[0].state, ended[0].overdue), ("b", state, true));
        assert!(desk.batch("b").await.unwrap().overdue);
    }
}

#[tokio::test]
async fn a_stream_that_is_only_slow_is_not_abandoned() {
    let desk = Desk::open_with(config(Ending::Abort)).await;
    let (sender, slow) = mpsc::channel::<UserRequest>(1);
    let trickle = async {
        sender.send(record(1)).await.unwrap();
        for _ in 0..DEADLINES * 10 {
            tokio::time::sleep(DEADLINE / 10).await;
            assert_eq!(desk.store.end_overdue(10).await.unwrap(), []);
        }
        sender.send(record(2)).await.unwrap();
        drop(sender);
    };
    let labels = [(BATCH, "b")];
    let (answer, ()) = tokio::join!(desk.stream(ReceiverStream::new(slow), &labels), trickle);
    assert_eq!(answer.unwrap().into_inner(), ok());
    assert_eq!(desk.queued().await, [1, 2]);
}
