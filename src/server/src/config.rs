//! The server's settings.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::{NonZeroU8, NonZeroU32, NonZeroU64, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::time::Duration;

use muster_access::TlsFiles;
use muster_dashboard::DashboardUrl;
use muster_program::config::Settings;
use muster_queue::{
    Durability, Ending, KeyPrefix, Limits, Password, StoreAccess, StoreOptions, StoreUrl,
};
use serde::{Deserialize, Serialize};

use crate::users::Lengths;

/// The server's settings: what all programs share, and the section `[server]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The store.
    pub store: StoreUrl,
    /// How long connecting to the store may take in all, from 100 ms to 5 min.
    #[serde(with = "humantime_serde")]
    pub store_connect_timeout: Duration,
    /// The user that sentinels log in (ACL).
    pub sentinel_user: Option<String>,
    /// The password that sentinels ask for.
    #[serde(skip_serializing)]
    pub sentinel_password: Option<Password>,
    /// What the store has done when it answers "ok".
    pub durability: Durability,
    /// How many replicas have a step that is replicated.
    pub replicas: NonZeroU8,
    /// What the keys of the store begin with, on Redis.
    pub key_prefix: KeyPrefix,
    /// The log's level or filter.
    pub log: String,
    /// Where traces go, by OTLP: `http(s)://HOST:PORT`. Nowhere if it is not said, or empty.
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

    /// The certificate for TLS, PEM, with those between it and its authority. Without it both
    /// ports are in plain text.
    pub tls_cert: Option<PathBuf>,
    /// Its key, PEM.
    pub tls_key: Option<PathBuf>,
    /// The authorities of clients, PEM: whoever calls by gRPC must show a certificate of theirs.
    pub tls_client_ca: Option<PathBuf>,
    /// The access list: who may do what. Without it everybody may do everything.
    pub access: Option<PathBuf>,
    /// Whether addresses that others reach may be in plain text.
    pub plain_text: bool,
    /// Whether everybody who reaches such an address may do everything.
    pub anonymous: bool,
    /// Whether `/metrics` is for everybody. Without an access list it is.
    pub open_metrics: bool,
    /// The names under which browsers find a dashboard that has no access list, beside addresses,
    /// `localhost` and the host of `dashboard_url`.
    pub hosts: Vec<String>,
    /// The address of the dashboard in browsers, if a proxy stands before it:
    /// `https://ops.example.com/muster/`, for example.
    pub dashboard_url: Option<DashboardUrl>,

    /// How many connections each port has at most; beyond, those that have said nothing give way.
    pub connections_max: NonZeroUsize,
    /// The same from one address, or one IPv6 network (/64).
    pub connections_per_address_max: NonZeroUsize,
    /// How many calls may be under way on a connection.
    pub calls_per_connection_max: NonZeroU32,
    /// How many calls may be under way in all.
    pub calls_max: NonZeroUsize,
    /// The same from one address.
    pub calls_per_address_max: NonZeroUsize,
    /// How many of them may be streams of records, or downloads.
    pub streams_max: NonZeroUsize,
    /// The same from one address.
    pub streams_per_address_max: NonZeroUsize,
    /// How many records a stream may have.
    pub records_per_stream_max: NonZeroU64,
    /// How many records a second somebody on the access list may send who has no rate there.
    pub records_per_second_max: NonZeroU32,
    /// How many bytes a message of gRPC may have; a longer one ends its call.
    pub message_bytes_max: NonZeroUsize,
    /// How many bytes a record may have on the wire; a longer one is refused by itself.
    pub record_bytes_max: NonZeroUsize,
    /// How many bytes a field of a record may have.
    pub field_bytes_max: NonZeroUsize,
    /// How many bytes the headers of a call or a request may have.
    pub header_bytes_max: NonZeroU32,
    /// How long a connection may take until its first call is let in, TLS included.
    #[serde(with = "humantime_serde")]
    pub arrival_max: Duration,
    /// How long a connection may be without any call.
    #[serde(with = "humantime_serde")]
    pub idle_max: Duration,
    /// How long a connection may take nothing of what it is sent.
    #[serde(with = "humantime_serde")]
    pub write_max: Duration,
    /// How long a connection of gRPC may be used.
    #[serde(with = "humantime_serde")]
    pub age_max: Duration,
    /// How long a call may take that is no stream.
    #[serde(with = "humantime_serde")]
    pub call_max: Duration,
    /// How long a stream may bring no record.
    #[serde(with = "humantime_serde")]
    pub stream_idle_max: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            store: StoreUrl::default(),
            store_connect_timeout: StoreOptions::CONNECT_TIMEOUT,
            sentinel_user: None,
            sentinel_password: None,
            durability: Durability::default(),
            replicas: NonZeroU8::MIN,
            key_prefix: KeyPrefix::DEFAULT,
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
            tls_cert: None,
            tls_key: None,
            tls_client_ca: None,
            access: None,
            plain_text: false,
            anonymous: false,
            open_metrics: false,
            hosts: Vec::new(),
            dashboard_url: None,
            connections_max: at_least_one(1024),
            connections_per_address_max: at_least_one(512),
            calls_per_connection_max: NonZeroU32::MIN.saturating_add(1023),
            calls_max: at_least_one(16_384),
            calls_per_address_max: at_least_one(8192),
            streams_max: at_least_one(1024),
            streams_per_address_max: at_least_one(256),
            records_per_stream_max: NonZeroU64::MIN.saturating_add(999_999_999),
            records_per_second_max: NonZeroU32::MIN.saturating_add(999_999),
            message_bytes_max: at_least_one(4 << 20),
            record_bytes_max: at_least_one(RECORD_BYTES_MAX),
            field_bytes_max: at_least_one(RECORD_BYTES_MAX),
            header_bytes_max: NonZeroU32::MIN.saturating_add((16 << 10) - 1),
            arrival_max: Duration::from_secs(10),
            idle_max: Duration::from_secs(15 * 60),
            write_max: Duration::from_secs(30),
            age_max: Duration::from_secs(24 * 60 * 60),
            call_max: Duration::from_secs(5 * 60),
            stream_idle_max: Duration::from_secs(10 * 60),
        }
    }
}

/// The longest record that the queue, the workers and the roll are made for, in bytes.
const RECORD_BYTES_MAX: usize = 1 << 20;

fn at_least_one(number: usize) -> NonZeroUsize {
    NonZeroUsize::MIN.saturating_add(number.saturating_sub(1))
}

impl Config {
    /// Where the store is, and how to log in there.
    pub fn store_access(&self) -> StoreAccess {
        StoreAccess {
            url: self.store.clone(),
            sentinel_user: self.sentinel_user.clone(),
            sentinel_password: self.sentinel_password.clone(),
        }
    }

    /// How the store is used.
    pub fn store_options(&self) -> StoreOptions {
        let limits = Limits { records: self.records_max, bytes: self.bytes_max };
        StoreOptions {
            durability: self.durability,
            replicas: self.replicas,
            limits,
            key_prefix: self.key_prefix,
            connect_timeout: self.store_connect_timeout,
        }
    }

    /// How long records may be.
    pub(crate) fn lengths(&self) -> Lengths {
        let (record_max, field_max) = (self.record_bytes_max.get(), self.field_bytes_max.get());
        Lengths { record_max, field_max }
    }

    /// The files of TLS, if it is to be spoken.
    pub fn tls(&self) -> Option<TlsFiles> {
        Some(TlsFiles {
            certificate: self.tls_cert.clone()?,
            key: self.tls_key.clone()?,
            client_ca: self.tls_client_ca.clone(),
        })
    }

    /// Refuses to be open to others unless it is said in words.
    fn validate_access(&self) -> Result<(), (&'static str, String)> {
        match (&self.tls_cert, &self.tls_key, &self.tls_client_ca) {
            (Some(_), None, _) => return Err(("tls_cert", "has no `tls_key` beside it".into())),
            (None, Some(_), _) => return Err(("tls_key", "has no `tls_cert` beside it".into())),
            (None, None, Some(_)) => {
                return Err(("tls_client_ca", "needs `tls_cert` and `tls_key`".into()));
            }
            _ => {}
        }
        if self.anonymous && self.access.is_some() {
            return Err(("anonymous", "contradicts `access`: leave out one of them".into()));
        }
        for (key, address) in [("listen", self.listen), ("http", self.http)] {
            if address.ip().to_canonical().is_loopback() {
                continue;
            }
            if self.tls_cert.is_none() && !self.plain_text {
                let problem = format!(
                    "{address} is reached by others, and would be in plain text: set `tls_cert` and \
                     `tls_key`, or `plain_text = true` if all who share the network may read it"
                );
                return Err((key, problem));
            }
            let asks_for_certificates = key == "listen" && self.tls_client_ca.is_some();
            if self.access.is_none() && !self.anonymous && !asks_for_certificates {
                let problem = format!(
                    "{address} is reached by others, who could do everything: set `access` to an \
                     access list, or `anonymous = true` if all of them may"
                );
                return Err((key, problem));
            }
        }
        Ok(())
    }
}

/// Shorter times would cut off whoever is only slow, and longer ones nobody.
const TIME_MIN: Duration = Duration::from_millis(100);
const TIME_MAX: Duration = Duration::from_secs(30 * DAY);
const DAY: u64 = 24 * 60 * 60;

/// A shorter deadline could end the batch of a sender that is only slow.
const DEADLINE_MIN: Duration = Duration::from_secs(1);

impl Settings for Config {
    const SECTION: &'static str = "server";
    const SECRETS: &'static [&'static str] = &["store", "sentinel_password"];

    fn validate(&self) -> Result<(), (&'static str, String)> {
        self.store.check(self.durability).map_err(|problem| ("durability", problem))?;
        let checked = self.store.check_key_prefix(self.key_prefix);
        checked.map_err(|problem| ("key_prefix", problem))?;
        StoreOptions::check_connect_timeout(self.store_connect_timeout)
            .map_err(|problem| ("store_connect_timeout", problem))?;
        if self.deadline < DEADLINE_MIN {
            return Err(("deadline", format!("must be at least {DEADLINE_MIN:?}")));
        }
        if self.listen == self.http && self.listen.port() != 0 {
            return Err(("http", format!("is {}, as `listen` is", self.http)));
        }
        if self.record_bytes_max.get() > RECORD_BYTES_MAX {
            return Err(("record_bytes_max", format!("must be at most {RECORD_BYTES_MAX}")));
        }
        if self.message_bytes_max < self.record_bytes_max {
            return Err(("message_bytes_max", "must be at least `record_bytes_max`".to_owned()));
        }
        for (key, time) in [
            ("arrival_max", self.arrival_max),
            ("idle_max", self.idle_max),
            ("write_max", self.write_max),
            ("age_max", self.age_max),
            ("call_max", self.call_max),
            ("stream_idle_max", self.stream_idle_max),
        ] {
            if !(TIME_MIN..=TIME_MAX).contains(&time) {
                let range =
                    format!("must be from {TIME_MIN:?} to {} days", TIME_MAX.as_secs() / DAY);
                return Err((key, range));
            }
        }
        self.validate_access()
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

    fn tls_cert(&self) -> Option<&Path> {
        self.tls_cert.as_deref()
    }
}
