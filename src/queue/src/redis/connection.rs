//! The connections to the server: one that all short steps share, and one for each read that waits.
//!
//! `redis::aio::ConnectionManager` is not used: when connecting fails for another reason than I/O
//! (a password that is rotated, a database that cannot be selected), it keeps that answer for good.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, FromRedisValue, RedisError, ScriptInvocation, Value,
};
use tokio::time::timeout;

use crate::{Error, Result, StoreUrl};

/// How long it may take to connect, the login included.
const CONNECT_MAX: Duration = Duration::from_millis(1500);

/// How long the server may take for an answer.
const RESPONSE_MAX: Duration = Duration::from_secs(2);

/// How many connections for waiting are kept open while nobody waits.
const IDLE_CONNECTIONS_MAX: usize = 16;

/// What the server says when a group is not there, or goes while a read waits for it.
const GROUP_GONE: [&str; 2] = ["NOGROUP", "UNBLOCKED"];

/// Connects when it is needed, and anew when a connection was lost.
pub(super) struct Connection {
    client: Client,
    /// The URL without its password.
    store: String,
    shared: tokio::sync::Mutex<Option<Arc<MultiplexedConnection>>>,
    idle: Mutex<Vec<MultiplexedConnection>>,
}

impl Connection {
    /// Prepares for the server at `url`, without connecting.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] when the URL does not say what Redis needs.
    pub(super) fn new(url: &str) -> Result<Self> {
        let store = StoreUrl::Redis(url.to_owned()).to_string();
        if url.starts_with("rediss:") {
            // It fails when the program has chosen one before: then that one is as good.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        match Client::open(url) {
            Ok(client) => Ok(Self {
                client,
                store,
                shared: tokio::sync::Mutex::default(),
                idle: Mutex::default(),
            }),
            Err(error) => Err(Error::Unavailable { store, reason: error.to_string() }),
        }
    }

    /// The URL without its password.
    pub(super) fn store(&self) -> &str {
        &self.store
    }

    /// Runs a script.
    pub(super) async fn run<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T> {
        let shared = self.shared().await?;
        let mut connection = MultiplexedConnection::clone(&shared);
        let answer = script.invoke_async(&mut connection).await;
        self.checked(&shared, answer)
    }

    /// Sends a command that does not wait.
    pub(super) async fn send<T: FromRedisValue>(&self, command: &Cmd) -> Result<T> {
        let shared = self.shared().await?;
        let mut connection = MultiplexedConnection::clone(&shared);
        let answer = command.query_async(&mut connection).await;
        self.checked(&shared, answer)
    }

    /// Sends a command that waits up to `block` at the server, on a connection of its own. `None`
    /// when the group it reads for is gone.
    ///
    /// A dropped future closes the connection, so that the server stops waiting.
    pub(super) async fn send_blocking(
        &self,
        command: &Cmd,
        block: Duration,
    ) -> Result<Option<Value>> {
        let mut connection = match self.take_idle() {
            Some(connection) => connection,
            None => self.open().await?,
        };
        connection.set_response_timeout(block + RESPONSE_MAX);
        let answer = match command.query_async(&mut connection).await {
            Ok(answer) => Some(answer),
            Err(error) if error.code().is_some_and(|code| GROUP_GONE.contains(&code)) => None,
            Err(error) => {
                // The idle ones were opened to the same server, and are likely lost with it.
                self.idle().clear();
                return Err(self.unavailable(&error));
            }
        };
        let mut idle = self.idle();
        if idle.len() < IDLE_CONNECTIONS_MAX {
            idle.push(connection);
        }
        Ok(answer)
    }

    /// The shared connection. Callers that find it gone wait together for a new one, each no
    /// longer than connecting may take.
    async fn shared(&self) -> Result<Arc<MultiplexedConnection>> {
        let connect = async {
            let mut shared = self.shared.lock().await;
            if let Some(connection) = &*shared {
                return Ok(Arc::clone(connection));
            }
            let connection = Arc::new(self.open().await?);
            *shared = Some(Arc::clone(&connection));
            Ok(connection)
        };
        timeout(CONNECT_MAX, connect).await.unwrap_or_else(|_| Err(self.no_connection()))
    }

    /// Opens a connection.
    async fn open(&self) -> Result<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_MAX))
            .set_response_timeout(Some(RESPONSE_MAX));
        match self.client.get_multiplexed_async_connection_with_config(&config).await {
            Ok(connection) => Ok(connection),
            Err(error) if error.is_timeout() => Err(self.no_connection()),
            Err(error) => Err(self.unavailable(&error)),
        }
    }

    /// Passes on an answer; after an error that the connection may not survive, the next caller
    /// gets a new one.
    fn checked<T>(
        &self,
        used: &Arc<MultiplexedConnection>,
        answer: Result<T, RedisError>,
    ) -> Result<T> {
        let error = match answer {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        if error.is_io_error() || error.is_unrecoverable_error() {
            self.give_up(used);
        }
        Err(self.unavailable(&error))
    }

    /// Leaves a connection that is lost. Where the lock is taken, somebody connects anew already.
    fn give_up(&self, used: &Arc<MultiplexedConnection>) {
        if let Ok(mut shared) = self.shared.try_lock() {
            shared.take_if(|connection| Arc::ptr_eq(connection, used));
        }
    }

    fn take_idle(&self) -> Option<MultiplexedConnection> {
        self.idle().pop()
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<MultiplexedConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn no_connection(&self) -> Error {
        Error::Unavailable {
            store: self.store.clone(),
            reason: format!("no connection within {} ms", CONNECT_MAX.as_millis()),
        }
    }

    fn unavailable(&self, error: &RedisError) -> Error {
        Error::Unavailable { store: self.store.clone(), reason: error.to_string() }
    }
}
