//! Claims on opening a batch and looking at it.

use std::time::Duration;

use muster_queue::{
    Batch, BatchOptions, BatchState, BatchTimes, Deadline, Ending, Error, Policy, Priority, Queue,
    Result,
};

use super::steps::{ALL, HOUR, from, id, lease_all, open, replays, sent, shown, worker};

pub(crate) async fn a_new_batch_is_open_and_empty(queue: &dyn Queue) -> Result<()> {
    let options = BatchOptions {
        priority: Priority::Low,
        policy: Policy::Fail,
        deadline: Some(Deadline { after: HOUR, then: Ending::Abort }),
    };
    let batch = queue.open(&id("new"), &options).await?;
    assert!(batch.times.opened.is_some());
    let expected = Batch {
        id: id("new"),
        state: BatchState::Open,
        priority: Priority::Low,
        policy: Policy::Fail,
        received: 0,
        digest: None,
        retrying: 0,
        kept: 0,
        dead: 0,
        dropped: 0,
        replayed: 0,
        overdue: false,
        roll_sha256: None,
        chunks: 0,
        chunks_committed: 0,
        trace: None,
        times: BatchTimes { opened: batch.times.opened, ..BatchTimes::default() },
    };
    assert_eq!(batch, expected);
    assert_eq!(shown(queue, &id("new")).await?, expected);
    assert_eq!(lease_all(queue, &worker()).await?, []);
    Ok(())
}

pub(crate) async fn opened_again_it_keeps_its_options(queue: &dyn Queue) -> Result<()> {
    let high = BatchOptions { priority: Priority::High, policy: Policy::Fail, deadline: None };
    let deadline = Some(Deadline { after: Duration::ZERO, then: Ending::Seal });
    let low = BatchOptions { priority: Priority::Low, policy: Policy::Partial, deadline };
    let first = queue.open(&id("twice"), &high).await?;
    assert_eq!((first.priority, first.policy), (Priority::High, Policy::Fail));
    assert_eq!(queue.open(&id("twice"), &low).await?, first);
    assert_eq!(queue.end_overdue(ALL).await?, [], "the second deadline does not count");
    Ok(())
}

pub(crate) async fn opened_again_it_keeps_its_records(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "twice", &[3]).await?;
    queue.seal(&id, Some(3), None).await?;
    let batch = queue.open(&id, &BatchOptions::default()).await?;
    assert_eq!((batch.received, batch.state), (3, BatchState::Sealed));
    assert_eq!(lease_all(queue, &worker()).await?.len(), 1);
    Ok(())
}

pub(crate) async fn an_unknown_batch_is_not_there(queue: &dyn Queue) -> Result<()> {
    open(queue, "known").await?;
    assert_eq!(queue.batch(&id("unknown")).await?, None);
    assert_eq!(queue.results(&id("unknown"), 0, 1000).await?, []);
    assert_eq!(queue.dead_letters(&id("unknown"), 0, 10).await?, []);
    Ok(())
}

pub(crate) async fn steps_on_an_unknown_batch_fail(queue: &dyn Queue) -> Result<()> {
    open(queue, "known").await?;
    let unknown = id("unknown");
    for answer in [
        queue.append(&unknown, &[from(0, 1)]).await.map(drop),
        queue.seal(&unknown, None, None).await.map(drop),
        queue.abort(&unknown).await.map(drop),
        queue.mark_written(&unknown, "digest").await.map(drop),
        queue.replay(&unknown, &replays(&[0])).await.map(drop),
        queue.drop_letters(&unknown, &[0]).await.map(drop),
    ] {
        assert!(matches!(&answer, Err(Error::UnknownBatch(id)) if *id == unknown), "{answer:?}");
    }
    assert_eq!(queue.batch(&unknown).await?, None);
    Ok(())
}

pub(crate) async fn the_store_answers_a_ping(queue: &dyn Queue) -> Result<()> {
    queue.ping().await
}
