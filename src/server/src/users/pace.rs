//! How long a write waits for more calls.
//!
//! While one write is under way calls come together by themselves; but where a store answers at once,
//! many senders would still make a write of each few calls, and what a write costs the server, the
//! store, and the worker that has its chunk, would keep all of them busy. So a write waits for those
//! who were there a moment ago, as `commit_delay` and `commit_siblings` of PostgreSQL do: not for
//! somebody who is alone, nor longer than it takes until all are there again.

use std::time::Duration;

use tokio::sync::mpsc::Receiver;
use tokio::time::Instant;

/// Nobody waits once the write before has begun so long ago. Timers go by whole milliseconds: it is
/// the next one.
const INTERVAL: Duration = Duration::from_micros(500);
/// Fewer senders than that do not wait for each other.
const SENDERS_MIN: usize = 4;
/// For how long somebody who has called is expected again.
const MEMORY: Duration = Duration::from_millis(100);

/// Until when the next write may wait, and for how many calls.
#[derive(Debug)]
pub(super) struct Pace {
    /// When the write before began.
    began: Instant,
    /// The most calls that were there at once.
    senders: usize,
    /// Since when that is counted.
    since: Instant,
}

impl Pace {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self { began: now, senders: 0, since: now }
    }

    /// Takes more calls, if more are to be expected soon; up to `max` in all. A write begins then.
    pub(super) async fn gather<T>(
        &mut self,
        calls: &mut Vec<T>,
        waiting: &mut Receiver<T>,
        max: usize,
    ) {
        let expected = self.senders.min(max);
        if expected >= SENDERS_MIN {
            let gather = async {
                while calls.len() < expected
                    && waiting.recv_many(calls, max - calls.len()).await > 0
                {}
            };
            // What was received stays when the time is over.
            tokio::time::timeout_at(self.began + INTERVAL, gather).await.ok();
        }
        self.began = Instant::now();
    }

    /// Is told how many calls were written, and how many have come since.
    pub(super) fn wrote(&mut self, written: usize, came: usize) {
        if self.since.elapsed() >= MEMORY {
            (self.senders, self.since) = (0, Instant::now());
        }
        self.senders = self.senders.max(written + came);
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;
    use tokio::time::{advance, sleep};

    use super::*;

    const MAX: usize = 100;

    /// How many calls a write has, and after how many milliseconds it begins: after a write of
    /// `senders` calls one comes at once, and these, each after so many milliseconds of its own.
    async fn write_of(senders: usize, after_ms: &[u64]) -> (usize, u128) {
        let (sender, mut waiting) = mpsc::channel(MAX);
        let mut pace = Pace::new();
        pace.wrote(senders, 0);
        let calls = after_ms.iter().map(async |&after_ms| {
            sleep(Duration::from_millis(after_ms)).await;
            sender.send(()).await.ok();
        });
        let write = async {
            let (mut calls, began) = (vec![()], Instant::now());
            pace.gather(&mut calls, &mut waiting, MAX).await;
            (calls.len(), began.elapsed().as_millis())
        };
        tokio::join!(write, futures::future::join_all(calls)).0
    }

    #[tokio::test(start_paused = true)]
    async fn one_of_few_does_not_wait() {
        for senders in 0..SENDERS_MIN {
            assert_eq!(write_of(senders, &[0]).await, (1, 0), "of {senders}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn of_many_each_waits_until_all_are_there() {
        assert_eq!(write_of(5, &[0, 0, 0, 0, 10]).await, (5, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_longer_than_a_moment() {
        assert_eq!(write_of(5, &[0, 0, 10, 10]).await, (3, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_after_a_write_that_took_longer_than_that() {
        let (_sender, mut waiting) = mpsc::channel::<()>(MAX);
        let mut pace = Pace::new();
        advance(Duration::from_millis(5)).await;
        pace.wrote(1, 8);
        let (mut calls, began) = (vec![()], Instant::now());
        pace.gather(&mut calls, &mut waiting, MAX).await;
        assert_eq!((calls.len(), began.elapsed()), (1, Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_have_gone_are_not_waited_for() {
        let (_sender, mut waiting) = mpsc::channel::<()>(MAX);
        let mut pace = Pace::new();
        pace.wrote(50, 0);
        advance(MEMORY).await;
        pace.wrote(1, 0);
        pace.gather(&mut vec![()], &mut waiting, MAX).await;
        let began = Instant::now();
        pace.gather(&mut vec![()], &mut waiting, MAX).await;
        assert_eq!(began.elapsed(), Duration::ZERO);
    }
}
