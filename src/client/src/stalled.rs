//! When to say that nothing moves: after five seconds, and then each minute.

use std::time::Duration;

use tokio::time::Instant;

/// How long nothing may move before that is said.
const SILENT_MAX: Duration = Duration::from_secs(5);
/// How often it is said again.
const REPEAT_INTERVAL: Duration = Duration::from_secs(60);

/// Something that should move.
#[derive(Debug)]
pub(crate) struct Stalled {
    moved: Instant,
    next: Instant,
}

impl Stalled {
    /// It has moved just now.
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        Self { moved: now, next: now + SILENT_MAX }
    }

    /// Says that it has moved, or has nothing to do.
    pub(crate) fn moved(&mut self) {
        *self = Self::new();
    }

    /// How long it has not moved, in whole seconds, if that is to be said now.
    pub(crate) fn due(&mut self) -> Option<Duration> {
        let now = Instant::now();
        (now >= self.next).then(|| {
            self.next = now + REPEAT_INTERVAL;
            Duration::from_secs(now.duration_since(self.moved).as_secs())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_is_said_after_five_seconds_and_then_each_minute() {
        let mut stalled = Stalled::new();
        let mut said = Vec::new();
        for second in 1..=130 {
            tokio::time::advance(Duration::from_secs(1)).await;
            if let Some(time) = stalled.due() {
                assert_eq!(time, Duration::from_secs(second));
                said.push(second);
            }
        }
        assert_eq!(said, [5, 65, 125]);
        stalled.moved();
        tokio::time::advance(Duration::from_secs(4)).await;
        assert_eq!(stalled.due(), None);
    }
}
