//! Waiting for a condition, with a limit.

use std::thread;
use std::time::{Duration, Instant};

const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// Looks until `condition` gives a value, and returns it.
///
/// # Panics
///
/// When `limit` has passed, with what `late` says of it.
pub fn until<T>(
    limit: Duration,
    mut condition: impl FnMut() -> Option<T>,
    late: impl FnOnce() -> String,
) -> T {
    let end = Instant::now() + limit;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        if Instant::now() >= end {
            panic!("not within {limit:?}: {}", late());
        }
        thread::sleep(BETWEEN_LOOKS);
    }
}
