//! The durable queue: one trait, [`Queue`], and two stores that keep it.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`queue`](Queue) | the trait, with every promise a store makes |
//! | `batch` | a batch: its id, its options, its state, its place in a list |
//! | `chunk` | a chunk on its way: appended, leased, committed, read back for the roll |
//! | `dead_letter` | a record that will not be tried again, and how it is stored |
//! | `depth` | how much waits, and how much may |
//! | `stats` | what waits, what was done |
//! | `controls` | what an operator has set for all programs |
//! | `report` | what processes that run workers say of themselves |
//! | `store_info` | what a store says of itself |
//! | `worker` | the name a worker leases under |
//! | `options` | how a store is used: how durable "ok" is, and how much it takes |
//! | `metrics` | what is measured |
//! | `start` | the store's first answer |
//! | `millis` | times as the stores keep them |
//! | [`embedded`] | the store in this process, on disk (redb) |
//! | [`redis`] | the store on Redis or Valkey: one Lua script for each step |
//! | [`StoreUrl`] | which store, as a URL |
//!
//! The queue carries bytes. What a record looks like is the business of those who append and lease.

mod batch;
mod chunk;
mod controls;
mod dead_letter;
mod depth;
pub mod embedded;
mod error;
mod metrics;
mod millis;
mod options;
mod queue;
pub mod redis;
mod report;
mod start;
mod stats;
mod store_info;
mod store_url;
mod worker;

pub use batch::{
    Batch, BatchCursor, BatchId, BatchOptions, BatchState, BatchTimes, CHECKPOINT_RECORDS,
    Checkpoint, Deadline, Ending, InvalidBatchCursor, InvalidBatchId, InvalidPolicy,
    InvalidPriority, Policy, Priority,
};
pub use chunk::{
    APPENDED_MAX, Appended, Chunk, Committed, History, Kept, Lease, NewChunk, Outcome, Places,
    ResultChunk, Retry, Work,
};
pub use controls::Controls;
pub use dead_letter::{DeadGroup, DeadLetter, LETTERS_BYTES_MAX, LetterId, Replay, Replayed};
pub use depth::{Depth, Limits};
pub use error::{Error, Result};
pub use metrics::measure;
pub use options::{Durability, StoreOptions};
pub use queue::Queue;
pub use report::{IN_HAND_MAX, InHand, SeenWorker, WorkerReport};
pub use start::unfit;
pub use stats::{Line, Stats, Totals};
pub use store_info::StoreInfo;
pub use store_url::{InvalidStoreUrl, StoreUrl};
pub use worker::WorkerId;
