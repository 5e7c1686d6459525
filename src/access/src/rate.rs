//! How many records a second one may send: a bucket that fills by time, and holds a second's worth.

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A bucket of permissions, one for each record.
#[derive(Debug)]
pub struct Rate {
    per_second: NonZeroU32,
    bucket: Mutex<Bucket>,
}

#[derive(Debug)]
struct Bucket {
    /// Less than none if more was taken at once than there was.
    left: f64,
    at: Instant,
}

impl Rate {
    /// A full one.
    pub fn new(per_second: NonZeroU32) -> Self {
        let bucket = Bucket { left: f64::from(per_second.get()), at: Instant::now() };
        Self { per_second, bucket: Mutex::new(bucket) }
    }

    /// How many it lets pass in a second.
    pub fn per_second(&self) -> NonZeroU32 {
        self.per_second
    }

    /// Takes `records` permissions if there is one at all: so that what comes at once is not
    /// refused for being much.
    ///
    /// # Errors
    ///
    /// There is none; how long until there is.
    pub fn take(&self, records: u32) -> Result<(), Duration> {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let per_second = f64::from(self.per_second.get());
        let filled = (now - bucket.at).as_secs_f64() * per_second;
        bucket.left = (bucket.left + filled).min(per_second);
        bucket.at = now;
        if bucket.left < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - bucket.left) / per_second));
        }
        bucket.left -= f64::from(records);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_more_than_the_rate_passes_in_the_long_run() {
        let rate = Rate::new(NonZeroU32::new(100).unwrap());
        let begun = Instant::now();
        for _ in 0..50 {
            while let Err(pause) = rate.take(10) {
                tokio::time::sleep(pause).await;
            }
        }
        // A second's worth was there at the beginning.
        let took = begun.elapsed().as_secs_f64();
        assert!((3.9..4.1).contains(&took), "{took}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_too_fast_is_told_how_long_to_wait() {
        let rate = Rate::new(NonZeroU32::new(10).unwrap());
        assert_eq!(rate.take(15), Ok(()));
        let pause = rate.take(1).unwrap_err();
        assert!(pause > Duration::from_millis(500) && pause < Duration::from_millis(700));
        tokio::time::advance(pause).await;
        assert_eq!(rate.take(1), Ok(()));
    }
}
