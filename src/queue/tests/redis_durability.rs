//! How durable "ok" is on Redis, and which servers are refused.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[path = "support/places.rs"]
mod places;
#[path = "support/redis_ask.rs"]
mod redis_ask;
#[path = "support/redis_server.rs"]
mod redis_server;
mod redis_durability {
    mod power_cut;
}

use std::collections::BTreeSet;
use std::num::NonZeroU8;
use std::time::{Duration, Instant};

use muster_queue::redis::RedisQueue;
use muster_queue::{
    Appended, BatchId, BatchOptions, Durability, Error, KeyPrefix, Limits, NewChunk, Queue, Stats,
    StoreOptions,
};
use redis_ask::{ask, replicate, until};
use redis_server::RedisServer;

const ALWAYS: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];
const EVERY_SECOND: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "everysec"];

const SYNCED: StoreOptions = options(Durability::Synced, NonZeroU8::MIN);

const fn options(durability: Durability, replicas: NonZeroU8) -> StoreOptions {
    StoreOptions {
        durability,
        replicas,
        limits: Limits::NONE,
        key_prefix: KeyPrefix::DEFAULT,
        connect_timeout: StoreOptions::CONNECT_TIMEOUT,
    }
}

fn replicated(replicas: u8) -> StoreOptions {
    let replicas = NonZeroU8::new(replicas).unwrap();
    options(Durability::Replicated, replicas)
}

async fn queue(server: &RedisServer, options: &StoreOptions) -> RedisQueue {
    RedisQueue::connect(&server.url(), options).await.unwrap()
}

fn id() -> BatchId {
    "b".parse().unwrap()
}

async fn open(queue: &RedisQueue) -> Result<(), Error> {
    queue.open(&id(), &BatchOptions::default()).await.map(|_| ())
}

async fn append(queue: &RedisQueue, first: u64) -> Result<Appended, Error> {
    let payload = format!("the records from {first} on").into();
    queue
        .append(
            &id(),
            &[NewChunk { places: places::from(first, 1), count: 1, payload, trace: None }],
        )
        .await
}

async fn received(queue: &RedisQueue) -> u64 {
    queue.batch(&id()).await.unwrap().unwrap().received
}

/// Why the store is not used, in a message for a person.
async fn misconfigured(queue: &RedisQueue) -> String {
    let error = queue.ping().await.unwrap_err();
    assert!(matches!(error, Error::Misconfigured { .. }), "{error}");
    error.to_string()
}

/// Whether the server has the command.
async fn has_waitaof(server: &RedisServer) -> bool {
    !ask::<Vec<redis::Value>>(server, "COMMAND INFO waitaof").await.contains(&redis::Value::Nil)
}

/// Whether its WAITAOF answers after the sync, whatever `appendfsync` is.
async fn waits_for_the_disk(server: &RedisServer) -> bool {
    let info: String = ask(server, "INFO server").await;
    let version = info.lines().find_map(|line| line.strip_prefix("redis_version:")).unwrap();
    version.split('.').next().unwrap().parse::<u32>().unwrap() >= 8
}

/// How often the server has been asked to do this.
async fn calls(server: &RedisServer, command: &str) -> usize {
    let stats: String = ask(server, "INFO commandstats").await;
    let line = stats.lines().find_map(|line| {
        line.strip_prefix(&format!("cmdstat_{command}:calls="))?.split(',').next()
    });
    line.map_or(0, |calls| calls.parse().unwrap())
}

#[tokio::test]
async fn accepted_waits_for_nothing() {
    let server = RedisServer::start();
    let queue = queue(&server, &StoreOptions::default()).await;
    open(&queue).await.unwrap();
    assert_eq!(append(&queue, 0).await.unwrap(), Appended::Accepted);
    assert_eq!((calls(&server, "wait").await, calls(&server, "waitaof").await), (0, 0));
}

#[tokio::test]
async fn replicated_is_on_the_replicas() {
    let (master, replica) = (RedisServer::start(), RedisServer::start());
    replicate(&replica, &master).await;
    let queue = queue(&master, &replicated(1)).await;
    open(&queue).await.unwrap();
    for first in 0..20 {
        assert_eq!(append(&queue, first).await.unwrap(), Appended::Accepted);
        let there: u64 = ask(&replica, "HGET {muster}:batch:b received").await;
        assert!(there > first, "{there} records at the replica after {first}");
    }
}

#[tokio::test]
async fn without_enough_replicas_nothing_is_ok_and_with_them_it_is_again() {
    let (master, mut first, second) =
        (RedisServer::start(), RedisServer::start(), RedisServer::start());
    replicate(&first, &master).await;
    replicate(&second, &master).await;
    let queue = queue(&master, &replicated(2)).await;
    open(&queue).await.unwrap();
    first.kill();

    let asked = Instant::now();
    let error = append(&queue, 0).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    assert!(error.to_string().ends_with("accepted, but on 1 of 2 replicas within 2 s"), "{error}");
    assert!(asked.elapsed() < Duration::from_secs(6), "took {:?}", asked.elapsed());
    // It was taken. Whoever asks is not told so before it is settled.
    queue.batch(&id()).await.unwrap_err();
    append(&queue, 0).await.unwrap_err();

    first.start_again();
    replicate(&first, &master).await;
    assert_eq!(append(&queue, 0).await.unwrap(), Appended::Behind { received: 1 });
    let there: u64 = ask(&first, "HGET {muster}:batch:b received").await;
    assert_eq!((there, received(&queue).await), (1, 1));
}

#[tokio::test]
async fn a_server_without_its_replicas_is_not_ready_and_can_be_read() {
    let (master, mut replica) = (RedisServer::start(), RedisServer::start());
    replicate(&replica, &master).await;
    let queue = queue(&master, &replicated(1)).await;
    open(&queue).await.unwrap();
    until("the replica follows", || async { queue.ping().await.is_ok() }).await;
    replica.kill();
    until("the missing replica is noticed", || async { queue.ping().await.is_err() }).await;
    let error = queue.ping().await.unwrap_err().to_string();
    assert!(
        error.ends_with("and 0 of 1 replicas follow it: nothing is accepted until all do"),
        "{error}"
    );
    // What is waiting can be looked at nevertheless.
    assert_eq!(queue.stats().await.unwrap(), Stats::default());
    let replica = RedisServer::start();
    replicate(&replica, &master).await;
    until("the store is used again", || async { queue.ping().await.is_ok() }).await;
}

#[tokio::test]
async fn a_step_that_only_sees_is_settled_too() {
    let (master, replica) = (RedisServer::start(), RedisServer::start());
    let accepted = queue(&master, &StoreOptions::default()).await;
    open(&accepted).await.unwrap();
    append(&accepted, 0).await.unwrap();
    let replicated = queue(&master, &replicated(1)).await;
    append(&replicated, 0).await.unwrap_err();
    replicate(&replica, &master).await;
    assert_eq!(append(&replicated, 0).await.unwrap(), Appended::Behind { received: 1 });
}

#[tokio::test]
async fn nothing_that_was_ok_is_lost_when_the_master_is() {
    let (mut master, replica) = (RedisServer::start(), RedisServer::start());
    replicate(&replica, &master).await;
    let queue = queue(&master, &replicated(1)).await;
    open(&queue).await.unwrap();
    let appending = async {
        let mut accepted = 0;
        while append(&queue, accepted).await.is_ok() {
            accepted += 1;
        }
        accepted
    };
    let killing = async {
        until("something was appended", || async {
            let there: Option<u64> = ask(&replica, "HGET {muster}:batch:b received").await;
            there.is_some_and(|there| there > 50)
        })
        .await;
        master.kill();
    };
    let (accepted, ()) = tokio::join!(appending, killing);
    ask::<()>(&replica, "REPLICAOF NO ONE").await;
    let there: u64 = ask(&replica, "HGET {muster}:batch:b received").await;
    assert!(there >= accepted, "{accepted} were accepted, {there} are there");
}

#[tokio::test]
async fn synced_outlives_a_server_that_syncs_first() {
    let mut server = RedisServer::start_with(&ALWAYS);
    let queue = queue(&server, &SYNCED).await;
    open(&queue).await.unwrap();
    append(&queue, 0).await.unwrap();
    assert_eq!(calls(&server, "waitaof").await >= 2, has_waitaof(&server).await);
    server.kill();
    server.start_again();
    // The first step notices that the connection is lost.
    let _ = queue.ping().await;
    assert_eq!(received(&queue).await, 1);
}

#[tokio::test]
async fn synced_waits_for_the_disk_or_is_refused_where_the_server_syncs_later() {
    let server = RedisServer::start_with(&EVERY_SECOND);
    let queue = queue(&server, &SYNCED).await;
    if waits_for_the_disk(&server).await {
        open(&queue).await.unwrap();
        append(&queue, 0).await.unwrap();
        assert!(calls(&server, "waitaof").await >= 2);
        assert_eq!(received(&queue).await, 1);
    } else {
        let message = misconfigured(&queue).await;
        assert!(message.contains("set appendfsync to always"), "{message}");
    }
}

/// Settings that change while the store is used are noticed by the probe of readiness.
#[tokio::test]
async fn synced_is_refused_soon_after_the_settings_have_changed() {
    for (change, back) in [
        ("CONFIG SET appendonly no", "CONFIG SET appendonly yes"),
        ("CONFIG SET appendfsync no", "CONFIG SET appendfsync always"),
        ("CONFIG SET no-appendfsync-on-rewrite yes", "CONFIG SET no-appendfsync-on-rewrite no"),
    ] {
        let server = RedisServer::start_with(&ALWAYS);
        if waits_for_the_disk(&server).await && change.contains("on-rewrite") {
            continue;
        }
        let queue = queue(&server, &SYNCED).await;
        open(&queue).await.unwrap();
        ask::<()>(&server, change).await;
        until("the change is noticed", || async {
            matches!(queue.ping().await, Err(Error::Misconfigured { .. }))
        })
        .await;
        assert!(matches!(append(&queue, 0).await, Err(Error::Misconfigured { .. })), "{change}");
        ask::<()>(&server, back).await;
        until("the store is used again", || async { queue.ping().await.is_ok() }).await;
        assert_eq!(append(&queue, 0).await.unwrap(), Appended::Accepted);
    }
}

#[tokio::test]
async fn synced_without_a_disk_is_refused() {
    let server = RedisServer::start();
    let message = misconfigured(&queue(&server, &SYNCED).await).await;
    assert!(message.contains("set appendonly to yes and appendfsync to always"), "{message}");
    // The twin: less is asked for.
    queue(&server, &StoreOptions::default()).await.ping().await.unwrap();
}

#[tokio::test]
async fn a_server_that_keeps_its_configuration_to_itself_is_asked_to_sync() {
    let server = RedisServer::start_with(&ALWAYS);
    ask::<()>(&server, "ACL SETUSER limited on >pw ~* +@all -config").await;
    let url = server.url().replace("//", "//limited:pw@");
    let queue = RedisQueue::connect(&url, &SYNCED).await.unwrap();
    if waits_for_the_disk(&server).await {
        open(&queue).await.unwrap();
        assert!(calls(&server, "waitaof").await > 0);
    } else {
        let message = misconfigured(&queue).await;
        assert!(message.contains("let the user run CONFIG GET"), "{message}");
    }
}

#[tokio::test]
async fn a_server_that_may_evict_is_refused_until_it_may_not() {
    let server = RedisServer::start_with(&["--maxmemory-policy", "allkeys-lru"]);
    let queue = queue(&server, &StoreOptions::default()).await;
    let message = misconfigured(&queue).await;
    assert_eq!(
        message,
        format!(
            "the store at {} is misconfigured: its eviction policy is allkeys-lru, which may drop \
             the queue when memory is full: set maxmemory-policy to noeviction",
            server.url()
        )
    );
    assert!(matches!(open(&queue).await, Err(Error::Misconfigured { .. })));
    ask::<()>(&server, "CONFIG SET maxmemory-policy noeviction").await;
    open(&queue).await.unwrap();
}

#[tokio::test]
async fn a_server_that_still_reads_its_log_is_waited_for() {
    // Half a millisecond for each write: it answers now and then, and says that it has no log.
    let slowly = [&ALWAYS[..], &["--key-load-delay", "500"]].concat();
    let mut server = RedisServer::start_with(&slowly);
    ask::<()>(&server, "EVAL for\ti=1,5000\tdo\tredis.call('SET',i,i)\tend 0").await;
    server.kill();
    server.begin_again();
    let queue = queue(&server, &SYNCED).await;
    let (began, mut reasons) = (Instant::now(), BTreeSet::new());
    while let Err(error) = queue.ping().await {
        assert!(matches!(error, Error::Unavailable { .. }), "{error}");
        reasons.insert(error.to_string());
        assert!(began.elapsed() < Duration::from_secs(30), "{reasons:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(reasons.iter().any(|reason| reason.contains("still reading its data")), "{reasons:?}");
}

#[tokio::test]
async fn a_server_with_memory_again_takes_records_again() {
    let (master, replica) = (RedisServer::start(), RedisServer::start());
    replicate(&replica, &master).await;
    for options in [StoreOptions::default(), replicated(1)] {
        let queue = queue(&master, &options).await;
        open(&queue).await.unwrap();
        let next = received(&queue).await;
        ask::<()>(&master, "CONFIG SET maxmemory 1").await;
        let error = append(&queue, next).await.unwrap_err();
        assert!(matches!(error, Error::OutOfMemory { .. }), "{error}");
        let reason = "is full (OOM): free some, or raise its maxmemory";
        assert!(error.to_string().ends_with(reason), "{error}");
        // What takes no memory goes on, and is settled.
        assert_eq!(received(&queue).await, next);
        ask::<()>(&master, "CONFIG SET maxmemory 0").await;
        assert_eq!(append(&queue, next).await.unwrap(), Appended::Accepted);
    }
}
