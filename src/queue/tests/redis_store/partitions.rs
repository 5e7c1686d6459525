//! The queue on a cluster: in several partitions, each in a slot of its own.

use std::time::{Duration, Instant};

use muster_queue::redis::RedisQueue;
use muster_queue::{
    Batch, BatchId, BatchOptions, BatchState, Chunk, Controls, Deadline, Depth, Ending, Error,
    LetterId, Policy, Priority, Queue, Work, WorkerId,
};

use super::given::{
    AS_SENT, LONG_WAIT, NO_WAIT, all_dead, ask, chunk, connect, id, kept, open, replays, retry,
    sealed_batch_of, shown, until_blocked,
};
use crate::redis_server::RedisServer;

/// So many batches are in every partition.
const BATCHES: u64 = 64;

/// Starts a server that is all of a cluster: it refuses a step that touches several slots.
async fn cluster() -> (RedisServer, RedisQueue) {
    let server = RedisServer::start_with(&["--cluster-enabled", "yes"]);
    let slots: Vec<String> = (0..16384).map(|slot| slot.to_string()).collect();
    ask::<()>(&server, &format!("CLUSTER ADDSLOTS {}", slots.join(" "))).await;
    let up = async {
        while !ask::<String>(&server, "CLUSTER INFO").await.contains("cluster_state:ok") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG_WAIT, up).await.unwrap();
    let queue = connect(&server.url().replace("redis:", "redis-cluster:")).await.unwrap();
    (server, queue)
}

fn chunks(work: Vec<Work>) -> Vec<Chunk> {
    let chunk = |work| match work {
        Work::Chunk(chunk) => Some(chunk),
        Work::Roll(_) => None,
    };
    work.into_iter().filter_map(chunk).collect()
}

/// Opens batches in every partition, with one chunk of one record each, and seals them.
async fn sealed_batches(queue: &RedisQueue, policy: Policy) -> Vec<BatchId> {
    let mut batches = Vec::new();
    for number in 0..BATCHES {
        batches.push(sealed_batch_of(queue, &format!("b-{number:02}"), 1, policy).await);
    }
    batches
}

#[tokio::test]
async fn batches_of_all_partitions_go_their_way() {
    let (server, queue) = cluster().await;
    let (lost, worker) = (WorkerId::random("lost"), WorkerId::random("w"));
    let batches = sealed_batches(&queue, Policy::Partial).await;
    let tags: Vec<String> = ask(&server, "KEYS {muster:?}:queue:normal").await;
    assert_eq!(tags.len(), 8, "{tags:?}");
    let depth = queue.depth().await.unwrap();
    assert_eq!(depth.records, BATCHES);

    assert_eq!(queue.lease(&lost, 50, NO_WAIT).await.unwrap().len(), 50);
    queue.forget(&lost).await.unwrap();
    assert_eq!(queue.lease(&lost, 50, NO_WAIT).await.unwrap().len(), 50);
    let mut held = chunks(queue.take_over(&worker, NO_WAIT, 30).await.unwrap());
    assert_eq!(held.len(), 30);
    assert!(held.iter().all(|chunk| chunk.lost == 1));
    let leases: Vec<_> = held.iter().map(|chunk| chunk.lease.clone()).collect();
    queue.extend(&leases).await.unwrap();
    queue.release(&leases[..10]).await.unwrap();
    held.drain(..10);
    held.extend(chunks(queue.lease(&worker, 99, NO_WAIT).await.unwrap()));
    held.extend(chunks(queue.take_over(&worker, LONG_WAIT, 99).await.unwrap()));
    queue.forget(&lost).await.unwrap();
    held.extend(chunks(queue.lease(&worker, 99, NO_WAIT).await.unwrap()));
    assert_eq!(held.len(), batches.len());
    for chunk in &held {
        queue.commit(chunk, &AS_SENT).await.unwrap();
    }

    let complete = queue.next_complete(batches.len()).await.unwrap();
    let mut written = Vec::new();
    for batch in complete {
        assert!(queue.mark_written(&batch.id, "5ha").await.unwrap());
        written.push(batch.id);
    }
    assert_eq!(queue.next_complete(1).await.unwrap(), []);
    written.sort();
    assert_eq!(written, batches);
    assert_eq!(queue.lease(&worker, 99, NO_WAIT).await.unwrap(), []);
    assert_eq!(queue.depth().await.unwrap(), Depth::default());
}

#[tokio::test]
async fn batches_of_all_partitions_are_in_one_list() {
    let (_server, queue) = cluster().await;
    let sealed = sealed_batches(&queue, Policy::Partial).await;
    open(&queue, "open", Priority::Low).await;
    let mut listed: Vec<Batch> = Vec::new();
    loop {
        let after = listed.last().and_then(Batch::cursor);
        let page = queue.batches(Some(BatchState::Sealed), after.as_ref(), 10).await.unwrap();
        if page.is_empty() {
            break;
        }
        listed.extend(page);
    }
    assert!(listed.is_sorted_by(|one, other| one.cursor() > other.cursor()));
    let mut names: Vec<BatchId> = listed.into_iter().map(|batch| batch.id).collect();
    names.sort();
    assert_eq!(names, sealed);
    assert_eq!(queue.batches(None, None, 99).await.unwrap().len(), sealed.len() + 1);
}

#[tokio::test]
async fn all_partitions_are_paused_and_counted() {
    let (server, queue) = cluster().await;
    let worker = WorkerId::random("w");
    sealed_batches(&queue, Policy::Partial).await;
    queue.lease(&worker, 5, NO_WAIT).await.unwrap();
    queue.pause(true).await.unwrap();
    queue.set_log_filter(Some("debug")).await.unwrap();
    let set: Vec<String> = ask(&server, "KEYS {muster:?}:controls").await;
    assert_eq!(set.len(), 8, "{set:?}");
    let stats = queue.stats().await.unwrap();
    assert_eq!((stats.leased, stats.totals.accepted), (5, BATCHES));
    let log_filter = Some("debug".to_owned());
    assert_eq!(stats.controls, Controls { paused: true, log_filter });
    assert_eq!(queue.lease(&worker, 99, NO_WAIT).await.unwrap(), []);
    assert_eq!(queue.take_over(&worker, NO_WAIT, 99).await.unwrap(), []);

    let resume = async {
        until_blocked(&server, 1).await;
        queue.pause(false).await.unwrap();
        Instant::now()
    };
    let (work, resumed) = tokio::join!(queue.lease(&worker, 99, LONG_WAIT), resume);
    assert_eq!(work.unwrap().len() as u64, BATCHES - 5);
    assert!(resumed.elapsed() < Duration::from_secs(3), "took {:?}", resumed.elapsed());
    assert!(queue.store_info().await.unwrap().used_bytes > 0);
}

#[tokio::test]
async fn work_of_a_partition_that_nobody_waits_at_is_found() {
    let (server, queue) = cluster().await;
    let worker = WorkerId::random("w");
    for number in 0..16 {
        let batch = open(&queue, &format!("b-{number}"), Priority::Low).await;
        let append = async {
            until_blocked(&server, 1).await;
            queue.append(&batch, &[chunk(0, 1)]).await.unwrap();
        };
        let asked = Instant::now();
        let (work, ()) = tokio::join!(queue.lease(&worker, 1, LONG_WAIT), append);
        assert_eq!(chunks(work.unwrap())[0].batch, batch);
        assert!(asked.elapsed() < Duration::from_secs(3), "took {:?}", asked.elapsed());
    }
}

#[tokio::test]
async fn retries_and_isolated_chunks_of_all_partitions_come() {
    let (_server, queue) = cluster().await;
    let worker = WorkerId::random("w");
    let batches = sealed_batches(&queue, Policy::Partial).await;
    let soon = Duration::from_millis(50);
    for (number, chunk) in
        chunks(queue.lease(&worker, 99, NO_WAIT).await.unwrap()).iter().enumerate()
    {
        let mut outcome = kept(Vec::new());
        outcome.retry = vec![retry(0, soon, number % 2 == 0)];
        queue.commit(chunk, &outcome).await.unwrap();
    }
    let mut done = 0;
    while let Some(chunk) = queue.lease_isolated(&worker, LONG_WAIT).await.unwrap() {
        queue.commit(&chunk, &AS_SENT).await.unwrap();
        done += 1;
    }
    assert_eq!(done, BATCHES / 2);
    while done < BATCHES {
        for chunk in chunks(queue.lease(&worker, 99, LONG_WAIT).await.unwrap()) {
            queue.commit(&chunk, &AS_SENT).await.unwrap();
            done += 1;
        }
    }
    for batch in batches {
        assert_eq!(shown(&queue, &batch).await.state, BatchState::Complete);
    }
}

#[tokio::test]
async fn dead_letters_of_all_partitions_are_listed_and_replayed() {
    let (_server, queue) = cluster().await;
    let worker = WorkerId::random("w");
    let batches = sealed_batches(&queue, Policy::Partial).await;
    for chunk in chunks(queue.lease(&worker, 99, NO_WAIT).await.unwrap()) {
        queue.commit(&chunk, &all_dead(&chunk, "no e-mail")).await.unwrap();
    }
    let groups = queue.dead_groups().await.unwrap();
    assert_eq!((groups.len(), groups[0].letters), (1, BATCHES));

    let all = queue.dead_in_group("no e-mail", None, 99).await.unwrap();
    let mut paged = Vec::new();
    loop {
        let after = paged
            .last()
            .map(|(batch, _): &(BatchId, _)| LetterId { batch: batch.clone(), place: 0 });
        let page = queue.dead_in_group("no e-mail", after.as_ref(), 5).await.unwrap();
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    assert_eq!(paged, all);
    let mut listed: Vec<_> = all.into_iter().map(|(batch, _)| batch).collect();
    listed.sort();
    assert_eq!(listed, batches);

    for batch in &batches {
        let replayed = queue.replay(batch, &replays([0])).await.unwrap();
        assert_eq!(replayed.letters, 1);
        let new = shown(&queue, &replayed.into).await;
        assert_eq!((new.state, new.received), (BatchState::Sealed, 1));
        assert_eq!(shown(&queue, batch).await.replayed, 1);
    }
    assert_eq!(queue.dead_groups().await.unwrap(), []);
    assert_eq!(queue.depth().await.unwrap().records, BATCHES);
}

#[tokio::test]
async fn deadlines_of_all_partitions_pass() {
    let (_server, queue) = cluster().await;
    let deadline = Some(Deadline { after: NO_WAIT, then: Ending::Abort });
    for number in 0..BATCHES {
        let options = BatchOptions { deadline, ..BatchOptions::default() };
        queue.open(&id(&format!("b-{number}")), &options).await.unwrap();
    }
    for expected in [40, 24, 0] {
        let ended = queue.end_overdue(40).await.unwrap();
        assert_eq!(ended.len(), expected);
        assert!(ended.iter().all(|batch| batch.state == BatchState::Aborted));
    }
}

/// Takes the first partition away.
async fn take_first_away(server: &RedisServer) {
    let slot: u16 = ask(server, "CLUSTER KEYSLOT {muster:0}").await;
    ask::<()>(server, "CONFIG SET cluster-require-full-coverage no").await;
    ask::<()>(server, &format!("CLUSTER DELSLOTS {slot}")).await;
}

/// Asserts that nobody holds anything in the partitions that are there.
async fn assert_nothing_is_held(server: &RedisServer) {
    for partition in 1..8 {
        let pending = format!("XPENDING {{muster:{partition}}}:queue:normal workers - + 1");
        let pending: Vec<redis::Value> = ask(server, &pending).await;
        assert!(pending.is_empty(), "partition {partition}");
    }
}

#[tokio::test]
async fn a_partition_that_is_away_keeps_no_other_from_taking_work_back() {
    let (server, queue) = cluster().await;
    let worker = WorkerId::random("w");
    sealed_batches(&queue, Policy::Partial).await;
    let held = queue.lease(&worker, usize::MAX, NO_WAIT).await.unwrap();
    let leases: Vec<_> = held.iter().map(|work| work.lease().clone()).collect();
    assert_eq!(leases.len() as u64, BATCHES);
    take_first_away(&server).await;

    queue.release(&leases).await.unwrap_err();
    assert_nothing_is_held(&server).await;
}

#[tokio::test]
async fn a_partition_that_is_away_keeps_no_other_from_forgetting_a_worker() {
    let (server, queue) = cluster().await;
    let worker = WorkerId::random("w");
    sealed_batches(&queue, Policy::Partial).await;
    queue.lease(&worker, usize::MAX, NO_WAIT).await.unwrap();
    take_first_away(&server).await;

    queue.forget(&worker).await.unwrap_err();
    assert_nothing_is_held(&server).await;
}

#[tokio::test]
async fn a_partition_that_is_away_keeps_no_batch_of_another_from_the_roll() {
    let (server, queue) = cluster().await;
    let worker = WorkerId::random("w");
    for number in 0..16 {
        sealed_batch_of(&queue, &format!("b-{number}"), 1, Policy::Partial).await;
    }
    let chunks = chunks(queue.lease(&worker, usize::MAX, NO_WAIT).await.unwrap());
    for chunk in &chunks {
        queue.commit(chunk, &AS_SENT).await.unwrap();
    }
    take_first_away(&server).await;

    let there = chunks.iter().filter(|chunk| !chunk.lease.entry().starts_with("0/")).count();
    assert!(0 < there && there < chunks.len(), "{there} of {}", chunks.len());
    let complete = queue.next_complete(chunks.len()).await.unwrap();
    assert_eq!(complete.len(), there, "of the partitions that are there");
    for batch in complete {
        assert!(queue.mark_written(&batch.id, "5ha").await.unwrap());
    }
    let error = queue.next_complete(1).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
}

#[tokio::test]
async fn a_partition_that_is_away_keeps_no_batch_of_another_from_its_end() {
    let (server, queue) = cluster().await;
    let deadline = Some(Deadline { after: NO_WAIT, then: Ending::Abort });
    for number in 0..BATCHES {
        let options = BatchOptions { deadline, ..BatchOptions::default() };
        queue.open(&id(&format!("b-{number}")), &options).await.unwrap();
    }
    take_first_away(&server).await;

    let ended = queue.end_overdue(usize::MAX).await.unwrap().len() as u64;
    assert!((BATCHES / 2..BATCHES).contains(&ended), "{ended} of {BATCHES}");
    let error = queue.end_overdue(usize::MAX).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
}
