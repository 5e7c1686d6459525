//! apalis-redis as a peer: `work`, or `send RECORDS_FILE COUNT`.

mod send;
mod work;

use std::env;

use anyhow::{Context, Result, bail};
use apalis_redis::{Config, ConnectionManager, RedisStorage};
use serde::{Deserialize, Serialize};

/// A record as it is sent and stored.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct User {
    id: i32,
    user_name: String,
    email: String,
    first_name: String,
    last_name: String,
    ip_address: String,
    gender: String,
    country: String,
    agent: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let url = env::var("REDIS_URL").context("REDIS_URL is not set")?;
    let redis = apalis_redis::connect(url).await?;
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["work"] => work::work(redis).await,
        ["send", path, count] => send::send(redis, path, count.parse()?).await,
        _ => bail!("usage: apalis-peer work | send RECORDS_FILE COUNT"),
    }
}

/// Whether all that can be switched off is, and batches are large.
fn is_tuned() -> bool {
    env::var_os("TUNED").is_some()
}

fn storage(redis: ConnectionManager) -> RedisStorage<User> {
    let mut config = Config::default().queue("users");
    if is_tuned() {
        config = config.batch_size(256).lock_tasks(false).persist_results(false).emit_events(false);
    }
    RedisStorage::new(redis).with_config(config)
}
