//! When a failed call is made again.

use std::sync::{Mutex, MutexGuard, PoisonError};
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
    /// The first failure since something got through.
    failing_since: Mutex<Option<Instant>>,
}

impl Retry {
    /// Gives up when calls have failed, and nothing has got through, for `patience`.
    pub(crate) fn new(patience: Duration) -> Self {
        Self { patience, failing_since: Mutex::default() }
    }

    /// Says that something got through.
    pub(crate) fn progress(&self) {
        *self.failing_since() = None;
    }

    fn failing_since(&self) -> MutexGuard<'_, Option<Instant>> {
        self.failing_since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits before the call is made for the `failures`-th time again (from 0): with exponential
    /// backoff and full jitter.
    ///
    /// # Errors
    ///
    /// The status itself, when trying again is of no use, or has been for too long.
    pub(crate) async fn pause(&self, failures: u32, status: Status) -> Result<(), Status> {
        let since = *self.failing_since().get_or_insert_with(Instant::now);
        if !is_passing(&status) || since.elapsed() > self.patience {
            return Err(status);
        }
        tracing::debug!(failures, %status, "trying again");
        let longest = PAUSE_MIN.saturating_mul(1 << failures.min(10)).min(PAUSE_MAX);
        let pause = rand::rng().random_range(PAUSE_MIN / 2..=longest);
        tokio::time::sleep(pause).await;
        Ok(())
    }

    /// Makes a call until it succeeds, which is progress.
    ///
    /// # Errors
    ///
    /// The last status.
    pub(crate) async fn call<T>(
        &self,
        call: impl AsyncFnMut() -> Result<T, Status>,
    ) -> Result<T, Status> {
        let answer = self.look(call).await?;
        self.progress();
        Ok(answer)
    }

    /// Makes a call until it succeeds. That it does is no progress.
    ///
    /// # Errors
    ///
    /// The last status.
    pub(crate) async fn look<T>(
        &self,
        mut call: impl AsyncFnMut() -> Result<T, Status>,
    ) -> Result<T, Status> {
        let mut failures = 0;
        loop {
            match call().await {
                Ok(answer) => return Ok(answer),
                Err(status) => self.pause(failures, status).await?,
            }
            failures = failures.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    fn away() -> Status {
        Status::unavailable("away")
    }

    #[tokio::test(start_paused = true)]
    async fn an_input_that_was_silent_for_long_leaves_all_patience_for_the_first_failure() {
        let retry = Retry::new(PATIENCE);
        tokio::time::advance(PATIENCE * 2).await;
        retry.pause(0, away()).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn patience_ends_although_the_server_can_be_looked_at() {
        let retry = Retry::new(PATIENCE);
        retry.pause(0, away()).await.unwrap();
        tokio::time::advance(PATIENCE).await;
        retry.look(async || Ok(())).await.unwrap();
        retry.pause(1, away()).await.unwrap_err();
    }

    #[tokio::test(start_paused = true)]
    async fn patience_begins_anew_when_something_gets_through() {
        let retry = Retry::new(PATIENCE);
        retry.pause(0, away()).await.unwrap();
        tokio::time::advance(PATIENCE).await;
        retry.call(async || Ok(())).await.unwrap();
        retry.pause(0, away()).await.unwrap();
    }
}
