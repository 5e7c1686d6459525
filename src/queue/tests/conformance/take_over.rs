//! Claims on taking over the work of those who fell silent.

use std::time::Duration;

use muster_queue::{Queue, Result, Work};

use super::steps::{
    ALL, HOUR, chunks, from, lease_all, lease_chunks, open, rolls, sent, take_over_all, until,
    worker,
};

pub(crate) async fn idle_work_of_others_is_taken(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "orphaned", &[2, 1]).await?;
    lease_all(queue, &worker()).await?;
    let heir = worker();
    let mut taken = chunks(take_over_all(queue, &heir).await?);
    taken.sort_by_key(|chunk| chunk.first);
    assert_eq!(taken.len(), 2);
    for (chunk, (first, count)) in taken.iter().zip([(0, 2), (2, 1)]) {
        assert_eq!((&chunk.batch, chunk.first, chunk.count), (&id, first, count));
        assert_eq!(chunk.payload, from(first, count).payload);
        assert_eq!(chunk.lease.worker, heir);
    }
    assert_eq!(lease_all(queue, &worker()).await?, []);
    Ok(())
}

pub(crate) async fn ones_own_idle_work_is_taken_as_well(queue: &dyn Queue) -> Result<()> {
    sent(queue, "own", &[1, 1]).await?;
    let (one, other) = (worker(), worker());
    queue.lease(&one, 1, Duration::ZERO).await?;
    queue.lease(&other, 1, Duration::ZERO).await?;
    let mut taken = chunks(take_over_all(queue, &one).await?);
    taken.sort_by_key(|chunk| chunk.first);
    assert_eq!(taken.iter().map(|chunk| chunk.first).collect::<Vec<_>>(), [0, 1]);
    Ok(())
}

pub(crate) async fn fresh_work_is_not_taken(queue: &dyn Queue) -> Result<()> {
    sent(queue, "fresh", &[1]).await?;
    lease_all(queue, &worker()).await?;
    assert_eq!(queue.take_over(&worker(), HOUR, ALL).await?, []);
    Ok(())
}

pub(crate) async fn work_that_waits_is_not_taken(queue: &dyn Queue) -> Result<()> {
    sent(queue, "waiting", &[1, 1]).await?;
    let one = worker();
    let held = lease_chunks(queue, &one).await?;
    queue.release(&[held[0].lease.clone()]).await?;
    let taken = chunks(take_over_all(queue, &worker()).await?);
    assert_eq!(taken.iter().map(|chunk| chunk.first).collect::<Vec<_>>(), [1]);
    assert_eq!(lease_chunks(queue, &one).await?[0].first, 0);
    Ok(())
}

pub(crate) async fn never_more_than_asked_for(queue: &dyn Queue) -> Result<()> {
    sent(queue, "many", &[1, 1, 1]).await?;
    lease_all(queue, &worker()).await?;
    assert_eq!(queue.take_over(&worker(), Duration::ZERO, 2).await?.len(), 2);
    assert_eq!(queue.take_over(&worker(), Duration::ZERO, 0).await?, []);
    Ok(())
}

pub(crate) async fn extended_work_is_kept(queue: &dyn Queue) -> Result<()> {
    sent(queue, "half-kept", &[1, 1]).await?;
    let held = lease_chunks(queue, &worker()).await?;
    let (heir, idle) = (worker(), Duration::from_secs(1));
    let mut taken = Vec::new();
    until("the work that is not extended is taken", async || {
        queue.extend(&[held[0].lease.clone()]).await?;
        taken = chunks(queue.take_over(&heir, idle, ALL).await?);
        Ok(!taken.is_empty())
    })
    .await?;
    assert_eq!(taken.iter().map(|chunk| chunk.first).collect::<Vec<_>>(), [1]);
    Ok(())
}

pub(crate) async fn a_lost_lease_stays_lost(queue: &dyn Queue) -> Result<()> {
    sent(queue, "lost", &[1]).await?;
    let lost = lease_chunks(queue, &worker()).await?;
    let taken = chunks(take_over_all(queue, &worker()).await?);
    queue.extend(&[lost[0].lease.clone()]).await?;
    queue.release(&[taken[0].lease.clone()]).await?;
    assert_eq!(lease_all(queue, &worker()).await?.len(), 1, "the heir held it");
    Ok(())
}

pub(crate) async fn a_roll_is_taken_too(queue: &dyn Queue) -> Result<()> {
    queue.seal(&open(queue, "empty").await?, None, None).await?;
    assert_eq!(rolls(&lease_all(queue, &worker()).await?), 1);
    assert_eq!(queue.take_over(&worker(), HOUR, ALL).await?, []);
    let heir = worker();
    let taken = take_over_all(queue, &heir).await?;
    assert!(matches!(&taken[..], [Work::Roll(lease)] if lease.worker == heir), "{taken:?}");
    Ok(())
}

pub(crate) async fn each_loss_is_counted(queue: &dyn Queue) -> Result<()> {
    sent(queue, "lost", &[1]).await?;
    let own = worker();
    assert_eq!(lease_chunks(queue, &own).await?[0].lost, 0);
    for (heir, lost) in [(worker(), 1), (own.clone(), 2), (own, 3)] {
        let taken = chunks(take_over_all(queue, &heir).await?);
        queue.extend(&[taken[0].lease.clone()]).await?;
        assert_eq!(taken[0].lost, lost);
    }
    Ok(())
}
