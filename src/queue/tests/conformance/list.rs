//! Claims on the list of batches, and on what it says of each.

use std::time::{Duration, SystemTime};

use muster_queue::{
    Batch, BatchCursor, BatchId, BatchOptions, BatchState, BatchTimes, NewChunk, Queue, Result,
};

use super::steps::{
    ALL, again, as_sent, commit_next, completed, from, id, open, replays, sent, shown, split,
    without,
};

/// How much the clocks of a store and of a test may differ, as a store counts in milliseconds.
const ROUNDING: Duration = Duration::from_millis(2);

/// Opens batches of these names, each later than the one before.
async fn opened(queue: &dyn Queue, names: &[&str]) -> Result<()> {
    for name in names {
        open(queue, name).await?;
        let opened = shown(queue, &id(name)).await?.times.opened.expect("it is open");
        while SystemTime::now() <= opened + ROUNDING {
            tokio::time::sleep(ROUNDING).await;
        }
    }
    Ok(())
}

/// The names of the batches in a state, the first of the list first.
async fn names(queue: &dyn Queue, state: Option<BatchState>) -> Result<Vec<String>> {
    Ok(queue.batches(state, None, ALL).await?.iter().map(|batch| batch.id.to_string()).collect())
}

async fn times(queue: &dyn Queue, id: &BatchId) -> Result<BatchTimes> {
    Ok(shown(queue, id).await?.times)
}

pub(crate) async fn of_nothing_is_nothing(queue: &dyn Queue) -> Result<()> {
    assert_eq!(queue.batches(None, None, ALL).await?, []);
    open(queue, "open").await?;
    assert_eq!(queue.batches(Some(BatchState::Sealed), None, ALL).await?, []);
    assert_eq!(queue.batches(None, None, 0).await?, []);
    Ok(())
}

pub(crate) async fn the_one_that_was_opened_last_comes_first(queue: &dyn Queue) -> Result<()> {
    opened(queue, &["b", "c", "a"]).await?;
    assert_eq!(names(queue, None).await?, ["a", "c", "b"]);
    queue.open(&id("b"), &BatchOptions::default()).await?;
    queue.seal(&id("c"), None, None).await?;
    assert_eq!(names(queue, None).await?, ["a", "c", "b"], "what comes later changes nothing");
    Ok(())
}

pub(crate) async fn each_state_has_its_batches(queue: &dyn Queue) -> Result<()> {
    open(queue, "open").await?;
    let sealed = sent(queue, "sealed", &[1]).await?;
    queue.seal(&sealed, None, None).await?;
    for name in ["complete", "written"] {
        queue.seal(&open(queue, name).await?, None, None).await?;
    }
    queue.mark_written(&id("written"), "digest").await?;
    queue.abort(&open(queue, "aborted").await?).await?;
    let held = sent(queue, "sealed-and-aborted", &[1]).await?;
    queue.seal(&held, None, None).await?;
    for _ in 0..2 {
        queue.abort(&held).await?;
    }
    for state in BatchState::ALL {
        let mut names = names(queue, Some(state)).await?;
        names.sort();
        match state {
            BatchState::Aborted => assert_eq!(names, ["aborted", "sealed-and-aborted"]),
            _ => assert_eq!(names, [state.as_str()]),
        }
    }
    assert_eq!(names(queue, None).await?.len(), 6);
    Ok(())
}

pub(crate) async fn a_page_goes_on_behind_the_one_before(queue: &dyn Queue) -> Result<()> {
    let names = ["e", "d", "c", "b", "a"];
    opened(queue, &names).await?;
    let mut after: Option<BatchCursor> = None;
    let mut seen: Vec<Batch> = Vec::new();
    for expected in [2, 2, 1, 0] {
        let page = queue.batches(Some(BatchState::Open), after.as_ref(), 2).await?;
        assert_eq!(page.len(), expected);
        after = page.last().and_then(Batch::cursor).or(after);
        seen.extend(page);
    }
    let seen: Vec<&str> = seen.iter().map(|batch| batch.id.as_str()).collect();
    assert_eq!(seen, ["a", "b", "c", "d", "e"]);
    Ok(())
}

pub(crate) async fn a_page_goes_on_behind_one_that_is_not_there(queue: &dyn Queue) -> Result<()> {
    opened(queue, &["first", "second", "third"]).await?;
    let third = shown(queue, &id("third")).await?.cursor().expect("it is listed");
    // It has left this list, and would be the first of it.
    queue.seal(&id("third"), None, None).await?;
    let open = queue.batches(Some(BatchState::Open), Some(&third), 1).await?;
    assert_eq!(open[0].id, id("second"));
    let before_all = BatchCursor { opened_ms: 1, id: id("never") };
    assert_eq!(queue.batches(None, Some(&before_all), ALL).await?, []);
    Ok(())
}

pub(crate) async fn it_shows_batches_as_they_are(queue: &dyn Queue) -> Result<()> {
    let one = completed(queue, "complete", &[2, 1]).await?;
    let other = sent(queue, "open", &[3]).await?;
    for batch in queue.batches(None, None, ALL).await? {
        assert!([&one, &other].contains(&&batch.id), "{batch:?}");
        assert_eq!(shown(queue, &batch.id).await?, batch);
    }
    Ok(())
}

pub(crate) async fn each_state_has_its_time(queue: &dyn Queue) -> Result<()> {
    let before = SystemTime::now() - ROUNDING;
    let id = sent(queue, "timed", &[1]).await?;
    let open = times(queue, &id).await?;
    assert_eq!(BatchTimes { opened: open.opened, ..BatchTimes::default() }, open);
    queue.seal(&id, None, None).await?;
    let sealed = times(queue, &id).await?;
    assert_eq!(BatchTimes { sealed: sealed.sealed, ..open }, sealed);
    commit_next(queue, |_| as_sent()).await?;
    let complete = times(queue, &id).await?;
    assert_eq!(BatchTimes { completed: complete.completed, ..sealed }, complete);
    queue.mark_written(&id, "digest").await?;
    let written = times(queue, &id).await?;
    assert_eq!(BatchTimes { ended: written.ended, ..complete }, written);
    let after = SystemTime::now() + ROUNDING;
    let times = [Some(before), written.opened, written.sealed, written.completed, written.ended];
    let times: Vec<SystemTime> = times.into_iter().flatten().chain([after]).collect();
    assert!(times.len() == 6 && times.is_sorted(), "{times:?}");
    Ok(())
}

pub(crate) async fn what_is_repeated_changes_no_time(queue: &dyn Queue) -> Result<()> {
    opened(queue, &["sealed", "aborted"]).await?;
    let sealed = queue.seal(&id("sealed"), None, None).await?;
    let aborted = queue.abort(&id("aborted")).await?;
    opened(queue, &["later"]).await?;
    assert_eq!(queue.seal(&id("sealed"), None, None).await?, sealed);
    assert_eq!(queue.open(&id("sealed"), &BatchOptions::default()).await?, sealed);
    assert_eq!(queue.abort(&id("aborted")).await?, aborted);
    Ok(())
}

pub(crate) async fn chunks_are_counted_with_those_of_retries(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "counted", &[3, 2]).await?;
    let chunks = async || shown(queue, &id).await.map(|it| (it.chunks, it.chunks_committed));
    assert_eq!(chunks().await?, (2, 0));
    commit_next(queue, |chunk| split(chunk, &[0], vec![again(1), again(2)])).await?;
    assert_eq!(chunks().await?, (2, 1));
    for committed in 2..=4 {
        commit_next(queue, |_| as_sent()).await?;
        assert_eq!(chunks().await?, (2, committed));
    }
    queue.replay(&id, &replays(&[0])).await?;
    commit_next(queue, |_| as_sent()).await?;
    assert_eq!(chunks().await?, (2, 5));
    Ok(())
}

pub(crate) async fn the_first_trace_that_a_chunk_has_is_the_batch_s(
    queue: &dyn Queue,
) -> Result<()> {
    let id = open(queue, "traced").await?;
    let chunks = [(None, None), (Some("1st"), Some("1st")), (Some("2nd"), Some("1st"))];
    for ((trace, first), place) in chunks.into_iter().zip(0..) {
        let chunk = NewChunk { trace: trace.map(str::to_owned), ..from(place, 1) };
        queue.append(&id, &[chunk]).await?;
        assert_eq!(shown(queue, &id).await?.trace.as_deref(), first);
    }
    Ok(())
}

pub(crate) async fn what_a_replay_makes_is_listed(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "old", &[3]).await?;
    commit_next(queue, |chunk| without(chunk, &[0, 2])).await?;
    queue.seal(&id, None, None).await?;
    let into = queue.replay(&id, &replays(&[0, 2])).await?.into;
    let sealed = queue.batches(Some(BatchState::Sealed), None, ALL).await?;
    assert_eq!(sealed, [shown(queue, &into).await?]);
    assert_eq!((sealed[0].chunks, sealed[0].chunks_committed), (2, 0));
    let BatchTimes { opened, sealed, completed, ended } = sealed[0].times;
    assert!(opened.is_some() && sealed >= opened, "{opened:?} {sealed:?}");
    assert_eq!((completed, ended), (None, None));
    Ok(())
}
