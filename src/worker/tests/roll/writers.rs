//! Several writers at once, as when many workers see that a batch is complete.

use std::sync::Arc;

use muster_program::shutdown::Shutdown;
use tokio::task::JoinSet;

use crate::desk::{Desk, complete};

const BATCHES: i32 = 12;
const BATCH_RECORDS: i32 = 25;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_record_is_in_the_roll_once_and_in_order() {
    let desk = Desk::new();
    let queue = Arc::new(desk.open());
    for batch in 0..BATCHES {
        let first = batch * BATCH_RECORDS;
        complete(queue.as_ref(), &format!("batch-{batch}"), first..first + BATCH_RECORDS).await;
    }
    let mut writers = JoinSet::new();
    for roll in [desk.roll(), desk.roll(), desk.roll()] {
        let queue = Arc::clone(&queue);
        writers.spawn(async move { roll.write(queue.as_ref(), &Shutdown::default()).await });
    }
    for written in writers.join_all().await {
        written.unwrap();
    }
    assert_eq!(desk.ids(), Vec::from_iter(0..BATCHES * BATCH_RECORDS));
    assert_eq!(desk.manifest().batches, 12);
}
