//! What is in the lists of batches, and what leaves them.

use muster_queue::{Batch, BatchId, BatchState, BatchTimes, Queue, WorkerId};

use super::given::{
    AS_SENT, all_dead, ask, chunk, id, lease_chunk, open, queue, replays, sealed_batch, shown,
};
use crate::redis_server::RedisServer;

/// How many batches are in a list: that of a state, or `going`.
async fn listed(server: &RedisServer, name: &str) -> u64 {
    ask(server, &format!("ZCARD {{muster}}:batches:{name}")).await
}

async fn all_listed(server: &RedisServer) -> u64 {
    ask(server, "ZCARD {muster}:batches").await
}

fn names(batches: &[Batch]) -> Vec<&str> {
    batches.iter().map(|batch| batch.id.as_str()).collect()
}

/// Lets all batches that have an end come to it.
async fn expire(server: &RedisServer) {
    let going: Vec<Vec<u8>> = ask(server, "ZRANGE {muster}:batches:going 0 -1").await;
    for member in going {
        let batch = String::from_utf8(member[8..].to_vec()).unwrap();
        ask::<()>(server, &format!("DEL {{muster}}:batch:{batch}")).await;
    }
    let count = listed(server, "going").await;
    let store = "ZUNIONSTORE {muster}:batches:going 1 {muster}:batches:going WEIGHTS 0";
    assert_eq!(ask::<u64>(server, store).await, count);
}

#[tokio::test]
async fn a_batch_that_has_gone_leaves_every_list() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    for name in 0..20 {
        let batch = open(&queue, &format!("b-{name}"), muster_queue::Priority::Low).await;
        if name % 2 == 0 {
            queue.abort(&batch).await.unwrap();
        } else {
            queue.seal(&batch, None, None).await.unwrap();
            queue.mark_written(&batch, "5ha").await.unwrap();
        }
    }
    assert_eq!((all_listed(&server).await, listed(&server, "going").await), (20, 20));
    open(&queue, "new-0", muster_queue::Priority::Low).await;
    assert_eq!(all_listed(&server).await, 21, "they have not gone yet");

    expire(&server).await;
    for name in 1..4 {
        open(&queue, &format!("new-{name}"), muster_queue::Priority::Low).await;
    }
    assert_eq!((all_listed(&server).await, listed(&server, "open").await), (4, 4));
    for list in ["written", "aborted", "going"] {
        assert_eq!(listed(&server, list).await, 0, "{list}");
    }
}

#[tokio::test]
async fn a_batch_with_dead_letters_is_listed_until_they_are_resolved() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let batch = sealed_batch(&queue, "b").await;
    let dead = lease_chunk(&queue, &worker).await;
    queue.commit(&dead, &all_dead(&dead, "no e-mail")).await.unwrap();
    queue.mark_written(&batch, "5ha").await.unwrap();
    assert_eq!(listed(&server, "going").await, 0);
    queue.drop_letters(&batch, &[0]).await.unwrap();
    assert_eq!(listed(&server, "going").await, 0);
    queue.replay(&batch, &replays([1])).await.unwrap();
    assert_eq!(listed(&server, "going").await, 1);
    assert_eq!(listed(&server, "written").await, 1);
}

#[tokio::test]
async fn a_list_leaves_out_what_has_gone_and_takes_it_off() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    for name in ["old-1", "old-2", "old-3"] {
        open(&queue, name, muster_queue::Priority::Low).await;
    }
    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    for name in 0..5 {
        let batch = open(&queue, &format!("gone-{name}"), muster_queue::Priority::Low).await;
        ask::<()>(&server, &format!("DEL {{muster}}:batch:{batch}")).await;
    }
    // The id of one that has gone is used again.
    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    let again = open(&queue, "gone-2", muster_queue::Priority::Low).await;
    assert_eq!(all_listed(&server).await, 9);

    let page = queue.batches(None, None, 3).await.unwrap();
    assert_eq!(names(&page)[0], again.as_str());
    assert_eq!(page.len(), 3);
    let rest = queue.batches(None, page[2].cursor().as_ref(), 3).await.unwrap();
    assert_eq!(rest.len(), 1);
    assert_eq!(all_listed(&server).await, 4);
    assert_eq!(queue.batches(Some(BatchState::Open), None, 9).await.unwrap().len(), 4);
    assert_eq!(listed(&server, "open").await, 4);
}

#[tokio::test]
async fn more_than_one_step_lists_is_listed() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    for name in 0..1005 {
        open(&queue, &format!("b-{name}"), muster_queue::Priority::Low).await;
    }
    let all = queue.batches(None, None, 2000).await.unwrap();
    assert_eq!(all.len(), 1005);
    assert!(all.is_sorted_by(|one, other| one.cursor() > other.cursor()));
    assert_eq!(queue.batches(None, None, 1003).await.unwrap(), all[..1003]);
}

/// A batch as an earlier version opened it: without times, or chunks.
async fn opened_before(server: &RedisServer, name: &str) -> BatchId {
    let fields = "state open priority normal policy partial received 0 kept 0 dead 0 dropped 0 \
                  replayed 0 retrying 0";
    ask::<()>(server, &format!("HSET {{muster}}:batch:{name} {fields}")).await;
    id(name)
}

#[tokio::test]
async fn what_an_earlier_version_opened_goes_its_way_and_is_not_listed() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let batch = opened_before(&server, "b").await;
    let open = shown(&queue, &batch).await;
    assert_eq!((open.chunks, open.times), (0, BatchTimes::default()));
    queue.append(&batch, &[chunk(0, 2)]).await.unwrap();
    let leased = lease_chunk(&queue, &worker).await;
    queue.commit(&leased, &AS_SENT).await.unwrap();
    let complete = queue.seal(&batch, Some(2), None).await.unwrap();
    assert_eq!((complete.state, complete.kept), (BatchState::Complete, 2));
    assert!(queue.mark_written(&batch, "5ha").await.unwrap());
    let written = shown(&queue, &batch).await;
    assert_eq!((written.times.opened, written.cursor()), (None, None));
    assert!(written.times.ended.is_some());

    queue.abort(&opened_before(&server, "other").await).await.unwrap();
    assert_eq!(queue.batches(None, None, 9).await.unwrap(), []);
    assert_eq!((all_listed(&server).await, listed(&server, "going").await), (0, 0));
}

#[tokio::test]
async fn what_an_earlier_version_brought_to_another_state_leaves_the_list() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let batch = open(&queue, "b", muster_queue::Priority::Low).await;
    ask::<()>(&server, "HSET {muster}:batch:b state sealed").await;
    assert_eq!(queue.batches(Some(BatchState::Open), None, 9).await.unwrap(), []);
    assert_eq!(names(&queue.batches(None, None, 9).await.unwrap()), [batch.as_str()]);
}
