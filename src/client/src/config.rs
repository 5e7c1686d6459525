//! The client's settings.

mod token;

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use muster_program::config::Settings;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use tonic::transport::Uri;

pub use token::{BadToken, Token};

/// The client's settings: the section `[client]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The store of the servers and workers. The client has no use for it, nor for the other settings
    /// of the store below; the file and the environment may be shared with them.
    #[serde(skip_serializing)]
    pub store: Option<String>,
    /// As `store`.
    #[serde(skip_serializing)]
    pub store_connect_timeout: Option<IgnoredAny>,
    /// As `store`.
    #[serde(skip_serializing)]
    pub sentinel_user: Option<IgnoredAny>,
    /// As `store`.
    #[serde(skip_serializing)]
    pub sentinel_password: Option<IgnoredAny>,
    /// As `store`.
    #[serde(skip_serializing)]
    pub durability: Option<String>,
    /// As `store`.
    #[serde(skip_serializing)]
    pub replicas: Option<u8>,
    /// As `store`.
    #[serde(skip_serializing)]
    pub key_prefix: Option<String>,
    /// The log's level or filter.
    pub log: String,
    /// Where traces go, by OTLP: `http(s)://HOST:PORT`. Nowhere if it is not said, or empty.
    pub traces: Option<String>,
    /// How many of the traces that begin here are sent, from 0 to 1.
    pub traces_ratio: f64,
    /// The server: `http://HOST:PORT`, or `https://HOST:PORT`.
    pub server: String,
    /// A file with the authorities to trust, as PEM, in place of the system's.
    pub tls_ca: Option<PathBuf>,
    /// A file with the client's own certificate, as PEM, for a server that asks for one.
    pub tls_cert: Option<PathBuf>,
    /// A file with the key of `tls_cert`, as PEM.
    pub tls_key: Option<PathBuf>,
    /// The token that says who asks.
    #[serde(skip_serializing)]
    pub token: Option<Token>,
    /// Whether the token may travel unencrypted to another machine.
    pub plain_text: bool,
    /// How records are sent.
    pub mode: Mode,
    /// How many unary calls are under way at once.
    pub in_flight: NonZeroUsize,
    /// How long to try again while nothing gets through. Neither a full queue nor an input that brings no
    /// records ends it.
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
            store_connect_timeout: None,
            sentinel_user: None,
            sentinel_password: None,
            durability: None,
            replicas: None,
            key_prefix: None,
            log: "warn".to_owned(),
            traces: None,
            traces_ratio: 1.0,
            server: "http://127.0.0.1:50051".to_owned(),
            tls_ca: None,
            tls_cert: None,
            tls_key: None,
            token: None,
            plain_text: false,
            mode: Mode::default(),
            in_flight: NonZeroUsize::MIN.saturating_add(31),
            retry_for: Duration::from_secs(60),
            http: None,
        }
    }
}

impl Settings for Config {
    const SECTION: &'static str = "client";
    const SECRETS: &'static [&'static str] = &["token"];

    fn validate(&self) -> Result<(), (&'static str, String)> {
        let form = "is not of the form http://HOST:PORT or https://HOST:PORT";
        let bad_server = || ("server", format!("`{}` {form}", self.server));
        let uri: Uri = self.server.parse().map_err(|_| bad_server())?;
        let host = uri.host().ok_or_else(bad_server)?;
        match uri.scheme_str() {
            Some("https") => self.check_pair(),
            Some("http") => {
                self.check_no_tls()?;
                self.check_token(host)
            }
            _ => Err(bad_server()),
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

impl Config {
    /// A certificate and its key go together.
    fn check_pair(&self) -> Result<(), (&'static str, String)> {
        let alone =
            |flag| format!("is of no use alone: give the other of the pair, {flag}, as well");
        match (&self.tls_cert, &self.tls_key) {
            (Some(_), None) => Err(("tls_cert", alone("--tls-key"))),
            (None, Some(_)) => Err(("tls_key", alone("--tls-cert"))),
            _ => Ok(()),
        }
    }

    /// Nobody is to believe that a connection is encrypted which is not.
    fn check_no_tls(&self) -> Result<(), (&'static str, String)> {
        let Self { tls_ca, tls_cert, tls_key, .. } = self;
        let given = [("tls_ca", tls_ca), ("tls_cert", tls_cert), ("tls_key", tls_key)];
        match given.into_iter().find(|(_, file)| file.is_some()) {
            Some((key, _)) => Err((
                key,
                format!("needs TLS, and `server` is {}: give it as https://…", self.server),
            )),
            None => Ok(()),
        }
    }

    /// A token that travels unencrypted is everybody's.
    fn check_token(&self, host: &str) -> Result<(), (&'static str, String)> {
        if self.token.is_none() || self.plain_text || is_loopback(host) {
            return Ok(());
        }
        Err((
            "token",
            format!(
                "would travel unencrypted to {host}: give `server` as https://…, or say \
                 --plain-text if nobody can listen"
            ),
        ))
    }
}

/// Whether what is sent to this host of a URL stays on this machine.
fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    address.map_or(host.eq_ignore_ascii_case("localhost"), |address| address.is_loopback())
}

#[cfg(test)]
mod tests;
