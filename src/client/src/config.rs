//! The client's settings.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use muster_program::config::Settings;
use serde::{Deserialize, Serialize};

/// The client's settings: the section `[client]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The store of the servers and workers. The client has no use for it, and for the two below;
    /// the file and the environment may be shared with them.
    #[serde(skip_serializing)]
    pub store: Option<String>,
    /// As `store`.
    #[serde(skip_serializing)]
    pub durability: Option<String>,
    /// As `store`.
    #[serde(skip_serializing)]
    pub replicas: Option<u8>,
    /// The log's level or filter.
    pub log: String,
    /// Where traces go, by OTLP: `http://HOST:PORT`. Nowhere if it is not said, or empty.
    pub traces: Option<String>,
    /// How many of the traces that begin here are sent, from 0 to 1.
    pub traces_ratio: f64,
    /// The server: `http://HOST:PORT`.
    pub server: String,
    /// How records are sent.
    pub mode: Mode,
    /// How many unary calls are under way at once.
    pub in_flight: NonZeroUsize,
    /// How long to try again while nothing gets through.
    #[serde(with = "humantime_serde")]
    pub retry_for: Duration,
    /// Where `/livez`, `/readyz` and `/metrics` are served while records are sent, if anywhere.
    pub http: Option<SocketAddr>,
}

/// How records are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// All of them by one client stream.
    #[default]
    Stream,
    /// A call for each.
    Unary,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            store: None,
            durability: None,
            replicas: None,
            log: "warn".to_owned(),
            traces: None,
            traces_ratio: 1.0,
            server: "http://127.0.0.1:50051".to_owned(),
            mode: Mode::default(),
            in_flight: NonZeroUsize::MIN.saturating_add(31),
            retry_for: Duration::from_secs(60),
            http: None,
        }
    }
}

impl Settings for Config {
    const SECTION: &'static str = "client";

    fn validate(&self) -> Result<(), (&'static str, String)> {
        match self.server.parse::<tonic::transport::Uri>() {
            Ok(uri) if uri.scheme_str() == Some("http") && uri.authority().is_some() => Ok(()),
            _ => Err(("server", format!("`{}` is not of the form http://HOST:PORT", self.server))),
        }
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
        Duration::ZERO
    }

    fn http(&self) -> Option<SocketAddr> {
        self.http
    }
}
