//! The payloads of chunks and results: each is put into a hash of its batch once, by a name, and
//! stays there. What is in line, leased and committed is the name.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use redis::{Pipeline, Value};

use super::keys::Partition;
use super::{RedisQueue, decode};
use crate::millis::to_millis;
use crate::{BatchId, BatchState, Result, Work, WorkerId};

/// Names for payloads, none of which anybody else gives or has given.
#[derive(Debug)]
pub(super) struct Names {
    /// Other than that of any other process.
    origin: u64,
    given: AtomicU64,
}

impl Names {
    pub(super) fn new() -> Self {
        Self { origin: rand::random(), given: AtomicU64::new(0) }
    }

    pub(super) fn next(&self) -> String {
        let number = self.given.fetch_add(1, Ordering::Relaxed);
        format!("{:x}-{number:x}", self.origin)
    }
}

/// Work that was leased, still without its payload.
pub(super) struct Given {
    pub(super) work: Work,
    /// The name of its payload; empty for a roll.
    pub(super) payload: String,
    /// When its batch was opened, in milliseconds since 1970, if that is known.
    pub(super) opened_ms: Option<u64>,
}

impl Given {
    fn batch(&self) -> Option<&BatchId> {
        match &self.work {
            Work::Chunk(chunk) => Some(&chunk.batch),
            Work::Roll(_) => None,
        }
    }
}

impl RedisQueue {
    /// The payloads of a batch that have these names, but for those that are empty; `None` for one
    /// that is not there.
    pub(super) async fn payloads(
        &self,
        id: &BatchId,
        names: &[String],
    ) -> Result<Vec<Option<Bytes>>> {
        let names: Vec<&String> = names.iter().filter(|name| !name.is_empty()).collect();
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let mut read = redis::cmd("HMGET");
        self.connection.send(read.arg(self.partition(id).payloads(id)).arg(names)).await
    }

    /// The work in a reply of XREADGROUP to a read of `partition`, leased by `worker`.
    pub(super) async fn given(
        &self,
        partition: &Partition,
        worker: &WorkerId,
        reply: Value,
    ) -> Result<Vec<Work>> {
        let given = self.readable(decode::work(partition, worker, reply))?;
        self.with_payloads(partition, given).await
    }

    /// Gives the work its payloads. What is not to be done any more is left out.
    pub(super) async fn with_payloads(
        &self,
        partition: &Partition,
        given: Vec<Given>,
    ) -> Result<Vec<Work>> {
        let mut read = Pipeline::new();
        for group in given.chunk_by(|one, next| one.batch() == next.batch()) {
            if let Some(batch) = group[0].batch() {
                let names: Vec<&String> = group.iter().map(|given| &given.payload).collect();
                read.cmd("HMGET").arg(partition.payloads(batch)).arg(names);
            }
        }
        let mut payloads = Vec::new().into_iter();
        if !read.is_empty() {
            let found: Vec<Vec<Option<Bytes>>> = self.connection.send_all(&read).await?;
            payloads = Vec::from_iter(found.into_iter().flatten()).into_iter();
        }
        let mut all = Vec::with_capacity(given.len());
        for mut given in given {
            if let Work::Chunk(chunk) = &mut given.work {
                match payloads.next().flatten() {
                    Some(payload) => chunk.payload = payload,
                    None if self.is_to_be_done(partition, &given).await? => {}
                    None => continue,
                }
            }
            all.push(given.work);
        }
        Ok(all)
    }

    /// Whether to hand out a chunk that has no payload. One of an aborted batch is handed out, so that it
    /// leaves the queue; also if the batch was forgotten and its id is used again. One that another worker
    /// has committed in the meantime is not.
    async fn is_to_be_done(&self, partition: &Partition, given: &Given) -> Result<bool> {
        let Given { work, payload: name, opened_ms } = given;
        let (Work::Chunk(chunk), Some(entry)) = (work, decode::entry(work.lease())) else {
            return Ok(false);
        };
        let mut look = redis::cmd("XRANGE");
        look.arg(partition.stream(entry.stream)).arg(entry.id).arg(entry.id);
        let entries: Vec<Value> = self.connection.send(&look).await?;
        if entries.is_empty() {
            return Ok(false);
        }
        match self.batch(&chunk.batch).await? {
            Some(batch) if batch.state != BatchState::Aborted => {
                let opened = batch.times.opened.map(to_millis);
                if opened_ms.is_some() && opened_ms.as_ref() != opened.as_ref() {
                    return Ok(true);
                }
                Err(self.corrupt(format!("no payload {name:?} of batch {}", chunk.batch)))
            }
            _ => Ok(true),
        }
    }
}
