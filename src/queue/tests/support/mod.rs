//! What the tests of every store share: the stores, opened empty, each with what it lives in.

mod memory;
mod redis_server;

use std::sync::Arc;

use muster_queue::embedded::EmbeddedQueue;
use muster_queue::redis::RedisQueue;
use muster_queue::{Queue, Result};
use tempfile::TempDir;

pub(crate) use memory::MemoryQueue;
pub(crate) use redis_server::RedisServer;

/// Makes an empty queue in memory.
pub(crate) async fn memory() -> Result<(Arc<dyn Queue>, ())> {
    Ok((Arc::new(MemoryQueue::default()), ()))
}

/// Makes an embedded store in a folder of its own, which goes when it is dropped.
pub(crate) async fn embedded() -> Result<(Arc<dyn Queue>, TempDir)> {
    let home = TempDir::new().expect("a temporary folder");
    let queue = open_embedded(&home)?;
    Ok((queue, home))
}

/// Opens the embedded store in `home`.
pub(crate) fn open_embedded(home: &TempDir) -> Result<Arc<dyn Queue>> {
    Ok(Arc::new(EmbeddedQueue::open(&home.path().join("queue.redb"))?))
}

/// Makes a store on a Redis server of its own, which ends when it is dropped.
pub(crate) async fn redis() -> Result<(Arc<dyn Queue>, RedisServer)> {
    let home = RedisServer::start();
    let queue = connect_redis(&home).await?;
    Ok((queue, home))
}

/// Connects to the store on the server `home`.
pub(crate) async fn connect_redis(home: &RedisServer) -> Result<Arc<dyn Queue>> {
    Ok(Arc::new(RedisQueue::connect(&home.url()).await?))
}

/// The bytes of the records at `places`, one line each.
pub(crate) fn payload(places: impl IntoIterator<Item = u64>) -> bytes::Bytes {
    places.into_iter().map(|place| format!("record {place}\n")).collect::<String>().into()
}
