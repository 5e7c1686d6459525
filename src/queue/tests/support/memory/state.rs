//! All batches in memory, and their work.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use muster_content::ContentDigest;
use muster_queue::{
    Appended, Batch, BatchCursor, BatchId, BatchOptions, BatchState, Chunk, Committed, Controls,
    DeadGroup, DeadLetter, Ending, Error, History, LetterId, Limits, NewChunk, Outcome, Places,
    Priority, Replay, Replayed, Result, RollState, SeenWorker, Stats, Totals, Unwritten, Work,
    WorkerId, WorkerReport,
};

use super::row::{Row, page};
use super::work::{AllWork, Entry, Piece};

/// All that the queue has.
#[derive(Debug)]
pub(super) struct State {
    limits: Limits,
    batches: BTreeMap<BatchId, Row>,
    pub(super) work: AllWork,
    /// The batches that are complete, in the order in which they became so.
    complete: Vec<BatchId>,
    totals: Totals,
    pub(super) roll: Option<RollState>,
    pub(super) controls: Controls,
    /// What each process said last, and when.
    pub(super) reports: BTreeMap<String, (WorkerReport, SystemTime)>,
}

impl State {
    pub(super) fn new(limits: Limits) -> Self {
        let (batches, work, complete) = Default::default();
        let (totals, roll, controls, reports) = Default::default();
        Self { limits, batches, work, complete, totals, roll, controls, reports }
    }

    pub(super) fn row(&self, id: &BatchId) -> Result<&Row> {
        self.batches.get(id).ok_or_else(|| Error::UnknownBatch(id.clone()))
    }

    fn row_mut(&mut self, id: &BatchId) -> Result<&mut Row> {
        self.batches.get_mut(id).ok_or_else(|| Error::UnknownBatch(id.clone()))
    }

    pub(super) fn open(&mut self, id: &BatchId, options: &BatchOptions) -> Batch {
        self.batches.entry(id.clone()).or_insert_with(|| Row::new(id, options)).batch.clone()
    }

    pub(super) fn append(&mut self, id: &BatchId, chunks: &[NewChunk]) -> Result<Appended> {
        let places = Places::of_all(chunks);
        let row = self.row(id)?;
        if let Some(answer) = row.has_already(&places)? {
            return Ok(answer);
        }
        row.takes(&places)?;
        let depth = self.work.depth();
        if self.limits.are_reached(depth) {
            return Err(Error::Full { records: depth.records, bytes: depth.bytes });
        }
        for chunk in chunks {
            self.append_chunk(id, chunk)?;
        }
        Ok(Appended::Accepted)
    }

    fn append_chunk(&mut self, id: &BatchId, chunk: &NewChunk) -> Result<()> {
        let row = self.row_mut(id)?;
        let (first, priority) = (row.batch.received, row.batch.priority);
        row.append(chunk);
        let piece = Piece {
            first,
            count: chunk.count,
            payload: chunk.payload.clone(),
            trace: chunk.trace.clone(),
            lost: 0,
            history: History::default(),
            is_retried: false,
        };
        self.queue(priority, id, piece, Duration::ZERO);
        self.totals.accepted += u64::from(chunk.count);
        Ok(())
    }

    fn queue(&mut self, priority: Priority, id: &BatchId, piece: Piece, after: Duration) {
        self.work.queue(Some(priority), Entry::new(id.clone(), Some(piece), after));
    }

    pub(super) fn seal(
        &mut self,
        id: &BatchId,
        records: Option<u64>,
        digest: Option<ContentDigest>,
    ) -> Result<Batch> {
        let row = self.row_mut(id)?;
        let batch = &row.batch;
        if batch.state == BatchState::Aborted {
            return Err(Error::Aborted(id.clone()));
        }
        if let Some(claimed) = records.filter(|records| *records != batch.received) {
            let received = batch.received;
            return Err(Error::Miscounted { batch: id.clone(), received, claimed });
        }
        if digest.is_some() && row.is_begun_by_single_records() {
            return Err(Error::MixedPlaces(id.clone()));
        }
        row.batch.check_digest(digest)?;
        if row.batch.state == BatchState::Open {
            row.enter(BatchState::Sealed);
        }
        self.complete_if_ready(id)?;
        Ok(self.row(id)?.batch.clone())
    }

    pub(super) fn abort(&mut self, id: &BatchId) -> Result<Batch> {
        let row = self.row_mut(id)?;
        match row.batch.state {
            BatchState::Complete | BatchState::Written => Err(Error::Complete(id.clone())),
            _ => {
                row.abort();
                Ok(row.batch.clone())
            }
        }
    }

    pub(super) fn end_overdue(&mut self, limit: usize) -> Result<Vec<Batch>> {
        let overdue =
            self.batches.iter().filter_map(|(id, row)| Some((id.clone(), row.overdue()?)));
        let overdue: Vec<(BatchId, Ending)> = overdue.take(limit).collect();
        let ended = overdue.into_iter().map(|(id, ending)| {
            self.row_mut(&id)?.batch.overdue = true;
            match ending {
                Ending::Seal => self.seal(&id, None, None),
                Ending::Abort => self.abort(&id),
            }
        });
        ended.collect()
    }

    fn complete_if_ready(&mut self, id: &BatchId) -> Result<()> {
        let row = self.row_mut(id)?;
        if row.batch.state == BatchState::Sealed && row.batch.may_complete() {
            row.enter(BatchState::Complete);
            self.complete.push(id.clone());
            self.work.queue(None, Entry::new(id.clone(), None, Duration::ZERO));
        }
        Ok(())
    }

    pub(super) fn lease(&mut self, worker: &WorkerId, max: usize) -> Vec<Work> {
        if self.controls.paused {
            return self.work.lease_rolls(worker, max);
        }
        self.work.lease(worker, max)
    }

    pub(super) fn take_over(&mut self, worker: &WorkerId, idle: Duration, max: usize) -> Vec<Work> {
        if self.controls.paused {
            return self.work.take_over_rolls(worker, idle, max);
        }
        self.work.take_over(worker, idle, max)
    }

    pub(super) fn lease_isolated(&mut self, worker: &WorkerId, idle: Duration) -> Option<Chunk> {
        if self.controls.paused {
            return None;
        }
        match self.work.lease_isolated(worker, idle).pop() {
            Some(Work::Chunk(chunk)) => Some(chunk),
            _ => None,
        }
    }

    pub(super) fn commit(&mut self, chunk: &Chunk, outcome: &Outcome) -> Result<Committed> {
        let Some(piece) = self.work.remove(&chunk.lease) else {
            return Ok(Committed::Refused);
        };
        let row = self.row_mut(&chunk.batch)?;
        if row.batch.state == BatchState::Aborted {
            return Ok(Committed::Refused);
        }
        let kept_before = row.batch.kept;
        row.commit(&piece, outcome);
        let (priority, kept) = (row.batch.priority, row.batch.kept - kept_before);
        self.totals.kept += kept;
        self.totals.dead += outcome.dead.len() as u64;
        for retry in &outcome.retry {
            let (history, payload) = (retry.history, retry.payload.clone());
            let again = retried(retry.place, payload, piece.trace.clone(), history);
            self.queue(priority, &chunk.batch, again, retry.after);
        }
        self.complete_if_ready(&chunk.batch)?;
        Ok(Committed::Taken)
    }

    pub(super) fn next_complete(&self, limit: usize) -> Vec<Batch> {
        let complete = self.complete.iter().filter_map(|id| self.batches.get(id));
        complete.take(limit).map(|row| row.batch.clone()).collect()
    }

    pub(super) fn mark_written(&mut self, id: &BatchId, roll_sha256: &str) -> Result<bool> {
        let row = self.row_mut(id)?;
        if row.batch.state != BatchState::Complete {
            return Ok(false);
        }
        row.mark_written(roll_sha256);
        self.complete.retain(|complete| complete != id);
        self.work.remove_all(id);
        Ok(true)
    }

    /// Every dead letter there is, in the order of its id.
    fn all_dead(&self) -> impl Iterator<Item = (LetterId, &DeadLetter)> {
        self.batches.iter().flat_map(|(batch, row)| {
            let id = |place: &u64| LetterId { batch: batch.clone(), place: *place };
            row.dead_letters.iter().map(move |(place, letter)| (id(place), letter))
        })
    }

    pub(super) fn batches(
        &self,
        state: Option<BatchState>,
        after: Option<&BatchCursor>,
        limit: usize,
    ) -> Vec<Batch> {
        let is_behind =
            |batch: &Batch| after.is_none_or(|after| batch.cursor() < Some(after.clone()));
        let batches = self.batches.values().map(|row| &row.batch);
        let batches = batches.filter(|batch| state.is_none_or(|state| batch.state == state));
        let mut batches: Vec<Batch> = batches.filter(|batch| is_behind(batch)).cloned().collect();
        batches.sort_by_key(|batch| Reverse(batch.cursor()));
        batches.truncate(limit);
        batches
    }

    pub(super) fn heartbeat(&mut self, report: &WorkerReport) -> Controls {
        self.reports.insert(report.id.clone(), (report.bounded(), SystemTime::now()));
        self.controls.clone()
    }

    pub(super) fn workers(&self) -> Vec<SeenWorker> {
        let seen = |(report, last_heartbeat): &(WorkerReport, SystemTime)| SeenWorker {
            report: report.clone(),
            last_heartbeat: *last_heartbeat,
            silent: last_heartbeat.elapsed().unwrap_or_default(),
        };
        let mut workers: Vec<SeenWorker> = self.reports.values().map(seen).collect();
        workers.sort_by(SeenWorker::by_host);
        workers
    }

    pub(super) fn stats(&self) -> Stats {
        Stats {
            high: self.work.line(Some(Priority::High)),
            normal: self.work.line(Some(Priority::Normal)),
            low: self.work.line(Some(Priority::Low)),
            isolated: self.work.line(None),
            dead_letters: self.all_dead().count() as u64,
            leased: self.work.leased(),
            unwritten: self.unwritten(),
            held: self.batches.values().filter(|row| row.batch.is_held()).count() as u64,
            totals: self.totals,
            controls: self.controls.clone(),
        }
    }

    fn unwritten(&self) -> Unwritten {
        let first = self.complete.first().and_then(|id| self.batches.get(id));
        let completed = first.and_then(|row| row.batch.times.completed);
        Unwritten {
            batches: self.complete.len() as u64,
            oldest: completed.map(|completed| completed.elapsed().unwrap_or_default()),
        }
    }

    pub(super) fn dead_groups(&self) -> Vec<DeadGroup> {
        let mut groups = BTreeMap::new();
        for (_, letter) in self.all_dead() {
            *groups.entry(letter.group()).or_default() += 1;
        }
        groups.into_iter().map(|(name, letters)| DeadGroup { name, letters }).collect()
    }

    pub(super) fn dead_in_group(
        &self,
        group: &str,
        after: Option<&LetterId>,
        limit: usize,
    ) -> Vec<(BatchId, DeadLetter)> {
        let letters = self
            .all_dead()
            .filter(|(id, letter)| letter.group() == group && after.is_none_or(|after| id > after))
            .map(|(id, letter)| (id.batch, letter.clone()));
        page(letters.take(limit), |(_, letter)| letter)
    }

    pub(super) fn replay(&mut self, id: &BatchId, letters: &[Replay]) -> Result<Replayed> {
        let row = self.row_mut(id)?;
        let found = letters.iter().filter_map(|replay| {
            let letter = row.dead_letters.remove(&replay.place)?;
            Some((letter, replay.payload.clone()))
        });
        let found: Vec<(DeadLetter, Bytes)> = found.collect();
        let letters = found.len() as u64;
        row.batch.dead -= letters;
        let into = if row.batch.state < BatchState::Complete {
            row.batch.retrying += letters;
            self.replay_here(id, found)?;
            id.clone()
        } else if letters > 0 {
            row.batch.replayed += letters;
            self.replay_into_new(id, found)?
        } else {
            id.clone()
        };
        Ok(Replayed { into, letters })
    }

    fn replay_here(&mut self, id: &BatchId, found: Vec<(DeadLetter, Bytes)>) -> Result<()> {
        let priority = self.row(id)?.batch.priority;
        for (letter, payload) in found {
            self.row_mut(id)?.clear_result(letter.place);
            let piece = retried(letter.place, payload, letter.trace, History::default());
            self.queue(priority, id, piece, Duration::ZERO);
        }
        Ok(())
    }

    fn replay_into_new(
        &mut self,
        id: &BatchId,
        found: Vec<(DeadLetter, Bytes)>,
    ) -> Result<BatchId> {
        let Batch { priority, policy, .. } = self.row(id)?.batch;
        let into = BatchId::random("replay");
        let mut row = Row::new(&into, &BatchOptions { priority, policy, deadline: None });
        row.batch.received = found.len() as u64;
        row.batch.chunks = found.len() as u64;
        row.batch.trace = found.iter().find_map(|(letter, _)| letter.trace.clone());
        row.enter(BatchState::Sealed);
        self.batches.insert(into.clone(), row);
        for ((letter, payload), place) in found.into_iter().zip(0..) {
            let again = retried(place, payload, letter.trace, History::default());
            self.queue(priority, &into, Piece { is_retried: false, ..again }, Duration::ZERO);
        }
        Ok(into)
    }

    pub(super) fn drop_letters(&mut self, id: &BatchId, places: &[u64]) -> Result<u64> {
        let row = self.row_mut(id)?;
        let dropped = places.iter().filter_map(|place| row.dead_letters.remove(place)).count();
        row.batch.dead -= dropped as u64;
        row.batch.dropped += dropped as u64;
        self.complete_if_ready(id)?;
        Ok(dropped as u64)
    }
}

/// A record that is tried again.
fn retried(first: u64, payload: Bytes, trace: Option<String>, history: History) -> Piece {
    Piece { first, count: 1, payload, trace, lost: 0, history, is_retried: true }
}
