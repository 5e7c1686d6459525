//! Questions to a server itself, on connections that no queue knows.

use std::future::Future;
use std::time::Duration;

use super::redis_server::RedisServer;

/// How long a condition may take to be true.
const LIMIT: Duration = Duration::from_secs(30);

/// Asks one server.
pub(crate) async fn ask<T: redis::FromRedisValue>(server: &RedisServer, command: &str) -> T {
    ask_at(&server.url(), command).await.unwrap_or_else(|error| panic!("{command}: {error}"))
}

/// Asks the server at `url`, which may be away.
pub(crate) async fn ask_at<T: redis::FromRedisValue>(
    url: &str,
    command: &str,
) -> redis::RedisResult<T> {
    let client = redis::Client::open(url)?;
    // The client's own limit, half a second, is short for a busy machine.
    let patient = redis::AsyncConnectionConfig::new().set_response_timeout(Some(LIMIT));
    let mut connection = client.get_multiplexed_async_connection_with_config(&patient).await?;
    let mut words = command.split(' ');
    let mut asked = redis::cmd(words.next().unwrap_or_default());
    asked.arg(words.collect::<Vec<_>>()).query_async(&mut connection).await
}

/// Asks again and again until it is so.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    let asking = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, asking).await.unwrap_or_else(|_| panic!("{what}"));
}

/// A server's port, as text.
pub(crate) fn port(server: &RedisServer) -> String {
    server.url().rsplit(':').next().unwrap_or_default().to_owned()
}

/// Makes `replica` a replica of `master`, and waits until it has caught up.
pub(crate) async fn replicate(replica: &RedisServer, master: &RedisServer) {
    ask::<()>(replica, &format!("REPLICAOF 127.0.0.1 {}", port(master))).await;
    until("a replica follows its master", || async {
        ask::<String>(replica, "INFO replication").await.contains("master_link_status:up")
    })
    .await;
}
