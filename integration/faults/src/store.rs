//! The store, in its topologies.

use std::fs;
use std::path::Path;
use std::time::Duration;

use muster_integration::cluster::Cluster;
use muster_integration::redis_server::RedisServer;
use muster_integration::sentinel::Sentinel;

use crate::schedule::{Schedule, Topology};

/// The tag of all keys of the first batch, `send-1`: it says which master of a cluster has them.
const TAG: &str = "{muster:5}";

/// A store that runs, or has been killed.
#[derive(Debug)]
pub(crate) enum Store {
    One(RedisServer),
    Sentinel(Sentinel),
    Cluster(Cluster),
}

impl Store {
    /// Starts the store of a schedule, with its files in `folder`. One server gets this environment.
    pub(crate) fn start(
        schedule: &Schedule,
        program: &str,
        folder: &Path,
        environment: Vec<(String, String)>,
    ) -> Self {
        fs::create_dir(folder).expect("there is room for a folder");
        match schedule.topology {
            Topology::Standalone => {
                let server = RedisServer::prepare_in(schedule.durability, folder);
                let mut server = server.with_program(program).with_environment(environment);
                server.start();
                Self::One(server)
            }
            Topology::Sentinel => {
                Self::Sentinel(Sentinel::start(schedule.durability, program, folder))
            }
            Topology::Cluster => {
                Self::Cluster(Cluster::start(schedule.durability, program, folder))
            }
        }
    }

    /// The one server that relays can stand before; `None` if there are several.
    pub(crate) fn one(&mut self) -> Option<&mut RedisServer> {
        match self {
            Self::One(server) => Some(server),
            Self::Sentinel(_) | Self::Cluster(_) => None,
        }
    }

    /// What the programs are told of it, if they reach it without a relay.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::One(server) => server.url(),
            Self::Sentinel(sentinel) => sentinel.url(),
            Self::Cluster(cluster) => cluster.url(),
        }
    }

    /// Kills the one server. Does nothing if it is down already.
    pub(crate) fn kill(&mut self) {
        if let Self::One(server) = self
            && server.is_started()
        {
            server.kill();
        }
    }

    /// Kills the master that has the first batch, after it was `alone`. Does nothing if one is
    /// down already. The master is let have its replicas first: no store outlives the loss of both.
    pub(crate) fn kill_master(&mut self, alone: Duration) {
        match self {
            Self::Sentinel(sentinel) if sentinel.all_started() => {
                sentinel.wait_until_healthy();
                sentinel.kill_master(alone);
            }
            Self::Cluster(cluster) if cluster.all_started() => {
                cluster.wait_until_healthy();
                cluster.kill_master_of(TAG, alone);
            }
            Self::One(_) | Self::Sentinel(_) | Self::Cluster(_) => {}
        }
    }

    /// Starts again what was killed; a master not before another one has its place.
    pub(crate) fn start_killed(&mut self) {
        match self {
            Self::One(server) if !server.is_started() => server.start(),
            Self::One(_) => {}
            Self::Sentinel(sentinel) => {
                sentinel.wait_for_failover();
                sentinel.start_killed();
            }
            Self::Cluster(cluster) => {
                cluster.wait_for_failover();
                cluster.start_killed();
            }
        }
    }
}
