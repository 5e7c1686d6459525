//! Who this process is, and what it has done: what the store is told at every heartbeat.

use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use muster_queue::{InHand, RollProblem, WorkerId, WorkerReport};

/// A process that runs workers.
#[derive(Debug)]
pub(crate) struct Identity {
    /// New at each start.
    pub(crate) id: String,
    host: String,
    workers: u16,
    lease: Duration,
    since: SystemTime,
    processed: AtomicU64,
    failed: AtomicU64,
}

impl Identity {
    /// This process, which runs so many workers from now on.
    pub(crate) fn new(host: &str, workers: u16, lease: Duration) -> Self {
        Self {
            id: WorkerId::random(host).to_string(),
            host: host.to_owned(),
            workers,
            lease,
            since: SystemTime::now(),
            processed: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        }
    }

    /// Counts the records of a commit that was taken, and those of them that failed.
    pub(crate) fn committed(&self, records: u64, failed: u64) {
        self.processed.fetch_add(records, Ordering::Relaxed);
        self.failed.fetch_add(failed, Ordering::Relaxed);
    }

    /// What the store is told.
    pub(crate) fn report(
        &self,
        in_hand: Vec<InHand>,
        draining: bool,
        roll_problem: Option<RollProblem>,
    ) -> WorkerReport {
        WorkerReport {
            id: self.id.clone(),
            host: self.host.clone(),
            pid: process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            workers: self.workers,
            draining,
            since: self.since,
            lease: self.lease,
            processed: self.processed.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            in_hand,
            roll_problem,
        }
    }
}
