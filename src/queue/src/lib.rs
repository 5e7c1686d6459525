//! The durable queue: one trait, [`Queue`], and two stores that keep it.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`queue`](Queue) | the trait, with every promise a store makes |
//! | `batch` | a batch: its id, its options, its state |
//! | `chunk` | a chunk on its way: appended, leased, committed, read back for the roll |
//! | `dead_letter` | a record that will not be tried again, and how it is stored |
//! | `depth` | how much waits, and how much may |
//! | `worker` | the name a worker leases under |
//! | `options` | how a store is used: how durable "ok" is, and how much it takes |
//! | `metrics` | what is measured |
//! | `start` | the store's first answer |
//! | [`embedded`] | the store in this process, on disk (redb) |
//! | [`redis`] | the store on Redis or Valkey: one Lua script for each step |
//! | [`StoreUrl`] | which store, as a URL |
//!
//! The queue carries bytes. What a record looks like is the business of those who append and lease.

mod batch;
mod chunk;
mod dead_letter;
mod depth;
pub mod embedded;
mod error;
mod metrics;
mod options;
mod queue;
pub mod redis;
mod start;
mod store_url;
mod worker;

pub use batch::{
    Batch, BatchId, BatchOptions, BatchState, Deadline, Ending, InvalidBatchId, InvalidPolicy,
    InvalidPriority, Policy, Priority,
};
pub use chunk::{
    Appended, Chunk, Committed, History, Kept, Lease, NewChunk, Outcome, Places, ResultChunk,
    Retry, Work,
};
pub use dead_letter::{DeadGroup, DeadLetter, LETTERS_BYTES_MAX, LetterId, Replay, Replayed};
pub use depth::{Backlog, Depth, Limits, Line};
pub use error::{Error, Result};
pub use metrics::ping_and_measure;
pub use options::{Durability, StoreOptions};
pub use queue::Queue;
pub use start::unfit;
pub use store_url::{InvalidStoreUrl, StoreUrl};
pub use worker::WorkerId;
