//! A batch as a few lines, and as JSON.

use std::fmt;

use muster_proto::v1::{Batch, BatchPolicy, BatchPriority, BatchState};
use serde::Serialize;

use super::figures::time;
use crate::printable;
use crate::report::{counted, held};

/// What is shown of a batch.
#[derive(Debug, Serialize)]
pub(crate) struct BatchView<'a> {
    batch: &'a str,
    state: &'static str,
    policy: &'static str,
    priority: &'static str,
    received: u64,
    kept: u64,
    retrying: u64,
    dead: u64,
    dropped: u64,
    replayed: u64,
    held: bool,
    overdue: bool,
    chunks: u64,
    chunks_committed: u64,
    opened_at: Option<String>,
    sealed_at: Option<String>,
    completed_at: Option<String>,
    ended_at: Option<String>,
    digest: Option<&'a str>,
    sha256: Option<&'a str>,
    waiting_for: Option<&'a str>,
}

impl<'a> From<&'a Batch> for BatchView<'a> {
    fn from(batch: &'a Batch) -> Self {
        Self {
            batch: &batch.id,
            state: state(batch),
            policy: match batch.policy() {
                BatchPolicy::Unspecified | BatchPolicy::Partial => "partial",
                BatchPolicy::Fail => "fail",
            },
            priority: match batch.priority() {
                BatchPriority::High => "high",
                BatchPriority::Unspecified | BatchPriority::Normal => "normal",
                BatchPriority::Low => "low",
            },
            received: batch.received,
            kept: batch.kept,
            retrying: batch.retrying,
            dead: batch.dead,
            dropped: batch.dropped,
            replayed: batch.replayed,
            held: batch.held,
            overdue: batch.overdue,
            chunks: batch.chunks,
            chunks_committed: batch.chunks_committed,
            opened_at: batch.opened_at.and_then(time),
            sealed_at: batch.sealed_at.and_then(time),
            completed_at: batch.completed_at.and_then(time),
            ended_at: batch.ended_at.and_then(time),
            digest: Some(batch.digest.as_str()).filter(|digest| !digest.is_empty()),
            sha256: Some(batch.roll_sha256.as_str()).filter(|sha256| !sha256.is_empty()),
            waiting_for: Some(batch.waiting_for.as_str()).filter(|reason| !reason.is_empty()),
        }
    }
}

/// Where a batch is on its way to the roll, in a word.
pub(super) fn state(batch: &Batch) -> &'static str {
    match batch.state() {
        BatchState::Unspecified => "unknown",
        BatchState::Open => "open",
        BatchState::Sealed => "sealed",
        BatchState::Complete => "complete",
        BatchState::Written => "written",
        BatchState::Aborted => "aborted",
    }
}

impl BatchView<'_> {
    /// The state on one line, with what somebody has to know or do.
    fn state(&self) -> String {
        let Self { state, .. } = self;
        if self.held {
            let batch = printable::text(self.batch);
            return format!("{state}, held: {}", held(&batch, self.dead));
        }
        if self.overdue {
            return format!("{state}: its sender did not come back before its deadline");
        }
        (*state).to_owned()
    }

    /// What became of the batch, as one line.
    pub(crate) fn outcome(&self) -> String {
        let (kept, dead) = (counted(self.kept, "record"), counted(self.dead, "dead letter"));
        format!("settled   {}: {} ({kept}, {dead})\n", printable::text(self.batch), self.state())
    }
}

impl fmt::Display for BatchView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "batch     {}", printable::text(self.batch))?;
        writeln!(f, "state     {}", self.state())?;
        if let Some(reason) = self.waiting_for {
            writeln!(f, "waiting   {}", printable::text(reason))?;
        }
        writeln!(f, "policy    {}", self.policy)?;
        writeln!(f, "priority  {}", self.priority)?;
        writeln!(f, "received  {}", counted(self.received, "record"))?;
        writeln!(f, "kept      {}", counted(self.kept, "record"))?;
        for (name, records) in [
            ("retrying", self.retrying),
            ("dead", self.dead),
            ("dropped", self.dropped),
            ("replayed", self.replayed),
        ] {
            if records > 0 {
                writeln!(f, "{name:<8}  {}", counted(records, "record"))?;
            }
        }
        // An earlier version counted no chunks, and knew no times.
        if self.chunks > 0 {
            writeln!(f, "chunks    {}, {} committed", self.chunks, self.chunks_committed)?;
        }
        let ended = if self.state == "aborted" { "aborted" } else { "written" };
        for (name, time) in [
            ("opened", &self.opened_at),
            ("sealed", &self.sealed_at),
            ("complete", &self.completed_at),
            (ended, &self.ended_at),
        ] {
            if let Some(time) = time {
                writeln!(f, "{name:<8}  {time}")?;
            }
        }
        if let Some(digest) = self.digest {
            writeln!(f, "digest    {}", printable::text(digest))?;
        }
        match self.sha256 {
            Some(sha256) => writeln!(f, "sha256    {}", printable::text(sha256)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> Batch {
        Batch {
            id: "b-1".to_owned(),
            state: BatchState::Sealed.into(),
            policy: BatchPolicy::Fail.into(),
            received: 300,
            kept: 297,
            dead: 3,
            held: true,
            ..Batch::default()
        }
    }

    #[test]
    fn a_batch_that_is_held_says_what_to_do() {
        insta::assert_snapshot!(BatchView::from(&batch()), @r"
        batch     b-1
        state     sealed, held: 3 dead letters must be replayed or dropped (muster-client dead list --batch b-1)
        policy    fail
        priority  normal
        received  300 records
        kept      297 records
        dead      3 records
        ");
    }

    #[test]
    fn a_written_batch_says_all_that_there_is() {
        let written = Batch {
            state: BatchState::Written.into(),
            policy: BatchPolicy::Partial.into(),
            held: false,
            retrying: 1,
            dropped: 2,
            replayed: 3,
            digest: "d1".to_owned(),
            roll_sha256: "5ha".to_owned(),
            ..batch()
        };
        insta::assert_snapshot!(BatchView::from(&written), @r"
        batch     b-1
        state     written
        policy    partial
        priority  normal
        received  300 records
        kept      297 records
        retrying  1 record
        dead      3 records
        dropped   2 records
        replayed  3 records
        digest    d1
        sha256    5ha
        ");
    }

    #[test]
    fn waiting_batch_says_what_for() {
        let state = BatchState::Complete.into();
        let waiting_for = "no worker is running\n".to_owned();
        let waiting = Batch { state, waiting_for, held: false, ..batch() };
        let text = BatchView::from(&waiting).to_string();
        assert!(
            text.contains("state     complete\nwaiting   no worker is running\\n\npolicy"),
            "{text}"
        );
    }

    #[test]
    fn an_overdue_batch_says_why_it_ended() {
        let overdue =
            Batch { state: BatchState::Aborted.into(), overdue: true, held: false, ..batch() };
        let view = BatchView::from(&overdue);
        assert_eq!(view.state(), "aborted: its sender did not come back before its deadline");
    }
}
