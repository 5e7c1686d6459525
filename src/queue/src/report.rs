//! What processes that run workers say of themselves.

use std::cmp::Ordering;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::{BatchId, millis};

/// How many of the chunks that a process has in hand are kept of its report.
pub const IN_HAND_MAX: usize = 100;

/// How many processes are kept: those that were heard of last.
pub(crate) const REPORTS_MAX: usize = 1000;

/// For how long a process is kept that says nothing more.
pub(crate) const REPORT_STAYS: Duration = Duration::from_secs(24 * 60 * 60);

/// How a process that runs workers is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerReport {
    /// The process, by a name that is new at each start.
    pub id: String,
    /// The host it runs on.
    pub host: String,
    /// Its process id there.
    pub pid: u32,
    /// The version of Muster that it is.
    pub version: String,
    /// How many workers it runs.
    pub workers: u16,
    /// Whether it was told to end, and finishes what it has in hand.
    pub draining: bool,
    /// When it was started, to the millisecond.
    #[serde(rename = "since_ms", with = "millis::time")]
    pub since: SystemTime,
    /// How long its leases last without being extended, to the millisecond.
    #[serde(rename = "lease_ms", with = "millis::duration")]
    pub lease: Duration,
    /// Records it has processed and committed since it was started.
    pub processed: u64,
    /// How many of these are dead letters, or were to be retried.
    pub failed: u64,
    /// The chunks it has in hand: [`IN_HAND_MAX`] of them are kept.
    pub in_hand: Vec<InHand>,
    /// Why it cannot write the roll, if it cannot.
    #[serde(default)]
    pub roll_problem: Option<RollProblem>,
}

/// Why a process cannot write the roll.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollProblem {
    /// What is wrong, and what to do.
    pub reason: String,
    /// Since when.
    #[serde(rename = "since_ms", with = "millis::time")]
    pub since: SystemTime,
}

/// A chunk that a worker has in hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InHand {
    /// The batch it is of.
    pub batch: BatchId,
    /// The place of its first record.
    pub first: u64,
    /// How many records it has.
    pub records: u32,
}

/// A process that runs workers, as the store heard of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenWorker {
    /// What it said last.
    pub report: WorkerReport,
    /// When it said so, by the store's clock.
    pub last_heartbeat: SystemTime,
    /// How long ago that is, by the store's clock.
    pub silent: Duration,
}

impl WorkerReport {
    /// The report as a store keeps it: bounded.
    #[must_use]
    pub fn bounded(&self) -> Self {
        let in_hand = self.in_hand.iter().take(IN_HAND_MAX).cloned().collect();
        Self { in_hand, ..self.clone() }
    }
}

impl SeenWorker {
    /// The order in which they are listed: by host, then by id.
    pub fn by_host(one: &Self, other: &Self) -> Ordering {
        (&one.report.host, &one.report.id).cmp(&(&other.report.host, &other.report.id))
    }

    /// Whether it has said nothing for longer than its leases last: others process what it had in
    /// hand.
    pub fn is_lost(&self) -> bool {
        self.silent > self.report.lease
    }
}
