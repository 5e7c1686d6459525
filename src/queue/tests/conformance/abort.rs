//! Claims on aborting a batch.

use std::time::Duration;

use muster_queue::{
    Batch, BatchId, BatchOptions, BatchState, Committed, Depth, Error, Queue, Replayed, Result,
};

use super::steps::{
    ALL, again, again_after, as_sent, commit_next, completed, each, from, isolated, lease_all,
    lease_chunks, lease_one, open, open_strict, replays, send, sent, shown, split, take_over_all,
    until, without, worker,
};

/// Asserts that a batch of `received` records is aborted, and nothing is left of it.
async fn assert_aborted(queue: &dyn Queue, id: &BatchId, received: u64) -> Result<()> {
    let opened = Batch::opened(id.clone(), &BatchOptions::default());
    let batch = shown(queue, id).await?;
    let Batch { chunks, times, digest, ref trace, .. } = batch;
    let trace = trace.clone();
    assert!(chunks > 0 && times.ended.is_some(), "{batch:?}");
    let state = BatchState::Aborted;
    let expected = Batch { state, received, digest, chunks, trace, times, ..opened };
    assert_eq!(batch, expected);
    assert_eq!(queue.results(id, 0, ALL).await?, []);
    assert_eq!(queue.dead_letters(id, 0, ALL).await?, []);
    assert_eq!(queue.dead_groups().await?, []);
    assert_eq!(queue.next_complete(ALL).await?, []);
    Ok(())
}

pub(crate) async fn an_open_batch_is_discarded(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "open", &[3, 2]).await?;
    commit_next(queue, |chunk| split(chunk, &[0], vec![again(1)])).await?;
    commit_next(queue, |_| as_sent()).await?;
    let batch = queue.abort(&id).await?;
    assert_eq!(batch.state, BatchState::Aborted);
    assert_aborted(queue, &id, 5).await
}

pub(crate) async fn a_sealed_batch_is_discarded(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "sealed", &[3, 2]).await?;
    commit_next(queue, |chunk| without(chunk, &[0])).await?;
    queue.seal(&id, Some(5), None).await?;
    queue.abort(&id).await?;
    assert_aborted(queue, &id, 5).await
}

pub(crate) async fn a_held_batch_is_discarded(queue: &dyn Queue) -> Result<()> {
    let id = open_strict(queue, "held").await?;
    send(queue, &id, &[2]).await?;
    commit_next(queue, |chunk| without(chunk, &[0])).await?;
    queue.seal(&id, None, None).await?;
    assert_eq!(queue.stats().await?.held, 1);
    let batch = queue.abort(&id).await?;
    assert_eq!(queue.stats().await?.held, 0);
    assert_eq!((batch.state, batch.kept, batch.dead), (BatchState::Aborted, 0, 0));
    assert_eq!(queue.drop_letters(&id, &[0]).await?, 0);
    assert_eq!(shown(queue, &id).await?, batch, "it does not complete any more");
    assert_eq!(lease_all(queue, &worker()).await?, []);
    Ok(())
}

pub(crate) async fn twice_is_the_same_as_once(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "twice", &[1]).await?;
    let first = queue.abort(&id).await?;
    assert_eq!(queue.abort(&id).await?, first);
    Ok(())
}

pub(crate) async fn what_is_complete_is_not_aborted(queue: &dyn Queue) -> Result<()> {
    let id = completed(queue, "complete", &[2]).await?;
    for _ in 0..2 {
        let before = shown(queue, &id).await?;
        let answer = queue.abort(&id).await;
        assert!(matches!(&answer, Err(Error::Complete(batch)) if *batch == id), "{answer:?}");
        assert_eq!(shown(queue, &id).await?, before);
        queue.mark_written(&id, "digest").await?;
    }
    Ok(())
}

pub(crate) async fn it_takes_no_more(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "aborted", &[2]).await?;
    queue.abort(&id).await?;
    let new = open(queue, "new").await?;
    queue.abort(&new).await?;
    for (id, chunk) in [
        (&id, from(0, 2)),
        (&id, from(2, 1)),
        (&id, from(9, 1)),
        (&id, each(&[0])),
        (&new, from(0, 1)),
        (&new, each(&[0])),
    ] {
        let answer = queue.append(id, &[chunk]).await;
        assert!(matches!(&answer, Err(Error::Aborted(batch)) if batch == id), "{answer:?}");
    }
    assert_aborted(queue, &id, 2).await
}

pub(crate) async fn it_stays_aborted(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "aborted", &[2]).await?;
    queue.abort(&id).await?;
    assert_eq!(open(queue, "aborted").await?, id);
    assert!(!queue.mark_written(&id, "digest").await?);
    assert_eq!(queue.drop_letters(&id, &[0]).await?, 0);
    let replayed = queue.replay(&id, &replays(&[0])).await?;
    assert_eq!(replayed, Replayed { into: id.clone(), letters: 0 });
    assert_aborted(queue, &id, 2).await
}

pub(crate) async fn its_chunks_leave_when_they_are_committed(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "aborted", &[2, 3, 4]).await?;
    let held = lease_one(queue).await?;
    let lost = lease_one(queue).await?;
    queue.release(std::slice::from_ref(&lost.lease)).await?;
    queue.abort(&id).await?;
    let bytes = (0..9).map(|place| from(place, 1).payload.len() as u64).sum();
    assert_eq!(queue.depth().await?, Depth { records: 9, bytes });
    assert_eq!(queue.commit(&held, &without(&held, &[0])).await?, Committed::Refused);
    assert_eq!(queue.depth().await?.records, 7);
    let waiting = lease_chunks(queue, &worker()).await?;
    assert_eq!(waiting.len(), 2);
    for chunk in &waiting {
        let outcome = split(chunk, &[], vec![again(chunk.first)]);
        assert_eq!(queue.commit(chunk, &outcome).await?, Committed::Refused);
    }
    assert_eq!(queue.depth().await?, Depth::default());
    assert_eq!(lease_all(queue, &worker()).await?, []);
    assert_eq!(take_over_all(queue, &worker()).await?, []);
    assert_aborted(queue, &id, 9).await
}

pub(crate) async fn what_was_to_be_retried_leaves_as_well(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "aborted", &[3]).await?;
    let soon = Duration::from_millis(20);
    let retry = vec![again(0), again_after(1, soon), isolated(2)];
    commit_next(queue, |chunk| split(chunk, &[], retry)).await?;
    queue.abort(&id).await?;
    assert_eq!(queue.depth().await?.records, 3);
    until("nothing of the batch is in the queue", async || {
        let mut chunks = lease_chunks(queue, &worker()).await?;
        chunks.extend(queue.lease_isolated(&worker(), Duration::ZERO).await?);
        for chunk in chunks {
            assert_eq!(queue.commit(&chunk, &as_sent()).await?, Committed::Refused);
        }
        Ok(queue.depth().await? == Depth::default())
    })
    .await?;
    assert_aborted(queue, &id, 3).await
}
