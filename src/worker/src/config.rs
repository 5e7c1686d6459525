//! The worker's settings.

use std::net::SocketAddr;
use std::num::{NonZeroU8, NonZeroU16, NonZeroU32};
use std::path::PathBuf;
use std::time::Duration;

use muster_program::config::Settings;
use muster_queue::{Durability, KeyPrefix, Password, StoreAccess, StoreOptions, StoreUrl};
use serde::{Deserialize, Serialize};

use crate::processor::{Normalise, Pipeline, Rules, Validate};
use crate::roll::Roll;
use crate::{FileMode, Retries};

/// The worker's settings: what all programs share, and the section `[worker]`.
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
    /// Where `/livez`, `/readyz` and `/metrics` are served, if they are.
    pub http: Option<SocketAddr>,
    /// The folder of the roll. All workers of one store must share it.
    pub roll: PathBuf,
    /// Who may read and write the files of the roll. If it is not set, they keep what they have.
    pub roll_mode: Option<FileMode>,
    /// How many workers this process runs.
    pub workers: NonZeroU16,
    /// How long a worker may be silent before others take its chunks.
    #[serde(with = "humantime_serde")]
    pub lease: Duration,
    /// How often a worker looks for chunks of silent ones.
    #[serde(with = "humantime_serde")]
    pub scan_interval: Duration,
    /// How often a record is processed, when it fails, before it is a dead letter.
    pub attempts_max: NonZeroU32,
    /// How many workers may be lost with a record alone in hand before it is a dead letter.
    pub crashes_max: NonZeroU32,
    /// The longest delay before a second attempt; it doubles with each one.
    #[serde(with = "humantime_serde")]
    pub retry_delay: Duration,
    /// The longest delay before any attempt.
    #[serde(with = "humantime_serde")]
    pub retry_delay_max: Duration,
    /// How long the end may take.
    #[serde(with = "humantime_serde")]
    pub grace: Duration,
    /// Refuses records whose `email` is no address.
    pub check_email: bool,
    /// Refuses records whose `ip_address` is none.
    pub check_ip_address: bool,
    /// Refuses records with neither `user_name` nor `email`.
    pub check_identity: bool,
    /// Tidies records up: blanks around values, the case of addresses.
    pub normalise: bool,
}

impl Default for Config {
    fn default() -> Self {
        let retries = Retries::default();
        let number = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
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
            http: None,
            roll: PathBuf::from("."),
            roll_mode: None,
            workers: NonZeroU16::MIN,
            lease: Duration::from_secs(6),
            scan_interval: Duration::from_secs(2),
            attempts_max: number(retries.attempts_max),
            crashes_max: number(retries.crashes_max),
            retry_delay: retries.delay,
            retry_delay_max: retries.delay_max,
            grace: Duration::from_secs(10),
            check_email: true,
            check_ip_address: true,
            check_identity: true,
            normalise: false,
        }
    }
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
        let Self { durability, replicas, key_prefix, store_connect_timeout, .. } = *self;
        StoreOptions {
            durability,
            replicas,
            key_prefix,
            connect_timeout: store_connect_timeout,
            ..StoreOptions::default()
        }
    }

    /// The roll that is written.
    pub fn roll(&self) -> Roll {
        let durability = self.store.durability(self.durability);
        Roll::in_folder(&self.roll, durability, self.roll_mode)
    }

    /// How records are retried.
    pub fn retries(&self) -> Retries {
        Retries {
            attempts_max: self.attempts_max.get(),
            crashes_max: self.crashes_max.get(),
            delay: self.retry_delay,
            delay_max: self.retry_delay_max,
        }
    }

    /// The built-in processors that these settings ask for: normalise first, then validate.
    pub fn pipeline(&self) -> Pipeline {
        let mut pipeline = Pipeline::default();
        if self.normalise {
            pipeline.push(Normalise);
        }
        pipeline.push(Validate::new(Rules {
            email: self.check_email,
            ip_address: self.check_ip_address,
            identity: self.check_identity,
        }));
        pipeline
    }
}

impl Settings for Config {
    const SECTION: &'static str = "worker";
    const SECRETS: &'static [&'static str] = &["store", "sentinel_password"];

    fn validate(&self) -> Result<(), (&'static str, String)> {
        self.store.check(self.durability).map_err(|problem| ("durability", problem))?;
        let checked = self.store.check_key_prefix(self.key_prefix);
        checked.map_err(|problem| ("key_prefix", problem))?;
        StoreOptions::check_connect_timeout(self.store_connect_timeout)
            .map_err(|problem| ("store_connect_timeout", problem))?;
        let at_least = |least: Duration| format!("must be at least {least:?}");
        if self.lease < LEASE_MIN {
            return Err(("lease", at_least(LEASE_MIN)));
        }
        if self.scan_interval < SCAN_INTERVAL_MIN {
            return Err(("scan_interval", at_least(SCAN_INTERVAL_MIN)));
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
        self.http
    }
}

/// Shorter leases would run out between two heartbeats of a busy machine.
const LEASE_MIN: Duration = Duration::from_millis(500);
/// Shorter intervals would keep the store busy with looking.
const SCAN_INTERVAL_MIN: Duration = Duration::from_millis(100);
