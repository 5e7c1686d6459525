//! What operators set, and what processes report.

use std::collections::HashMap;
use std::time::{Duration, Instant, UNIX_EPOCH};

use muster_queue::{Priority, Queue, WorkerId, WorkerReport};

use super::given::{
    LONG_WAIT, NO_WAIT, ask, chunk, keys, lease_chunk, one_chunk, open, queue, until_blocked,
};
use crate::redis_server::RedisServer;

/// How long it may take until a worker notices that the queue goes on.
const NOTICE_MAX: Duration = Duration::from_secs(3);

fn report(id: &str) -> WorkerReport {
    WorkerReport {
        id: id.to_owned(),
        host: "host".to_owned(),
        pid: 1,
        version: "0.1.0".to_owned(),
        workers: 1,
        draining: false,
        since: UNIX_EPOCH,
        lease: Duration::from_secs(20),
        processed: 0,
        failed: 0,
        in_hand: Vec::new(),
        roll_problem: None,
    }
}

/// Whether the only chunk was delivered, and is in line anew.
async fn is_given_back(server: &RedisServer) -> bool {
    let groups: Vec<HashMap<String, redis::Value>> =
        ask(server, "XINFO GROUPS {muster}:queue:normal").await;
    let delivered = groups[0]["last-delivered-id"].clone();
    let delivered: String = redis::from_redis_value(delivered).unwrap();
    let entries: Vec<(String, Vec<String>)> = ask(server, "XRANGE {muster}:queue:normal - +").await;
    delivered != "0-0" && entries[0].0 != delivered
}

#[tokio::test]
async fn who_waits_when_it_is_paused_gives_back_what_comes() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let batch = open(&queue, "b", Priority::Normal).await;
    let worker = WorkerId::random("w");
    let operator = async {
        until_blocked(&server, 1).await;
        queue.pause(true).await.unwrap();
        queue.append(&batch, &[chunk(0, 1)]).await.unwrap();
        let given_back = async {
            while !is_given_back(&server).await {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LONG_WAIT, given_back).await.unwrap();
        assert_eq!(queue.stats().await.unwrap().leased, 0);
        until_blocked(&server, 1).await;
        queue.pause(false).await.unwrap();
        Instant::now()
    };
    let (work, resumed) = tokio::join!(queue.lease(&worker, 1, LONG_WAIT), operator);
    assert_eq!(one_chunk(work.unwrap()).lost, 0);
    assert!(resumed.elapsed() < NOTICE_MAX, "took {:?}", resumed.elapsed());
}

#[tokio::test]
async fn as_many_reports_are_kept_as_may_be() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    for number in 0..1003 {
        queue.heartbeat(&report(&format!("{number:04}"))).await.unwrap();
    }
    let workers = queue.workers().await.unwrap();
    assert_eq!(workers.len(), 1000);
    assert_eq!(keys(&server).await.len(), 1001, "a report each, and one list");
    // Those that were silent for longest are not among them, but for what one millisecond hides.
    assert!(workers.iter().any(|seen| seen.report.id == "1002"));
    let stays: i64 = ask(&server, "PTTL {muster}:worker:1002").await;
    assert!((1..=24 * 60 * 60 * 1000).contains(&stays), "{stays} ms");
}

#[tokio::test]
async fn who_is_silent_for_a_day_is_forgotten() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    for id in ["silent", "gone", "there"] {
        queue.heartbeat(&report(id)).await.unwrap();
    }
    ask::<()>(&server, "ZADD {muster}:workers 1 silent").await;
    ask::<()>(&server, "DEL {muster}:worker:gone").await;
    queue.heartbeat(&report("there")).await.unwrap();
    assert_eq!(ask::<u64>(&server, "ZCARD {muster}:workers").await, 2);
    let workers = queue.workers().await.unwrap();
    assert_eq!(workers.len(), 1);
    assert_eq!(workers[0].report, report("there"));
}

#[tokio::test]
async fn a_server_without_memory_is_paused_and_hears_of_workers() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let batch = open(&queue, "b", Priority::Normal).await;
    queue.append(&batch, &[chunk(0, 1)]).await.unwrap();
    ask::<()>(&server, "CONFIG SET maxmemory 1").await;
    queue.pause(true).await.unwrap();
    assert!(queue.heartbeat(&report("a")).await.unwrap().paused);
    assert_eq!(queue.workers().await.unwrap().len(), 1);
    assert_eq!(queue.lease(&worker, 1, NO_WAIT).await.unwrap(), []);
    assert_eq!(queue.store_info().await.unwrap().limit_bytes, 1);
    queue.pause(false).await.unwrap();
    lease_chunk(&queue, &worker).await;
    queue.retire("a").await.unwrap();
    assert_eq!(queue.workers().await.unwrap(), []);
}
