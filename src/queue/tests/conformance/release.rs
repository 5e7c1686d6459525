//! Claims on giving work back.

use std::time::Duration;

use muster_queue::{Committed, Queue, Result};

use super::steps::{
    as_sent, chunks, lease_all, lease_chunks, lease_one, open, rolls, sent, take_over_all, worker,
};

pub(crate) async fn released_work_is_leased_by_another(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "given-back", &[2, 3]).await?;
    let held = lease_chunks(queue, &worker()).await?;
    queue.release(&[held[1].lease.clone()]).await?;
    let other = worker();
    let again = lease_chunks(queue, &other).await?;
    assert_eq!(again.len(), 1);
    assert_eq!((&again[0].batch, again[0].first, again[0].count), (&id, 2, 3));
    assert_eq!(again[0].payload, held[1].payload);
    assert_eq!(again[0].lease.worker, other);
    Ok(())
}

pub(crate) async fn a_lost_lease_gives_nothing_back(queue: &dyn Queue) -> Result<()> {
    sent(queue, "lost", &[1]).await?;
    let lost = lease_chunks(queue, &worker()).await?;
    let heir = worker();
    let taken = chunks(take_over_all(queue, &heir).await?);
    queue.release(&[lost[0].lease.clone()]).await?;
    assert_eq!(lease_all(queue, &worker()).await?, []);
    queue.release(&[taken[0].lease.clone()]).await?;
    assert_eq!(lease_all(queue, &worker()).await?.len(), 1, "the heir held it");
    Ok(())
}

pub(crate) async fn a_committed_chunk_does_not_come_back(queue: &dyn Queue) -> Result<()> {
    sent(queue, "done", &[1]).await?;
    let held = lease_chunks(queue, &worker()).await?;
    queue.commit(&held[0], &as_sent()).await?;
    queue.release(&[held[0].lease.clone()]).await?;
    assert_eq!(lease_all(queue, &worker()).await?, []);
    assert_eq!(take_over_all(queue, &worker()).await?, []);
    Ok(())
}

pub(crate) async fn released_twice_it_waits_once(queue: &dyn Queue) -> Result<()> {
    sent(queue, "twice", &[1]).await?;
    let held = lease_chunks(queue, &worker()).await?;
    for _ in 0..2 {
        queue.release(&[held[0].lease.clone()]).await?;
    }
    let again = chunks(lease_all(queue, &worker()).await?);
    assert_eq!(again.len(), 1);
    queue.release(&[held[0].lease.clone()]).await?;
    assert_eq!(lease_all(queue, &worker()).await?, [], "the old lease is lost");
    Ok(())
}

pub(crate) async fn a_roll_is_leased_by_another(queue: &dyn Queue) -> Result<()> {
    queue.seal(&open(queue, "empty").await?, None, None).await?;
    let held = lease_all(queue, &worker()).await?;
    assert_eq!(rolls(&held), 1);
    assert_eq!(lease_all(queue, &worker()).await?, []);
    queue.release(&[held[0].lease().clone()]).await?;
    assert_eq!(rolls(&lease_all(queue, &worker()).await?), 1);
    Ok(())
}

pub(crate) async fn what_was_lost_stays_counted(queue: &dyn Queue) -> Result<()> {
    sent(queue, "lost", &[1]).await?;
    lease_chunks(queue, &worker()).await?;
    let taken = chunks(take_over_all(queue, &worker()).await?);
    queue.release(&[taken[0].lease.clone()]).await?;
    assert_eq!(lease_one(queue).await?.lost, 1);
    Ok(())
}

pub(crate) async fn what_a_forgotten_worker_held_is_given_back(queue: &dyn Queue) -> Result<()> {
    sent(queue, "kept", &[1, 1, 1]).await?;
    queue.seal(&open(queue, "empty").await?, None, None).await?;
    let (gone, other) = (worker(), worker());
    let held = queue.lease(&gone, 3, Duration::ZERO).await?;
    assert_eq!((held.len(), rolls(&held)), (3, 1));
    assert_eq!(lease_chunks(queue, &other).await?.len(), 1);
    for _ in 0..2 {
        queue.forget(&gone).await?;
    }
    let again = lease_all(queue, &worker()).await?;
    assert_eq!((again.len(), rolls(&again)), (3, 1), "and what the other holds is its own");
    assert!(chunks(again).iter().all(|chunk| chunk.lost == 0), "that is no loss");
    for chunk in chunks(held) {
        assert_eq!(queue.commit(&chunk, &as_sent()).await?, Committed::Refused);
    }
    Ok(())
}

pub(crate) async fn a_worker_that_holds_nothing_is_forgotten(queue: &dyn Queue) -> Result<()> {
    sent(queue, "kept", &[1]).await?;
    let (done, never_seen) = (worker(), worker());
    let held = lease_chunks(queue, &done).await?;
    queue.release(&[held[0].lease.clone()]).await?;
    for worker in [&done, &never_seen] {
        queue.forget(worker).await?;
    }
    assert_eq!(lease_chunks(queue, &worker()).await?.len(), 1);
    Ok(())
}
