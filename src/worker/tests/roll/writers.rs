//! Several writers at once, as when many workers see that a batch is complete.

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

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

/// The lock is on a file, not on the folder: NFS keeps a folder's to one machine.
#[tokio::test]
async fn nobody_writes_while_the_lock_file_is_locked() {
    let desk = Desk::new();
    let queue = desk.open();
    complete(&queue, "batch", 0..BATCH_RECORDS).await;
    let (roll, shutdown) = (desk.roll(), Shutdown::default());
    roll.check(&queue).await.unwrap();
    let other = File::create(desk.roll_file().with_file_name("all_users.lock")).unwrap();
    other.lock().unwrap();
    let mut writing = std::pin::pin!(roll.write(&queue, &shutdown));
    let early = tokio::time::timeout(Duration::from_millis(300), &mut writing).await;
    assert!(early.is_err() && !desk.roll_file().exists(), "it waits for the lock");
    drop(other);
    writing.await.unwrap();
    assert_eq!(desk.ids(), Vec::from_iter(0..BATCH_RECORDS));
}
