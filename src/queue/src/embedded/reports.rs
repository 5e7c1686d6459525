//! What processes that run workers say of themselves. In memory alone: there is one process.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::clock::now_ms;
use crate::millis::from_millis;
use crate::report::{REPORT_STAYS, REPORTS_MAX};
use crate::{SeenWorker, WorkerReport};

/// The reports, by the id of the process.
#[derive(Debug, Default)]
pub(super) struct Reports(Mutex<BTreeMap<String, Heard>>);

/// A report, and when it was heard, in milliseconds since 1970.
#[derive(Debug)]
struct Heard {
    report: WorkerReport,
    at_ms: u64,
}

impl Heard {
    fn silent(&self) -> Duration {
        Duration::from_millis(now_ms().saturating_sub(self.at_ms))
    }
}

impl Reports {
    /// Keeps a report.
    pub(super) fn keep(&self, report: &WorkerReport) {
        self.change(|all| {
            all.retain(|_, heard| heard.silent() < REPORT_STAYS);
            let heard = Heard { report: report.bounded(), at_ms: now_ms() };
            all.insert(report.id.clone(), heard);
            let silent = all.iter().max_by_key(|(_, heard)| heard.silent());
            if all.len() > REPORTS_MAX
                && let Some(id) = silent.map(|(id, _)| id.clone())
            {
                all.remove(&id);
            }
        });
    }

    /// Removes the report of a process.
    pub(super) fn remove(&self, id: &str) {
        self.change(|all| all.remove(id));
    }

    /// The processes, by host and id.
    pub(super) fn seen(&self) -> Vec<SeenWorker> {
        let seen = |heard: &Heard| SeenWorker {
            report: heard.report.clone(),
            last_heartbeat: from_millis(heard.at_ms),
            silent: heard.silent(),
        };
        let mut workers: Vec<SeenWorker> = self.change(|all| all.values().map(seen).collect());
        workers.sort_by(SeenWorker::by_host);
        workers
    }

    fn change<T>(&self, change: impl FnOnce(&mut BTreeMap<String, Heard>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
