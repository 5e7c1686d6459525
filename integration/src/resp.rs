//! A command for a Redis, a Sentinel or a node of a cluster.

use std::time::Duration;

use redis::{Client, Cmd, FromRedisValue, RedisResult};

const PATIENCE: Duration = Duration::from_secs(2);

/// Asks the server on this loopback port, on a connection of its own.
///
/// # Errors
///
/// Nobody answers, or the answer is an error or another type.
pub fn ask<T: FromRedisValue>(port: u16, command: &[&str]) -> RedisResult<T> {
    let client = Client::open(format!("redis://127.0.0.1:{port}"))?;
    let mut connection = client.get_connection_with_timeout(PATIENCE)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    let mut asked = Cmd::new();
    for word in command {
        asked.arg(word);
    }
    asked.query(&mut connection)
}
