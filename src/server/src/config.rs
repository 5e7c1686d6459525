//! The server's settings.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::{NonZeroU8, NonZeroU64};
use std::path::PathBuf;
use std::time::Duration;

use muster_program::config::Settings;
use muster_queue::{Durability, Ending, Limits, StoreOptions, StoreUrl};
use serde::{Deserialize, Serialize};

/// The server's settings: what all programs share, and the section `[server]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The store.
    pub store: StoreUrl,
    /// What the store has done when it answers "ok".
    pub durability: Durability,
    /// How many replicas have a step that is replicated.
    pub replicas: NonZeroU8,
    /// The log's level or filter.
    pub log: String,
    /// Where traces go, by OTLP: `http://HOST:PORT`. Nowhere if it is not said, or empty.
    pub traces: Option<String>,
    /// How many of the traces that begin here are sent, from 0 to 1.
    pub traces_ratio: f64,
    /// Where gRPC is served.
    pub listen: SocketAddr,
    /// Where the dashboard, `/livez`, `/readyz` and `/metrics` are served.
    pub http: SocketAddr,
    /// Whether the dashboard only shows, and changes nothing.
    pub read_only: bool,
    /// The folder of the roll, to be looked at and downloaded. Without it the server does not see
    /// the roll.
    pub roll: Option<PathBuf>,
    /// How long a batch that was begun may lie open, with nothing coming, before it ends.
    #[serde(with = "humantime_serde")]
    pub deadline: Duration,
    /// What becomes of a stream's batch then: its records go into the roll (`seal`), or are
    /// discarded (`abort`). Records of unary calls, each of which was answered, are always kept.
    pub at_deadline: Ending,
    /// How many records may wait to be processed; above, senders are slowed down.
    pub records_max: Option<NonZeroU64>,
    /// How many bytes they may have, as they are stored: compressed.
    pub bytes_max: Option<NonZeroU64>,
    /// How long the end may take.
    #[serde(with = "humantime_serde")]
    pub grace: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            store: StoreUrl::default(),
            durability: Durability::default(),
            replicas: NonZeroU8::MIN,
            log: "info".to_owned(),
            traces: None,
            traces_ratio: 1.0,
            listen: (Ipv4Addr::LOCALHOST, 50051).into(),
            http: (Ipv4Addr::LOCALHOST, 9181).into(),
            read_only: false,
            roll: None,
            deadline: Duration::from_secs(60 * 60),
            at_deadline: Ending::Abort,
            records_max: None,
            bytes_max: NonZeroU64::new(1 << 30),
            grace: Duration::from_secs(10),
        }
    }
}

impl Config {
    /// How the store is used.
    pub fn store_options(&self) -> StoreOptions {
        let limits = Limits { records: self.records_max, bytes: self.bytes_max };
        StoreOptions { durability: self.durability, replicas: self.replicas, limits }
    }
}

/// A shorter deadline could end the batch of a sender that is only slow.
const DEADLINE_MIN: Duration = Duration::from_secs(1);

impl Settings for Config {
    const SECTION: &'static str = "server";
    const SECRETS: &'static [&'static str] = &["store"];

    fn validate(&self) -> Result<(), (&'static str, String)> {
        self.store.check(self.durability).map_err(|problem| ("durability", problem))?;
        if self.deadline < DEADLINE_MIN {
            return Err(("deadline", format!("must be at least {DEADLINE_MIN:?}")));
        }
        if self.listen == self.http && self.listen.port() != 0 {
            return Err(("http", format!("is {}, as `listen` is", self.http)));
        }
        Ok(())
    }

    fn log(&self) -> &str {
        &self.log
    }

    fn traces(&self) -> Option<&str> {
        self.traces.as_deref()
    }

    fn traces_ratio(&self) -> f64 {
        self.traces_ratio
    }

    fn grace(&self) -> Duration {
        self.grace
    }

    fn http(&self) -> Option<SocketAddr> {
        Some(self.http)
    }
}
