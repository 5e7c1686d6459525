//! The durable queue: one trait, [`Queue`], and two stores that keep it.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`queue`](Queue) | the trait, with every promise a store makes |
//! | `access` | where a store is, and how to log in there |
//! | `batch` | a batch: its id, its options, its state, its place in a list |
//! | `chunk` | a chunk on its way: appended, leased, committed, read back for the roll |
//! | `dead_letter` | a record that will not be tried again, and how it is stored |
//! | `depth` | how much waits, and how much may |
//! | `stats` | what waits, what was done |
//! | `controls` | what an operator has set for all programs |
//! | `report` | what processes that run workers say of themselves |
//! | `roll_state` | what a store knows of the roll |
//! | `store_info` | what a store says of itself, and what it may lose |
//! | `worker` | the name a worker leases under |
//! | `options` | how a store is used: how durable "ok" is, and how much it takes |
//! | `key_prefix` | what the keys of a queue on Redis begin with |
//! | `metrics` | what is measured |
//! | `start` | the store's first answer |
//! | `millis` | times as the stores keep them |
//! | [`embedded`] | the store in this process, on disk (redb) |
//! | [`redis`] | the store on Redis or Valkey: one Lua script for each step |
//! | [`StoreUrl`] | which store, as a URL |
//!
//! The queue carries bytes. What a record looks like is the business of those who append and lease.

mod access;
mod batch;
mod chunk;
mod controls;
mod dead_letter;
mod depth;
pub mod embedded;
mod error;
mod key_prefix;
mod metrics;
mod millis;
mod options;
mod queue;
pub mod redis;
mod report;
mod roll_state;
mod start;
mod stats;
mod store_info;
mod store_url;
mod worker;

/// The format of what this version writes into a store, and the newest that it reads.
const FORMAT: u64 = 2;

/// Why this version does not use a store of this format.
fn later_format(format: u64) -> String {
    format!(
        "its data has format {format}, and this version reads formats up to {FORMAT}: use the version of \
         Muster that wrote it, or a later one"
    )
}

pub use access::{CurrentAccess, Password, StoreAccess};
pub use batch::{
    Batch, BatchCursor, BatchId, BatchOptions, BatchState, BatchTimes, CHECKPOINT_RECORDS,
    Checkpoint, Deadline, Ending, Indexed, InvalidBatchCursor, InvalidBatchId, InvalidPolicy,
    InvalidPriority, Policy, Priority,
};
pub use chunk::{
    APPENDED_MAX, Appended, Chunk, Committed, History, Kept, Lease, NewChunk, Outcome, Places,
    ResultChunk, Retry, Work,
};
pub use controls::Controls;
pub use dead_letter::{DeadGroup, DeadLetter, LETTERS_BYTES_MAX, LetterId, Replay, Replayed};
pub use depth::{Depth, Limits};
pub use error::{Error, Outgrown, Result};
pub use key_prefix::{InvalidKeyPrefix, KeyPrefix};
pub use metrics::measure;
pub use options::{Durability, StoreOptions};
pub use queue::Queue;
pub use report::{IN_HAND_MAX, InHand, RollProblem, SeenWorker, WorkerReport};
pub use roll_state::RollState;
pub use start::unfit;
pub use stats::{Line, Stats, Totals, Unwritten};
pub use store_info::{Fsync, Persistence, StoreInfo};
pub use store_url::{InvalidStoreUrl, StoreUrl};
pub use worker::WorkerId;
