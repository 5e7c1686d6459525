//! When a failed call is made again.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use muster_proto::metadata::RETRY_AFTER;
use rand::Rng as _;
use tokio::time::Instant;
use tonic::{Code, Status};

use crate::metrics;
use crate::wire::{obstacle, reason};

/// The first pause, which doubles each time, up to the longest.
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// The longest pause that a server may ask for.
const ASKED_MAX: Duration = Duration::from_secs(30);
/// A call that lasted this long was held by a server that lives. One that has gone silent is found
/// out sooner, when it does not answer on its connection.
const HELD: Duration = Duration::from_secs(30);

/// Failures that are further apart have nothing to do with each other.
const APART: Duration = Duration::from_secs(5);
/// A call that fails is made again sooner than this: after the longest pause, and the time for a
/// connection.
const RECENT: Duration = Duration::from_secs(15);

/// Whether the same call may succeed later, without anybody who puts something right.
pub(crate) fn is_passing(status: &Status) -> bool {
    match status.code() {
        Code::Unavailable
        | Code::ResourceExhausted
        | Code::Aborted
        | Code::Cancelled
        | Code::DeadlineExceeded
        // A connection that breaks shows as one of these.
        | Code::Unknown
        | Code::Internal => obstacle(status).is_none(),
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

/// How long a server that is full asks to wait.
fn asked(status: &Status) -> Option<Duration> {
    if status.code() != Code::ResourceExhausted {
        return None;
    }
    let asked = status.metadata().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_millis(asked).clamp(PAUSE_MIN, ASKED_MAX))
}

/// Makes calls again as long as something gets through now and then, or the server says that it
/// is full and when to come again: whoever says so lives, and will have room.
#[derive(Debug)]
pub(crate) struct Retry {
    patience: Duration,
    /// The first failure since something got through.
    failing_since: Mutex<Option<Instant>>,
    last: Mutex<Option<Failure>>,
}

/// The last call that failed.
#[derive(Clone, Debug)]
struct Failure {
    reason: String,
    at: Instant,
    /// The first of those that followed one another closely.
    since: Instant,
    /// Whether the server was full.
    is_full: bool,
    /// Whether something got through since.
    is_over: bool,
}

impl Failure {
    /// Whether calls may still fail for this reason.
    fn is_current(&self) -> bool {
        !self.is_over && self.at.elapsed() < RECENT
    }
}

impl Retry {
    /// Gives up when calls have failed, and nothing has got through, for `patience`.
    pub(crate) fn new(patience: Duration) -> Self {
        Self { patience, failing_since: Mutex::default(), last: Mutex::default() }
    }

    /// Says that something got through.
    pub(crate) fn progress(&self) {
        *self.failing_since() = None;
        if let Some(last) = &mut *self.last() {
            last.is_over = true;
        }
    }

    /// Why the last call failed, if that was a short while ago and nothing got through since; and whether
    /// that is because the server is full.
    pub(crate) fn reason(&self) -> Option<(String, bool)> {
        let last = self.last();
        let last = last.as_ref().filter(|last| last.is_current());
        last.map(|last| (last.reason.clone(), last.is_full))
    }

    /// Whether a call failed a short while ago, and nothing got through since.
    pub(crate) fn fails_now(&self) -> bool {
        self.last().as_ref().is_some_and(Failure::is_current)
    }

    /// Why calls fail again and again, although something gets through in between.
    pub(crate) fn keeps_failing(&self) -> Option<String> {
        let last = self.last();
        let last = last.as_ref().filter(|last| last.at.elapsed() < APART)?;
        (last.since.elapsed() >= APART).then(|| last.reason.clone())
    }

    /// Notes why a call failed. A full server does not count as one whose calls fail again and again.
    fn failed(&self, status: &Status, is_full: bool) {
        let (reason, at) = (reason(status), Instant::now());
        let mut last = self.last();
        let before = last.as_ref().filter(|last| !is_full && last.at.elapsed() < APART);
        let since = before.map_or(at, |last| last.since);
        *last = Some(Failure { reason, at, since, is_full, is_over: false });
    }

    fn last(&self) -> MutexGuard<'_, Option<Failure>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says how long a call lasted that has failed. A stream that a full server reads slowly, or not
    /// at all for a while, is no failure before it breaks.
    pub(crate) fn lasted(&self, time: Duration) {
        if time >= HELD {
            self.progress();
        }
    }

    fn failing_since(&self) -> MutexGuard<'_, Option<Instant>> {
        self.failing_since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits before the call is made for the `failures`-th time again (from 0): as long as the
    /// server asks for, and up to half as long again; else with exponential backoff and full jitter.
    ///
    /// # Errors
    ///
    /// The status itself, when trying again is of no use, or has been for too long.
    pub(crate) async fn pause(&self, failures: u32, status: Status) -> Result<(), Status> {
        if let Some(asked) = asked(&status) {
            metrics::retried();
            tracing::debug!(?asked, %status, "the server is full");
            self.progress();
            self.failed(&status, true);
            tokio::time::sleep(rand::rng().random_range(asked..=asked.mul_f32(1.5))).await;
            return Ok(());
        }
        let since = *self.failing_since().get_or_insert_with(Instant::now);
        if !is_passing(&status) || since.elapsed() > self.patience {
            return Err(status);
        }
        metrics::retried();
        tracing::debug!(failures, %status, "trying again");
        self.failed(&status, false);
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

    fn full(milliseconds: &str) -> Status {
        let mut status = Status::resource_exhausted("full");
        status.metadata_mut().insert(RETRY_AFTER, milliseconds.parse().unwrap());
        status
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_is_full_is_waited_for_as_long_as_it_says_so() {
        let retry = Retry::new(PATIENCE);
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE * 100 {
            let pause = Instant::now();
            retry.pause(0, full("20000")).await.unwrap();
            let pause = pause.elapsed();
            assert!((20..=31).contains(&pause.as_secs()), "waited {pause:?}");
        }
        // Then all patience is left for one that is away.
        retry.pause(0, away()).await.unwrap();
        tokio::time::advance(PATIENCE).await;
        retry.pause(1, away()).await.unwrap_err();
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_that_is_asked_for_has_bounds() {
        for (asked, shortest, longest) in
            [("0", PAUSE_MIN, PAUSE_MIN * 2), ("86400000", ASKED_MAX, ASKED_MAX * 2)]
        {
            let begun = Instant::now();
            Retry::new(PATIENCE).pause(0, full(asked)).await.unwrap();
            let pause = begun.elapsed();
            assert!((shortest..=longest).contains(&pause), "asked {asked}, waited {pause:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn patience_ends_when_a_full_server_does_not_say_when_to_come_again() {
        for status in [full("soon"), Status::resource_exhausted("full")] {
            let retry = Retry::new(PATIENCE);
            retry.pause(0, status.clone()).await.unwrap();
            tokio::time::advance(PATIENCE).await;
            retry.pause(1, status).await.unwrap_err();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn patience_begins_anew_after_a_call_that_was_held() {
        for (lasted, goes_on) in [(HELD, true), (HELD / 2, false)] {
            let retry = Retry::new(PATIENCE);
            retry.pause(0, away()).await.unwrap();
            tokio::time::advance(PATIENCE).await;
            retry.lasted(lasted);
            assert_eq!(retry.pause(1, away()).await.is_ok(), goes_on, "{lasted:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_failure_is_the_reason_until_something_gets_through() {
        let retry = Retry::new(PATIENCE);
        assert_eq!(retry.reason(), None);
        for _ in 0..2 {
            retry.pause(0, full("250")).await.unwrap();
            assert_eq!(retry.reason(), Some(("full".to_owned(), true)));
        }
        retry.pause(0, away()).await.unwrap();
        assert_eq!(retry.reason(), Some(("away".to_owned(), false)));
        retry.progress();
        assert_eq!(retry.reason(), None);
        retry.pause(0, away()).await.unwrap();
        tokio::time::advance(RECENT).await;
        assert_eq!(retry.reason(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_fail_now_and_again_are_noticed_after_a_while() {
        let retry = Retry::new(PATIENCE);
        for _ in 0..4 {
            retry.pause(0, away()).await.unwrap();
            retry.progress();
            assert_eq!(retry.keeps_failing(), None);
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(retry.keeps_failing().as_deref(), Some("away"));
        tokio::time::advance(APART).await;
        assert_eq!(retry.keeps_failing(), None);
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
