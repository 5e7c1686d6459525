//! Calls at times that are fixed beforehand.
//!
//! Whether earlier calls have been answered does not matter, and each is measured from the time at
//! which it was to be sent: a server that stops for a while is seen with all the calls that it kept
//! waiting.

use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::histogram;
use super::sender::{Sender, nanos_since};

/// Sends so many records, `rate` a second.
pub(super) async fn send(
    sender: &Sender,
    records: usize,
    rate: u32,
) -> anyhow::Result<Histogram<u64>> {
    let (due, mut calls) = mpsc::unbounded_channel();
    // The runtime's timers are too coarse, by up to a millisecond.
    let pacer = thread::spawn(move || pace(records, rate, &due));
    let mut under_way = JoinSet::new();
    let mut histogram = histogram();
    loop {
        // Both are cancel-safe.
        tokio::select! {
            biased;
            Some(answered) = under_way.join_next() => {
                histogram.saturating_record(answered??);
            }
            due = calls.recv() => {
                let Some((number, at)) = due else { break };
                let sender = sender.clone();
                under_way.spawn(async move {
                    sender.send_one(number).await?;
                    anyhow::Ok(nanos_since(at))
                });
            }
        }
    }
    while let Some(answered) = under_way.join_next().await {
        histogram.saturating_record(answered??);
    }
    pacer.join().expect("a clock does not panic");
    Ok(histogram)
}

/// Says of each record when it is due, when it is.
fn pace(records: usize, rate: u32, due: &mpsc::UnboundedSender<(usize, Instant)>) {
    let began = Instant::now();
    for number in 0..records {
        let at = began + Duration::from_secs_f64(number as f64 / f64::from(rate));
        let early = at.saturating_duration_since(Instant::now());
        if !early.is_zero() {
            thread::sleep(early);
        }
        if due.send((number, at)).is_err() {
            return;
        }
    }
}
