//! When a failed call is made again.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rand::Rng as _;
use tokio::time::Instant;
use tonic::{Code, Status};

/// The first pause, which doubles each time, up to the longest.
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// Whether the same call may succeed later.
pub(crate) fn is_passing(status: &Status) -> bool {
    match status.code() {
        Code::Unavailable
        | Code::ResourceExhausted
        | Code::Aborted
        | Code::Cancelled
        | Code::DeadlineExceeded
        // A connection that breaks shows as one of these.
        | Code::Unknown
        | Code::Internal => true,
        Code::Ok
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::Unauthenticated
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::DataLoss => false,
    }
}

/// Makes calls again as long as something gets through now and then.
#[derive(Debug)]
pub(crate) struct Retry {
    patience: Duration,
    last_progress: Mutex<Instant>,
}

impl Retry {
    /// Gives up when nothing has got through for `patience`.
    pub(crate) fn new(patience: Duration) -> Self {
        Self { patience, last_progress: Mutex::new(Instant::now()) }
    }

    /// Says that something got through.
    pub(crate) fn progress(&self) {
        *self.last_progress.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Waits before the call is made for the `failures`-th time again (from 0): with exponential
    /// backoff and full jitter.
    ///
    /// # Errors
    ///
    /// The status itself, when trying again is of no use, or has been for too long.
    pub(crate) async fn pause(&self, failures: u32, status: Status) -> Result<(), Status> {
        let last = *self.last_progress.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_passing(&status) || last.elapsed() > self.patience {
            return Err(status);
        }
        tracing::debug!(failures, %status, "trying again");
        let longest = PAUSE_MIN.saturating_mul(1 << failures.min(10)).min(PAUSE_MAX);
        let pause = rand::rng().random_range(PAUSE_MIN / 2..=longest);
        tokio::time::sleep(pause).await;
        Ok(())
    }

    /// Makes a call until it succeeds.
    ///
    /// # Errors
    ///
    /// The last status.
    pub(crate) async fn call<T>(
        &self,
        mut call: impl AsyncFnMut() -> Result<T, Status>,
    ) -> Result<T, Status> {
        let mut failures = 0;
        loop {
            match call().await {
                Ok(answer) => {
                    self.progress();
                    return Ok(answer);
                }
                Err(status) => self.pause(failures, status).await?,
            }
            failures = failures.saturating_add(1);
        }
    }
}
