//! What the tests of every store share: the stores, opened empty, each with what it lives in.

mod memory;
mod redis_server;

use std::sync::Arc;

use muster_queue::embedded::EmbeddedQueue;
use muster_queue::redis::RedisQueue;
use muster_queue::{Queue, Result, StoreOptions};
use tempfile::TempDir;

pub(crate) use memory::MemoryQueue;
pub(crate) use redis_server::RedisServer;

/// Makes an empty queue in memory.
pub(crate) async fn memory(options: StoreOptions) -> Result<(Arc<dyn Queue>, ())> {
    Ok((Arc::new(MemoryQueue::new(options)), ()))
}

/// Makes an embedded store in a folder of its own, which goes when it is dropped.
pub(crate) async fn embedded(options: StoreOptions) -> Result<(Arc<dyn Queue>, TempDir)> {
    let home = TempDir::new().expect("a temporary folder");
    let queue = open_embedded(&home, options)?;
    Ok((queue, home))
}

/// Opens the embedded store in `home`.
pub(crate) fn open_embedded(home: &TempDir, options: StoreOptions) -> Result<Arc<dyn Queue>> {
    Ok(Arc::new(EmbeddedQueue::open(&home.path().join("queue.redb"), &options)?))
}

/// Makes a store on a Redis server of its own, which ends when it is dropped.
pub(crate) async fn redis(options: StoreOptions) -> Result<(Arc<dyn Queue>, RedisServer)> {
    let home = RedisServer::start();
    let queue = connect_redis(&home, options).await?;
    Ok((queue, home))
}

/// Connects to the store on the server `home`.
pub(crate) async fn connect_redis(
    home: &RedisServer,
    options: StoreOptions,
) -> Result<Arc<dyn Queue>> {
    Ok(Arc::new(RedisQueue::connect(&home.url(), &options).await?))
}
