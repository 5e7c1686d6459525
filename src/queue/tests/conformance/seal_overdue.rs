//! Claims on sealing batches that nobody appends to any more.

use std::time::{Duration, Instant};

use muster_queue::{BatchId, BatchOptions, BatchState, Priority, Queue, Result};

use super::steps::{ALL, as_sent, from, id, lease_chunks, open, shown, until, worker};

const SOON: Duration = Duration::from_millis(1);
const LATE: Duration = Duration::from_secs(3600);

/// Opens a batch that is sealed when nothing has been appended for so long.
async fn open_for(queue: &dyn Queue, name: &str, seal_after: Duration) -> Result<BatchId> {
    let options = BatchOptions { priority: Priority::Normal, seal_after: Some(seal_after) };
    queue.open(&id(name), &options).await?;
    Ok(id(name))
}

/// Waits until a batch that is overdue was sealed.
async fn sealed(queue: &dyn Queue, id: &BatchId) -> Result<()> {
    until("the overdue batch is sealed", async || {
        queue.seal_overdue(ALL).await?;
        Ok(shown(queue, id).await?.state > BatchState::Open)
    })
    .await
}

pub(crate) async fn only_what_is_overdue_is_sealed(queue: &dyn Queue) -> Result<()> {
    let soon = open_for(queue, "soon", SOON).await?;
    let late = open_for(queue, "late", LATE).await?;
    queue.append(&soon, &from(0, 1)).await?;
    queue.append(&late, &from(0, 1)).await?;
    sealed(queue, &soon).await?;
    assert_eq!(shown(queue, &soon).await?.state, BatchState::Sealed);
    assert_eq!(shown(queue, &late).await?.state, BatchState::Open);
    assert_eq!(queue.seal_overdue(ALL).await?, 0, "what is sealed is not sealed again");
    Ok(())
}

pub(crate) async fn a_batch_without_a_deadline_is_never_sealed(queue: &dyn Queue) -> Result<()> {
    let free = open(queue, "free").await?;
    let soon = open_for(queue, "soon", SOON).await?;
    sealed(queue, &soon).await?;
    assert_eq!(shown(queue, &free).await?.state, BatchState::Open);
    Ok(())
}

pub(crate) async fn records_move_the_deadline(queue: &dyn Queue) -> Result<()> {
    let seal_after = Duration::from_secs(1);
    let id = open_for(queue, "busy", seal_after).await?;
    let opened = Instant::now();
    let mut received = 0;
    until("the first deadline has passed", async || {
        queue.append(&id, &from(received, 1)).await?;
        received += 1;
        assert_eq!(queue.seal_overdue(ALL).await?, 0, "records still arrive");
        Ok(opened.elapsed() > seal_after + seal_after / 4)
    })
    .await?;
    let stopped = Instant::now();
    sealed(queue, &id).await?;
    assert!(stopped.elapsed() > seal_after / 2, "sealed after {:?}", stopped.elapsed());
    assert_eq!(shown(queue, &id).await?.received, received);
    Ok(())
}

pub(crate) async fn never_more_than_the_limit(queue: &dyn Queue) -> Result<()> {
    for name in ["one", "two", "three"] {
        open_for(queue, name, SOON).await?;
    }
    let mut sealed = Vec::new();
    until("all three are sealed", async || {
        sealed.push(queue.seal_overdue(2).await?);
        Ok(sealed.iter().sum::<usize>() == 3)
    })
    .await?;
    assert!(sealed.iter().all(|count| *count <= 2), "{sealed:?}");
    Ok(())
}

pub(crate) async fn a_drained_batch_is_completed(queue: &dyn Queue) -> Result<()> {
    let id = open_for(queue, "drained", SOON).await?;
    queue.append(&id, &from(0, 2)).await?;
    for chunk in lease_chunks(queue, &worker()).await? {
        queue.commit(&chunk, &as_sent()).await?;
    }
    sealed(queue, &id).await?;
    assert_eq!(shown(queue, &id).await?.state, BatchState::Complete);
    assert_eq!(queue.next_complete().await?.map(|batch| batch.id), Some(id));
    Ok(())
}
