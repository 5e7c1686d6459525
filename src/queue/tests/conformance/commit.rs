//! Claims on committing a chunk.

use bytes::Bytes;
use muster_queue::{Batch, BatchState, Chunk, Committed, Depth, NewChunk, Queue, Result};

use super::steps::{
    ALL, again, as_sent, chunks, commit_next, from, lease_all, lease_chunks, open, sent, shown,
    split, take_over_all, without, worker,
};

/// Records kept and dead.
fn counts(batch: &Batch) -> (u64, u64) {
    (batch.kept, batch.dead)
}

pub(crate) async fn the_first_is_taken_and_the_second_refused(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "once", &[2]).await?;
    let chunk = &lease_chunks(queue, &worker()).await?[0];
    assert_eq!(queue.commit(chunk, &as_sent()).await?, Committed::Taken);
    assert_eq!(queue.commit(chunk, &as_sent()).await?, Committed::Refused);
    assert_eq!(counts(&shown(queue, &id).await?), (2, 0));
    Ok(())
}

pub(crate) async fn it_counts_what_is_kept_and_what_is_dead(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "counted", &[3, 2, 4]).await?;
    let chunks = lease_chunks(queue, &worker()).await?;
    queue.commit(&chunks[2], &without(&chunks[2], &[6, 8])).await?;
    assert_eq!(counts(&shown(queue, &id).await?), (2, 2));
    queue.commit(&chunks[1], &without(&chunks[1], &[3, 4])).await?;
    assert_eq!(counts(&shown(queue, &id).await?), (2, 4));
    queue.commit(&chunks[0], &as_sent()).await?;
    let batch = shown(queue, &id).await?;
    assert_eq!((counts(&batch), batch.received), ((5, 4), 9));
    Ok(())
}

pub(crate) async fn a_committed_chunk_is_nobodys_work(queue: &dyn Queue) -> Result<()> {
    sent(queue, "done", &[1, 1]).await?;
    let chunks = lease_chunks(queue, &worker()).await?;
    queue.commit(&chunks[0], &as_sent()).await?;
    assert_eq!(lease_all(queue, &worker()).await?, []);
    assert_eq!(take_over_all(queue, &worker()).await?.len(), 1, "the other chunk");
    Ok(())
}

pub(crate) async fn a_chunk_without_bytes_is_a_chunk(queue: &dyn Queue) -> Result<()> {
    let id = open(queue, "empty").await?;
    queue.append(&id, &[NewChunk { payload: Bytes::new(), ..from(0, 1) }]).await?;
    queue.seal(&id, None, None).await?;
    commit_next(queue, |_| as_sent()).await?;
    let batch = shown(queue, &id).await?;
    assert_eq!((batch.state, batch.kept), (BatchState::Complete, 1));
    Ok(())
}

pub(crate) async fn released_work_is_not_committed(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "given-back", &[1]).await?;
    let released = &lease_chunks(queue, &worker()).await?[0];
    queue.release(std::slice::from_ref(&released.lease)).await?;
    assert_eq!(queue.commit(released, &as_sent()).await?, Committed::Refused);
    assert_eq!(counts(&shown(queue, &id).await?), (0, 0));
    let again = &lease_chunks(queue, &worker()).await?[0];
    assert_eq!(queue.commit(released, &as_sent()).await?, Committed::Refused);
    assert_eq!(queue.commit(again, &as_sent()).await?, Committed::Taken);
    assert_eq!(counts(&shown(queue, &id).await?), (1, 0));
    Ok(())
}

/// Leases a chunk, and has another worker take it over.
async fn lost_and_won(queue: &dyn Queue) -> Result<(Chunk, Chunk)> {
    sent(queue, "contended", &[2]).await?;
    let lost = lease_chunks(queue, &worker()).await?.remove(0);
    let won = chunks(take_over_all(queue, &worker()).await?).remove(0);
    Ok((lost, won))
}

pub(crate) async fn the_new_holder_may_be_first(queue: &dyn Queue) -> Result<()> {
    let (lost, won) = lost_and_won(queue).await?;
    assert_eq!(queue.commit(&won, &as_sent()).await?, Committed::Taken);
    assert_eq!(queue.commit(&lost, &as_sent()).await?, Committed::Refused);
    assert_eq!(counts(&shown(queue, &won.batch).await?), (2, 0));
    Ok(())
}

pub(crate) async fn the_old_holder_may_be_first(queue: &dyn Queue) -> Result<()> {
    let (lost, won) = lost_and_won(queue).await?;
    assert_eq!(queue.commit(&lost, &as_sent()).await?, Committed::Taken);
    assert_eq!(queue.commit(&won, &as_sent()).await?, Committed::Refused);
    assert_eq!(counts(&shown(queue, &lost.batch).await?), (2, 0));
    assert_eq!(take_over_all(queue, &worker()).await?, []);
    Ok(())
}

pub(crate) async fn a_refused_outcome_changes_nothing(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "once", &[2]).await?;
    let chunk = &lease_chunks(queue, &worker()).await?[0];
    queue.commit(chunk, &as_sent()).await?;
    let second = split(chunk, &[0], vec![again(1)]);
    assert_eq!(queue.commit(chunk, &second).await?, Committed::Refused);
    queue.seal(&id, Some(2), None).await?;
    assert_eq!(queue.results(&id, 0, ALL).await?[0].payload, from(0, 2).payload);
    assert_eq!(queue.dead_letters(&id, 0, ALL).await?, []);
    assert_eq!(queue.depth().await?, Depth::default(), "nothing is retried");
    assert_eq!(counts(&shown(queue, &id).await?), (2, 0));
    Ok(())
}
