//! Claims on how much waits.

use std::time::Duration;

use muster_queue::{Depth, Queue, Result, Retry};

use super::steps::{
    HOUR, again, again_after, as_sent, commit_next, each, from, isolated, lease_chunks, lease_one,
    open, payload, replays, sent, split, take_over_all, without, worker,
};

/// The depth when the records at these places wait as they were sent.
fn of(places: impl IntoIterator<Item = u64>) -> Depth {
    let places: Vec<u64> = places.into_iter().collect();
    Depth { records: places.len() as u64, bytes: payload(places).len() as u64 }
}

pub(crate) async fn it_is_what_was_sent(queue: &dyn Queue) -> Result<()> {
    assert_eq!(queue.depth().await?, Depth::default());
    let id = sent(queue, "one", &[2, 3]).await?;
    assert_eq!(queue.depth().await?, of(0..5));
    queue.append(&id, &[from(0, 2)]).await?;
    assert_eq!(queue.depth().await?, of(0..5), "they were there");
    let other = open(queue, "other").await?;
    queue.append(&other, &[each(&[12, 10])]).await?;
    assert_eq!(queue.depth().await?, of((0..5).chain([12, 10])));
    Ok(())
}

pub(crate) async fn what_is_leased_waits_too(queue: &dyn Queue) -> Result<()> {
    sent(queue, "leased", &[2, 3]).await?;
    let held = lease_chunks(queue, &worker()).await?;
    assert_eq!(queue.depth().await?, of(0..5));
    queue.release(&[held[0].lease.clone()]).await?;
    assert_eq!(queue.depth().await?, of(0..5));
    take_over_all(queue, &worker()).await?;
    assert_eq!(queue.depth().await?, of(0..5));
    queue.forget(&held[0].lease.worker).await?;
    assert_eq!(queue.depth().await?, of(0..5));
    Ok(())
}

pub(crate) async fn what_is_committed_does_not(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "committed", &[2, 3, 1]).await?;
    let chunk = lease_one(queue).await?;
    for _ in 0..2 {
        queue.commit(&chunk, &as_sent()).await?;
        assert_eq!(queue.depth().await?, of(2..6));
    }
    commit_next(queue, |chunk| without(chunk, &[2, 4])).await?;
    assert_eq!(queue.depth().await?, of([5]));
    commit_next(queue, |_| as_sent()).await?;
    assert_eq!(queue.depth().await?, Depth::default());
    queue.seal(&id, None, None).await?;
    assert_eq!(queue.depth().await?, Depth::default(), "a roll is no record");
    queue.mark_written(&id, "digest").await?;
    assert_eq!(queue.depth().await?, Depth::default());
    Ok(())
}

pub(crate) async fn what_is_retried_waits_too(queue: &dyn Queue) -> Result<()> {
    sent(queue, "retried", &[20]).await?;
    let longer = Retry { payload: payload([7, 7, 7]), ..again(7) };
    let retry = vec![longer, again_after(11, HOUR), isolated(12)];
    commit_next(queue, |chunk| split(chunk, &[3], retry)).await?;
    let bytes = of([7, 7, 7, 11, 12]).bytes;
    assert_eq!(queue.depth().await?, Depth { records: 3, bytes });
    commit_next(queue, |_| as_sent()).await?;
    assert_eq!(queue.depth().await?, of([11, 12]));
    let alone = queue.lease_isolated(&worker(), Duration::ZERO).await?.expect("it waits");
    assert_eq!(queue.depth().await?, of([11, 12]));
    queue.commit(&alone, &split(&alone, &[], vec![isolated(12)])).await?;
    assert_eq!(queue.depth().await?, of([11, 12]));
    let alone = queue.lease_isolated(&worker(), Duration::ZERO).await?.expect("it waits");
    queue.commit(&alone, &without(&alone, &[12])).await?;
    assert_eq!(queue.depth().await?, of([11]));
    Ok(())
}

pub(crate) async fn what_is_replayed_waits_again(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "replayed", &[12]).await?;
    commit_next(queue, |chunk| without(chunk, &[0, 5, 11])).await?;
    assert_eq!(queue.depth().await?, Depth::default());
    queue.replay(&id, &replays(&[11])).await?;
    assert_eq!(queue.depth().await?, of([11]));
    commit_next(queue, |_| as_sent()).await?;
    queue.seal(&id, None, None).await?;
    queue.replay(&id, &replays(&[5])).await?;
    queue.drop_letters(&id, &[0]).await?;
    assert_eq!(queue.depth().await?, of([5]));
    commit_next(queue, |_| as_sent()).await?;
    assert_eq!(queue.depth().await?, Depth::default());
    Ok(())
}
