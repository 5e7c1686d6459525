//! What can go wrong with a queue.

use crate::BatchId;

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a queue did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store cannot be reached or cannot do it now. Trying again later may help; whether the
    /// step was taken is not known, and every step may be taken again.
    #[error("the store at {store} is unavailable: {reason}")]
    Unavailable {
        /// The store's URL, without its password.
        store: String,
        /// What it said, or what its connection did.
        reason: String,
    },
    /// The store is there, but is not set up so that it can keep the queue. It helps nothing to
    /// wait; somebody has to change the store, or the settings.
    #[error("the store at {store} is misconfigured: {problem}")]
    Misconfigured {
        /// The store's URL, without its password.
        store: String,
        /// What was found, why that will not do, and what to set.
        problem: String,
    },
    /// No batch has this id: it was never opened, or it was forgotten some time after it had been
    /// written.
    #[error("no batch {0}: it was never opened, or it was written long ago")]
    UnknownBatch(BatchId),
    /// The batch is sealed, and these records are not in it.
    #[error("batch {batch} is sealed with {received} records and takes no more")]
    Sealed {
        /// The batch.
        batch: BatchId,
        /// How many records it has.
        received: u64,
    },
    /// Records are missing before the ones that were to be appended.
    #[error("batch {batch} has {received} records; one at place {place} leaves a gap")]
    Gap {
        /// The batch.
        batch: BatchId,
        /// How many records it has.
        received: u64,
        /// The place of the first record that was to be appended.
        place: u64,
    },
    /// The batch has another number of records than the sender says.
    #[error(
        "batch {batch} has {received} records, not {claimed}; send these records under another batch id"
    )]
    Miscounted {
        /// The batch.
        batch: BatchId,
        /// How many records it has.
        received: u64,
        /// How many the sender says it has.
        claimed: u64,
    },
    /// The batch has different records than those that were sent.
    #[error("batch {batch} has {}; send these records under another batch id", different(*from, *to))]
    Different {
        /// The batch.
        batch: BatchId,
        /// The first difference is at this index at the earliest,
        from: u64,
        /// and at this index at the latest.
        to: u64,
    },
    /// A batch that was begun by a stream gets single records, or the other way round.
    #[error("batch {0} was begun the other way: keep to one stream, or to unary calls")]
    MixedPlaces(BatchId),
    /// The batch is aborted: none of it will be in the roll.
    #[error("batch {0} was aborted: nothing of it is kept; send it again under another id")]
    Aborted(BatchId),
    /// The batch is complete or written, and cannot be aborted any more.
    #[error("batch {0} is complete: it is in the roll, or about to be")]
    Complete(BatchId),
    /// The queue is at one of its limits. Below it, everything moves again.
    #[error("the queue is full: {records} records ({bytes} bytes) wait to be processed")]
    Full {
        /// How many records wait.
        records: u64,
        /// How many bytes they have.
        bytes: u64,
    },
    /// The store's memory is at its limit. Nothing was stored; when some is free again, everything moves
    /// again.
    #[error("the memory of the store at {store} is full (OOM): free some, or raise its maxmemory")]
    OutOfMemory {
        /// The store's URL, without its password.
        store: String,
    },
    /// The batch takes nearly all the memory that the store may use, and is not whole: waiting does not
    /// help.
    #[error(
        "batch {batch} does not fit into the store: {}; raise maxmemory, or send the records as several \
         batches", takes(.outgrown)
    )]
    TooLarge {
        /// The batch.
        batch: BatchId,
        /// How much it takes.
        outgrown: Outgrown,
    },
    /// The store holds what this version cannot read.
    #[error("the store at {store} holds something unreadable: {what}")]
    Corrupt {
        /// The store's URL, without its password.
        store: String,
        /// What it is, and where.
        what: String,
    },
}

/// How much of its store a batch takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outgrown {
    /// How many records it has.
    pub records: u64,
    /// How much memory they take in the store, in bytes.
    pub stored_bytes: u64,
    /// How much memory the store may use, in bytes.
    pub limit_bytes: u64,
}

fn takes(Outgrown { records, stored_bytes, limit_bytes }: &Outgrown) -> String {
    #[expect(clippy::cast_precision_loss, reason = "it is rounded")]
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    format!(
        "its first {records} records take {:.1} MiB of the {:.1} MiB that the store may use (maxmemory)",
        mib(*stored_bytes),
        mib(*limit_bytes)
    )
}

fn different(from: u64, to: u64) -> String {
    if from == to {
        format!("a different record at index {from}")
    } else {
        format!("different records: the first difference is at an index from {from} to {to}")
    }
}
