//! The worker: leases chunks, processes their records, commits, and writes the roll.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`cli`] | the whole of a worker program, but for its processor |
//! | [`config`] | its settings |
//! | [`processor`] | what is done with a record: the trait, and the built-in processors |
//! | `file_mode` | who may read the roll |
//! | `retry` | when a record is tried again, and when it is given up |
//! | [`outcome`] | a chunk through the processor |
//! | `team` | what the workers of one process share |
//! | `worker` | one worker's loop: lease, process, commit |
//! | `spans` | what the log and traces say a line or a step belongs to |
//! | `suspects` | records that may end workers, each processed alone |
//! | `held` | what the workers of one process hold |
//! | `identity` | who a process is, and what it has done |
//! | `housekeeping` | what keeps leases alive and batches moving |
//! | `priority` | how far workers give way to what runs beside them |
//! | `metrics` | what is measured |
//! | [`roll`] | the roll: `all_users.json`, its manifest, how it grows |
//! | `roll_writer` | who writes it, beside the workers |

pub mod cli;
pub mod config;
mod file_mode;
mod held;
mod housekeeping;
mod identity;
mod metrics;
pub mod outcome;
mod priority;
pub mod processor;
mod retry;
pub mod roll;
mod roll_writer;
mod spans;
mod suspects;
mod team;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use muster_program::shutdown::Shutdown;
use muster_queue::{Queue, WorkerId};
use tokio::sync::{RwLock, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::config::Config;
use crate::held::Held;
use crate::identity::Identity;
use crate::processor::Processor;
use crate::roll::Roll;
use crate::team::Team;
use crate::worker::Worker;

pub use file_mode::{FileMode, InvalidFileMode};
pub use retry::Retries;

/// What workers do when the roll cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RollFailure {
    /// Say so in the log, and try again when the lease has run out: someone may make room.
    TryAgain,
    /// End with the error.
    GiveUp,
}

/// Runs `config.workers` workers until the shutdown begins and each has finished what it has in
/// hand, or three quarters of the grace period have passed. What they hold then goes back to the
/// queue at once.
///
/// # Errors
///
/// The roll cannot be written, and the workers are to give up then.
pub async fn run(
    queue: Arc<dyn Queue>,
    roll: Roll,
    config: &Config,
    processor: Arc<dyn Processor>,
    roll_failure: RollFailure,
    shutdown: &Shutdown,
) -> Result<(), roll::Error> {
    let host = host_name();
    let (rolls, to_write) = mpsc::unbounded_channel();
    let team = Arc::new(Team {
        queue,
        processor,
        retries: config.retries(),
        roll,
        roll_failure,
        rolls,
        lease: config.lease,
        scan_interval: config.scan_interval,
        shutdown: shutdown.clone(),
        identity: Identity::new(&host, config.workers.get(), config.lease),
        held: Held::default(),
        hands: RwLock::new(()),
    });
    metrics::hired(config.workers.get());
    let mut ids = Vec::new();
    let mut hire = || {
        let id = WorkerId::random(&host);
        ids.push(id.clone());
        Worker { id, team: Arc::clone(&team) }
    };
    let mut working = JoinSet::new();
    for _ in 0..config.workers.get() {
        let worker = hire();
        working.spawn(async {
            worker.run().await;
            Ok(())
        });
    }
    let suspects = hire();
    working.spawn(async {
        suspects::look_after(suspects).await;
        Ok(())
    });
    working.spawn(roll_writer::look_after(Arc::clone(&team), to_write));
    tracing::info!(workers = config.workers, roll = %team.roll.path().display(), "working");
    let overtime = async {
        shutdown.begun().await;
        tokio::time::sleep(config.grace / 4 * 3).await;
    };
    let ended = tokio::select! {
        ended = all(&mut working) => ended,
        () = housekeeping::keep(&team) => Ok(()),
        () = overtime => {
            tracing::warn!("time is up: what is in hand goes back to the queue");
            Ok(())
        }
    };
    working.shutdown().await;
    // Of the default grace period it is 2 s: three round trips, to a store that does not have the script yet.
    say_goodbye(&team, &ids, config.grace / 5).await;
    ended
}

/// Waits until all of them have ended, or one has failed.
async fn all(working: &mut JoinSet<Result<(), roll::Error>>) -> Result<(), roll::Error> {
    while let Some(ended) = working.join_next().await {
        ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
    }
    Ok(())
}

/// Gives back what these workers hold. When it fails, or takes longer than `limit`, others take it over.
async fn say_goodbye(team: &Team, workers: &[WorkerId], limit: Duration) {
    let goodbyes = workers.iter().map(|worker| team.queue.forget(worker));
    let goodbyes =
        futures::future::join_all(goodbyes.chain([team.queue.retire(&team.identity.id)]));
    match timeout(limit, goodbyes).await {
        Ok(answers) => answers.into_iter().filter_map(Result::err).for_each(|error| {
            tracing::debug!(%error, "could not say goodbye");
        }),
        Err(_) => tracing::debug!("the store does not take a goodbye"),
    }
}

/// This machine's name, as far as it can be had without asking the network.
fn host_name() -> String {
    let name = gethostname::gethostname();
    let name: String = name.to_string_lossy().chars().filter(char::is_ascii_alphanumeric).collect();
    if name.is_empty() { "worker".to_owned() } else { name }
}

/// How long to wait after the store has failed for the `failures`-th time in a row: 0.1 s, doubled
/// each time, at most 2 s.
fn backoff(failures: u32) -> Duration {
    Duration::from_millis(100 << failures.min(5)).min(Duration::from_secs(2))
}
