//! Claims on ending batches that nobody appends to any more.

use std::time::{Duration, Instant};

use muster_queue::{
    Batch, BatchId, BatchOptions, BatchState, Deadline, Ending, Error, Policy, Queue, Result,
};

use super::steps::{
    ALL, HOUR, as_sent, commit_next, from, id, lease_all, lease_chunks, open, rolls, shown, until,
    without, worker,
};

const SOON: Duration = Duration::from_millis(10);

/// Opens a batch that ends when nothing has been appended for so long.
async fn open_for(queue: &dyn Queue, name: &str, after: Duration, then: Ending) -> Result<BatchId> {
    let deadline = Some(Deadline { after, then });
    queue.open(&id(name), &BatchOptions { deadline, ..BatchOptions::default() }).await?;
    Ok(id(name))
}

/// Waits until a batch is ended, and returns what was said of it.
async fn ended(queue: &dyn Queue, id: &BatchId) -> Result<Batch> {
    let mut ended = Vec::new();
    until("the overdue batch has ended", async || {
        ended.extend(queue.end_overdue(ALL).await?);
        Ok(!ended.is_empty())
    })
    .await?;
    assert_eq!(ended.len(), 1, "{ended:?}");
    assert_eq!(shown(queue, id).await?, ended[0]);
    Ok(ended.remove(0))
}

pub(crate) async fn it_is_sealed_with_what_it_has(queue: &dyn Queue) -> Result<()> {
    let id = open_for(queue, "soon", SOON, Ending::Seal).await?;
    queue.append(&id, &[from(0, 2)]).await?;
    let batch = ended(queue, &id).await?;
    assert_eq!((batch.state, batch.received, batch.overdue), (BatchState::Sealed, 2, true));
    let more = queue.append(&id, &[from(2, 1)]).await;
    assert!(matches!(more, Err(Error::Sealed { received: 2, .. })), "{more:?}");
    commit_next(queue, |_| as_sent()).await?;
    let batch = shown(queue, &id).await?;
    assert_eq!((batch.state, batch.overdue), (BatchState::Complete, true));
    Ok(())
}

pub(crate) async fn it_is_aborted_with_all_it_has(queue: &dyn Queue) -> Result<()> {
    let id = open_for(queue, "soon", SOON, Ending::Abort).await?;
    queue.append(&id, &[from(0, 3)]).await?;
    commit_next(queue, |chunk| without(chunk, &[1])).await?;
    let batch = ended(queue, &id).await?;
    assert_eq!((batch.state, batch.received, batch.overdue), (BatchState::Aborted, 3, true));
    assert_eq!((batch.kept, batch.dead), (0, 0));
    assert_eq!(queue.dead_groups().await?, []);
    Ok(())
}

pub(crate) async fn it_stays_overdue_when_it_is_aborted(queue: &dyn Queue) -> Result<()> {
    let id = open_for(queue, "soon", SOON, Ending::Seal).await?;
    queue.append(&id, &[from(0, 2)]).await?;
    assert_eq!(ended(queue, &id).await?.state, BatchState::Sealed);
    let batch = queue.abort(&id).await?;
    assert_eq!((batch.state, batch.overdue), (BatchState::Aborted, true));
    Ok(())
}

pub(crate) async fn an_empty_batch_is_completed(queue: &dyn Queue) -> Result<()> {
    let id = open_for(queue, "empty", SOON, Ending::Seal).await?;
    assert_eq!(ended(queue, &id).await?.state, BatchState::Complete);
    assert_eq!(rolls(&lease_all(queue, &worker()).await?), 1);
    Ok(())
}

pub(crate) async fn a_drained_batch_is_completed(queue: &dyn Queue) -> Result<()> {
    let id = open_for(queue, "drained", SOON, Ending::Seal).await?;
    queue.append(&id, &[from(0, 2)]).await?;
    for chunk in lease_chunks(queue, &worker()).await? {
        queue.commit(&chunk, &as_sent()).await?;
    }
    assert_eq!(ended(queue, &id).await?.state, BatchState::Complete);
    assert_eq!(queue.next_complete(ALL).await?[0].id, id);
    Ok(())
}

pub(crate) async fn a_batch_with_dead_letters_is_held(queue: &dyn Queue) -> Result<()> {
    let deadline = Some(Deadline { after: SOON, then: Ending::Seal });
    let options = BatchOptions { policy: Policy::Fail, deadline, ..BatchOptions::default() };
    let id = id("strict");
    queue.open(&id, &options).await?;
    queue.append(&id, &[from(0, 2)]).await?;
    commit_next(queue, |chunk| without(chunk, &[0])).await?;
    let batch = ended(queue, &id).await?;
    assert!(batch.is_held(), "{batch:?}");
    assert_eq!(queue.stats().await?.held, 1);
    Ok(())
}

pub(crate) async fn only_what_is_overdue_ends(queue: &dyn Queue) -> Result<()> {
    let free = open(queue, "free").await?;
    let late = open_for(queue, "late", HOUR, Ending::Abort).await?;
    let sealed = open_for(queue, "sealed", SOON, Ending::Abort).await?;
    let aborted = open_for(queue, "aborted", SOON, Ending::Seal).await?;
    queue.append(&sealed, &[from(0, 1)]).await?;
    queue.seal(&sealed, None, None).await?;
    queue.abort(&aborted).await?;
    let soon = open_for(queue, "soon", SOON, Ending::Seal).await?;
    ended(queue, &soon).await?;
    assert_eq!(queue.end_overdue(ALL).await?, [], "what has ended does not end again");
    for (id, state) in [
        (free, BatchState::Open),
        (late, BatchState::Open),
        (sealed, BatchState::Sealed),
        (aborted, BatchState::Aborted),
    ] {
        let batch = shown(queue, &id).await?;
        assert_eq!((batch.state, batch.overdue), (state, false), "{id}");
    }
    Ok(())
}

pub(crate) async fn records_put_the_deadline_off(queue: &dyn Queue) -> Result<()> {
    let after = Duration::from_secs(1);
    let id = open_for(queue, "busy", after, Ending::Abort).await?;
    let opened = Instant::now();
    let mut appended = opened;
    let mut received = 0;
    until("the first deadline has passed", async || {
        appended = Instant::now();
        queue.append(&id, &[from(received, 1)]).await?;
        received += 1;
        assert_eq!(queue.end_overdue(ALL).await?, [], "records still arrive");
        Ok(opened.elapsed() > after + after / 4)
    })
    .await?;
    assert_eq!(ended(queue, &id).await?.received, received);
    // A store counts in milliseconds.
    let passed = appended.elapsed() + Duration::from_millis(1);
    assert!(passed >= after, "ended after {passed:?}");
    Ok(())
}

pub(crate) async fn never_more_than_the_limit(queue: &dyn Queue) -> Result<()> {
    for (name, then) in [("one", Ending::Seal), ("two", Ending::Abort), ("three", Ending::Seal)] {
        open_for(queue, name, SOON, then).await?;
    }
    let mut ended = Vec::new();
    until("all three have ended", async || {
        let some = queue.end_overdue(2).await?;
        assert!(some.len() <= 2, "{some:?}");
        ended.extend(some.into_iter().map(|batch| batch.id.to_string()));
        Ok(ended.len() >= 3)
    })
    .await?;
    ended.sort();
    assert_eq!(ended, ["one", "three", "two"]);
    Ok(())
}
