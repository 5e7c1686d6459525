//! The steps of a batch: from open to written, or aborted.

use std::cmp::Reverse;
use std::collections::HashMap;

use bytes::Bytes;
use muster_content::ContentDigest;
use redis::{Pipeline, Value};

use super::keys::Partition;
use super::{RedisQueue, STEP_MAX, decode, millis, or_empty};
use crate::{
    Appended, Batch, BatchCursor, BatchId, BatchOptions, BatchState, CHECKPOINT_RECORDS,
    Checkpoint, Error, Indexed, NewChunk, Places, Result, ResultChunk, RollState,
};

/// How many indices a batch may have whose records each have their own. The scripts count with
/// floating-point numbers, which are exact below 2⁵³.
const INDICES_MAX: u64 = 1 << 27;

/// How many pages of hashes one step of a scan returns, about.
const PAGES_AT_ONCE: usize = 1024;

/// How many chunks one read of results returns: it bounds the script's time where the payloads
/// are empty.
const RESULT_CHUNKS_MAX: usize = 1024;

/// What the store returns of the roll: its id, batches and SHA-256.
type KnownRoll = (Option<String>, Option<u64>, Option<String>);

fn known_roll((id, batches, sha256): KnownRoll) -> Option<RollState> {
    Some(RollState { id: id?, batches: batches?, sha256: sha256? })
}

impl RedisQueue {
    pub(super) async fn open(&self, id: &BatchId, options: &BatchOptions) -> Result<Batch> {
        let partition = self.partition(id);
        let mut open = self.scripts.open.key(&partition.keys);
        open.arg(id.as_str()).arg(options.priority.as_str()).arg(options.policy.as_str());
        match options.deadline {
            Some(deadline) => open.arg(millis(deadline.after)).arg(deadline.then.as_str()),
            None => open.arg("").arg(""),
        };
        let snapshot = self.settled(partition, &open).await?;
        self.known(id, snapshot)
    }

    pub(super) async fn append(&self, id: &BatchId, chunks: &[NewChunk]) -> Result<Appended> {
        let partition = self.partition(id);
        let mut append = self.scripts.append.key(&partition.keys);
        append.arg(id.as_str());
        append.arg(or_empty(self.limits.records)).arg(or_empty(self.limits.bytes));
        append.arg(INDICES_MAX).arg(CHECKPOINT_RECORDS).arg(chunks.len());
        let mut payloads = Pipeline::new();
        let put = payloads.cmd("HSET").arg(partition.payloads(id));
        for chunk in chunks {
            let name = self.names.next();
            put.arg(&name).arg(&chunk.payload[..]);
            append.arg(chunk.count).arg(name);
            append.arg(chunk.trace.as_deref().unwrap_or_default());
            match chunk.places {
                Places::From { after, .. } => append.arg(after.to_string()),
                Places::Each(_) => append.arg(""),
            };
        }
        let place = match Places::of_all(chunks) {
            Places::From { first, before, .. } => {
                append.arg("from").arg(first).arg(before.to_string());
                first
            }
            Places::Each(records) => {
                append.arg("each");
                for (index, hash) in &records {
                    append.arg(index).arg(&hash.short().to_be_bytes()[..]);
                }
                records.into_iter().map(|(index, _)| index).max().unwrap_or_default()
            }
        };
        let batch = id.clone();
        let (word, detail) = self.answer(partition, payloads, &append).await?;
        match word.as_str() {
            "accepted" => Ok(Appended::Accepted),
            "behind" => Ok(Appended::Behind { received: self.detail(detail)? }),
            "taken" => {
                let (same, different) = self.detail(detail)?;
                Ok(Appended::Taken { same, different })
            }
            "different" => Err(self.different(id, detail)?),
            "gap" => Err(Error::Gap { batch, received: self.detail(detail)?, place }),
            "sealed" => Err(Error::Sealed { batch, received: self.detail(detail)? }),
            "mixed" => Err(Error::MixedPlaces(batch)),
            "aborted" => Err(Error::Aborted(batch)),
            "unknown" => Err(Error::UnknownBatch(batch)),
            "full" => {
                let (records, bytes) = self.detail(detail)?;
                Err(Error::Full { records, bytes })
            }
            // The keys moved to another server in between.
            "lacking" => Err(Error::Unavailable {
                store: self.connection.store().to_owned(),
                reason: "it has lost what it was just sent".to_owned(),
            }),
            _ => Err(self.corrupt(format!("answer {word:?} of append"))),
        }
    }

    /// The error that the batch, which has `received` records, has different ones.
    fn different(&self, id: &BatchId, received: Value) -> Result<Error> {
        let received: u64 = self.detail(received)?;
        Ok(Error::Different { batch: id.clone(), from: 0, to: received.saturating_sub(1) })
    }

    pub(super) async fn seal(
        &self,
        id: &BatchId,
        records: Option<u64>,
        digest: Option<ContentDigest>,
    ) -> Result<Batch> {
        let partition = self.partition(id);
        let mut seal = self.scripts.seal.key(&partition.keys);
        seal.arg(id.as_str()).arg(or_empty(records));
        seal.arg(digest.map(|digest| digest.to_string()).unwrap_or_default());
        let batch = id.clone();
        let (word, detail) = self.answer(partition, Pipeline::new(), &seal).await?;
        match (word.as_str(), records) {
            ("sealed", _) => self.known(id, detail),
            ("miscounted", Some(claimed)) => {
                Err(Error::Miscounted { batch, received: self.detail(detail)?, claimed })
            }
            ("mixed", _) => Err(Error::MixedPlaces(batch)),
            ("different", _) => Err(self.different(id, detail)?),
            ("aborted", _) => Err(Error::Aborted(batch)),
            ("unknown", _) => Err(Error::UnknownBatch(batch)),
            _ => Err(self.corrupt(format!("answer {word:?} of seal"))),
        }
    }

    pub(super) async fn abort(&self, id: &BatchId) -> Result<Batch> {
        let partition = self.partition(id);
        let mut abort = self.scripts.abort.key(&partition.keys);
        abort.arg(id.as_str());
        loop {
            let (word, detail) = self.answer(partition, Pipeline::new(), &abort).await?;
            match word.as_str() {
                "aborted" => return self.known(id, detail),
                "more" => {}
                "complete" => return Err(Error::Complete(id.clone())),
                "unknown" => return Err(Error::UnknownBatch(id.clone())),
                _ => return Err(self.corrupt(format!("answer {word:?} of abort"))),
            }
        }
    }

    pub(super) async fn end_overdue(&self, limit: usize) -> Result<Vec<Batch>> {
        let mut ended = Vec::new();
        let mut away = None;
        for partition in &self.partitions {
            let left = limit - ended.len();
            if left == 0 {
                break;
            }
            let mut end = self.scripts.end_overdue.key(&partition.keys);
            end.arg(left.min(STEP_MAX));
            match self.settled::<Vec<(String, Value)>>(partition, &end).await {
                Ok(found) => ended.extend(self.readable(decode::batches(found))?),
                Err(error) => away = Some(error),
            }
        }
        match away {
            Some(error) if ended.is_empty() => Err(error),
            _ => Ok(ended),
        }
    }

    pub(super) async fn batches(
        &self,
        state: Option<BatchState>,
        after: Option<&BatchCursor>,
        limit: usize,
    ) -> Result<Vec<Batch>> {
        let mut all = Vec::new();
        for partition in &self.partitions {
            all.extend(self.batches_of(partition, state, after, limit).await?);
        }
        all.sort_by_key(|batch| Reverse(batch.cursor()));
        all.truncate(limit);
        Ok(all)
    }

    /// Those of a partition.
    async fn batches_of(
        &self,
        partition: &Partition,
        state: Option<BatchState>,
        after: Option<&BatchCursor>,
        limit: usize,
    ) -> Result<Vec<Batch>> {
        let mut batches = Vec::new();
        let after = after.map(|after| (after.opened_ms.to_string(), after.id.to_string()));
        let (mut after_ms, mut after_id) = after.unwrap_or_default();
        while batches.len() < limit {
            let mut list = self.scripts.list.key(&partition.keys);
            list.arg(state.map_or("", BatchState::as_str)).arg(&after_ms).arg(&after_id);
            list.arg((limit - batches.len()).min(STEP_MAX));
            let found: Vec<(String, Value)>;
            (found, after_ms, after_id) = self.connection.run(&list).await?;
            batches.extend(self.readable(decode::batches(found))?);
            if after_id.is_empty() {
                break;
            }
        }
        Ok(batches)
    }

    pub(super) async fn next_complete(&self, limit: usize) -> Result<Vec<Batch>> {
        let (mut complete, mut away) = (Vec::new(), None);
        for partition in self.in_turn() {
            let left = limit - complete.len();
            if left == 0 {
                break;
            }
            let mut next = self.scripts.next_complete.key(&partition.keys);
            next.arg(left.min(STEP_MAX));
            // The roll must not have what the store may still lose.
            match self.settled::<Vec<(String, Value)>>(partition, &next).await {
                Ok(found) => complete.extend(self.readable(decode::batches(found))?),
                Err(error) => away = Some(error),
            }
        }
        match away {
            Some(error) if complete.is_empty() => Err(error),
            _ => Ok(complete),
        }
    }

    pub(super) async fn results(
        &self,
        id: &BatchId,
        first: u64,
        bytes_max: usize,
    ) -> Result<Vec<ResultChunk>> {
        let mut results = self.scripts.results.key(&self.partition(id).keys);
        results.arg(id.as_str()).arg(first).arg(bytes_max).arg(RESULT_CHUNKS_MAX);
        let stored: Vec<Bytes> = self.connection.run(&results).await?;
        let (mut results, names) = self.readable(decode::results(first, stored))?;
        let mut payloads = self.payloads(id, &names).await?.into_iter();
        for (result, name) in results.iter_mut().zip(&names) {
            // A dead letter's has no payload, and no name.
            if !name.is_empty() {
                result.payload = payloads
                    .next()
                    .flatten()
                    .ok_or_else(|| self.corrupt(format!("no payload {name:?} of batch {id}")))?;
            }
        }
        Ok(results)
    }

    pub(super) async fn mark_written(&self, id: &BatchId, roll_sha256: &str) -> Result<bool> {
        let partition = self.partition(id);
        let mut mark = self.scripts.mark_written.key(&partition.keys);
        mark.arg(id.as_str()).arg(roll_sha256);
        let word: String = self.settled(partition, &mark).await?;
        match word.as_str() {
            "written" => Ok(true),
            "refused" => Ok(false),
            "unknown" => Err(Error::UnknownBatch(id.clone())),
            _ => Err(self.corrupt(format!("answer {word:?} of mark_written"))),
        }
    }

    /// The state of the roll is in the first partition.
    pub(super) async fn roll(&self) -> Result<Option<RollState>> {
        let partition = &self.partitions[0];
        if self.partitions.len() == 1 {
            let read = redis::Cmd::hmget(partition.roll(), &["id", "batches", "sha256"]);
            return Ok(known_roll(self.connection.send(&read).await?));
        }
        // What is read here is compared with batches of other partitions: it must not be lost alone.
        let mut read = self.scripts.set_roll.key(&partition.keys);
        read.arg(&["-", "", "", "", "", ""]);
        Ok(known_roll(self.settled(partition, &read).await?))
    }

    pub(super) async fn set_roll(
        &self,
        before: Option<&RollState>,
        after: &RollState,
    ) -> Result<Option<RollState>> {
        let partition = &self.partitions[0];
        let mut set = self.scripts.set_roll.key(&partition.keys);
        for state in [before, Some(after)] {
            set.arg(state.map_or("", |state| &state.id));
            set.arg(or_empty(state.map(|state| state.batches)));
            set.arg(state.map_or("", |state| &state.sha256));
        }
        Ok(known_roll(self.settled(partition, &set).await?))
    }

    pub(super) async fn checkpoints(&self, id: &BatchId) -> Result<Vec<Checkpoint>> {
        let mut read = redis::cmd("GET");
        read.arg(self.partition(id).checkpoints(id));
        let stored: Option<Bytes> = self.connection.send(&read).await?;
        self.readable(decode::checkpoints(&stored.unwrap_or_default()))
    }

    pub(super) async fn indexed(&self, id: &BatchId) -> Result<Indexed> {
        let key = self.partition(id).hashes(id);
        // A page may come twice.
        let mut pages = HashMap::new();
        let mut cursor: Bytes = Bytes::from_static(b"0");
        loop {
            let mut scan = redis::cmd("HSCAN");
            scan.arg(&key).arg(&cursor[..]).arg("COUNT").arg(PAGES_AT_ONCE);
            let (next, found): (Bytes, Vec<(u64, Bytes)>) = self.connection.send(&scan).await?;
            pages.extend(found);
            if &next[..] == b"0" {
                break;
            }
            cursor = next;
        }
        self.readable(decode::indexed(&pages))
    }

    pub(super) async fn batch(&self, id: &BatchId) -> Result<Option<Batch>> {
        let partition = self.partition(id);
        let mut show = self.scripts.show.key(&partition.keys);
        // Senders forget what they are told the batch has.
        let snapshot = self.settled(partition, show.arg(id.as_str())).await?;
        self.readable(decode::batch(id, snapshot))
    }
}
