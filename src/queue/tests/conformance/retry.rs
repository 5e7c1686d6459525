//! Claims on records that are tried again.

use std::time::Duration;

use bytes::Bytes;
use muster_queue::{
    BatchState, Committed, History, Kept, Outcome, Queue, Result, ResultChunk, Retry,
};

use super::steps::{
    ALL, HOUR, TRACE, again, again_after, as_sent, chunks, commit_next, dead_letter, kept,
    lease_all, lease_chunks, lease_one, nothing, sent, shown, split, take_over_all, time, until,
    without, worker,
};

pub(crate) async fn it_comes_as_a_chunk_of_its_own(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "retried", &[4]).await?;
    lease_all(queue, &worker()).await?;
    let lost = chunks(take_over_all(queue, &worker()).await?).remove(0);
    let history = History { failures: 3, failed_first: Some(time(7)), isolated: false };
    let payload = Bytes::from_static(b"\0mended\n");
    let retry = Retry { place: 2, payload: payload.clone(), history, after: Duration::ZERO };
    queue.commit(&lost, &split(&lost, &[], vec![retry])).await?;
    let chunk = lease_one(queue).await?;
    assert_eq!((&chunk.batch, chunk.first, chunk.count), (&id, 2, 1));
    assert_eq!((chunk.payload, chunk.history), (payload, history));
    assert_eq!((chunk.trace.as_deref(), chunk.lost), (Some(TRACE), 0));
    Ok(())
}

pub(crate) async fn it_waits_for_its_time(queue: &dyn Queue) -> Result<()> {
    sent(queue, "retried", &[3]).await?;
    let soon = Duration::from_millis(50);
    let retry = vec![again_after(0, HOUR), again_after(1, soon), again(2)];
    let begun = std::time::Instant::now();
    commit_next(queue, |chunk| split(chunk, &[], retry)).await?;
    assert_eq!(lease_one(queue).await?.first, 2, "at once");
    let mut places = Vec::new();
    until("the second is leased", async || {
        places.extend(lease_chunks(queue, &worker()).await?.iter().map(|chunk| chunk.first));
        Ok(!places.is_empty())
    })
    .await?;
    assert_eq!(places, [1]);
    assert!(begun.elapsed() >= soon, "it came after {:?}", begun.elapsed());
    assert_eq!(lease_all(queue, &worker()).await?, [], "the third is not due");
    assert_eq!(take_over_all(queue, &worker()).await?.len(), 2);
    Ok(())
}

pub(crate) async fn it_counts_as_retrying_until_it_has_an_outcome(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "counted", &[4, 1]).await?;
    let counts = async || {
        let batch = shown(queue, &id).await?;
        Result::Ok((batch.retrying, batch.kept, batch.dead))
    };
    let retry = vec![again(0), again(1), again_after(3, HOUR)];
    commit_next(queue, |chunk| split(chunk, &[2], retry)).await?;
    assert_eq!(counts().await?, (3, 0, 1));
    commit_next(queue, |_| as_sent()).await?;
    assert_eq!(counts().await?, (3, 1, 1), "what never failed is not retrying");
    let chunk = lease_one(queue).await?;
    assert_eq!(counts().await?, (3, 1, 1), "it is at it");
    queue.release(&[chunk.lease]).await?;
    commit_next(queue, |_| as_sent()).await?;
    assert_eq!(counts().await?, (2, 2, 1));
    commit_next(queue, |chunk| split(chunk, &[], vec![again(chunk.first)])).await?;
    assert_eq!(counts().await?, (2, 2, 1), "it is tried a third time");
    commit_next(queue, |chunk| without(chunk, &[chunk.first])).await?;
    assert_eq!(counts().await?, (1, 2, 2));
    Ok(())
}

pub(crate) async fn one_commit_keeps_buries_and_retries(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "mixed", &[7]).await?;
    commit_next(queue, |chunk| split(chunk, &[2, 5], vec![again(3), again(6)])).await?;
    let batch = shown(queue, &id).await?;
    assert_eq!((batch.kept, batch.dead, batch.retrying), (3, 2, 2));
    assert_eq!(queue.dead_letters(&id, 0, ALL).await?, [dead_letter(2), dead_letter(5)]);
    let retried = lease_chunks(queue, &worker()).await?;
    assert_eq!(retried.len(), 2);
    for chunk in retried.iter().rev() {
        queue.commit(chunk, &as_sent()).await?;
    }
    assert_eq!(queue.seal(&id, Some(7), None).await?.state, BatchState::Complete);
    let expected = [kept(0, 2), nothing(2), kept(3, 1), kept(4, 1), nothing(5), kept(6, 1)];
    assert_eq!(queue.results(&id, 0, 1000).await?, expected, "the order is that of the places");
    Ok(())
}

pub(crate) async fn it_keeps_a_sealed_batch_from_completing(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "sealed", &[1]).await?;
    queue.seal(&id, Some(1), None).await?;
    for _ in 0..3 {
        commit_next(queue, |chunk| split(chunk, &[], vec![again(0)])).await?;
        let batch = shown(queue, &id).await?;
        assert_eq!((batch.state, batch.retrying), (BatchState::Sealed, 1));
        assert_eq!(queue.next_complete(ALL).await?, []);
    }
    commit_next(queue, |_| as_sent()).await?;
    let batch = shown(queue, &id).await?;
    assert_eq!((batch.state, batch.retrying, batch.kept), (BatchState::Complete, 0, 1));
    Ok(())
}

pub(crate) async fn what_came_of_it_is_in_its_place(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "rewritten", &[3]).await?;
    commit_next(queue, |chunk| split(chunk, &[], vec![again(1)])).await?;
    let run = ResultChunk { first: 1, count: 1, payload: Bytes::from_static(b"new\n") };
    let kept_runs = Kept::Runs(vec![run.clone()]);
    commit_next(queue, |_| Outcome { kept: kept_runs, ..as_sent() }).await?;
    queue.seal(&id, Some(3), None).await?;
    assert_eq!(queue.results(&id, 0, ALL).await?, [kept(0, 1), run, kept(2, 1)]);
    Ok(())
}

pub(crate) async fn as_sent_is_what_was_to_be_retried(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "mended", &[1]).await?;
    let payload = Bytes::from_static(b"mended\n");
    let retry = Retry { payload: payload.clone(), ..again(0) };
    commit_next(queue, |chunk| split(chunk, &[], vec![retry])).await?;
    commit_next(queue, |_| as_sent()).await?;
    queue.seal(&id, None, None).await?;
    assert_eq!(queue.results(&id, 0, ALL).await?, [ResultChunk { first: 0, count: 1, payload }]);
    Ok(())
}

pub(crate) async fn the_first_of_two_commits_is_taken(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "contended", &[2]).await?;
    commit_next(queue, |chunk| split(chunk, &[], vec![again(0)])).await?;
    let late = lease_one(queue).await?;
    let heir = chunks(take_over_all(queue, &worker()).await?).remove(0);
    assert_eq!((heir.first, heir.lost, heir.history.failures), (0, 1, 1));
    assert_eq!(queue.commit(&late, &as_sent()).await?, Committed::Taken);
    let second = without(&heir, &[0]);
    assert_eq!(queue.commit(&heir, &second).await?, Committed::Refused);
    let batch = shown(queue, &id).await?;
    assert_eq!((batch.kept, batch.dead, batch.retrying), (2, 0, 0));
    Ok(())
}

pub(crate) async fn a_commit_from_before_is_refused(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "late", &[1]).await?;
    let first = lease_one(queue).await?;
    queue.commit(&first, &split(&first, &[], vec![again(0)])).await?;
    assert_eq!(queue.commit(&first, &as_sent()).await?, Committed::Refused);
    assert_eq!(shown(queue, &id).await?.retrying, 1);
    commit_next(queue, |_| as_sent()).await?;
    assert_eq!(queue.commit(&first, &as_sent()).await?, Committed::Refused);
    assert_eq!(shown(queue, &id).await?.kept, 1);
    Ok(())
}
