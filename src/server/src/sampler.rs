//! What the queue is like, looked at once a second. Whoever asks is told of the last look: what is
//! shown costs the store the same, however many look on.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use muster_program::logging;
use muster_proto::v1;
use muster_queue::{
    Batch, BatchState, Depth, Durability, Limits, Queue, SeenWorker, Stats, StoreInfo,
    StoreOptions, Totals,
};

use crate::config::Config;
use crate::metrics;

/// How many looks are remembered: five minutes.
const FLOW_MAX: usize = 300;

/// Looks at the queue, and remembers.
#[derive(Debug)]
pub(crate) struct Sampler {
    queue: Arc<dyn Queue>,
    /// The store's URL, without a password.
    url: String,
    durability: Durability,
    /// How much may wait.
    limits: Limits,
    seen: Mutex<Seen>,
}

/// What was seen.
#[derive(Debug, Default)]
struct Seen {
    last: Option<Look>,
    /// Why the store does not answer, if it does not.
    problem: String,
    flow: VecDeque<v1::Flow>,
}

/// One look.
#[derive(Debug)]
struct Look {
    at: SystemTime,
    /// The same moment, on a clock that is never set.
    began: Instant,
    latency: Duration,
    stats: Stats,
    workers: Vec<SeenWorker>,
    store: StoreInfo,
}

impl Look {
    /// How many workers there are in processes that are lost, or in the others.
    fn working(&self, lost: bool) -> u32 {
        let reports = self.workers.iter().filter(|worker| worker.is_lost() == lost);
        reports.map(|worker| u32::from(worker.report.workers)).sum()
    }

    /// How the writing of the roll goes.
    fn roll(&self) -> v1::RollHealth {
        let failing = || {
            let alive = self.workers.iter().filter(|worker| !worker.is_lost());
            alive.filter_map(|SeenWorker { report, .. }| {
                report.roll_problem.as_ref().map(|problem| (&report.host, problem))
            })
        };
        let first = failing().min_by_key(|(_, problem)| problem.since);
        let unwritten = self.stats.unwritten;
        v1::RollHealth {
            unwritten_batches: unwritten.batches,
            unwritten_for: unwritten.oldest.and_then(|oldest| oldest.try_into().ok()),
            processes_failing: failing().count().try_into().unwrap_or(u32::MAX),
            problem: first.map(|(_, problem)| problem.reason.clone()).unwrap_or_default(),
            host: first.map(|(host, _)| host.clone()).unwrap_or_default(),
            since: first.map(|(_, problem)| problem.since.into()),
        }
    }

    /// What keeps a batch from going on. Empty when nothing is known.
    fn waiting_for(&self, batch: &Batch, limits: Limits) -> String {
        match batch.state {
            BatchState::Written | BatchState::Aborted => String::new(),
            BatchState::Complete => self.roll_waits_for().unwrap_or_default(),
            BatchState::Sealed => {
                self.work_waits_for().or_else(|| self.records_wait_for(batch)).unwrap_or_default()
            }
            BatchState::Open => match (self.is_full(limits), self.work_waits_for()) {
                (Some(full), Some(why)) => format!("{full}, and {why}"),
                (full, why) => full.or(why).unwrap_or_default(),
            },
        }
    }

    /// Why nothing more is taken in.
    fn is_full(&self, limits: Limits) -> Option<String> {
        let depth = self.depth();
        if self.store.is_full {
            Some("the store's memory is full".to_owned())
        } else if limits.are_reached(depth) {
            Some(format!("the queue is full: {} records wait", depth.records))
        } else {
            None
        }
    }

    /// Why nothing is processed.
    fn work_waits_for(&self) -> Option<String> {
        if self.working(false) == 0 {
            Some(NO_WORKERS.to_owned())
        } else if self.stats.controls.paused {
            Some("the queue is paused".to_owned())
        } else {
            None
        }
    }

    /// Why records of a batch are not processed yet, although there are workers.
    fn records_wait_for(&self, batch: &Batch) -> Option<String> {
        let lost = self.workers.iter().find(|worker| worker.is_lost());
        if batch.retrying > 0 {
            Some(format!("records that failed wait for another attempt: {}", batch.retrying))
        } else if let Some(SeenWorker { report, .. }) = lost {
            let host = &report.host;
            Some(format!("a worker on {host} does not answer: others take over what it had"))
        } else if self.stats.leased > 0 {
            Some("workers are processing records".to_owned())
        } else {
            None
        }
    }

    /// Why a complete batch is not in the roll.
    fn roll_waits_for(&self) -> Option<String> {
        let v1::RollHealth { problem, host, processes_failing, .. } = self.roll();
        let processes = self.workers.iter().filter(|worker| !worker.is_lost()).count();
        if self.working(false) == 0 {
            Some(NO_WORKERS.to_owned())
        } else if problem.is_empty() {
            None
        } else if processes_failing as usize == processes {
            Some(format!("the worker on {host} cannot write the roll: {problem}"))
        } else {
            Some(format!(
                "{processes_failing} of {processes} worker processes cannot write the roll: the one on \
                 {host}: {problem}"
            ))
        }
    }

    /// How much waits.
    fn depth(&self) -> Depth {
        let depths = self.stats.lines().map(|(_, line)| line.depth);
        depths.into_iter().fold(Depth::default(), |sum, depth| Depth {
            records: sum.records + depth.records,
            bytes: sum.bytes + depth.bytes,
        })
    }
}

/// Why a batch waits that no process takes.
const NO_WORKERS: &str = "no worker is running";

impl Sampler {
    pub(crate) fn new(queue: Arc<dyn Queue>, config: &Config) -> Self {
        let StoreOptions { durability, limits, .. } = config.store_options();
        let store = &config.store;
        let seen =
            Mutex::new(Seen { problem: "it has not answered yet".to_owned(), ..Seen::default() });
        let durability = store.durability(durability);
        Self { queue, url: store.to_string(), durability, limits, seen }
    }

    /// Looks, shows the metrics what there is, and does what was set for all programs. What cannot
    /// be seen, though the store answers, is its problem, and not one of who only needs an answer.
    ///
    /// # Errors
    ///
    /// The store does not answer. What was seen before stays.
    pub(crate) async fn look(&self) -> muster_queue::Result<()> {
        let (at, began) = (SystemTime::now(), Instant::now());
        if let Err(error) = self.queue.ping().await {
            self.seen().problem = error.to_string();
            return Err(error);
        }
        let looked = self.look_closely(at, began).await;
        let mut seen = self.seen();
        match looked {
            Ok(look) => {
                muster_queue::measure(&look.stats);
                metrics::workers(look.working(false), look.working(true));
                metrics::roll(look.roll().processes_failing);
                metrics::store(&look.store);
                follow(look.stats.controls.log_filter.as_deref());
                seen.remember(look);
            }
            Err(error) => {
                tracing::debug!(%error, "the queue cannot be seen");
                seen.problem = error.to_string();
            }
        }
        Ok(())
    }

    async fn look_closely(&self, at: SystemTime, began: Instant) -> muster_queue::Result<Look> {
        let latency = began.elapsed();
        let stats = self.queue.stats().await?;
        let workers = self.queue.workers().await?;
        let store = self.queue.store_info().await?;
        Ok(Look { at, began, latency, stats, workers, store })
    }

    /// What keeps a batch from going on, as it was seen last. Empty when nothing is known.
    pub(crate) fn waiting_for(&self, batch: &Batch) -> String {
        let seen = self.seen();
        seen.last.as_ref().map(|look| look.waiting_for(batch, self.limits)).unwrap_or_default()
    }

    /// Whether nothing more was accepted when the server looked last.
    pub(crate) fn is_full(&self) -> bool {
        self.seen().last.as_ref().is_some_and(|look| look.is_full(self.limits).is_some())
    }

    /// What was seen last.
    pub(crate) fn stats(&self) -> v1::Stats {
        let seen = self.seen();
        let mut shown = seen.last.as_ref().map(to_proto).unwrap_or_default();
        shown.flow = seen.flow.iter().copied().collect();
        let store = shown.store.get_or_insert_default();
        store.url.clone_from(&self.url);
        if store.durability.is_empty() {
            store.durability = self.durability.to_string();
        }
        store.problem.clone_from(&seen.problem);
        shown
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        // Whatever was written is whole: each field is put in its place at once.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sets the log's filter as the store says.
fn follow(filter: Option<&str>) {
    if let Err(error) = logging::set_filter(filter) {
        tracing::warn!(%error, "the filter that is set in the store is none");
    }
}

impl Seen {
    fn remember(&mut self, look: Look) {
        if let Some(before) = &self.last {
            self.flow.push_back(flow(before, &look));
            if self.flow.len() > FLOW_MAX {
                self.flow.pop_front();
            }
        }
        self.problem.clear();
        self.last = Some(look);
    }
}

/// What went in and out between two looks, a second.
fn flow(before: &Look, now: &Look) -> v1::Flow {
    let between = now.began.saturating_duration_since(before.began);
    let (then, now_totals) = (before.stats.totals, now.stats.totals);
    let processed = |totals: Totals| totals.kept + totals.dead;
    v1::Flow {
        at: Some(now.at.into()),
        accepted: a_second(now_totals.accepted.saturating_sub(then.accepted), between),
        processed: a_second(processed(now_totals).saturating_sub(processed(then)), between),
    }
}

/// So many in this time, as a rate, to the nearest whole number.
fn a_second(count: u64, time: Duration) -> u64 {
    let millis = time.as_millis().max(1);
    u64::try_from((u128::from(count) * 1000 + millis / 2) / millis).unwrap_or(u64::MAX)
}

fn to_proto(look: &Look) -> v1::Stats {
    let Look { stats, store, .. } = look;
    v1::Stats {
        at: Some(look.at.into()),
        paused: stats.controls.paused,
        lines: stats.lines().into_iter().map(line).collect(),
        dead_letters: stats.dead_letters,
        leased: stats.leased,
        accepted: stats.totals.accepted,
        kept: stats.totals.kept,
        dead: stats.totals.dead,
        workers: look.working(false),
        workers_lost: look.working(true),
        flow: Vec::new(),
        store: Some(v1::StoreHealth {
            version: store.version.clone(),
            latency: look.latency.try_into().ok(),
            used_bytes: store.used_bytes,
            limit_bytes: store.limit_bytes,
            durability: store.durability.to_string(),
            persistence: store.persistence.to_string(),
            may_lose: store.may_lose().unwrap_or_default().to_owned(),
            full: store.is_full,
            ..v1::StoreHealth::default()
        }),
        log_filter: stats.controls.log_filter.clone().unwrap_or_default(),
        roll: Some(look.roll()),
        held_batches: stats.held,
    }
}

fn line((name, line): (&'static str, muster_queue::Line)) -> v1::Line {
    v1::Line {
        name: name.to_owned(),
        records: line.depth.records,
        bytes: line.depth.bytes,
        oldest: line.oldest.and_then(|oldest| oldest.try_into().ok()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_what_came_in_the_time_that_passed() {
        assert_eq!(a_second(1000, Duration::from_secs(1)), 1000);
        assert_eq!(a_second(1000, Duration::from_secs(4)), 250);
        assert_eq!(a_second(3, Duration::from_millis(2000)), 2);
        assert_eq!(a_second(0, Duration::ZERO), 0);
        assert_eq!(a_second(u64::MAX, Duration::from_millis(1)), u64::MAX);
    }
}
