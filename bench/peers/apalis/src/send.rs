//! Pushes each record as a task, in bulks.

use std::fs;

use anyhow::Result;
use apalis::prelude::TaskSink;
use apalis_redis::ConnectionManager;

use crate::{User, storage};

const BULK: usize = 500;

pub(crate) async fn send(redis: ConnectionManager, path: &str, count: usize) -> Result<()> {
    let records: Vec<User> = fs::read_to_string(path)?
        .lines()
        .map(serde_json::from_str)
        .collect::<serde_json::Result<_>>()?;
    let records: Vec<User> = records.iter().cycle().take(count).cloned().collect();
    let mut storage = storage(redis);
    println!("sending");
    for bulk in records.chunks(BULK) {
        storage.push_bulk(bulk.to_vec()).await?;
    }
    println!("sent");
    Ok(())
}
