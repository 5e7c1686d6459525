//! A server whose clock is set back.

use std::time::Duration;

use muster_queue::{BatchOptions, Deadline, Ending, Outcome, Policy, Queue, WorkerId};

use super::given::{
    LONG_WAIT, NO_WAIT, ask, id, kept, lease_chunk, queue, retry, sealed_batch, sealed_batch_of,
};
use crate::redis_server::RedisServer;

const AN_HOUR_MS: i64 = 60 * 60 * 1000;

/// The server's clock as the store last saw it.
async fn seen(server: &RedisServer) -> i64 {
    ask(server, "GET {muster}:clock").await
}

/// How long the first lease of the normal priority was not extended, in milliseconds.
async fn idle_ms(server: &RedisServer) -> i64 {
    let pending: Vec<(String, String, i64, i64)> =
        ask(server, "XPENDING {muster}:queue:normal workers - + 1").await;
    pending[0].2
}

/// What is stamped with a time moves by as much as the clock was set back. The server's clock stays
/// here: it is the store that saw another.
#[tokio::test]
async fn nothing_is_stuck_when_the_clock_is_set_back() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let then = Ending::Seal;
    let deadline = Some(Deadline { after: LONG_WAIT, then });
    let options = BatchOptions { deadline, ..BatchOptions::default() };
    queue.open(&id("open"), &options).await.unwrap();
    sealed_batch_of(&queue, "b", 1, Policy::Partial).await;
    let chunk = lease_chunk(&queue, &worker).await;
    let outcome = Outcome { retry: vec![retry(0, LONG_WAIT, false)], ..kept(Vec::new()) };
    queue.commit(&chunk, &outcome).await.unwrap();
    sealed_batch(&queue, "leased").await;
    lease_chunk(&queue, &worker).await;
    assert_eq!(queue.take_over(&worker, LONG_WAIT, 9).await.unwrap(), []);

    let before = seen(&server).await;
    for time in ["retry b/0", "deadline open"] {
        let (set, member) = time.split_once(' ').unwrap();
        ask::<f64>(&server, &format!("ZINCRBY {{muster}}:{set} {AN_HOUR_MS} {member}")).await;
    }
    ask::<()>(&server, &format!("SET {{muster}}:clock {}", before + AN_HOUR_MS)).await;
    let wait = Duration::from_millis(50);
    let grown = async {
        while idle_ms(&server).await < 50 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG_WAIT, grown).await.unwrap();

    // Its lease began anew.
    assert_eq!(queue.take_over(&worker, wait, 9).await.unwrap(), []);
    assert!(seen(&server).await < before + AN_HOUR_MS / 2);
    for time in ["retry b/0", "deadline open"] {
        let (set, member) = time.split_once(' ').unwrap();
        let at: f64 = ask(&server, &format!("ZSCORE {{muster}}:{set} {member}")).await;
        let from_now = at - before as f64;
        assert!((0.0..60_000.0).contains(&from_now), "{time}: in {from_now} ms");
    }
    // The second time nothing is begun anew: it is the clock as it is.
    tokio::time::timeout(LONG_WAIT, async {
        while queue.take_over(&worker, wait, 9).await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    assert_eq!(queue.take_over(&worker, NO_WAIT, 9).await.unwrap().len(), 1);
}
