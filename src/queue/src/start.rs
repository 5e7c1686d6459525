//! The store's first answer.

use std::time::Duration;

use crate::{Error, Queue};

/// How often a store that is away is asked.
const INTERVAL: Duration = Duration::from_millis(500);

/// Waits for the store's first answer, and returns when it is that the store is misconfigured: a
/// program that has just started ends then, where it waits for a store that is away. Never
/// returns otherwise.
pub async fn unfit(queue: &dyn Queue) -> Error {
    loop {
        match queue.ping().await {
            Ok(()) => std::future::pending().await,
            Err(error @ Error::Misconfigured { .. }) => return error,
            Err(_) => tokio::time::sleep(INTERVAL).await,
        }
    }
}
