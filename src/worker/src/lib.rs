//! The worker: leases chunks, processes their records, commits, and writes the roll.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`config`] | its settings |
//! | [`processor`] | what is done with a record: the trait, and the built-in processors |
//! | `outcome` | a chunk through the processor |
//! | `worker` | one worker's loop: lease, process, commit |
//! | `housekeeping` | what keeps leases alive and batches moving |
//! | [`roll`] | the roll: `all_users.json`, its manifest, how it grows |

pub mod config;
mod housekeeping;
mod outcome;
pub mod processor;
pub mod roll;
mod worker;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use muster_program::shutdown::Shutdown;
use muster_queue::{Queue, WorkerId};

use crate::config::Config;
use crate::housekeeping::Held;
use crate::processor::Processor;
use crate::roll::Roll;

/// What workers do when the roll cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RollFailure {
    /// Say so in the log, and try again when the lease has run out: someone may make room.
    TryAgain,
    /// End with the error.
    GiveUp,
}

/// Runs `config.workers` workers until the shutdown begins and each has finished what it has in
/// hand.
///
/// # Errors
///
/// The roll's folder cannot be made; or, to give up, the roll cannot be written.
pub async fn run(
    queue: Arc<dyn Queue>,
    config: &Config,
    processor: Arc<dyn Processor>,
    roll_failure: RollFailure,
    shutdown: &Shutdown,
) -> Result<(), roll::Error> {
    let roll = Roll::in_folder(&config.roll)?;
    let held = Arc::new(Held::default());
    let label = host_name();
    let worker = |_| {
        let worker = worker::Worker {
            id: WorkerId::random(&label),
            queue: Arc::clone(&queue),
            processor: Arc::clone(&processor),
            roll: roll.clone(),
            roll_failure,
            held: Arc::clone(&held),
            lease: config.lease,
            scan_interval: config.scan_interval,
            shutdown: shutdown.clone(),
        };
        let working = shutdown.spawn(worker.run());
        async {
            working.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
        }
    };
    let workers = futures::future::try_join_all((0..config.workers.get()).map(worker));
    tracing::info!(workers = config.workers, roll = %roll.path().display(), "working");
    tokio::select! {
        ended = workers => ended.map(|_| ()),
        () = housekeeping::keep(queue.as_ref(), &held, config.lease) => Ok(()),
    }
}

/// This machine's name, as far as it can be had without asking the network.
fn host_name() -> String {
    let name = std::fs::read_to_string(Path::new("/proc/sys/kernel/hostname")).unwrap_or_default();
    let name: String = name.trim().chars().filter(char::is_ascii_alphanumeric).collect();
    if name.is_empty() { "worker".to_owned() } else { name }
}

/// How long to wait after the store has failed for the `failures`-th time in a row: 0.1 s, doubled
/// each time, at most 2 s.
fn backoff(failures: u32) -> Duration {
    Duration::from_millis(100 << failures.min(5)).min(Duration::from_secs(2))
}
