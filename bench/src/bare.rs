//! The bare path: the shortest way for records from gRPC through Redis to results in Redis, as the
//! limit of a machine.
//!
//! A server adds entries to a stream, and answers when Redis has; workers read them as a consumer
//! group, push each record as JSON to a list, acknowledge and delete them. There are no batches, no
//! order, no retries, no roll, and a worker that dies loses what it has in hand.

mod resp;
mod server;
mod worker;

pub use server::{Options as ServerOptions, run as run_server};
pub use worker::{Options as WorkerOptions, run as run_worker};

/// The stream of what waits.
const STREAM: &[u8] = b"bare";
/// Its consumer group.
const GROUP: &[u8] = b"workers";
/// The list of what is done; that of the peers too.
pub const RESULTS: &str = "res";
