//! Claims on a queue that is paused.

use std::time::{Duration, Instant};

use muster_queue::{Appended, BatchState, Committed, Queue, Result};

use super::steps::{
    ALL, LONG, as_sent, chunks, commit_next, from, isolated, lease_all, lease_chunks, lease_one,
    open, rolls, send, sent, shown, split, take_over_all, worker,
};

/// How long a lease waits that gets nothing.
const SHORT: Duration = Duration::from_millis(100);

pub(crate) async fn no_chunk_is_given(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "b", &[2, 1, 1]).await?;
    let suspects = vec![isolated(0), isolated(1)];
    commit_next(queue, |chunk| split(chunk, &[], suspects)).await?;
    queue.lease_isolated(&worker(), Duration::ZERO).await?.expect("a suspect");
    lease_one(queue).await?;
    for _ in 0..2 {
        queue.pause(true).await?;
        assert_eq!(lease_all(queue, &worker()).await?, []);
        assert_eq!(take_over_all(queue, &worker()).await?, []);
        assert_eq!(queue.lease_isolated(&worker(), Duration::ZERO).await?, None);
    }
    for _ in 0..2 {
        queue.pause(false).await?;
    }
    let taken = chunks(take_over_all(queue, &worker()).await?);
    assert_eq!((taken.len(), taken[0].lost), (1, 1), "{taken:?}");
    assert_eq!(lease_one(queue).await?.lost, 0);
    queue.lease_isolated(&worker(), LONG).await?.expect("the other suspect");
    assert_eq!(shown(queue, &id).await?.retrying, 2);
    Ok(())
}

pub(crate) async fn rolls_are_given(queue: &dyn Queue) -> Result<()> {
    sent(queue, "waits", &[1]).await?;
    queue.pause(true).await?;
    for name in ["one", "other"] {
        queue.seal(&open(queue, name).await?, None, None).await?;
    }
    let work = queue.lease(&worker(), 1, LONG).await?;
    assert_eq!((work.len(), rolls(&work)), (1, 1));
    let work = take_over_all(queue, &worker()).await?;
    assert_eq!((work.len(), rolls(&work)), (1, 1));
    let work = lease_all(queue, &worker()).await?;
    assert_eq!((work.len(), rolls(&work)), (1, 1));
    Ok(())
}

pub(crate) async fn a_lease_that_waits_gets_a_roll(queue: &dyn Queue) -> Result<()> {
    let empty = open(queue, "empty").await?;
    queue.pause(true).await?;
    let (me, asked) = (worker(), Instant::now());
    let (work, sealed) = tokio::join!(queue.lease(&me, ALL, LONG), queue.seal(&empty, None, None));
    sealed?;
    assert_eq!(rolls(&work?), 1);
    assert!(asked.elapsed() < LONG / 2, "took {:?}", asked.elapsed());
    Ok(())
}

pub(crate) async fn what_is_in_hand_goes_on(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "b", &[1, 1]).await?;
    let held = lease_chunks(queue, &worker()).await?;
    queue.pause(true).await?;
    queue.extend(&[held[0].lease.clone(), held[1].lease.clone()]).await?;
    queue.release(&[held[1].lease.clone()]).await?;
    assert_eq!(queue.commit(&held[0], &as_sent()).await?, Committed::Taken);
    assert_eq!(queue.append(&id, &[from(2, 1)]).await?, Appended::Accepted);
    assert_eq!(queue.seal(&id, Some(3), None).await?.state, BatchState::Sealed);
    queue.pause(false).await?;
    assert_eq!(lease_chunks(queue, &worker()).await?.len(), 2);
    Ok(())
}

pub(crate) async fn a_lease_waits_although_there_are_chunks(queue: &dyn Queue) -> Result<()> {
    sent(queue, "b", &[1]).await?;
    queue.pause(true).await?;
    let asked = Instant::now();
    assert_eq!(queue.lease(&worker(), ALL, SHORT).await?, []);
    assert!(asked.elapsed() >= SHORT, "took {:?}", asked.elapsed());
    Ok(())
}

pub(crate) async fn chunks_come_when_it_goes_on(queue: &dyn Queue) -> Result<()> {
    sent(queue, "b", &[1]).await?;
    queue.pause(true).await?;
    let me = worker();
    let resume = async {
        tokio::time::sleep(SHORT).await;
        queue.pause(false).await?;
        Ok(Instant::now())
    };
    let (work, resumed): (_, Result<Instant>) = tokio::join!(queue.lease(&me, ALL, LONG), resume);
    assert_eq!(work?.len(), 1);
    let waited = resumed?.elapsed();
    assert!(waited < LONG / 4, "took {waited:?}");
    Ok(())
}

pub(crate) async fn a_lease_that_waits_already_gets_no_chunk(queue: &dyn Queue) -> Result<()> {
    let id = open(queue, "b").await?;
    // Where a lease makes something first, it has made it.
    lease_all(queue, &worker()).await?;
    let me = worker();
    let pause = async {
        tokio::time::sleep(SHORT / 2).await;
        queue.pause(true).await?;
        send(queue, &id, &[1]).await
    };
    let (work, paused) = tokio::join!(queue.lease(&me, ALL, SHORT * 4), pause);
    paused?;
    assert_eq!(work?, []);
    queue.pause(false).await?;
    assert_eq!(lease_one(queue).await?.lost, 0, "it was nobody's");
    Ok(())
}
