//! The system's clock: what several processes can compare.

use std::time::{SystemTime, UNIX_EPOCH};

/// The time, in seconds since 1970.
pub(crate) fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
