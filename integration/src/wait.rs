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
    condition: impl FnMut() -> Option<T>,
    late: impl FnOnce() -> String,
) -> T {
    let value = by(Instant::now() + limit, condition);
    value.unwrap_or_else(|| panic!("not within {limit:?}: {}", late()))
}

/// Looks until `condition` gives a value, and returns it; `None` when it has not by `deadline`.
pub fn by<T>(deadline: Instant, mut condition: impl FnMut() -> Option<T>) -> Option<T> {
    loop {
        let value = condition();
        if value.is_some() || Instant::now() >= deadline {
            return value;
        }
        thread::sleep(BETWEEN_LOOKS);
    }
}
