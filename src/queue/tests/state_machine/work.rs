//! What workers do in a run.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use muster_queue::{
    BatchState, Chunk, Committed, DeadLetter, History, Kept, Outcome, Result, ResultChunk, Retry,
    Work, WorkerId,
};

use super::desk::{At, Claim, Piece};
use super::model::Record;
use super::run::Run;
use super::step::{Due, Fate};

/// Why records die: one group for each.
const REASONS: [&str; 3] = ["never", "too late", "odd"];

impl Run {
    pub(crate) async fn lease(&mut self, worker: &WorkerId, max: usize) -> Result<Vec<Work>> {
        self.note_void();
        let work = self.queue().lease(worker, max, Duration::ZERO).await?;
        if self.model.controls.paused {
            self.desk.leased_rolls(worker, max, &work);
        } else {
            self.desk.leased(worker, max, &work);
        }
        Ok(work)
    }

    pub(crate) async fn take_over(
        &mut self,
        worker: &WorkerId,
        idle: Duration,
        max: usize,
    ) -> Result<Vec<Work>> {
        self.note_void();
        let work = self.queue().take_over(worker, idle, max).await?;
        if self.model.controls.paused {
            self.desk.leased_rolls(worker, max, &work);
        } else if idle.is_zero() {
            self.desk.taken_over(worker, max, &work);
        } else {
            assert_eq!(work, [], "nobody was silent for so long");
        }
        Ok(work)
    }

    pub(crate) async fn lease_isolated(
        &mut self,
        worker: &WorkerId,
        idle: Duration,
    ) -> Result<Option<Chunk>> {
        self.note_void();
        let chunk = self.queue().lease_isolated(worker, idle).await?;
        if self.model.controls.paused {
            assert_eq!(chunk, None, "nobody is given a chunk");
        } else {
            self.desk.isolated(worker, idle.is_zero(), chunk.as_ref());
        }
        Ok(chunk)
    }

    /// Notes which chunks are of aborted batches.
    fn note_void(&mut self) {
        for piece in self.desk.pieces.values_mut() {
            piece.is_void = self.model.state(&piece.batch) == Some(BatchState::Aborted);
        }
    }

    pub(crate) async fn release(&mut self, claim: &Claim) -> Result<()> {
        self.queue().release(&[claim.work.lease().clone()]).await?;
        self.desk.released(claim);
        Ok(())
    }

    pub(crate) async fn forget(&mut self, worker: &WorkerId) -> Result<()> {
        self.queue().forget(worker).await?;
        self.desk.forgotten(worker);
        Ok(())
    }

    /// Commits a claim on a chunk: the first is taken, whoever holds it.
    pub(crate) async fn commit(
        &mut self,
        claim: &Claim,
        fates: &[Fate],
        is_rewritten: bool,
    ) -> Result<()> {
        let Work::Chunk(chunk) = &claim.work else {
            return Ok(());
        };
        let outcome = outcome(chunk, fates, is_rewritten);
        let answer = self.queue().commit(chunk, &outcome).await?;
        let is_void = self.model.state(&chunk.batch) == Some(BatchState::Aborted);
        let piece = self.desk.number(claim).and_then(|number| self.desk.pieces.remove(&number));
        match piece {
            Some(piece) if !is_void => {
                assert_eq!(answer, Committed::Taken);
                self.note(&piece, &outcome);
            }
            _ => assert_eq!(answer, Committed::Refused),
        }
        Ok(())
    }

    /// Notes what became of the records of a chunk.
    fn note(&mut self, piece: &Piece, outcome: &Outcome) {
        let sent = self.model.batches.get_mut(&piece.batch).expect("it was sent");
        sent.chunks_committed += 1;
        let kept: Vec<(u64, Bytes)> = match &outcome.kept {
            Kept::AsSent => (piece.first..).zip(piece.records.iter().cloned()).collect(),
            Kept::Runs(runs) => runs.iter().flat_map(|run| (run.first..).zip(lines(run))).collect(),
        };
        self.model.totals.kept += kept.len() as u64;
        self.model.totals.dead += outcome.dead.len() as u64;
        for (place, bytes) in kept {
            *sent.record(place) = Record::Kept(bytes);
        }
        for letter in &outcome.dead {
            *sent.record(letter.place) = Record::Dead(letter.clone());
        }
        for retry in &outcome.retry {
            *sent.record(retry.place) = Record::Retrying;
            let records = vec![retry.payload.clone()];
            let mut again = Piece::new(&piece.batch, retry.place, records, piece.priority);
            again.trace.clone_from(&piece.trace);
            again.history = retry.history;
            let due = [Due::Now, Due::Soon, Due::Late].into_iter();
            let due = due.filter(|due| due.after() <= retry.after).last();
            again.at = At::Waiting(due.expect("no time is before now"));
            self.desk.add(again);
        }
        self.model.complete_if_ready(&piece.batch);
    }
}

/// The records of a run.
fn lines(run: &ResultChunk) -> Vec<Bytes> {
    let lines = run.payload.split_inclusive(|byte| *byte == b'\n');
    lines.map(Bytes::copy_from_slice).collect()
}

/// What a worker makes of a chunk, as the fates have it.
fn outcome(chunk: &Chunk, fates: &[Fate], is_rewritten: bool) -> Outcome {
    let as_sent =
        ResultChunk { first: chunk.first, count: chunk.count, payload: chunk.payload.clone() };
    let (mut runs, mut dead, mut retry) = (Vec::<ResultChunk>::new(), Vec::new(), Vec::new());
    for ((place, record), fate) in (chunk.first..).zip(lines(&as_sent)).zip(fates) {
        let record = if is_rewritten { record.to_ascii_uppercase().into() } else { record };
        match *fate {
            Fate::Keep => match runs.last_mut() {
                Some(run) if run.first + u64::from(run.count) == place => {
                    run.payload = [run.payload.clone(), record].concat().into();
                    run.count += 1;
                }
                _ => runs.push(ResultChunk { first: place, count: 1, payload: record }),
            },
            Fate::Die(reason) => dead.push(letter(chunk, place, record, reason)),
            Fate::Retry { due, isolated } => retry.push(Retry {
                place,
                payload: record,
                history: History {
                    failures: chunk.history.failures + 1,
                    failed_first: chunk.history.failed_first.or(Some(failed_at(place))),
                    isolated,
                },
                after: due.after(),
            }),
        }
    }
    let kept = if runs == [as_sent] { Kept::AsSent } else { Kept::Runs(runs) };
    Outcome { kept, dead, retry }
}

fn letter(chunk: &Chunk, place: u64, record: Bytes, reason: usize) -> DeadLetter {
    DeadLetter {
        place,
        record_id: -1,
        reason: format!("{} at {place}: \"{}\"", REASONS[reason], chunk.lease.worker),
        attempts: chunk.history.failures + 1,
        crashes: chunk.lost,
        first: chunk.history.failed_first.unwrap_or_else(|| failed_at(place)),
        last: failed_at(place) + Duration::from_millis(1),
        trace: chunk.trace.clone(),
        record,
    }
}

/// When the record at `place` failed.
fn failed_at(place: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(1_700_000_000_000 + place)
}
