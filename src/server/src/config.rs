//! The server's settings.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use muster_program::config::Settings;
use muster_queue::StoreUrl;
use serde::{Deserialize, Serialize};

/// The server's settings: what all programs share, and the section `[server]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The store: `redis://…`, `rediss://…`, or `file:PATH`.
    pub store: StoreUrl,
    /// The log's level or filter.
    pub log: String,
    /// Where gRPC is served.
    pub listen: SocketAddr,
    /// Where `/livez` and `/readyz` are served.
    pub http: SocketAddr,
    /// How long the end may take.
    #[serde(with = "humantime_serde")]
    pub grace: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            store: StoreUrl::default(),
            log: "info".to_owned(),
            listen: (Ipv4Addr::LOCALHOST, 50051).into(),
            http: (Ipv4Addr::LOCALHOST, 9181).into(),
            grace: Duration::from_secs(10),
        }
    }
}

impl Settings for Config {
    const SECTION: &'static str = "server";

    fn validate(&self) -> Result<(), (&'static str, String)> {
        if self.listen == self.http && self.listen.port() != 0 {
            return Err(("http", format!("is {}, as `listen` is", self.http)));
        }
        Ok(())
    }

    fn log(&self) -> &str {
        &self.log
    }

    fn grace(&self) -> Duration {
        self.grace
    }
}
