//! The steps of dead letters.

use std::collections::BTreeMap;

use bytes::Bytes;
use redis::Cmd;

use super::{RedisQueue, STEP_MAX, decode};
use crate::{
    BatchId, DeadGroup, DeadLetter, Error, LETTERS_BYTES_MAX, LetterId, Replay, Replayed, Result,
};

impl RedisQueue {
    pub(super) async fn dead_letters(
        &self,
        id: &BatchId,
        from_place: u64,
        limit: usize,
    ) -> Result<Vec<DeadLetter>> {
        let mut list = self.scripts.dead_letters.key(&self.partition(id).keys);
        list.arg(id.as_str()).arg(&from_place.to_be_bytes());
        list.arg(limit.min(STEP_MAX)).arg(LETTERS_BYTES_MAX);
        let stored: Vec<Bytes> = self.connection.run(&list).await?;
        self.readable(stored.iter().map(|stored| decode::letter(stored)).collect())
    }

    pub(super) async fn dead_groups(&self) -> Result<Vec<DeadGroup>> {
        let mut groups: BTreeMap<String, u64> = BTreeMap::new();
        for partition in &self.partitions {
            let read = Cmd::hgetall(partition.dead_groups());
            let found: Vec<(String, u64)> = self.connection.send(&read).await?;
            for (name, letters) in found {
                *groups.entry(name).or_default() += letters;
            }
        }
        Ok(groups.into_iter().map(|(name, letters)| DeadGroup { name, letters }).collect())
    }

    /// By partition; in each by batch id and place.
    pub(super) async fn dead_in_group(
        &self,
        group: &str,
        after: Option<&LetterId>,
        limit: usize,
    ) -> Result<Vec<(BatchId, DeadLetter)>> {
        let mut letters: Vec<(BatchId, DeadLetter)> = Vec::new();
        let mut bytes_left = LETTERS_BYTES_MAX;
        let mut after = after.cloned();
        let first = after.as_ref().map_or(0, |after| self.partition(&after.batch).index);
        for partition in &self.partitions[first..] {
            loop {
                let page_max = (limit - letters.len()).min(STEP_MAX);
                let mut list = self.scripts.dead_in_group.key(&partition.keys);
                list.arg(group);
                match &after {
                    Some(after) => list.arg(after.batch.as_str()).arg(after.place),
                    None => list.arg("").arg(""),
                };
                list.arg(page_max).arg(bytes_left);
                let found: Vec<(String, Bytes)> = self.connection.run(&list).await?;
                letters.extend(self.readable(decode::letters(&found))?);
                let bytes = found.iter().map(|(_, stored)| stored.len()).sum();
                bytes_left = bytes_left.saturating_sub(bytes);
                if letters.len() == limit || bytes_left == 0 {
                    return Ok(letters);
                }
                if found.len() < page_max {
                    break;
                }
                after = letters
                    .last()
                    .map(|(batch, letter)| LetterId { batch: batch.clone(), place: letter.place });
            }
            after = None;
        }
        Ok(letters)
    }

    /// Takes the first 1000 letters: one step has to do it all, as the new batch is sealed in it.
    pub(super) async fn replay(&self, id: &BatchId, letters: &[Replay]) -> Result<Replayed> {
        let partition = self.partition(id);
        // The new batch is made in the same step, and so has to be in the same partition.
        let new_id = loop {
            let new_id = BatchId::random("replay");
            if self.partition(&new_id) == partition {
                break new_id;
            }
        };
        let mut replay = self.scripts.replay.key(&partition.keys);
        replay.arg(id.as_str()).arg(new_id.as_str());
        for letter in letters.iter().take(STEP_MAX) {
            replay.arg(letter.place).arg(&letter.payload[..]);
        }
        match self.settled(partition, &replay).await? {
            Some((letters, into_new)) => {
                Ok(Replayed { into: if into_new { new_id } else { id.clone() }, letters })
            }
            None => Err(Error::UnknownBatch(id.clone())),
        }
    }

    pub(super) async fn drop_letters(&self, id: &BatchId, places: &[u64]) -> Result<u64> {
        let partition = self.partition(id);
        let mut dropped = 0;
        // Without places it is still asked whether there is such a batch.
        let (first, others) = places.split_at(places.len().min(STEP_MAX));
        for places in std::iter::once(first).chain(others.chunks(STEP_MAX)) {
            let mut drop = self.scripts.drop_letters.key(&partition.keys);
            let found: i64 = self.settled(partition, drop.arg(id.as_str()).arg(places)).await?;
            dropped += u64::try_from(found).map_err(|_| Error::UnknownBatch(id.clone()))?;
        }
        Ok(dropped)
    }
}
