//! Claims on records that are suspected of ending workers.

use std::time::Duration;

use muster_queue::{BatchState, Chunk, Committed, Queue, Result};

use super::steps::{
    HOUR, as_sent, commit_next, isolated, lease_all, sent, shown, split, take_over_all, until,
    worker,
};

/// Sends a batch whose records at these places are isolated.
async fn suspected(queue: &dyn Queue, places: &[u64]) -> Result<muster_queue::BatchId> {
    let id = sent(queue, "suspected", &[4]).await?;
    let retry = places.iter().map(|place| isolated(*place)).collect();
    commit_next(queue, |chunk| split(chunk, &[], retry)).await?;
    Ok(id)
}

/// Leases one isolated chunk, also one that another holds.
async fn lease_any(queue: &dyn Queue) -> Result<Option<Chunk>> {
    queue.lease_isolated(&worker(), Duration::ZERO).await
}

/// Leases one isolated chunk that waits.
async fn lease_waiting(queue: &dyn Queue) -> Result<Option<Chunk>> {
    queue.lease_isolated(&worker(), HOUR).await
}

pub(crate) async fn there_is_none_among_others(queue: &dyn Queue) -> Result<()> {
    sent(queue, "plain", &[1, 1]).await?;
    lease_all(queue, &worker()).await?;
    sent(queue, "more", &[1]).await?;
    assert_eq!(lease_any(queue).await?, None);
    Ok(())
}

pub(crate) async fn it_is_never_leased_with_others(queue: &dyn Queue) -> Result<()> {
    suspected(queue, &[1, 2]).await?;
    assert_eq!(lease_all(queue, &worker()).await?, []);
    assert!(lease_waiting(queue).await?.is_some());
    assert_eq!(take_over_all(queue, &worker()).await?, []);
    assert_eq!(lease_all(queue, &worker()).await?, []);
    Ok(())
}

pub(crate) async fn it_comes_alone_and_at_once(queue: &dyn Queue) -> Result<()> {
    let id = suspected(queue, &[2]).await?;
    let worker = worker();
    let chunk = queue.lease_isolated(&worker, HOUR).await?.expect("it does not wait");
    let expected = isolated(2);
    assert_eq!((&chunk.batch, chunk.first, chunk.count), (&id, 2, 1));
    assert_eq!((&chunk.payload, chunk.history), (&expected.payload, expected.history));
    assert_eq!((chunk.lease.worker, chunk.lost), (worker, 0));
    Ok(())
}

pub(crate) async fn each_is_leased_once(queue: &dyn Queue) -> Result<()> {
    suspected(queue, &[0, 3]).await?;
    let mut places = Vec::new();
    while let Some(chunk) = lease_waiting(queue).await? {
        places.push(chunk.first);
    }
    places.sort_unstable();
    assert_eq!(places, [0, 3]);
    Ok(())
}

pub(crate) async fn one_that_is_lost_comes_first_and_is_counted(queue: &dyn Queue) -> Result<()> {
    suspected(queue, &[0, 3]).await?;
    let held = lease_waiting(queue).await?.expect("one of two");
    for lost in 1..4 {
        let again = lease_any(queue).await?.expect("the one that is held");
        assert_eq!((again.first, again.lost), (held.first, lost));
    }
    let other = lease_waiting(queue).await?.expect("the one that waits");
    assert_ne!((other.first, other.lost), (held.first, 0));
    Ok(())
}

pub(crate) async fn one_that_is_extended_is_kept(queue: &dyn Queue) -> Result<()> {
    suspected(queue, &[0, 3]).await?;
    let kept = lease_waiting(queue).await?.expect("one of two");
    lease_waiting(queue).await?.expect("the other");
    let mut taken = None;
    until("the one that is not extended is taken", async || {
        queue.extend(std::slice::from_ref(&kept.lease)).await?;
        taken = queue.lease_isolated(&worker(), Duration::from_secs(1)).await?;
        Ok(taken.is_some())
    })
    .await?;
    let taken = taken.expect("it was taken");
    assert_ne!(taken.first, kept.first);
    assert_eq!(taken.lost, 1);
    Ok(())
}

pub(crate) async fn one_that_is_given_back_is_still_isolated(queue: &dyn Queue) -> Result<()> {
    suspected(queue, &[1]).await?;
    let gone = worker();
    for is_forgotten in [false, true] {
        let chunk = queue.lease_isolated(&gone, HOUR).await?.expect("it waits");
        assert_eq!((chunk.lost, chunk.history.isolated), (0, true));
        if is_forgotten {
            queue.forget(&gone).await?;
        } else {
            queue.release(&[chunk.lease]).await?;
        }
        assert_eq!(lease_all(queue, &worker()).await?, []);
    }
    assert!(lease_waiting(queue).await?.is_some());
    Ok(())
}

pub(crate) async fn the_first_of_two_commits_is_taken(queue: &dyn Queue) -> Result<()> {
    let id = suspected(queue, &[1]).await?;
    queue.seal(&id, Some(4), None).await?;
    assert_eq!(shown(queue, &id).await?.retrying, 1);
    let late = lease_any(queue).await?.expect("it waits");
    let heir = lease_any(queue).await?.expect("it is held");
    assert_eq!(queue.commit(&late, &as_sent()).await?, Committed::Taken);
    assert_eq!(queue.commit(&heir, &as_sent()).await?, Committed::Refused);
    assert_eq!(lease_any(queue).await?, None);
    let batch = shown(queue, &id).await?;
    assert_eq!((batch.state, batch.kept, batch.retrying), (BatchState::Complete, 4, 0));
    Ok(())
}
