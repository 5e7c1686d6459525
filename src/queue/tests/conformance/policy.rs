//! Claims on what dead letters mean for the other records of a batch.

use muster_queue::{BatchState, Queue, Result};

use super::steps::{
    ALL, as_sent, commit_next, kept, lease_all, nothing, open_strict, replays, rolls, send, sent,
    shown, without, worker,
};

/// Commits a batch of two records, of which the first is dead, and seals it.
async fn held(queue: &dyn Queue) -> Result<muster_queue::BatchId> {
    let id = open_strict(queue, "strict").await?;
    send(queue, &id, &[2]).await?;
    commit_next(queue, |chunk| without(chunk, &[0])).await?;
    queue.seal(&id, Some(2), None).await?;
    Ok(id)
}

pub(crate) async fn partial_completes_without_them(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "partial", &[2]).await?;
    commit_next(queue, |chunk| without(chunk, &[0, 1])).await?;
    let batch = queue.seal(&id, None, None).await?;
    assert_eq!((batch.state, batch.dead), (BatchState::Complete, 2));
    Ok(())
}

pub(crate) async fn fail_holds_a_sealed_batch(queue: &dyn Queue) -> Result<()> {
    let id = held(queue).await?;
    let batch = shown(queue, &id).await?;
    assert!(batch.is_held(), "{batch:?}");
    assert_eq!(queue.next_complete(ALL).await?, []);
    assert_eq!(lease_all(queue, &worker()).await?, []);
    Ok(())
}

pub(crate) async fn fail_holds_when_the_commit_comes_last(queue: &dyn Queue) -> Result<()> {
    let id = open_strict(queue, "strict").await?;
    send(queue, &id, &[2]).await?;
    queue.seal(&id, None, None).await?;
    assert!(!shown(queue, &id).await?.is_held(), "there is work left");
    commit_next(queue, |chunk| without(chunk, &[0])).await?;
    assert!(shown(queue, &id).await?.is_held());
    assert_eq!(queue.next_complete(ALL).await?, []);
    Ok(())
}

pub(crate) async fn fail_completes_without_dead_letters(queue: &dyn Queue) -> Result<()> {
    let id = open_strict(queue, "strict").await?;
    send(queue, &id, &[2]).await?;
    queue.seal(&id, None, None).await?;
    commit_next(queue, |_| as_sent()).await?;
    assert_eq!(shown(queue, &id).await?.state, BatchState::Complete);
    Ok(())
}

pub(crate) async fn a_drop_resolves(queue: &dyn Queue) -> Result<()> {
    let id = held(queue).await?;
    assert_eq!(queue.drop_letters(&id, &[1]).await?, 0);
    assert!(shown(queue, &id).await?.is_held());
    assert_eq!(queue.drop_letters(&id, &[0]).await?, 1);
    let batch = shown(queue, &id).await?;
    assert_eq!((batch.state, batch.kept, batch.dropped), (BatchState::Complete, 1, 1));
    assert_eq!(rolls(&lease_all(queue, &worker()).await?), 1);
    assert_eq!(queue.next_complete(ALL).await?, [batch]);
    assert_eq!(queue.results(&id, 0, ALL).await?, [nothing(0), kept(1, 1)]);
    Ok(())
}

pub(crate) async fn a_replay_resolves_when_it_is_committed(queue: &dyn Queue) -> Result<()> {
    let id = held(queue).await?;
    queue.replay(&id, &replays(&[0])).await?;
    let batch = shown(queue, &id).await?;
    assert_eq!((batch.state, batch.dead, batch.retrying), (BatchState::Sealed, 0, 1));
    assert_eq!(queue.next_complete(ALL).await?, []);
    commit_next(queue, |_| as_sent()).await?;
    let batch = shown(queue, &id).await?;
    assert_eq!((batch.state, batch.kept, batch.retrying), (BatchState::Complete, 2, 0));
    assert_eq!(rolls(&lease_all(queue, &worker()).await?), 1);
    assert_eq!(queue.results(&id, 0, ALL).await?, [kept(0, 1), kept(1, 1)]);
    Ok(())
}

pub(crate) async fn a_replay_that_fails_holds_it_again(queue: &dyn Queue) -> Result<()> {
    let id = held(queue).await?;
    queue.replay(&id, &replays(&[0])).await?;
    commit_next(queue, |chunk| without(chunk, &[0])).await?;
    assert!(shown(queue, &id).await?.is_held());
    Ok(())
}

pub(crate) async fn a_drop_of_the_last_seals_nothing(queue: &dyn Queue) -> Result<()> {
    let id = open_strict(queue, "open").await?;
    send(queue, &id, &[1]).await?;
    commit_next(queue, |chunk| without(chunk, &[0])).await?;
    queue.drop_letters(&id, &[0]).await?;
    assert_eq!(shown(queue, &id).await?.state, BatchState::Open);
    assert_eq!(queue.seal(&id, Some(1), None).await?.state, BatchState::Complete);
    Ok(())
}
