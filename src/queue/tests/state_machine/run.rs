//! One sequence of steps in a store, compared with the model after each: what senders do.

use std::fmt::Debug;
use std::num::{NonZeroU8, NonZeroU64};
use std::sync::Arc;

use bytes::Bytes;
use muster_content::{ContentDigest, RecordHash};
use muster_queue::{
    Appended, BatchId, BatchOptions, BatchState, Durability, KeyPrefix, Limits, NewChunk, Places,
    Queue, Result, StoreOptions, WorkerId,
};
use proptest::sample::Index;

use super::compare::without_times;
use super::desk::{Claim, Desk, Piece};
use super::model::{Model, Sent, Way};
use super::session::Session;
use super::step::{BATCHES, Pick, Step, WORKERS};

/// What a written batch has for a digest.
pub(crate) const DIGEST: &str = "digest";

/// Some ten chunks: enough for work of every kind, and reached now and then.
pub(crate) const LIMITS: Limits =
    Limits { records: NonZeroU64::new(24), bytes: NonZeroU64::new(400) };

/// How each store is opened.
pub(crate) const OPTIONS: StoreOptions = StoreOptions {
    limits: LIMITS,
    durability: Durability::Accepted,
    replicas: NonZeroU8::MIN,
    key_prefix: KeyPrefix::DEFAULT,
    connect_timeout: StoreOptions::CONNECT_TIMEOUT,
};

/// The trace of every chunk that begins at an odd place.
const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// A store beside the model of it.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) model: Model,
    pub(crate) desk: Desk,
    /// Every batch that there may be: those of the senders, then those made by a replay.
    pub(crate) ids: Vec<BatchId>,
    pub(crate) workers: Vec<WorkerId>,
    /// `None` only while the store is opened again.
    session: Option<Session>,
}

impl Run {
    pub(crate) fn new(session: Session) -> Self {
        let id = |batch| format!("batch-{batch}").parse().expect("a batch id");
        Self {
            model: Model::default(),
            desk: Desk::default(),
            ids: (0..BATCHES).map(id).collect(),
            workers: (0..WORKERS).map(|_| WorkerId::random("test")).collect(),
            session: Some(session),
        }
    }

    /// Takes all steps, then drains the store.
    pub(crate) async fn go(mut self, steps: Vec<Step>) -> Result<()> {
        for step in steps {
            self.take(step).await?;
            self.compare().await?;
        }
        self.drain().await
    }

    pub(crate) fn queue(&self) -> Arc<dyn Queue> {
        let session = self.session.as_ref().expect("the store is open");
        Arc::clone(&session.queue)
    }

    async fn take(&mut self, step: Step) -> Result<()> {
        match step {
            Step::Open { batch, options } => self.open(batch, options).await,
            Step::AppendFrom { batch, place, counts, other } => {
                self.append_from(batch, place, &counts, other).await
            }
            Step::AppendEach { batch, chunks, other } => {
                let batch = self.batch(batch, |sent| sent.takes(Way::Each));
                let hashed = |index: u64| (index, RecordHash::of(&record(&batch, index, other)));
                let chunks = chunks.into_iter().map(|indices| {
                    (Places::Each(indices.iter().copied().map(hashed).collect()), indices)
                });
                self.append(&batch, chunks.collect(), other).await
            }
            Step::Seal { batch, off_by, other } => {
                let batch = self.batch(batch, |sent| sent.received() > 0);
                let received = self.model.batches.get(&batch).map_or(0, Sent::received);
                let digest = other.map(|other| digest(&batch, received, other));
                self.seal(&batch, off_by.map(|off_by| received + off_by), digest).await
            }
            Step::Abort { batch } => {
                let batch = self.batch(batch, |sent| sent.state < BatchState::Complete);
                self.abort(&batch).await
            }
            Step::EndOverdue { limit } => self.end_overdue(limit).await,
            Step::Lease { worker, max } => self.lease(&self.worker(worker), max).await.map(drop),
            Step::TakeOver { worker, idle, max } => {
                self.take_over(&self.worker(worker), idle, max).await.map(drop)
            }
            Step::LeaseIsolated { worker, idle } => {
                self.lease_isolated(&self.worker(worker), idle).await.map(drop)
            }
            Step::Extend { claim } => match self.claim(claim) {
                Some(claim) => self.queue().extend(&[claim.work.lease().clone()]).await,
                None => Ok(()),
            },
            Step::Release { claim } => match self.claim(claim) {
                Some(claim) => self.release(&claim).await,
                None => Ok(()),
            },
            Step::Forget { worker } => self.forget(&self.worker(worker)).await,
            Step::Commit { claim, fates, is_rewritten } => match self.claim(claim) {
                Some(claim) => self.commit(&claim, &fates, is_rewritten).await,
                None => Ok(()),
            },
            Step::MarkWritten { batch } => {
                let batch = self.batch(batch, |sent| sent.state == BatchState::Complete);
                self.mark_written(&batch).await
            }
            Step::Replay { batch, letters, is_edited } => {
                let batch = self.batch(batch, |sent| sent.dead().next().is_some());
                let places = self.places(&batch, &letters);
                self.replay(&batch, &places, is_edited).await
            }
            Step::DropLetters { batch, letters } => {
                let batch = self.batch(batch, |sent| sent.dead().next().is_some());
                let places = self.places(&batch, &letters);
                self.drop_letters(&batch, &places).await
            }
            Step::Pause { paused } => self.pause(paused).await,
            Step::List { state, page } => self.list(state, page).await,
            Step::Reopen => {
                self.reopen().await;
                Ok(())
            }
        }
    }

    fn worker(&self, number: usize) -> WorkerId {
        self.workers[number].clone()
    }

    fn batch(&self, pick: Pick, fits: impl Fn(&Sent) -> bool) -> BatchId {
        let batch = pick.of(self.ids.clone(), |id| self.model.batches.get(id).is_some_and(&fits));
        batch.expect("there are batches")
    }

    fn claim(&self, pick: Pick) -> Option<Claim> {
        pick.of(self.desk.claims.clone(), |claim| self.desk.number(claim).is_some())
    }

    /// Places of dead letters, mostly.
    fn places(&self, batch: &BatchId, letters: &[Pick]) -> Vec<u64> {
        let Some(sent) = self.model.batches.get(batch) else { return vec![0] };
        let dead: Vec<u64> = sent.dead().map(|letter| letter.place).collect();
        let all: Vec<u64> = (0..=sent.received()).collect();
        letters
            .iter()
            .filter_map(|pick| pick.of(all.clone(), |place| dead.contains(place)))
            .collect()
    }

    async fn open(&mut self, batch: usize, options: BatchOptions) -> Result<()> {
        let id = self.ids[batch].clone();
        let sent = self.model.batches.entry(id.clone()).or_insert_with(|| Sent::new(options));
        let expected = sent.shown(&id);
        assert_eq!(without_times(self.queue().open(&id, &options).await?), expected);
        Ok(())
    }

    async fn append_from(
        &mut self,
        batch: Pick,
        place: Option<Index>,
        counts: &[u32],
        other: bool,
    ) -> Result<()> {
        let batch = self.batch(batch, |sent| sent.takes(Way::From));
        let received = self.model.batches.get(&batch).map_or(0, Sent::received);
        let mut place = place.map_or(received, |index| {
            let end = usize::try_from(received + 2).expect("a small batch");
            index.index(end) as u64
        });
        let chunks = counts.iter().map(|count| {
            let first = place;
            place += u64::from(*count);
            let [before, after] = [first, place].map(|records| digest(&batch, records, other));
            (Places::From { first, before, after }, (first..place).collect())
        });
        self.append(&batch, chunks.collect(), other).await
    }

    /// Appends chunks together: the places of each, and the numbers of its records.
    async fn append(
        &mut self,
        id: &BatchId,
        chunks: Vec<(Places, Vec<u64>)>,
        other: bool,
    ) -> Result<()> {
        let records = chunks
            .iter()
            .map(|(_, numbers)| numbers.iter().map(|number| record(id, *number, other)).collect());
        let records: Vec<Vec<Bytes>> = records.collect();
        let chunk = |((places, numbers), records): ((Places, Vec<u64>), &Vec<Bytes>)| NewChunk {
            places,
            count: u32::try_from(records.len()).expect("a small chunk"),
            payload: records.concat().into(),
            trace: (numbers[0] % 2 == 1).then(|| TRACE.to_owned()),
        };
        let chunks: Vec<NewChunk> = chunks.into_iter().zip(&records).map(chunk).collect();
        let answer = self.queue().append(id, &chunks).await.map(sorted);
        let depth = self.desk.depth();
        let sent = match self.model.known(id) {
            Ok(sent) => sent,
            Err(unknown) => {
                assert_same(&answer, &Err(unknown));
                return Ok(());
            }
        };
        let answers = sent.answers(id, &chunks, depth);
        let answers: Vec<String> = answers.iter().map(|answer| format!("{answer:?}")).collect();
        assert!(answers.contains(&format!("{answer:?}")), "{answer:?}, not one of {answers:?}");
        if let Ok(Appended::Accepted) = answer {
            let mut accepted = 0;
            for (chunk, records) in chunks.into_iter().zip(records) {
                accepted += u64::from(chunk.count);
                let mut piece = Piece::new(id, sent.received(), records, sent.options.priority);
                piece.trace.clone_from(&chunk.trace);
                self.desk.add(piece);
                sent.append(&chunk);
            }
            self.model.totals.accepted += accepted;
        }
        Ok(())
    }

    pub(crate) async fn seal(
        &mut self,
        id: &BatchId,
        records: Option<u64>,
        digest: Option<ContentDigest>,
    ) -> Result<()> {
        let answer = self.queue().seal(id, records, digest).await.map(without_times);
        assert_same(&answer, &self.model.seal(id, records, digest));
        Ok(())
    }

    pub(crate) async fn abort(&mut self, id: &BatchId) -> Result<()> {
        let answer = self.queue().abort(id).await.map(without_times);
        assert_same(&answer, &self.model.abort(id));
        Ok(())
    }

    async fn reopen(&mut self) {
        let session = self.session.take().expect("the store is open");
        let (session, leases_last) = session.reopened(OPTIONS).await;
        self.session = Some(session);
        if !leases_last {
            self.desk.void_claims();
        }
    }
}

/// An answer whose places are in order: the store may list them in any.
fn sorted(answer: Appended) -> Appended {
    match answer {
        Appended::Taken { mut same, mut different } => {
            same.sort_unstable();
            different.sort_unstable();
            Appended::Taken { same, different }
        }
        other => other,
    }
}

/// The record of this number; of two senders, each has its own.
fn record(id: &BatchId, number: u64, other: bool) -> Bytes {
    let sender = if other { "other " } else { "" };
    Bytes::from(format!("{sender}{id} {number}\n"))
}

/// The digest of the first `records`.
fn digest(id: &BatchId, records: u64, other: bool) -> ContentDigest {
    (0..records)
        .map(|number| RecordHash::of(&record(id, number, other)))
        .fold(ContentDigest::EMPTY, ContentDigest::then)
}

/// Asserts that two answers are the same; errors have no equality of their own.
#[track_caller]
pub(crate) fn assert_same<T: Debug>(answer: &Result<T>, expected: &Result<T>) {
    assert_eq!(format!("{answer:?}"), format!("{expected:?}"));
}
