//! One worker.

use std::process::id;
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::Result;
use apalis::prelude::{
    BackendExt, BoxDynError, Data, ParallelizeExt, PollSnapshot, PollStrategy, WorkerBuilder,
};
use apalis_redis::ConnectionManager;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::{User, is_tuned, storage};

/// How often an idle worker looks for work. By itself it does so with each heartbeat alone (30 s).
const INTERVAL: Duration = Duration::from_millis(5);

/// Looks for work at intervals. apalis's own strategy for that is deaf until the next heartbeat once
/// an answer of Redis has taken longer than the interval.
struct Often(Interval);

impl PollStrategy for Often {
    fn poll_drive(&mut self, cx: &mut Context<'_>, _: &PollSnapshot) -> Poll<Option<()>> {
        // Until it is the next tick that wakes the worker.
        while self.0.poll_tick(cx).is_ready() {}
        Poll::Pending
    }
}

async fn process(user: User, redis: Data<ConnectionManager>) -> Result<(), BoxDynError> {
    let mut redis = (*redis).clone();
    let json = serde_json::to_vec(&user)?;
    redis::cmd("RPUSH").arg("res").arg(json).exec_async(&mut redis).await?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the worker waits for what it has spawned by it")]
pub(crate) async fn work(redis: ConnectionManager) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let stopped = async move {
        terminate.recv().await;
        Ok::<(), std::io::Error>(())
    };
    let mut often = interval(INTERVAL);
    often.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let backend = storage(redis.clone()).poll_with_strategy(Often(often));
    let worker = WorkerBuilder::new(format!("worker-{}", id())).backend(backend).data(redis);
    println!("ready");
    if is_tuned() {
        worker.parallelize(tokio::spawn).build(process).run_until(stopped).await?;
    } else {
        worker.build(process).run_until(stopped).await?;
    }
    Ok(())
}
