//! A Redis Cluster: three masters, each with a replica which takes its place when it dies.

use std::fs;
use std::path::Path;
use std::time::Duration;

use redis::RedisResult;

use crate::redis_server::{Durability, RedisServer};
use crate::{redis_server, resp, wait};

const MASTERS: usize = 3;
const NODES: usize = 2 * MASTERS;
const SLOTS: usize = 16_384;
const HEALTHY: Duration = Duration::from_secs(60);

/// Six nodes on loopback ports.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<RedisServer>,
}

impl Cluster {
    /// Starts the nodes, with their files in `folder`, makes them a cluster, and waits until all
    /// of them say that it is one.
    ///
    /// # Panics
    ///
    /// When the program is missing or they do not find together.
    pub fn start(durability: Durability, program: &str, folder: &Path) -> Self {
        let nodes =
            (1..=NODES).map(|number| start_node(number, durability, program, folder)).collect();
        let cluster = Self { nodes };
        cluster.join().expect("fresh nodes can be joined");
        cluster.wait_until_healthy();
        cluster
    }

    /// `redis-cluster://HOST:PORT,…`
    pub fn url(&self) -> String {
        let hosts: Vec<String> =
            self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
        format!("redis-cluster://{}", hosts.join(","))
    }

    /// Kills the master that has this key (SIGKILL), after it was `alone`: see
    /// [`redis_server::kill_master`].
    ///
    /// # Panics
    ///
    /// When no node says who it is, or it does not run.
    pub fn kill_master_of(&mut self, key: &str, alone: Duration) {
        let master = self.master_of(key).expect("a node knows the master");
        redis_server::kill_master(&mut self.nodes, master, alone);
    }

    /// Waits until a replica has taken a killed master's place.
    ///
    /// # Panics
    ///
    /// When none has within a minute.
    pub fn wait_for_failover(&self) {
        wait::until(
            HEALTHY,
            || (self.live().all(is_ok) && self.live_masters() == MASTERS).then_some(()),
            || "no replica has taken the killed master's place".to_owned(),
        );
    }

    /// Whether none is killed.
    pub fn all_started(&self) -> bool {
        self.nodes.iter().all(RedisServer::is_started)
    }

    /// Starts what was killed. It becomes a replica.
    pub fn start_killed(&mut self) {
        for node in self.nodes.iter_mut().filter(|node| !node.is_started()) {
            node.start();
        }
    }

    /// Waits until every node serves, and every replica follows its master.
    ///
    /// # Panics
    ///
    /// When that is not so within a minute.
    pub fn wait_until_healthy(&self) {
        let linked = |node: &&RedisServer| {
            node.info("replication", "master_link_status").as_deref() == Some("up")
        };
        let healthy = || {
            self.nodes.iter().all(is_ok)
                && self.live_masters() == MASTERS
                && self.nodes.iter().filter(linked).count() == NODES - MASTERS
        };
        wait::until(
            HEALTHY,
            || healthy().then_some(()),
            || "the nodes have not found together".to_owned(),
        );
    }

    /// The port of the master that has this key, as a live node has it.
    pub fn master_of(&self, key: &str) -> Option<u16> {
        type Node = (String, u16, String);
        let any = self.live().next()?.port();
        let slot: u64 = resp::ask(any, &["CLUSTER", "KEYSLOT", key]).ok()?;
        // Each range: first slot, last slot, the master, the replica if there is one.
        let ranges: Vec<Vec<redis::Value>> = resp::ask(any, &["CLUSTER", "SLOTS"]).ok()?;
        ranges.into_iter().find_map(|range| {
            let mut range = range.into_iter();
            let first: u64 = redis::from_redis_value(range.next()?).ok()?;
            let last: u64 = redis::from_redis_value(range.next()?).ok()?;
            let node: Vec<redis::Value> = redis::from_redis_value(range.next()?).ok()?;
            let node = redis::Value::Array(node.into_iter().take(3).collect());
            let (_, port, _): Node = redis::from_redis_value(node).ok()?;
            (first..=last).contains(&slot).then_some(port)
        })
    }

    fn live(&self) -> impl Iterator<Item = &RedisServer> {
        self.nodes.iter().filter(|node| node.is_started())
    }

    fn live_masters(&self) -> usize {
        let is_master =
            |node: &&RedisServer| node.info("replication", "role").as_deref() == Some("master");
        self.live().filter(is_master).count()
    }

    /// Gives the slots to the masters, makes the nodes known to each other, and then each of the
    /// others the replica of a master.
    ///
    /// Each has an epoch of its own from the start. Those that had the same one would settle it
    /// between them, and a replica whose master is killed before it has heard the new one is never
    /// given a vote: its claim is older than its master's.
    fn join(&self) -> RedisResult<()> {
        for (epoch, node) in (1_u16..).zip(&self.nodes) {
            let () = resp::ask(node.port(), &["CLUSTER", "SET-CONFIG-EPOCH", &epoch.to_string()])?;
        }
        let (masters, replicas) = self.nodes.split_at(MASTERS);
        for (number, master) in masters.iter().enumerate() {
            let slots = SLOTS * number / MASTERS..SLOTS * (number + 1) / MASTERS;
            let slots: Vec<String> = slots.map(|slot| slot.to_string()).collect();
            let command =
                ["CLUSTER", "ADDSLOTS"].into_iter().chain(slots.iter().map(String::as_str));
            let () = resp::ask(master.port(), &command.collect::<Vec<_>>())?;
        }
        let first = masters[0].port();
        for node in &self.nodes[1..] {
            let port = node.port().to_string();
            let () = resp::ask(first, &["CLUSTER", "MEET", "127.0.0.1", &port])?;
        }
        for (master, replica) in masters.iter().zip(replicas) {
            let id: String = resp::ask(master.port(), &["CLUSTER", "MYID"])?;
            // A node refuses to follow a master that it has not heard of yet.
            wait::until(
                HEALTHY,
                || resp::ask::<()>(replica.port(), &["CLUSTER", "REPLICATE", &id]).ok(),
                || "a node has not heard of its master".to_owned(),
            );
        }
        Ok(())
    }
}

fn is_ok(node: &RedisServer) -> bool {
    let info = resp::ask::<String>(node.port(), &["CLUSTER", "INFO"]);
    info.is_ok_and(|info| {
        info.contains("cluster_state:ok")
            && info.contains(&format!("cluster_known_nodes:{NODES}"))
            && info.contains(&format!("cluster_slots_ok:{SLOTS}"))
    })
}

fn start_node(number: usize, durability: Durability, program: &str, folder: &Path) -> RedisServer {
    let own = folder.join(format!("node-{number}"));
    fs::create_dir_all(&own).expect("there is room for a folder");
    let mut node =
        RedisServer::prepare_in(durability, &own).with_program(program).with_arguments(&[
            "--cluster-enabled",
            "yes",
            "--cluster-node-timeout",
            "2000",
            "--repl-diskless-sync-delay",
            "0",
        ]);
    node.start();
    node
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::programs::store_program;

    /// What a node says of the masters, which are those with slots: where each is, and its epoch.
    fn epochs(node: &RedisServer) -> Vec<(String, String)> {
        let nodes: String = resp::ask(node.port(), &["CLUSTER", "NODES"]).unwrap();
        let fields = nodes.lines().map(|line| line.split(' ').collect::<Vec<_>>());
        let masters = fields.filter(|fields| fields.len() > 8);
        let mut epochs: Vec<_> =
            masters.map(|fields| (fields[1].to_owned(), fields[6].to_owned())).collect();
        epochs.sort();
        epochs
    }

    #[test]
    fn every_node_knows_each_master_s_epoch_once_they_are_healthy() {
        let folder = tempfile::tempdir().unwrap();
        let cluster = Cluster::start(Durability::Memory, &store_program(), folder.path());
        let known = epochs(&cluster.nodes[0]);
        let different: BTreeSet<_> = known.iter().map(|(_, epoch)| epoch).collect();
        assert_eq!(different.len(), MASTERS, "{known:?}");
        for node in &cluster.nodes {
            assert_eq!(epochs(node), known);
        }
    }

    #[test]
    fn a_replica_takes_a_killed_master_s_place_with_its_data() {
        let folder = tempfile::tempdir().unwrap();
        let mut cluster = Cluster::start(Durability::EverySecond, &store_program(), folder.path());
        let first = cluster.master_of("key").unwrap();
        let set: [&[&str]; 2] = [&["SET", "key", "value"], &["WAIT", "1", "1000"]];
        let ((), replicas): ((), u64) = resp::ask_all(first, &set).unwrap();
        assert_eq!(replicas, 1);

        cluster.kill_master_of("key", Duration::ZERO);
        cluster.wait_for_failover();
        let second = cluster.master_of("key").unwrap();
        assert_ne!(second, first);
        assert_eq!(resp::ask::<String>(second, &["GET", "key"]).unwrap(), "value");

        cluster.start_killed();
        cluster.wait_until_healthy();
        assert_eq!(cluster.master_of("key"), Some(second));
    }
}
