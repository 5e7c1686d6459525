//! When a record is tried again, and when it is given up.

use std::time::Duration;

/// How often a chunk's lease may be lost before its records are tried one by one. A worker that
/// is ended once, by whoever, costs nothing; a record that ends every worker is soon alone.
pub(crate) const LOST_MAX: u32 = 2;

/// How records are retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    /// How often a record is processed before it is a dead letter: at least 1.
    pub attempts_max: u32,
    /// How often workers may be lost with a record, alone, in hand before it is a dead letter: at
    /// least 1. Such a loss is no attempt.
    pub crashes_max: u32,
    /// The longest delay before the second attempt. It doubles with each one.
    pub delay: Duration,
    /// The longest delay of all.
    pub delay_max: Duration,
}

impl Retries {
    /// How long to wait after so many failures: exponential backoff with full jitter, a random
    /// time up to the bound, so that what failed together is not tried together.
    ///
    /// Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    pub fn backoff(&self, failures: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
        let bound = self.delay.saturating_mul(doubled).min(self.delay_max);
        bound.mul_f64(rand::random())
    }
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            attempts_max: 5,
            crashes_max: 2,
            delay: Duration::from_secs(1),
            delay_max: Duration::from_secs(60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The longest of many delays.
    fn longest(retries: &Retries, failures: u32) -> Duration {
        (0..1000).map(|_| retries.backoff(failures)).max().unwrap()
    }

    #[test]
    fn delays_fill_a_bound_that_doubles_up_to_the_longest() {
        let retries = Retries { delay_max: Duration::from_secs(5), ..Retries::default() };
        for (failures, bound) in [(1, 1), (2, 2), (3, 4), (4, 5), (100, 5)] {
            let (bound, longest) = (Duration::from_secs(bound), longest(&retries, failures));
            assert!(longest <= bound && longest > bound / 2, "{failures}: {longest:?}");
        }
    }
}
