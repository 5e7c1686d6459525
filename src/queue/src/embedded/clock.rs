//! Wall-clock time, as the store keeps it.

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::millis;

/// When the process first asked, by both clocks.
static START: LazyLock<Start> =
    LazyLock::new(|| Start { wall: SystemTime::now(), instant: Instant::now() });

/// A moment, by both clocks.
struct Start {
    wall: SystemTime,
    instant: Instant,
}

impl Start {
    /// The wall-clock time at a later instant, had nobody set the clock in between.
    fn wall_at(&self, instant: Instant) -> SystemTime {
        self.wall + instant.duration_since(self.instant)
    }
}

/// Now, in milliseconds since 1970. A clock that is set while the process runs is not followed: back,
/// it would keep retries and deadlines waiting for as long; forth, it would end open batches.
pub(super) fn now_ms() -> u64 {
    millis::duration_ms(since_1970())
}

/// The same in microseconds.
pub(super) fn now_us() -> u64 {
    u64::try_from(since_1970().as_micros()).unwrap_or(u64::MAX)
}

fn since_1970() -> Duration {
    START.wall_at(Instant::now()).duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on_from_the_start_whatever_the_clock_says() {
        let in_an_hour = SystemTime::now() + Duration::from_secs(60 * 60);
        let start = Start { wall: in_an_hour, instant: Instant::now() };
        let later = start.instant + Duration::from_millis(1500);
        assert_eq!(start.wall_at(start.instant), in_an_hour);
        assert_eq!(start.wall_at(later), in_an_hour + Duration::from_millis(1500));
    }
}
