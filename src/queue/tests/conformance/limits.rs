//! Claims on a queue that is full.

use bytes::Bytes;
use muster_queue::{Appended, Error, NewChunk, Queue, Result};
use std::slice::from_ref;

use super::steps::{
    again, as_sent, commit_next, each, from, lease_one, open, replays, sent, shown, split, without,
};
use crate::{BYTES_MAX, RECORDS_MAX};

/// A chunk of one record of so many bytes.
fn heavy(place: u64, bytes: u64) -> NewChunk {
    let bytes = usize::try_from(bytes).expect("fewer than memory has");
    NewChunk { payload: Bytes::from(vec![b'x'; bytes]), ..from(place, 1) }
}

#[track_caller]
fn assert_full(answer: Result<Appended>, expected: u64) {
    assert!(
        matches!(answer, Err(Error::Full { records, .. }) if records == expected),
        "{answer:?}"
    );
}

pub(crate) async fn it_takes_any_chunk_below_the_limit(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "below", &[RECORDS_MAX - 1]).await?;
    let chunk = from(u64::from(RECORDS_MAX) - 1, RECORDS_MAX);
    assert_eq!(queue.append(&id, &[chunk]).await?, Appended::Accepted);
    let records = 2 * u64::from(RECORDS_MAX) - 1;
    assert_full(queue.append(&id, &[from(records, 1)]).await, records);
    assert_eq!(shown(queue, &id).await?.received, records);
    Ok(())
}

pub(crate) async fn it_takes_several_chunks_below_the_limit(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "below", &[RECORDS_MAX - 1]).await?;
    let place = u64::from(RECORDS_MAX) - 1;
    let several = [from(place, 2), from(place + 2, 2)];
    assert_eq!(queue.append(&id, &several).await?, Appended::Accepted);
    let records = place + 4;
    let more = [from(records, 1), from(records + 1, 1)];
    assert_full(queue.append(&id, &more).await, records);
    assert_eq!(shown(queue, &id).await?.received, records);
    Ok(())
}

pub(crate) async fn it_takes_none_at_the_limit_of_records(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "full", &[RECORDS_MAX]).await?;
    let other = open(queue, "other").await?;
    let records = u64::from(RECORDS_MAX);
    for (id, chunk) in [(&id, from(records, 1)), (&other, from(0, 1)), (&other, each(&[0]))] {
        assert_full(queue.append(id, &[chunk]).await, records);
    }
    assert_eq!(shown(queue, &other).await?.received, 0);
    Ok(())
}

pub(crate) async fn it_takes_none_at_the_limit_of_bytes(queue: &dyn Queue) -> Result<()> {
    let id = open(queue, "full").await?;
    assert_eq!(queue.append(&id, &[heavy(0, BYTES_MAX - 1)]).await?, Appended::Accepted);
    assert_eq!(queue.append(&id, &[heavy(1, 1)]).await?, Appended::Accepted);
    let answer = queue.append(&id, &[from(2, 1)]).await;
    assert!(matches!(answer, Err(Error::Full { records: 2, bytes: BYTES_MAX })), "{answer:?}");
    Ok(())
}

pub(crate) async fn what_is_leased_counts(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "full", &[RECORDS_MAX]).await?;
    let records = u64::from(RECORDS_MAX);
    lease_one(queue).await?;
    assert_full(queue.append(&id, &[from(records, 1)]).await, records);
    Ok(())
}

pub(crate) async fn below_the_limit_everything_moves_again(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "full", &[1, RECORDS_MAX - 1]).await?;
    let next = from(u64::from(RECORDS_MAX), 1);
    assert_full(queue.append(&id, from_ref(&next)).await, u64::from(RECORDS_MAX));
    commit_next(queue, |chunk| split(chunk, &[], vec![again(0)])).await?;
    assert_full(queue.append(&id, from_ref(&next)).await, u64::from(RECORDS_MAX));
    commit_next(queue, |_| as_sent()).await?;
    assert_eq!(queue.append(&id, from_ref(&next)).await?, Appended::Accepted);
    Ok(())
}

pub(crate) async fn what_it_has_is_told_although_it_is_full(queue: &dyn Queue) -> Result<()> {
    let unary = open(queue, "unary").await?;
    queue.append(&unary, &[each(&[4, 7])]).await?;
    let id = sent(queue, "full", &[RECORDS_MAX]).await?;
    let received = u64::from(RECORDS_MAX);
    for place in [0, received - 1] {
        let behind = queue.append(&id, &[from(place, 1)]).await?;
        assert_eq!(behind, Appended::Behind { received });
    }
    let taken = queue.append(&unary, &[each(&[7, 8])]).await?;
    assert_eq!(taken, Appended::Taken { same: vec![7], different: vec![] });
    Ok(())
}

pub(crate) async fn a_replay_is_never_refused(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "mended", &[2]).await?;
    commit_next(queue, |chunk| without(chunk, &[1])).await?;
    sent(queue, "full", &[RECORDS_MAX]).await?;
    assert_eq!(queue.replay(&id, &replays(&[1])).await?.letters, 1);
    assert_eq!(queue.depth().await?.records, u64::from(RECORDS_MAX) + 1);
    Ok(())
}
