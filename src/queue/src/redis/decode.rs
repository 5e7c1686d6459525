//! Reads what the scripts return.

use std::collections::HashMap;
use std::str::FromStr;

use bytes::Bytes;
use redis::streams::{StreamId, StreamReadReply};
use redis::{FromRedisValue, Value};

use super::keys::Stream;
use crate::{Batch, BatchId, BatchState, Chunk, DeadLetter, Lease, ResultChunk, Work, WorkerId};

/// What a value is that cannot be read: the words for [`Error::Corrupt`](crate::Error::Corrupt).
pub(super) type Unreadable = String;

/// How many bytes the count takes in front of a stored result.
const COUNT_LEN: usize = 4;

/// How many bytes the place takes in front of a stored dead letter.
const PLACE_LEN: usize = 8;

/// A value that the server returned, as what it should be.
pub(super) fn value<T: FromRedisValue>(value: Value) -> Result<T, Unreadable> {
    redis::from_redis_value(value).map_err(|error| error.to_string())
}

/// A snapshot (`snapshot.lua`), or `None` if there is no such batch.
pub(super) fn batch(id: &BatchId, snapshot: Value) -> Result<Option<Batch>, Unreadable> {
    let fields: [Option<String>; 6] = value(snapshot)?;
    let (state, priority, received, kept, dead, roll_sha256) = match fields {
        [None, ..] => return Ok(None),
        [Some(state), Some(priority), Some(received), Some(kept), Some(dead), roll_sha256] => {
            (state, priority, received, kept, dead, roll_sha256)
        }
        fields => return Err(format!("batch {id}: {fields:?}")),
    };
    Ok(Some(Batch {
        id: id.clone(),
        state: state_named(&state).ok_or_else(|| format!("state {state:?} of batch {id}"))?,
        priority: parsed("priority", &priority, id)?,
        received: parsed("received", &received, id)?,
        kept: parsed("kept", &kept, id)?,
        dead: parsed("dead", &dead, id)?,
        roll_sha256,
    }))
}

fn state_named(name: &str) -> Option<BatchState> {
    BatchState::ALL.into_iter().find(|state| state.as_str() == name)
}

fn parsed<T: FromStr>(field: &str, text: &str, id: &BatchId) -> Result<T, Unreadable> {
    text.parse().map_err(|_| format!("{field} {text:?} of batch {id}"))
}

/// The work in a reply of XREADGROUP, leased by `worker`.
pub(super) fn work(worker: &WorkerId, reply: Value) -> Result<Vec<Work>, Unreadable> {
    let reply: StreamReadReply = value(reply)?;
    let mut work = Vec::new();
    for read in reply.keys {
        let stream = Stream::ALL
            .into_iter()
            .find(|stream| stream.key() == read.key)
            .ok_or_else(|| format!("stream {:?}", read.key))?;
        for entry in read.ids {
            work.push(piece_of_work(worker, stream, entry)?);
        }
    }
    Ok(work)
}

fn piece_of_work(worker: &WorkerId, stream: Stream, entry: StreamId) -> Result<Work, Unreadable> {
    let name = lease_entry(stream, &entry.id);
    let lease = Lease { worker: worker.clone(), entry: name.clone() };
    if stream == Stream::Roll {
        return Ok(Work::Roll(lease));
    }
    let mut fields = entry.map;
    let batch: String = field(&mut fields, "b", &name)?;
    Ok(Work::Chunk(Chunk {
        lease,
        batch: batch.parse().map_err(|_| format!("batch id {batch:?} of {name}"))?,
        first: field(&mut fields, "f", &name)?,
        count: field(&mut fields, "n", &name)?,
        payload: field(&mut fields, "p", &name)?,
    }))
}

fn field<T: FromRedisValue>(
    fields: &mut HashMap<String, Value>,
    name: &str,
    entry: &str,
) -> Result<T, Unreadable> {
    let found = fields.remove(name).ok_or_else(|| format!("no field {name} in {entry}"))?;
    value(found).map_err(|error| format!("field {name} of {entry}: {error}"))
}

/// An entry's name in a lease: the stream and the id, as in `normal/1700000000000-0`.
pub(super) fn lease_entry(stream: Stream, id: &str) -> String {
    format!("{}/{id}", stream.name())
}

/// The stream and the id of a lease's entry; `None` if another store gave it.
pub(super) fn stream_entry(lease: &Lease) -> Option<(Stream, &str)> {
    let (name, id) = lease.entry.split_once('/')?;
    let stream = Stream::ALL.into_iter().find(|stream| stream.name() == name)?;
    Some((stream, id))
}

/// Stored results that follow one another from `first` on.
pub(super) fn results(mut first: u64, stored: Vec<Bytes>) -> Result<Vec<ResultChunk>, Unreadable> {
    let mut chunks = Vec::with_capacity(stored.len());
    for mut result in stored {
        let Some(count) = result.first_chunk::<COUNT_LEN>() else {
            return Err(format!("result at place {first}"));
        };
        let count = u32::from_be_bytes(*count);
        chunks.push(ResultChunk { first, count, payload: result.split_off(COUNT_LEN) });
        first += u64::from(count);
    }
    Ok(chunks)
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
