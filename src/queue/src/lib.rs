//! The durable queue: one trait, [`Queue`], and two stores that keep it.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`queue`](Queue) | the trait, with every promise a store makes |
//! | `batch` | a batch: its id, its options, its state |
//! | `chunk` | a chunk on its way: appended, leased, committed, read back for the roll |
//! | `dead_letter` | a record that will not be tried again, and how it is stored |
//! | `worker` | the name a worker leases under |
//! | [`embedded`] | the store in this process, on disk (redb) |
//! | [`redis`] | the store on Redis or Valkey: one Lua script for each step |
//! | [`StoreUrl`] | which store, as a URL |
//!
//! The queue carries bytes. What a record looks like is the business of those who append and lease.

mod batch;
mod chunk;
mod dead_letter;
pub mod embedded;
mod error;
mod queue;
pub mod redis;
mod store_url;
mod worker;

pub use batch::{
    Batch, BatchId, BatchOptions, BatchState, InvalidBatchId, InvalidPriority, Priority,
};
pub use chunk::{
    Appended, Chunk, Committed, Lease, NewChunk, Outcome, Output, Places, ResultChunk, Work,
};
pub use dead_letter::DeadLetter;
pub use error::{Error, Result};
pub use queue::Queue;
pub use store_url::{InvalidStoreUrl, StoreUrl};
pub use worker::WorkerId;
