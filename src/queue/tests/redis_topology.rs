//! A store on more than one server: masters that change, sentinels, a cluster.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[path = "support/places.rs"]
mod places;
#[path = "support/redis_ask.rs"]
mod redis_ask;
#[path = "support/redis_server.rs"]
mod redis_server;

use std::fs::{self, File};
use std::num::NonZeroU8;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use muster_integration::ports::free_port;
use muster_integration::relay::Relay;
use muster_queue::redis::RedisQueue;
use muster_queue::{
    Appended, BatchId, BatchOptions, Durability, Error, KeyPrefix, Limits, NewChunk, Queue,
    StoreOptions, Work, WorkerId,
};
use redis_ask::{ask, ask_at, port, replicate, until};
use redis_server::{RedisServer, program};
use tempfile::TempDir;
use tokio::task::JoinSet;

const LONG_WAIT: Duration = Duration::from_secs(20);
const ACCEPTED: StoreOptions = StoreOptions {
    durability: Durability::Accepted,
    replicas: NonZeroU8::MIN,
    limits: Limits::NONE,
    key_prefix: KeyPrefix::DEFAULT,
    connect_timeout: StoreOptions::CONNECT_TIMEOUT,
};
const REPLICATED: StoreOptions = StoreOptions {
    durability: Durability::Replicated,
    replicas: NonZeroU8::MIN,
    limits: Limits::NONE,
    key_prefix: KeyPrefix::DEFAULT,
    connect_timeout: StoreOptions::CONNECT_TIMEOUT,
};

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

/// Leases a chunk that is appended while the lease waits.
async fn lease_while_appending(queue: &RedisQueue, first: u64) {
    let worker = WorkerId::random("w");
    while !queue.lease(&worker, 9, Duration::ZERO).await.unwrap().is_empty() {}
    let (work, appended) = tokio::join!(queue.lease(&worker, 1, LONG_WAIT), append(queue, first));
    assert_eq!(appended.unwrap(), Appended::Accepted);
    assert!(matches!(&work.unwrap()[..], [Work::Chunk(chunk)] if chunk.first == first));
}

#[tokio::test]
async fn a_master_that_becomes_a_replica_is_left() {
    let (server, other) = (RedisServer::start(), RedisServer::start());
    let queue = RedisQueue::connect(&server.url(), &ACCEPTED).await.unwrap();
    open(&queue).await.unwrap();
    lease_while_appending(&queue, 0).await;
    replicate(&server, &other).await;

    let error = open(&queue).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    assert!(error.to_string().contains("it has become a replica"), "{error}");
    // Now it is known before it is asked for anything.
    let error = queue.ping().await.unwrap_err();
    assert!(error.to_string().ends_with("it is a replica, and takes no writes"), "{error}");

    ask::<()>(&server, "REPLICAOF NO ONE").await;
    open(&queue).await.unwrap();
    // What it had not given to its new master is gone.
    lease_while_appending(&queue, 0).await;
}

#[tokio::test]
async fn a_lease_that_waits_at_a_master_that_becomes_a_replica_ends() {
    let (server, other) = (RedisServer::start(), RedisServer::start());
    let queue = RedisQueue::connect(&server.url(), &ACCEPTED).await.unwrap();
    let demote = async {
        until("the lease waits", || async {
            ask::<String>(&server, "INFO clients").await.contains("blocked_clients:1\r\n")
        })
        .await;
        replicate(&server, &other).await;
    };
    let worker = WorkerId::random("w");
    let lease = tokio::time::timeout(LONG_WAIT / 2, queue.lease(&worker, 1, LONG_WAIT));
    let (ended, ()) = tokio::join!(lease, demote);
    assert!(matches!(ended.unwrap(), Err(Error::Unavailable { .. })));
}

/// Connecting takes 1.8 s here. Somebody has the time for it, although callers wait who came at any time.
#[tokio::test]
async fn callers_that_keep_coming_do_not_keep_each_other_from_connecting() {
    let server = RedisServer::start();
    let relay = Relay::start(port(&server).parse().unwrap(), u64::MAX);
    relay.hold_answers();
    let options = StoreOptions { connect_timeout: Duration::from_secs(4), ..ACCEPTED };
    let url = format!("redis://127.0.0.1:{}", relay.port());
    let queue = Arc::new(RedisQueue::connect(&url, &options).await.unwrap());
    let called = Arc::clone(&queue);
    let mut callers = JoinSet::new();
    callers.spawn(async move {
        let mut calls = JoinSet::new();
        let mut often = tokio::time::interval(Duration::from_millis(100));
        for _ in 0..1000 {
            often.tick().await;
            let queue = Arc::clone(&called);
            calls.spawn(async move { queue.ping().await.is_ok() });
        }
    });
    queue.ping().await.unwrap_err();
    relay.set_delay(Duration::from_millis(300));
    relay.release_answers();
    until("somebody connects", || async { queue.ping().await.is_ok() }).await;
}

#[tokio::test]
async fn a_url_of_another_kind_of_server_is_refused() {
    let node = RedisServer::start_with(&["--cluster-enabled", "yes"]);
    let queue = RedisQueue::connect(&node.url(), &ACCEPTED).await.unwrap();
    let error = queue.ping().await.unwrap_err();
    assert!(matches!(error, Error::Misconfigured { .. }), "{error}");
    assert!(error.to_string().ends_with("name it as redis-cluster://HOST:PORT"), "{error}");

    let master = RedisServer::start();
    let sentinel = Sentinel::start(&master, 1).await;
    let url = format!("redis://127.0.0.1:{}", sentinel.port);
    let queue = RedisQueue::connect(&url, &ACCEPTED).await.unwrap();
    let error = queue.ping().await.unwrap_err();
    assert!(matches!(error, Error::Misconfigured { .. }), "{error}");
    assert!(error.to_string().contains("use redis-sentinel://HOST:PORT/MASTER"), "{error}");
}

/// A sentinel that knows one master, called `main`.
struct Sentinel {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Sentinel {
    async fn start(master: &RedisServer, quorum: u8) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let settings = folder.path().join("sentinel.conf");
        let master_port = redis_ask::port(master);
        let text = format!(
            "port {port}\nbind 127.0.0.1\ndir {}\n\
             sentinel monitor main 127.0.0.1 {master_port} {quorum}\n\
             sentinel down-after-milliseconds main 500\n\
             sentinel failover-timeout main 5000\n",
            folder.path().display(),
        );
        fs::write(&settings, text).unwrap();
        let child = Command::new(program())
            .arg(settings)
            .arg("--sentinel")
            .stdin(Stdio::null())
            .stdout(File::create(folder.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let sentinel = Self { child, port, _folder: folder };
        let url = sentinel.url();
        until("the sentinel answers", || async { ask_at::<String>(&url, "PING").await.is_ok() })
            .await;
        sentinel
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The old master answers, and has nobody beside it: as one that a network has cut off.
#[tokio::test]
async fn a_master_that_is_cut_off_from_its_replicas_is_left() {
    let (cut_off, master, replica) =
        (RedisServer::start(), RedisServer::start(), RedisServer::start());
    replicate(&replica, &master).await;
    let sentinel = Sentinel::start(&cut_off, 1).await;
    let url = format!("redis-sentinel://127.0.0.1:{}/main", sentinel.port);
    let queue = RedisQueue::connect(&url, &REPLICATED).await.unwrap();
    let error = open(&queue).await.unwrap_err();
    assert!(error.to_string().contains("on 0 of 1 replicas"), "{error}");

    let monitor = format!("SENTINEL MONITOR main 127.0.0.1 {} 1", port(&master));
    for command in ["SENTINEL REMOVE main", &monitor] {
        ask_at::<()>(&sentinel.url(), command).await.unwrap();
    }
    open(&queue).await.unwrap();
    assert!(ask::<bool>(&master, "EXISTS {muster}:batch:b").await);
}

#[tokio::test]
async fn a_master_that_is_away_is_not_taken_for_a_wrong_name() {
    let (mut master, other) = (RedisServer::start(), RedisServer::start());
    let sentinel = Sentinel::start(&master, 1).await;
    let url = format!("redis-sentinel://127.0.0.1:{}/main", sentinel.port);
    let queue = RedisQueue::connect(&url, &ACCEPTED).await.unwrap();
    let named = format!(
        "the sentinels know no master at the moment: 127.0.0.1:{}, which they name, ",
        port(&master)
    );
    replicate(&master, &other).await;
    let error = queue.ping().await.unwrap_err();
    assert!(error.to_string().ends_with(&format!("{named}is a replica")), "{error}");

    master.kill();
    let error = queue.ping().await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    assert!(error.to_string().contains(&format!("{named}cannot be reached: ")), "{error}");
}

#[tokio::test]
async fn sentinels_lead_to_the_master_that_is_one_now() {
    let (mut master, replica) = (RedisServer::start(), RedisServer::start());
    replicate(&replica, &master).await;
    let sentinels = [
        Sentinel::start(&master, 2).await,
        Sentinel::start(&master, 2).await,
        Sentinel::start(&master, 2).await,
    ];
    for sentinel in &sentinels {
        let url = sentinel.url();
        until("the sentinels know each other and the replica", || async {
            let master: Vec<String> = ask_at(&url, "SENTINEL MASTER main").await.unwrap();
            let is = |field: &str, value: &str| master.chunks(2).any(|pair| pair == [field, value]);
            is("num-other-sentinels", "2") && is("num-slaves", "1")
        })
        .await;
    }
    let [first, second, third] = sentinels.each_ref().map(|sentinel| sentinel.port);
    let hosts = format!("127.0.0.1:{first},127.0.0.1:{second},127.0.0.1:{third}");
    let queue =
        RedisQueue::connect(&format!("redis-sentinel://{hosts}/main"), &ACCEPTED).await.unwrap();
    let strict =
        RedisQueue::connect(&format!("redis-sentinel://{hosts}/main"), &REPLICATED).await.unwrap();
    open(&strict).await.unwrap();
    assert_eq!(append(&strict, 0).await.unwrap(), Appended::Accepted);
    // The other one is to stay as it is set.
    ask::<()>(&master, "DEL {muster}:durability").await;
    lease_while_appending(&queue, 1).await;

    let url = format!("redis-sentinel://{hosts}/other");
    let unknown = RedisQueue::connect(&url, &ACCEPTED).await.unwrap();
    let error = unknown.ping().await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    assert!(error.to_string().contains("knows no master `other`"), "{error}");

    master.kill();
    let error = append(&queue, 2).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    until("the replica is the master", || async { append(&queue, 1).await.is_ok() }).await;
    assert_eq!(ask::<u64>(&replica, "HGET {muster}:batch:b received").await, 2);
    lease_while_appending(&queue, 2).await;
    // It has no replica now; the first error is of the lost connection.
    append(&strict, 2).await.unwrap_err();
    let error = append(&strict, 2).await.unwrap_err();
    assert!(error.to_string().contains("on 0 of 1 replicas"), "{error}");
}

/// The options of a node of a cluster.
const NODE: [&str; 4] = ["--cluster-enabled", "yes", "--cluster-node-timeout", "1500"];

/// Three masters and a replica of each.
struct Cluster {
    masters: [RedisServer; 3],
    replicas: [RedisServer; 3],
}

impl Cluster {
    async fn start() -> Self {
        let node = |_| RedisServer::start_with(&NODE);
        let masters = std::array::from_fn(node);
        let replicas = std::array::from_fn(node);
        for (master, slots) in masters.iter().zip(["0 5460", "5461 10922", "10923 16383"]) {
            for slot in range(slots).collect::<Vec<_>>().chunks(1000) {
                let slots = slot.iter().map(u16::to_string).collect::<Vec<_>>().join(" ");
                ask::<()>(master, &format!("CLUSTER ADDSLOTS {slots}")).await;
            }
        }
        let all = || masters.iter().chain(&replicas);
        for node in all().skip(1) {
            ask::<()>(node, &format!("CLUSTER MEET 127.0.0.1 {}", port(&masters[0]))).await;
        }
        for node in all() {
            until("the nodes know each other", || async {
                ask::<String>(node, "CLUSTER INFO").await.contains("cluster_known_nodes:6")
            })
            .await;
        }
        for (master, replica) in masters.iter().zip(&replicas) {
            let name: String = ask(master, "CLUSTER MYID").await;
            until("a node becomes a replica", || async {
                ask_at::<()>(&replica.url(), &format!("CLUSTER REPLICATE {name}")).await.is_ok()
            })
            .await;
        }
        for replica in &replicas {
            until("a replica follows its master", || async {
                ask::<String>(replica, "INFO replication").await.contains("master_link_status:up")
            })
            .await;
        }
        for node in all() {
            until("the cluster is whole", || async {
                let nodes: String = ask(node, "CLUSTER NODES").await;
                let replicas = nodes.lines().filter(|line| line.contains("slave")).count();
                let info: String = ask(node, "CLUSTER INFO").await;
                info.contains("cluster_state:ok") && replicas == 3
            })
            .await;
        }
        Self { masters, replicas }
    }

    fn url(&self) -> String {
        let hosts = self.masters.each_ref().map(|node| format!("127.0.0.1:{}", port(node)));
        format!("redis-cluster://{}", hosts.join(","))
    }

    /// Which of the masters has the keys.
    async fn holder(&self) -> usize {
        let slot: u16 = ask(&self.masters[0], "CLUSTER KEYSLOT {muster:5}").await;
        usize::from(slot > 5460) + usize::from(slot > 10922)
    }
}

fn range(slots: &str) -> std::ops::RangeInclusive<u16> {
    let (first, last) = slots.split_once(' ').unwrap();
    first.parse().unwrap()..=last.parse().unwrap()
}

#[tokio::test]
async fn a_cluster_keeps_the_queue_when_a_master_is_lost() {
    let mut cluster = Cluster::start().await;
    let queue = RedisQueue::connect(&cluster.url(), &ACCEPTED).await.unwrap();
    let strict = RedisQueue::connect(&cluster.url(), &REPLICATED).await.unwrap();
    queue.ping().await.unwrap();
    open(&strict).await.unwrap();
    assert_eq!(append(&strict, 0).await.unwrap(), Appended::Accepted);
    // The other one is to stay as it is set.
    let key = "{muster:0}:durability";
    let mut keeper = usize::MAX;
    for (index, master) in cluster.masters.iter().enumerate() {
        let deleted = ask_at::<u64>(&master.url(), &format!("DEL {key}")).await;
        if deleted.is_ok() {
            keeper = index;
        }
    }
    assert!(keeper < 3, "one of the masters has the key");
    lease_while_appending(&queue, 1).await;

    let holder = cluster.holder().await;
    cluster.masters[holder].kill();
    until("the replica is the master", || async { append(&queue, 1).await.is_ok() }).await;
    let received = "HGET {muster:5}:batch:b received";
    assert_eq!(ask::<u64>(&cluster.replicas[holder], received).await, 2);
    lease_while_appending(&queue, 2).await;
    // The keys have no replica now.
    let error = append(&strict, 2).await.unwrap_err();
    assert!(error.to_string().contains("on 0 of 1 replicas"), "{error}");
}

#[tokio::test]
async fn a_cluster_whose_keys_move_is_followed() {
    let cluster = Cluster::start().await;
    let queue = RedisQueue::connect(&cluster.url(), &REPLICATED).await.unwrap();
    open(&queue).await.unwrap();
    append(&queue, 0).await.unwrap();
    let holder = cluster.holder().await;
    until("the replica takes over", || async {
        // Refused once it has.
        let _ = ask_at::<()>(&cluster.replicas[holder].url(), "CLUSTER FAILOVER").await;
        let role: String = ask(&cluster.replicas[holder], "INFO replication").await;
        role.contains("role:master")
    })
    .await;
    until("the old master follows", || async { append(&queue, 1).await.is_ok() }).await;
    lease_while_appending(&queue, 2).await;
}

/// Begins to move a slot: from then on neither node has to have all of its keys.
async fn begin_move(slot: u16, from: &RedisServer, to: &RedisServer) {
    let (from_id, to_id): (String, String) =
        (ask(from, "CLUSTER MYID").await, ask(to, "CLUSTER MYID").await);
    ask::<()>(to, &format!("CLUSTER SETSLOT {slot} IMPORTING {from_id}")).await;
    ask::<()>(from, &format!("CLUSTER SETSLOT {slot} MIGRATING {to_id}")).await;
}

/// Moves the keys of the slot, and the slot itself.
async fn end_move(slot: u16, from: &RedisServer, to: &RedisServer) {
    let keys: Vec<String> = ask(from, &format!("CLUSTER GETKEYSINSLOT {slot} 100")).await;
    let target = format!("127.0.0.1 {}  0 5000", port(to));
    ask::<()>(from, &format!("MIGRATE {target} KEYS {}", keys.join(" "))).await;
    let to_id: String = ask(to, "CLUSTER MYID").await;
    for node in [to, from] {
        ask::<()>(node, &format!("CLUSTER SETSLOT {slot} NODE {to_id}")).await;
    }
}

#[tokio::test]
async fn a_cluster_whose_keys_move_one_by_one_is_waited_for() {
    let cluster = Cluster::start().await;
    let strict = RedisQueue::connect(&cluster.url(), &REPLICATED).await.unwrap();
    let queue = RedisQueue::connect(&cluster.url(), &ACCEPTED).await.unwrap();
    open(&strict).await.unwrap();
    append(&strict, 0).await.unwrap();
    let holder = cluster.holder().await;
    let (from, to) = (&cluster.masters[holder], &cluster.masters[(holder + 1) % 3]);
    let slot: u16 = ask(from, "CLUSTER KEYSLOT {muster:5}").await;
    begin_move(slot, from, to).await;

    // Neither server has all keys: nothing may be said of what one of them lacks.
    for queue in [&queue, &strict] {
        let error = queue.batch(&id()).await.unwrap_err();
        assert!(matches!(error, Error::Unavailable { .. }), "{error}");
        assert!(open(queue).await.is_err());
        let lease = queue.lease(&WorkerId::random("w"), 1, Duration::ZERO).await;
        assert!(lease.is_err(), "{lease:?}");
    }
    assert_eq!(ask::<u64>(to, &format!("CLUSTER COUNTKEYSINSLOT {slot}")).await, 0);

    end_move(slot, from, to).await;
    until("the keys have moved", || async { append(&queue, 1).await.is_ok() }).await;
    lease_while_appending(&queue, 2).await;
}

/// `SCRIPT LOAD` reaches a node only once this process has heard of it. The new node has no such command,
/// so it is never reached by it.
#[tokio::test]
async fn a_slot_that_moves_to_a_node_that_has_just_joined_is_followed() {
    let cluster = Cluster::start().await;
    let queue = RedisQueue::connect(&cluster.url(), &ACCEPTED).await.unwrap();
    open(&queue).await.unwrap();
    append(&queue, 0).await.unwrap();
    let from = &cluster.masters[cluster.holder().await];
    let slot: u16 = ask(from, "CLUSTER KEYSLOT {muster:5}").await;

    let joined =
        RedisServer::start_with(&[&NODE[..], &["--rename-command", "SCRIPT", ""]].concat());
    ask::<()>(&joined, &format!("CLUSTER MEET 127.0.0.1 {}", port(from))).await;
    let (from_id, joined_id): (String, String) =
        (ask(from, "CLUSTER MYID").await, ask(&joined, "CLUSTER MYID").await);
    until("the node has joined", || async {
        ask::<String>(&joined, "CLUSTER INFO").await.contains("cluster_state:ok")
            && ask::<String>(&joined, "CLUSTER NODES").await.contains(&from_id)
            && ask::<String>(from, "CLUSTER NODES").await.contains(&joined_id)
    })
    .await;
    begin_move(slot, from, &joined).await;
    end_move(slot, from, &joined).await;
    until("the keys have moved", || async { append(&queue, 1).await.is_ok() }).await;
    lease_while_appending(&queue, 2).await;
}

#[tokio::test]
async fn a_lease_that_is_dropped_waits_no_more_in_a_cluster() {
    let cluster = Cluster::start().await;
    let queue = RedisQueue::connect(&cluster.url(), &ACCEPTED).await.unwrap();
    let holder = &cluster.masters[cluster.holder().await];
    let blocked = |clients: &'static str| {
        until("so many clients wait", move || async move {
            ask::<String>(holder, "INFO clients").await.contains(clients)
        })
    };
    let worker = WorkerId::random("w");
    tokio::select! {
        work = queue.lease(&worker, 1, LONG_WAIT) => panic!("{work:?}"),
        () = blocked("blocked_clients:1\r\n") => {}
    }
    blocked("blocked_clients:0\r\n").await;
}

#[tokio::test]
async fn a_cluster_with_one_master_that_may_evict_is_refused() {
    let cluster = Cluster::start().await;
    ask::<()>(&cluster.masters[2], "CONFIG SET maxmemory-policy volatile-lru").await;
    let queue = RedisQueue::connect(&cluster.url(), &ACCEPTED).await.unwrap();
    let error = queue.ping().await.unwrap_err();
    assert!(matches!(error, Error::Misconfigured { .. }), "{error}");
    assert!(error.to_string().contains("its eviction policy is volatile-lru"), "{error}");
}
