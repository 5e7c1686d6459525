//! What operators set, and what processes that run workers report.

use super::stats::{SetControls, read_controls};
use super::{RedisQueue, decode, millis};
use crate::report::{REPORT_STAYS, REPORTS_MAX};
use crate::{Controls, Result, SeenWorker, WorkerReport};

impl RedisQueue {
    pub(super) async fn pause(&self, paused: bool) -> Result<()> {
        self.set_control("paused", if paused { "1" } else { "" }).await
    }

    pub(super) async fn set_log_filter(&self, filter: Option<&str>) -> Result<()> {
        self.set_control("log_filter", filter.unwrap_or_default()).await
    }

    /// Sets it in every partition, also where one does not answer, and says so in the end.
    async fn set_control(&self, name: &str, value: &str) -> Result<()> {
        let mut done = Ok(());
        for partition in &self.partitions {
            let mut set = self.scripts.set_control.key(&partition.keys);
            set.arg(name).arg(value);
            done = done.and(self.settled::<()>(partition, &set).await);
        }
        done
    }

    /// Reports are in the first partition. What is set there is set in all, or will be.
    pub(super) async fn heartbeat(&self, report: &WorkerReport) -> Result<Controls> {
        let report = report.bounded();
        let mut heartbeat = self.scripts.heartbeat.key(&self.partitions[0].keys);
        heartbeat.arg(&report.id).arg(self.readable(decode::stored_report(&report))?);
        heartbeat.arg(millis(REPORT_STAYS)).arg(REPORTS_MAX);
        self.connection.run::<SetControls>(&heartbeat).await.map(read_controls)
    }

    pub(super) async fn workers(&self) -> Result<Vec<SeenWorker>> {
        let workers = self.scripts.workers.key(&self.partitions[0].keys);
        let (now_ms, seen): (u64, Vec<(u64, String)>) = self.connection.run(&workers).await?;
        self.readable(decode::workers(now_ms, seen))
    }

    pub(super) async fn retire(&self, id: &str) -> Result<()> {
        let mut retire = self.scripts.retire.key(&self.partitions[0].keys);
        self.connection.run(retire.arg(id)).await
    }
}
