//! One sequence of steps in a store, compared with the model after each.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use muster_queue::{
    Appended, Batch, BatchOptions, BatchState, Chunk, Committed, DeadLetter, Outcome, Output,
    Priority, Queue, Result, Work, WorkerId,
};

use super::desk::{At, Claim, Desk, name};
use super::model::{self, Model, id};
use super::session::Session;
use super::step::{Step, WORKERS};

/// What a written batch has for a digest.
pub(crate) const DIGEST: &str = "digest";

/// A store beside the model of it.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) model: Model,
    pub(crate) desk: Desk,
    written: BTreeSet<usize>,
    workers: Vec<WorkerId>,
    /// `None` only while the store is opened again.
    session: Option<Session>,
}

impl Run {
    pub(crate) fn new(model: Model, session: Session) -> Self {
        Self {
            model,
            desk: Desk::default(),
            written: BTreeSet::new(),
            workers: (0..WORKERS).map(|_| WorkerId::random("test")).collect(),
            session: Some(session),
        }
    }

    /// Takes all steps, then drains the store. Counts in `seen` the steps that were begun.
    pub(crate) async fn go(mut self, steps: Vec<Step>, seen: Option<Arc<AtomicUsize>>) {
        for step in steps {
            if let Some(seen) = &seen {
                seen.fetch_add(1, Ordering::SeqCst);
            }
            self.take(step).await.expect("the store answers");
            self.compare().await.expect("the store answers");
        }
        self.drain().await.expect("the store answers");
    }

    pub(crate) fn queue(&self) -> Arc<dyn Queue> {
        let session = self.session.as_ref().expect("the store is open");
        Arc::clone(&session.queue)
    }

    async fn take(&mut self, step: Step) -> Result<()> {
        match step {
            Step::Open { batch, priority } => self.open(batch, priority).await,
            Step::AppendFrom { .. } | Step::AppendEach { .. } => self.append(&step).await,
            Step::Seal { batch, records } => self.seal(batch, records).await,
            Step::Lease { worker, max } => {
                let worker = self.workers[worker].clone();
                self.lease(&worker, max).await.map(drop)
            }
            Step::TakeOver { worker, max } => {
                let worker = self.workers[worker].clone();
                self.take_over(&worker, max).await.map(drop)
            }
            Step::Extend { claim } => match self.claim(claim) {
                Some(claim) => self.queue().extend(&[claim.work.lease().clone()]).await,
                None => Ok(()),
            },
            Step::Release { claim } => match self.claim(claim) {
                Some(claim) => self.release(&claim).await,
                None => Ok(()),
            },
            Step::Commit { claim, dead, is_rewritten } => match self.claim(claim) {
                Some(claim) => self.commit(&claim, &dead, is_rewritten).await,
                None => Ok(()),
            },
            Step::MarkWritten { batch } => self.mark_written(batch).await,
            Step::Reopen => {
                self.reopen().await;
                Ok(())
            }
        }
    }

    fn claim(&self, index: proptest::sample::Index) -> Option<Claim> {
        let claims = &self.desk.claims;
        (!claims.is_empty()).then(|| index.get(claims).clone())
    }

    async fn open(&mut self, batch: usize, priority: Priority) -> Result<()> {
        self.model.open(batch, priority);
        let options = BatchOptions { priority, seal_after: None };
        let opened = self.queue().open(&id(batch), &options).await?;
        assert_eq!(Some(opened), self.expected(batch));
        Ok(())
    }

    async fn append(&mut self, step: &Step) -> Result<()> {
        let Some((batch, chunk)) = model::chunk(step) else {
            return Ok(());
        };
        let first = self.model.received(batch);
        let expected = self.model.append(batch, &chunk);
        let answer = self.queue().append(&id(batch), &chunk).await;
        if let Ok(Appended::Accepted) = expected {
            let priority = self.model.batches[&batch].priority;
            self.desk.add((batch, first), priority, chunk.count, chunk.payload);
        }
        assert_same(&answer.map(sorted), &expected.map(sorted));
        Ok(())
    }

    pub(crate) async fn seal(&mut self, batch: usize, records: Option<u64>) -> Result<()> {
        let expected = self.model.seal(batch, records);
        self.note_completion(batch);
        let answer = self.queue().seal(&id(batch), records).await;
        assert_same(&answer.map(Some), &expected.map(|()| self.expected(batch)));
        Ok(())
    }

    pub(crate) async fn lease(&mut self, worker: &WorkerId, max: usize) -> Result<Vec<Work>> {
        let work = self.queue().lease(worker, max, Duration::ZERO).await?;
        self.desk.leased(worker, max, &work);
        Ok(work)
    }

    pub(crate) async fn take_over(&mut self, worker: &WorkerId, max: usize) -> Result<Vec<Work>> {
        let work = self.queue().take_over(worker, Duration::ZERO, max).await?;
        self.desk.taken_over(worker, max, &work);
        Ok(work)
    }

    async fn release(&mut self, claim: &Claim) -> Result<()> {
        self.queue().release(&[claim.work.lease().clone()]).await?;
        self.desk.released(claim);
        Ok(())
    }

    pub(crate) async fn commit(
        &mut self,
        claim: &Claim,
        dead: &[bool],
        is_rewritten: bool,
    ) -> Result<()> {
        let Work::Chunk(chunk) = &claim.work else {
            return Ok(());
        };
        let (output, letters) = self.processed(chunk, dead, is_rewritten);
        let is_as_sent = output == chunk.payload;
        let is_first = self.desk.commit(claim, output.clone(), letters.clone());
        self.note_completion(name(chunk).0);
        let output = if is_as_sent { Output::AsSent } else { Output::Rewritten(output) };
        let outcome = Outcome { output, dead: letters };
        let answer = self.queue().commit(chunk, &outcome).await?;
        let expected = if is_first { Committed::Taken } else { Committed::Refused };
        assert_eq!(answer, expected);
        Ok(())
    }

    /// What comes of a chunk: the records that are kept, and the dead letters.
    fn processed(
        &self,
        chunk: &Chunk,
        dead: &[bool],
        is_rewritten: bool,
    ) -> (Bytes, Vec<DeadLetter>) {
        let (batch, first) = name(chunk);
        let (mut kept, mut letters) = (Vec::new(), Vec::new());
        for (place, number) in (first..).zip(&self.model.batches[&batch].chunks[&first]) {
            let is_dead = usize::try_from(place - first).is_ok_and(|n| dead.get(n) == Some(&true));
            if is_dead {
                let reason = format!("by {}", chunk.lease.worker);
                let record = model::records(batch, &[*number]);
                letters.push(DeadLetter { place, record_id: 1, reason, record });
            } else {
                kept.push(*number);
            }
        }
        let kept = model::records(batch, &kept);
        (if is_rewritten { kept.to_ascii_uppercase().into() } else { kept }, letters)
    }

    pub(crate) async fn mark_written(&mut self, batch: usize) -> Result<()> {
        let answer = self.queue().mark_written(&id(batch), DIGEST).await;
        let is_complete = self.desk.complete.contains(&batch);
        if is_complete {
            self.desk.complete.retain(|complete| *complete != batch);
            self.written.insert(batch);
        }
        let is_known = self.model.batches.contains_key(&batch);
        let unknown = || muster_queue::Error::UnknownBatch(id(batch));
        assert_same(&answer, &is_known.then_some(is_complete).ok_or_else(unknown));
        Ok(())
    }

    async fn reopen(&mut self) {
        let session = self.session.take().expect("the store is open");
        let (session, leases_last) = session.reopened().await;
        self.session = Some(session);
        if !leases_last {
            self.desk.forget_claims();
        }
    }

    /// Notes that a batch became complete, if it just did.
    fn note_completion(&mut self, batch: usize) {
        let is_complete =
            self.expected(batch).is_some_and(|batch| batch.state == BatchState::Complete);
        if is_complete && !self.desk.complete.contains(&batch) {
            self.desk.complete.push(batch);
        }
    }

    /// The batch as the store must show it.
    pub(crate) fn expected(&self, batch: usize) -> Option<Batch> {
        let sent = self.model.batches.get(&batch)?;
        let (mut kept, mut dead) = (0, 0);
        for (_, piece) in self.desk.of(batch) {
            if let At::Done { dead: letters, .. } = &piece.at {
                dead += letters.len() as u64;
                kept += u64::from(piece.count) - letters.len() as u64;
            }
        }
        let is_written = self.written.contains(&batch);
        let state = match sent.is_sealed {
            _ if is_written => BatchState::Written,
            true if kept + dead == sent.received() => BatchState::Complete,
            true => BatchState::Sealed,
            false => BatchState::Open,
        };
        Some(Batch {
            id: id(batch),
            state,
            priority: sent.priority,
            received: sent.received(),
            kept,
            dead,
            roll_sha256: is_written.then(|| DIGEST.to_owned()),
        })
    }

    /// Asserts that the store shows every batch as the model does.
    pub(crate) async fn compare(&self) -> Result<()> {
        let queue = self.queue();
        for batch in 0..super::step::BATCHES {
            assert_eq!(queue.batch(&id(batch)).await?, self.expected(batch));
        }
        let next = self.desk.complete.first().and_then(|batch| self.expected(*batch));
        assert_eq!(queue.next_complete().await?, next);
        Ok(())
    }
}

/// An answer whose places are in order: the store may list them in any.
fn sorted(answer: Appended) -> Appended {
    match answer {
        Appended::Taken { mut places } => {
            places.sort_unstable();
            Appended::Taken { places }
        }
        other => other,
    }
}

/// Asserts that two answers are the same; errors have no equality of their own.
#[track_caller]
fn assert_same<T: Debug>(answer: &Result<T>, expected: &Result<T>) {
    assert_eq!(format!("{answer:?}"), format!("{expected:?}"));
}
