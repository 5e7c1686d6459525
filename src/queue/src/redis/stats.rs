//! What the store says of itself, and of what is in it.

use std::time::Duration;

use super::RedisQueue;
use super::info::Info;
use crate::{BatchId, Controls, Depth, Line, Outgrown, Result, Stats, StoreInfo};

/// From how many payloads the server estimates the memory of all.
const SAMPLES: u32 = 1000;

/// A batch is too large for the store when it takes more than half of its memory, and the other data at
/// most this part, 1 / 10, or what a server needs for itself. Otherwise other batches may leave and make
/// room.
const OTHERS_SHARE: u64 = 10;
const OWN_BYTES: u64 = 2 << 20;

/// A partition's part of a line, as `stats.lua` returns it: records, bytes, and the age of the
/// oldest in milliseconds.
type Counted = (u64, u64, i64);

/// What an operator has set, as `controls.lua` returns it.
pub(super) type SetControls = (Option<String>, Option<String>);

/// What `stats.lua` returns.
type Found = (
    Counted,
    Counted,
    Counted,
    Counted,
    u64,
    u64,
    (u64, i64),
    u64,
    (Option<u64>, Option<u64>, Option<u64>),
    SetControls,
);

fn add_line(line: &mut Line, (records, bytes, oldest_ms): Counted) {
    line.depth.records += records;
    line.depth.bytes += bytes;
    line.oldest = line.oldest.max(millis_or_none(oldest_ms));
}

/// Reads an age. -1 means that nothing waits.
fn millis_or_none(age_ms: i64) -> Option<Duration> {
    u64::try_from(age_ms).ok().map(Duration::from_millis)
}

/// Adds a partition's part.
fn add(stats: &mut Stats, found: Found) {
    let (high, normal, low, isolated, dead_letters, leased, unwritten, held, totals, controls) =
        found;
    add_line(&mut stats.high, high);
    add_line(&mut stats.normal, normal);
    add_line(&mut stats.low, low);
    add_line(&mut stats.isolated, isolated);
    stats.dead_letters += dead_letters;
    stats.leased += leased;
    stats.unwritten.batches += unwritten.0;
    stats.unwritten.oldest = stats.unwritten.oldest.max(millis_or_none(unwritten.1));
    stats.held += held;
    stats.totals.accepted += totals.0.unwrap_or_default();
    stats.totals.kept += totals.1.unwrap_or_default();
    stats.totals.dead += totals.2.unwrap_or_default();
    let controls = read_controls(controls);
    stats.controls.paused |= controls.paused;
    stats.controls.log_filter = stats.controls.log_filter.take().or(controls.log_filter);
}

pub(super) fn read_controls((paused, log_filter): SetControls) -> Controls {
    Controls { paused: paused.is_some(), log_filter }
}

impl RedisQueue {
    pub(super) async fn depth(&self) -> Result<Depth> {
        let mut depth = Depth::default();
        for partition in &self.partitions {
            let read = redis::Cmd::hmget(partition.depth(), &["records", "bytes"]);
            let (records, bytes): (Option<u64>, Option<u64>) = self.connection.send(&read).await?;
            depth.records += records.unwrap_or_default();
            depth.bytes += bytes.unwrap_or_default();
        }
        Ok(depth)
    }

    pub(super) async fn stats(&self) -> Result<Stats> {
        let mut stats = Stats::default();
        for partition in &self.partitions {
            let script = self.scripts.stats.key(&partition.keys);
            add(&mut stats, self.connection.run(&script).await?);
        }
        Ok(stats)
    }

    pub(super) async fn outgrown(&self, id: &BatchId) -> Result<Option<Outgrown>> {
        let [partition] = self.partitions.as_slice() else { return Ok(None) };
        let (info, _) = self.connection.info().await?;
        let number = |name| Info(&info).field(name).parse().unwrap_or_default();
        let (limit_bytes, data): (u64, u64) = (number("maxmemory"), number("used_memory_dataset"));
        let mut stored_bytes = 0;
        let own = [
            partition.payloads(id),
            partition.results(id),
            partition.hashes(id),
            partition.checkpoints(id),
        ];
        for key in own {
            let usage =
                redis::cmd("MEMORY").arg("USAGE").arg(key).arg("SAMPLES").arg(SAMPLES).take();
            stored_bytes += self.connection.send::<Option<u64>>(&usage).await?.unwrap_or_default();
        }
        let others = data.saturating_sub(stored_bytes);
        let is_large = limit_bytes > 2 * OWN_BYTES && stored_bytes > limit_bytes / 2;
        if !is_large || others > OWN_BYTES.max(limit_bytes / OTHERS_SHARE) {
            return Ok(None);
        }
        let records = self.batch(id).await?.map_or(0, |batch| batch.received);
        Ok(Some(Outgrown { records, stored_bytes, limit_bytes }))
    }

    /// On a cluster: of one of its masters.
    pub(super) async fn store_info(&self) -> Result<StoreInfo> {
        let (info, looked) = self.connection.info().await?;
        let info = Info(&info);
        let number = |name| -> Result<u64> {
            let field = info.field(name);
            field.parse().map_err(|_| self.corrupt(format!("{name} {field:?} of INFO")))
        };
        let (used_bytes, limit_bytes) = (number("used_memory")?, number("maxmemory")?);
        // Buffers for replicas and the append-only file do not count.
        let not_counted = number("mem_not_counted_for_evict").unwrap_or_default();
        Ok(StoreInfo {
            version: info.name_and_version(),
            used_bytes,
            limit_bytes,
            is_full: self.connection.was_full()
                || (limit_bytes > 0 && used_bytes.saturating_sub(not_counted) >= limit_bytes),
            persistence: looked.persistence,
            durability: looked.durability(),
        })
    }
}
