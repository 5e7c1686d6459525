//! Reads what the scripts return.

use std::collections::HashMap;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use redis::streams::{StreamId, StreamReadReply};
use redis::{FromRedisValue, Value};

use super::keys::{Partition, Stream};
use super::payloads::Given;
use crate::millis::from_millis;
use crate::{
    Batch, BatchId, BatchState, BatchTimes, Checkpoint, Chunk, DeadLetter, History, Indexed, Lease,
    ResultChunk, SeenWorker, Work, WorkerId, WorkerReport,
};

/// What a value is that cannot be read: the words for [`Error::Corrupt`](crate::Error::Corrupt).
pub(super) type Unreadable = String;

/// How many bytes the length of its payload takes in a stored result.
const LENGTH_LEN: usize = 4;

/// How many bytes the place takes in front of a stored dead letter.
const PLACE_LEN: usize = 8;

/// A value that the server returned, as what it should be.
pub(super) fn value<T: FromRedisValue>(value: Value) -> Result<T, Unreadable> {
    redis::from_redis_value(value).map_err(|error| error.to_string())
}

/// A snapshot (`snapshot.lua`), or `None` if there is no such batch.
pub(super) fn batch(id: &BatchId, snapshot: Value) -> Result<Option<Batch>, Unreadable> {
    let fields: [Option<String>; 19] = value(snapshot)?;
    let [Some(state), priority, policy, received, retrying, kept, dead, dropped, replayed, ..] =
        &fields
    else {
        return Ok(None);
    };
    let [
        ..,
        overdue,
        roll_sha256,
        chunks,
        committed,
        opened,
        sealed,
        completed,
        ended,
        trace,
        digest,
    ] = &fields;
    // What follows is missing in what an earlier version opened.
    let time = |name, ms: &Option<String>| match ms {
        Some(_) => parsed(name, ms, id).map(|ms| Some(from_millis(ms))),
        None => Ok(None),
    };
    let count = |name, count: &Option<String>| match count {
        Some(_) => parsed(name, count, id),
        None => Ok(0),
    };
    Ok(Some(Batch {
        id: id.clone(),
        state: state_named(state).ok_or_else(|| format!("state {state:?} of batch {id}"))?,
        priority: parsed("priority", priority, id)?,
        policy: parsed("policy", policy, id)?,
        received: parsed("received", received, id)?,
        digest: digest.as_ref().map(|_| parsed("digest", digest, id)).transpose()?,
        retrying: parsed("retrying", retrying, id)?,
        kept: parsed("kept", kept, id)?,
        dead: parsed("dead", dead, id)?,
        dropped: parsed("dropped", dropped, id)?,
        replayed: parsed("replayed", replayed, id)?,
        overdue: overdue.is_some(),
        roll_sha256: roll_sha256.clone(),
        chunks: count("chunks", chunks)?,
        chunks_committed: count("chunks_committed", committed)?,
        trace: trace.clone(),
        times: BatchTimes {
            opened: time("opened_ms", opened)?,
            sealed: time("sealed_ms", sealed)?,
            completed: time("completed_ms", completed)?,
            ended: time("ended_ms", ended)?,
        },
    }))
}

/// How many bytes a stored checkpoint has (`shared/content.lua`): a number of 8 bytes and 16 digits.
const CHECKPOINT_LEN: usize = 24;

/// The checkpoints of a batch, as stored.
pub(super) fn checkpoints(stored: &[u8]) -> Result<Vec<Checkpoint>, Unreadable> {
    let (checkpoints, rest) = stored.as_chunks::<CHECKPOINT_LEN>();
    let checkpoint = |stored: &[u8; CHECKPOINT_LEN]| {
        let (records, digits) = stored.split_first_chunk()?;
        let digest = u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        Some(Checkpoint { records: u64::from_be_bytes(*records), digest })
    };
    let checkpoints: Option<Vec<_>> = checkpoints.iter().map(checkpoint).collect();
    checkpoints.filter(|_| rest.is_empty()).ok_or_else(|| "a checkpoint".to_owned())
}

/// How many bytes the hash of a record has, and how many indices a page (`shared/content.lua`).
const HASH_LEN: usize = 8;
const PAGE_RECORDS: u64 = 32;

/// The digest of records in pages of their hashes, as stored.
pub(super) fn indexed(pages: &HashMap<u64, Bytes>) -> Result<Indexed, Unreadable> {
    let mut indexed = Indexed::default();
    for (page, stored) in pages {
        let (hashes, rest) = stored.as_chunks::<HASH_LEN>();
        if !rest.is_empty() {
            return Err("a hash of a record".to_owned());
        }
        for (index, hash) in (page * PAGE_RECORDS..).zip(hashes) {
            // Zeros stand for a record that is not there.
            if *hash != [0; HASH_LEN] {
                indexed.add(index, u64::from_be_bytes(*hash));
            }
        }
    }
    Ok(indexed)
}

/// Batches, each with its id and its snapshot.
pub(super) fn batches(found: Vec<(String, Value)>) -> Result<Vec<Batch>, Unreadable> {
    let named = |(id, snapshot): (String, Value)| {
        let id = batch_id(&id)?;
        batch(&id, snapshot)?.ok_or_else(|| format!("batch {id} without a state"))
    };
    found.into_iter().map(named).collect()
}

fn batch_id(text: &str) -> Result<BatchId, Unreadable> {
    text.parse().map_err(|_| format!("batch id {text:?}"))
}

fn state_named(name: &str) -> Option<BatchState> {
    BatchState::ALL.into_iter().find(|state| state.as_str() == name)
}

fn parsed<T: FromStr>(field: &str, text: &Option<String>, id: &BatchId) -> Result<T, Unreadable> {
    let parsed = text.as_ref().and_then(|text| text.parse().ok());
    parsed.ok_or_else(|| format!("{field} {text:?} of batch {id}"))
}

/// The work in a reply of XREADGROUP to a read of `partition`, leased by `worker`.
pub(super) fn work(
    partition: &Partition,
    worker: &WorkerId,
    reply: Value,
) -> Result<Vec<Given>, Unreadable> {
    let reply: StreamReadReply = value(reply)?;
    let mut work = Vec::new();
    for read in reply.keys {
        let stream =
            partition.stream_of(&read.key).ok_or_else(|| format!("stream {:?}", read.key))?;
        for entry in read.ids {
            let lease = Lease {
                worker: worker.clone(),
                entry: format!("{}/{}/{}", partition.index, stream.name(), entry.id),
            };
            work.push(match stream {
                Stream::Roll => {
                    Given { work: Work::Roll(lease), payload: String::new(), opened_ms: None }
                }
                _ => chunk(lease, stream, entry)?,
            });
        }
    }
    Ok(work)
}

fn chunk(lease: Lease, stream: Stream, mut entry: StreamId) -> Result<Given, Unreadable> {
    let mut fields = Fields { of: &lease.entry, fields: &mut entry.map };
    let payload = fields.take("p")?;
    let opened_ms = fields.find("o")?;
    let chunk = Chunk {
        batch: batch_id(&fields.take::<String>("b")?)?,
        first: fields.take("f")?,
        count: fields.take("n")?,
        payload: Bytes::new(),
        trace: fields.find("t")?,
        lost: fields.find("l")?.unwrap_or_default(),
        history: History {
            failures: fields.find("a")?.unwrap_or_default(),
            failed_first: fields.find("s")?.map(from_millis),
            isolated: stream == Stream::Isolated,
        },
        lease,
    };
    Ok(Given { work: Work::Chunk(chunk), payload, opened_ms })
}

/// The fields of an entry.
struct Fields<'a> {
    of: &'a str,
    fields: &'a mut HashMap<String, Value>,
}

impl Fields<'_> {
    fn find<T: FromRedisValue>(&mut self, name: &str) -> Result<Option<T>, Unreadable> {
        let found = self.fields.remove(name).map(value).transpose();
        found.map_err(|error| format!("field {name} of {}: {error}", self.of))
    }

    fn take<T: FromRedisValue>(&mut self, name: &str) -> Result<T, Unreadable> {
        self.find(name)?.ok_or_else(|| format!("no field {name} in {}", self.of))
    }
}

/// What a lease's entry, as in `0/normal/1700000000000-0`, says of where it is.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) partition: usize,
    pub(super) stream: Stream,
    pub(super) id: &'a str,
}

/// Where a lease's entry is; `None` if another store gave it.
pub(super) fn entry(lease: &Lease) -> Option<Entry<'_>> {
    let mut parts = lease.entry.splitn(3, '/');
    let partition = parts.next()?.parse().ok()?;
    let name = parts.next()?;
    let stream = Stream::ALL.into_iter().find(|stream| stream.name() == name)?;
    Some(Entry { partition, stream, id: parts.next()? })
}

/// Stored results that follow one another from `first` on, still without their payloads, and the
/// names of these.
pub(super) fn results(
    mut first: u64,
    stored: Vec<Bytes>,
) -> Result<(Vec<ResultChunk>, Vec<String>), Unreadable> {
    let (mut chunks, mut names) = (Vec::new(), Vec::new());
    for result in stored {
        let unreadable = || format!("result at place {first}");
        let (count, rest) = result.split_first_chunk().ok_or_else(unreadable)?;
        let name = rest.get(LENGTH_LEN..).and_then(|name| str::from_utf8(name).ok());
        let count = u32::from_be_bytes(*count);
        names.push(name.ok_or_else(unreadable)?.to_owned());
        chunks.push(ResultChunk { first, count, payload: Bytes::new() });
        first += u64::from(count);
    }
    Ok((chunks, names))
}

/// A dead letter as stored: they lie in the order of their bytes, and so of their places.
pub(super) fn stored_letter(letter: &DeadLetter) -> Vec<u8> {
    [&letter.place.to_be_bytes()[..], &letter.to_stored()].concat()
}

/// A dead letter read back.
pub(super) fn letter(stored: &[u8]) -> Result<DeadLetter, Unreadable> {
    let (place, letter) =
        stored.split_first_chunk::<PLACE_LEN>().ok_or("a dead letter without its place")?;
    let place = u64::from_be_bytes(*place);
    DeadLetter::from_stored(place, letter).ok_or_else(|| format!("dead letter at place {place}"))
}

/// Dead letters of several batches.
pub(super) fn letters(found: &[(String, Bytes)]) -> Result<Vec<(BatchId, DeadLetter)>, Unreadable> {
    found.iter().map(|(id, stored)| Ok((batch_id(id)?, letter(stored)?))).collect()
}

/// A report as stored.
pub(super) fn stored_report(report: &WorkerReport) -> Result<String, Unreadable> {
    serde_json::to_string(report).map_err(|error| format!("the report of {}: {error}", report.id))
}

/// The processes that `workers.lua` found at a time, by host and id.
pub(super) fn workers(
    now_ms: u64,
    found: Vec<(u64, String)>,
) -> Result<Vec<SeenWorker>, Unreadable> {
    let worker = |(at_ms, report): (u64, String)| {
        Ok(SeenWorker {
            report: serde_json::from_str(&report)
                .map_err(|error| format!("the report {report:?} of a worker: {error}"))?,
            last_heartbeat: from_millis(at_ms),
            silent: Duration::from_millis(now_ms.saturating_sub(at_ms)),
        })
    };
    let mut workers: Vec<SeenWorker> =
        found.into_iter().map(worker).collect::<Result<_, Unreadable>>()?;
    workers.sort_by(SeenWorker::by_host);
    Ok(workers)
}
