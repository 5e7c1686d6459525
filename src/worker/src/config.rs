//! The worker's settings.

use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

use muster_program::config::Settings;
use muster_queue::StoreUrl;
use serde::{Deserialize, Serialize};

use crate::processor::{Normalise, Pipeline, Rules, Validate};

/// The worker's settings: what all programs share, and the section `[worker]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The store: `redis://…`, `rediss://…`, or `file:PATH`.
    pub store: StoreUrl,
    /// The log's level or filter.
    pub log: String,
    /// The folder of the roll. All workers of one store must share it.
    pub roll: PathBuf,
    /// How many workers this process runs.
    pub workers: NonZeroU16,
    /// How long a worker may be silent before others take its chunks.
    #[serde(with = "humantime_serde")]
    pub lease: Duration,
    /// How often a worker looks for chunks of silent ones.
    #[serde(with = "humantime_serde")]
    pub scan_interval: Duration,
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
        Self {
            store: StoreUrl::default(),
            log: "info".to_owned(),
            roll: PathBuf::from("."),
            workers: NonZeroU16::MIN,
            lease: Duration::from_secs(6),
            scan_interval: Duration::from_secs(2),
            grace: Duration::from_secs(10),
            check_email: true,
            check_ip_address: true,
            check_identity: true,
            normalise: false,
        }
    }
}

impl Config {
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

    fn validate(&self) -> Result<(), (&'static str, String)> {
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

    fn grace(&self) -> Duration {
        self.grace
    }
}

/// Shorter leases would run out between two heartbeats of a busy machine.
const LEASE_MIN: Duration = Duration::from_millis(500);
/// Shorter intervals would keep the store busy with looking.
const SCAN_INTERVAL_MIN: Duration = Duration::from_millis(100);
