//! A command for a Redis, a Sentinel or a node of a cluster.

use std::time::Duration;

use redis::{Client, Cmd, FromRedisValue, Pipeline, RedisResult};

const PATIENCE: Duration = Duration::from_secs(2);

/// Asks the server on this loopback port, on a connection of its own.
///
/// # Errors
///
/// Nobody answers, or the answer is an error or another type.
pub fn ask<T: FromRedisValue>(port: u16, command: &[&str]) -> RedisResult<T> {
    ask_all(port, &[command]).map(|(answer,)| answer)
}

/// Asks several things, one after another, on one connection. `T` is the tuple of the answers.
///
/// # Errors
///
/// Nobody answers, or an answer is an error or another type.
pub fn ask_all<T: FromRedisValue>(port: u16, commands: &[&[&str]]) -> RedisResult<T> {
    let client = Client::open(format!("redis://127.0.0.1:{port}"))?;
    let mut connection = client.get_connection_with_timeout(PATIENCE)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    let mut asked = Pipeline::new();
    for command in commands {
        let asked = asked.add_command(Cmd::new());
        for word in *command {
            asked.arg(word);
        }
    }
    asked.query(&mut connection)
}
