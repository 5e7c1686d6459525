//! What is sent and not accepted yet. When it does not move, a line on standard error says why.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use humantime::format_duration;
use tokio::time::timeout;

use super::Sender;
use crate::stalled::Stalled;
use crate::wire::reason;

/// How often it is looked whether something has moved.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);
/// How long the server may take to say what the batch waits for.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// How many records of a batch were sent, and how many of them are accepted.
#[derive(Debug, Default)]
pub(super) struct Pending {
    sent: AtomicU64,
    accepted: AtomicU64,
    /// Whether all records were sent, and the batch is being sealed.
    is_sealing: AtomicBool,
}

impl Pending {
    /// Notes that the first `records` were sent.
    pub(super) fn sent(&self, records: u64) {
        self.sent.fetch_max(records, Ordering::Relaxed);
    }

    /// Notes that so many are accepted, or refused.
    pub(super) fn accepted(&self, records: u64) {
        self.accepted.store(records, Ordering::Relaxed);
    }

    /// Notes whether the batch is being sealed.
    pub(super) fn sealing(&self, is_sealing: bool) {
        self.is_sealing.store(is_sealing, Ordering::Relaxed);
    }

    /// Notes that the server has all of the batch.
    pub(super) fn done(&self) {
        self.sealing(false);
        self.accepted(u64::MAX);
    }

    /// Whether nothing is to be accepted.
    fn is_empty(&self) -> bool {
        let sent = self.sent.load(Ordering::Relaxed);
        sent <= self.accepted.load(Ordering::Relaxed) && !self.is_sealing.load(Ordering::Relaxed)
    }
}

/// Says why nothing moves, or why calls fail again and again, as long as it is polled.
pub(super) async fn say_why_it_waits(sender: &Sender) -> Infallible {
    let (mut stalled, mut failing) = (Stalled::new(), Stalled::new());
    let mut before = 0;
    loop {
        tokio::time::sleep(LOOK_INTERVAL).await;
        let accepted = sender.pending.accepted.load(Ordering::Relaxed);
        let has_moved = std::mem::replace(&mut before, accepted) != accepted;
        if has_moved || (sender.pending.is_empty() && !sender.retry.fails_now()) {
            stalled.moved();
        }
        let keeps_failing = sender.retry.keeps_failing();
        if keeps_failing.is_none() {
            failing.moved();
        }
        let (batch, complain) = (&sender.labels.batch, &sender.progress);
        if let Some(time) = stalled.due() {
            let reason = match sender.retry.reason() {
                Some((reason, false)) => reason,
                // A server that is full also knows what keeps it full.
                full => waits_for(sender, full.map(|(reason, _)| reason)).await,
            };
            let time = format_duration(time);
            let line = format_args!("batch {batch} has made no progress for {time}: {reason}");
            complain.complain(&line);
        } else if let Some(reason) = keeps_failing
            && failing.due().is_some()
        {
            complain.complain(&format_args!("batch {batch}: calls fail again and again: {reason}"));
        }
    }
}

/// What the server says that the batch waits for, or else what it said last.
async fn waits_for(sender: &Sender, last: Option<String>) -> String {
    let batch = match timeout(ANSWER_MAX, sender.server.batch(&sender.labels.batch)).await {
        Ok(Ok(batch)) => batch,
        Ok(Err(status)) => return reason(&status),
        Err(_) => return "the server does not answer".to_owned(),
    };
    let waiting_for = batch.map(|batch| batch.waiting_for).filter(|reason| !reason.is_empty());
    waiting_for.or(last).unwrap_or_else(|| {
        "the server has not accepted the records, for a reason that is not known".to_owned()
    })
}
