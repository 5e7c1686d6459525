//! An open store, and where it is, so that it can be opened again.

use std::sync::Arc;

use muster_queue::{Queue, StoreOptions};
use tempfile::TempDir;

use crate::support::{RedisServer, connect_redis, open_embedded};

/// An open store.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) home: Home,
}

/// Where a store is.
#[derive(Debug)]
pub(crate) enum Home {
    /// Nowhere but in memory: it cannot be opened again.
    Memory,
    /// In this folder.
    Embedded(TempDir),
    /// On this server.
    Redis(Arc<RedisServer>),
}

impl Session {
    /// Closes the store and opens it again. Says whether leases outlive that.
    pub(crate) async fn reopened(self, options: StoreOptions) -> (Self, bool) {
        let Self { queue, home } = self;
        let (queue, leases_last) = match &home {
            Home::Memory => (queue, true),
            Home::Embedded(folder) => {
                drop(queue);
                (open_embedded(folder, options).expect("the file opens again"), false)
            }
            Home::Redis(server) => {
                drop(queue);
                (connect_redis(server, options).await.expect("the server answers"), true)
            }
        };
        (Self { queue, home }, leases_last)
    }
}

impl Home {
    /// Takes all out of a Redis server; other homes are empty when they are made.
    pub(crate) async fn empty(&self) {
        let Self::Redis(server) = self else { return };
        let client = redis::Client::open(server.url()).expect("a Redis URL");
        let mut connection =
            client.get_multiplexed_async_connection().await.expect("the server answers");
        let () = redis::cmd("FLUSHALL").query_async(&mut connection).await.expect("it is emptied");
    }
}
