//! A Redis for a run, and what it counts.

use std::path::Path;

use anyhow::Context as _;
use muster_integration::redis_server::{Durability, RedisServer};
use redis::{Commands as _, Connection, RedisResult};

use crate::bare;

/// Where Muster's store keeps what it has counted (`src/queue/src/redis/keys.rs`).
const TOTALS: &str = "{muster}:totals";
/// And the processes that run workers.
const WORKERS: &str = "{muster}:workers";

/// A Redis, and a connection to it that stays: looking costs one round trip.
pub(crate) struct Store {
    server: RedisServer,
    connection: Connection,
}

/// What Muster has counted, in records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) accepted: u64,
    pub(crate) kept: u64,
    pub(crate) dead: u64,
}

impl Store {
    /// Starts a Redis in this folder.
    pub(crate) fn start(durability: Durability, folder: &Path) -> anyhow::Result<Self> {
        let mut server = RedisServer::prepare_in(durability, folder);
        server.start();
        let connection = redis::Client::open(server.url())?.get_connection()?;
        Ok(Self { server, connection })
    }

    /// Its process.
    pub(crate) fn id(&self) -> Option<u32> {
        self.server.process()
    }

    pub(crate) fn port(&self) -> u16 {
        self.server.port()
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// How many results the bare path, or a peer, has stored.
    pub(crate) fn results(&mut self) -> RedisResult<u64> {
        self.connection.llen(bare::RESULTS)
    }

    /// What Muster has counted.
    pub(crate) fn totals(&mut self) -> RedisResult<Totals> {
        let (accepted, kept, dead): (Option<u64>, Option<u64>, Option<u64>) =
            self.connection.hmget(TOTALS, &["accepted", "kept", "dead"])?;
        let [accepted, kept, dead] = [accepted, kept, dead].map(Option::unwrap_or_default);
        Ok(Totals { accepted, kept, dead })
    }

    /// How many of Muster's worker processes have reported themselves.
    pub(crate) fn workers(&mut self) -> RedisResult<u64> {
        self.connection.zcard(WORKERS)
    }

    /// A figure of `INFO`.
    pub(crate) fn info(&mut self, section: &str, field: &str) -> anyhow::Result<f64> {
        let info: String = redis::cmd("INFO").arg(section).query(&mut self.connection)?;
        let mut fields = info.lines().filter_map(|line| line.split_once(':'));
        let field = fields.find(|(name, _)| *name == field);
        let (_, value) =
            field.with_context(|| format!("Redis does not say {section} {field:?}"))?;
        Ok(value.trim().parse()?)
    }
}
