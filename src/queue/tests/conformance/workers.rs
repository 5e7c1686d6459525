//! Claims on what processes that run workers say of themselves, and on what they are told.

use std::time::{Duration, SystemTime};

use muster_queue::{Controls, IN_HAND_MAX, InHand, Queue, Result, SeenWorker, WorkerReport};

use super::steps::{HOUR, id, time, until};

/// How much the clocks of a store and of a test may differ, as a store counts in milliseconds.
const ROUNDING: Duration = Duration::from_millis(2);

fn report(host: &str, id: &str) -> WorkerReport {
    WorkerReport {
        id: id.to_owned(),
        host: host.to_owned(),
        pid: 17,
        version: "0.1.0".to_owned(),
        workers: 5,
        draining: false,
        since: time(0),
        lease: HOUR,
        processed: 300,
        failed: 2,
        in_hand: chunks(1),
        roll_problem: None,
    }
}

fn chunks(count: usize) -> Vec<InHand> {
    let chunk = |first| InHand { batch: id("b"), first, records: 256 };
    (0..count as u64).map(chunk).collect()
}

async fn reports(queue: &dyn Queue) -> Result<Vec<WorkerReport>> {
    Ok(queue.workers().await?.into_iter().map(|seen| seen.report).collect())
}

async fn only(queue: &dyn Queue) -> Result<SeenWorker> {
    let mut workers = queue.workers().await?;
    assert_eq!(workers.len(), 1);
    Ok(workers.remove(0))
}

pub(crate) async fn nobody_is_there_before_the_first(queue: &dyn Queue) -> Result<()> {
    assert_eq!(queue.workers().await?, []);
    queue.retire("nobody").await
}

pub(crate) async fn each_is_as_it_said_last(queue: &dyn Queue) -> Result<()> {
    let first = report("host", "a");
    queue.heartbeat(&first).await?;
    queue.heartbeat(&report("host", "b")).await?;
    let last = WorkerReport { draining: true, processed: 301, in_hand: Vec::new(), ..first };
    queue.heartbeat(&last).await?;
    assert_eq!(reports(queue).await?, [last, report("host", "b")]);
    Ok(())
}

pub(crate) async fn they_are_listed_by_host_and_id(queue: &dyn Queue) -> Result<()> {
    let mut all = [("b", "2"), ("a", "3"), ("b", "1"), ("a", "4")];
    for (host, id) in all {
        queue.heartbeat(&report(host, id)).await?;
    }
    all.sort_unstable();
    assert_eq!(reports(queue).await?, all.map(|(host, id)| report(host, id)));
    Ok(())
}

pub(crate) async fn so_many_chunks_in_hand_are_kept(queue: &dyn Queue) -> Result<()> {
    for count in [IN_HAND_MAX, IN_HAND_MAX + 1] {
        queue.heartbeat(&WorkerReport { in_hand: chunks(count), ..report("host", "a") }).await?;
        assert_eq!(only(queue).await?.report.in_hand, chunks(IN_HAND_MAX));
    }
    Ok(())
}

pub(crate) async fn the_last_heartbeat_is_by_the_clock(queue: &dyn Queue) -> Result<()> {
    let before = SystemTime::now() - ROUNDING;
    queue.heartbeat(&report("host", "a")).await?;
    let after = SystemTime::now() + ROUNDING;
    let seen = only(queue).await?;
    let at = seen.last_heartbeat;
    assert!(before <= at && at <= after, "{before:?} {at:?} {after:?}");
    let most = before.elapsed().expect("it was before") + ROUNDING;
    assert!(seen.silent <= most, "{:?} of {most:?}", seen.silent);
    Ok(())
}

pub(crate) async fn one_that_is_silent_for_a_lease_is_lost(queue: &dyn Queue) -> Result<()> {
    let short = WorkerReport { lease: Duration::from_millis(20), ..report("host", "a") };
    queue.heartbeat(&short).await?;
    queue.heartbeat(&report("host", "b")).await?;
    until("it is lost", async || Ok(queue.workers().await?[0].is_lost())).await?;
    assert!(!queue.workers().await?[1].is_lost());
    queue.heartbeat(&report("host", "a")).await?;
    assert!(!queue.workers().await?[0].is_lost(), "it was heard of again");
    Ok(())
}

pub(crate) async fn one_that_is_retired_is_gone(queue: &dyn Queue) -> Result<()> {
    for id in ["a", "b"] {
        queue.heartbeat(&report("host", id)).await?;
    }
    for _ in 0..2 {
        queue.retire("a").await?;
        assert_eq!(reports(queue).await?, [report("host", "b")]);
    }
    Ok(())
}

pub(crate) async fn a_heartbeat_tells_what_is_set(queue: &dyn Queue) -> Result<()> {
    let me = report("host", "a");
    assert_eq!(queue.heartbeat(&me).await?, Controls::default());
    queue.pause(true).await?;
    queue.set_log_filter(Some("info,muster_queue=debug")).await?;
    let log_filter = Some("info,muster_queue=debug".to_owned());
    let set = Controls { paused: true, log_filter: log_filter.clone() };
    assert_eq!(queue.heartbeat(&me).await?, set);
    assert_eq!(queue.stats().await?.controls, set);
    queue.pause(false).await?;
    assert_eq!(queue.heartbeat(&me).await?, Controls { paused: false, log_filter });
    for none in [None, Some("")] {
        queue.set_log_filter(Some("warn")).await?;
        queue.set_log_filter(none).await?;
        assert_eq!(queue.heartbeat(&me).await?, Controls::default());
    }
    Ok(())
}
