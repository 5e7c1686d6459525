//! Claims on dead letters that are tried again.

use bytes::Bytes;
use muster_queue::{
    Appended, BatchId, BatchState, History, Policy, Priority, Queue, Replay, Replayed, Result,
};

use super::steps::{
    ALL, TRACE, as_sent, commit_next, dead_letter, from, kept, lease_all, lease_chunks, nothing,
    open_with, payload, replays, rolls, send, sent, shown, without, worker,
};

/// Commits a batch of five records, of which the first, third and last are dead.
async fn with_dead(queue: &dyn Queue) -> Result<BatchId> {
    let id = open_with(queue, "mended", Priority::High).await?;
    send(queue, &id, &[5]).await?;
    commit_next(queue, |chunk| without(chunk, &[0, 2, 4])).await?;
    Ok(id)
}

/// Seals such a batch, which completes it, and writes it to the roll.
async fn written(queue: &dyn Queue) -> Result<BatchId> {
    let id = with_dead(queue).await?;
    queue.seal(&id, Some(5), None).await?;
    assert!(queue.mark_written(&id, "digest").await?);
    Ok(id)
}

pub(crate) async fn in_an_open_batch_they_go_back_to_their_places(queue: &dyn Queue) -> Result<()> {
    let id = with_dead(queue).await?;
    let replayed = queue.replay(&id, &replays(&[4, 0])).await?;
    assert_eq!(replayed, Replayed { into: id.clone(), letters: 2 });
    let batch = shown(queue, &id).await?;
    assert_eq!((batch.received, batch.retrying, batch.kept, batch.dead), (5, 2, 2, 1));
    assert_eq!((batch.state, batch.replayed), (BatchState::Open, 0));
    assert_eq!(queue.dead_letters(&id, 0, ALL).await?, [dead_letter(2)]);
    let mut chunks = lease_chunks(queue, &worker()).await?;
    chunks.sort_by_key(|chunk| chunk.first);
    for (chunk, place) in chunks.iter().zip([0, 4]) {
        assert_eq!((&chunk.batch, chunk.first, chunk.count), (&id, place, 1));
        assert_eq!((&chunk.payload, chunk.trace.as_deref()), (&payload([place]), Some(TRACE)));
        assert_eq!((chunk.history, chunk.lost), (History::default(), 0), "it begins anew");
        queue.commit(chunk, &as_sent()).await?;
    }
    assert_eq!(queue.append(&id, &[from(5, 1)]).await?, Appended::Accepted, "it goes on");
    commit_next(queue, |_| as_sent()).await?;
    let batch = queue.seal(&id, Some(6), None).await?;
    assert_eq!((batch.state, batch.kept, batch.dead), (BatchState::Complete, 5, 1));
    let expected = [kept(0, 1), kept(1, 1), nothing(2), kept(3, 1), kept(4, 1), kept(5, 1)];
    assert_eq!(queue.results(&id, 0, 1000).await?, expected);
    Ok(())
}

pub(crate) async fn in_a_sealed_batch_they_go_back_to_their_places(
    queue: &dyn Queue,
) -> Result<()> {
    let id = with_dead(queue).await?;
    queue.append(&id, &[from(5, 1)]).await?;
    queue.seal(&id, Some(6), None).await?;
    let replayed = queue.replay(&id, &replays(&[2])).await?;
    assert_eq!(replayed, Replayed { into: id.clone(), letters: 1 });
    commit_next(queue, |_| as_sent()).await?;
    assert_eq!(shown(queue, &id).await?.state, BatchState::Sealed, "one of two is left");
    commit_next(queue, |_| as_sent()).await?;
    let batch = shown(queue, &id).await?;
    assert_eq!((batch.state, batch.kept, batch.dead), (BatchState::Complete, 4, 2));
    Ok(())
}

pub(crate) async fn a_complete_batch_stays_as_it_is(queue: &dyn Queue) -> Result<()> {
    let id = with_dead(queue).await?;
    queue.seal(&id, Some(5), None).await?;
    let results = queue.results(&id, 0, 1000).await?;
    let replayed = queue.replay(&id, &replays(&[0])).await?;
    assert_ne!(replayed.into, id);
    let batch = shown(queue, &id).await?;
    assert_eq!((batch.state, batch.received, batch.kept), (BatchState::Complete, 5, 2));
    assert_eq!((batch.retrying, batch.dead, batch.replayed), (0, 2, 1));
    assert_eq!(queue.results(&id, 0, 1000).await?, results);
    Ok(())
}

pub(crate) async fn of_a_written_batch_they_go_into_a_new_one(queue: &dyn Queue) -> Result<()> {
    let id = written(queue).await?;
    let Replayed { into, letters } = queue.replay(&id, &replays(&[4, 0])).await?;
    assert_eq!(letters, 2);
    let old = shown(queue, &id).await?;
    assert_eq!((old.state, old.dead, old.replayed), (BatchState::Written, 1, 2));
    let new = shown(queue, &into).await?;
    assert_eq!((new.state, new.received, new.retrying), (BatchState::Sealed, 2, 0));
    assert_eq!((new.priority, new.policy), (Priority::High, Policy::Partial));
    let chunks = lease_chunks(queue, &worker()).await?;
    for (chunk, (first, place)) in chunks.iter().zip([(0, 4), (1, 0)]) {
        assert_eq!((&chunk.batch, chunk.first, chunk.count), (&into, first, 1));
        assert_eq!((&chunk.payload, chunk.trace.as_deref()), (&payload([place]), Some(TRACE)));
        assert_eq!((chunk.history, chunk.lost), (History::default(), 0));
        queue.commit(chunk, &as_sent()).await?;
    }
    assert_eq!(shown(queue, &into).await?.state, BatchState::Complete);
    assert_eq!(rolls(&lease_all(queue, &worker()).await?), 1);
    let results = queue.results(&into, 0, 1000).await?;
    let payloads: Vec<Bytes> = results.into_iter().map(|result| result.payload).collect();
    assert_eq!(payloads, [payload([4]), payload([0])], "in the order of the replay");
    Ok(())
}

pub(crate) async fn what_fails_again_is_a_dead_letter_of_the_new_batch(
    queue: &dyn Queue,
) -> Result<()> {
    let id = written(queue).await?;
    let into = queue.replay(&id, &replays(&[2])).await?.into;
    commit_next(queue, |chunk| without(chunk, &[0])).await?;
    assert_eq!(queue.dead_letters(&into, 0, ALL).await?, [dead_letter(0)]);
    let third = queue.replay(&into, &replays(&[0])).await?;
    assert!(third.into != into && third.into != id, "{third:?}");
    let batch = shown(queue, &into).await?;
    assert_eq!((batch.state, batch.dead, batch.replayed), (BatchState::Complete, 0, 1));
    Ok(())
}

pub(crate) async fn twice_is_the_same_as_once(queue: &dyn Queue) -> Result<()> {
    let id = with_dead(queue).await?;
    for (places, letters) in [(&[0, 0, 2][..], 2), (&[2, 0], 0)] {
        let replayed = queue.replay(&id, &replays(places)).await?;
        assert_eq!(replayed, Replayed { into: id.clone(), letters });
    }
    assert_eq!(lease_chunks(queue, &worker()).await?.len(), 2);
    let batch = shown(queue, &id).await?;
    assert_eq!((batch.retrying, batch.dead), (2, 1));
    Ok(())
}

pub(crate) async fn twice_into_a_new_batch_is_the_same_as_once(queue: &dyn Queue) -> Result<()> {
    let id = written(queue).await?;
    queue.replay(&id, &replays(&[0, 0, 2])).await?;
    let again = queue.replay(&id, &replays(&[2, 0])).await?;
    assert_eq!(again, Replayed { into: id.clone(), letters: 0 }, "no batch is made");
    assert_eq!(lease_chunks(queue, &worker()).await?.len(), 2);
    assert_eq!(shown(queue, &id).await?.replayed, 2);
    Ok(())
}

pub(crate) async fn what_is_no_dead_letter_is_left_out(queue: &dyn Queue) -> Result<()> {
    let id = written(queue).await?;
    let none = queue.replay(&id, &replays(&[1, 3, 99])).await?;
    assert_eq!(none, Replayed { into: id.clone(), letters: 0 });
    assert_eq!(queue.replay(&id, &[]).await?, none);
    let some = queue.replay(&id, &replays(&[99, 2, 1])).await?;
    assert_eq!(some.letters, 1);
    assert_eq!(shown(queue, &some.into).await?.received, 1);
    assert_eq!(shown(queue, &id).await?.replayed, 1);
    Ok(())
}

pub(crate) async fn the_record_may_be_mended(queue: &dyn Queue) -> Result<()> {
    let mended = Bytes::from_static(b"mended\n");
    let id = with_dead(queue).await?;
    queue.replay(&id, &[Replay { place: 2, payload: mended.clone() }]).await?;
    commit_next(queue, |chunk| {
        assert_eq!(chunk.payload, mended);
        as_sent()
    })
    .await?;
    queue.seal(&id, Some(5), None).await?;
    assert_eq!(queue.results(&id, 2, 1).await?[0].payload, mended);
    let into = queue.replay(&id, &[Replay { place: 0, payload: mended.clone() }]).await?.into;
    commit_next(queue, |_| as_sent()).await?;
    assert_eq!(queue.results(&into, 0, 1).await?[0].payload, mended);
    Ok(())
}

pub(crate) async fn what_was_sent_is_told_as_before(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "sent", &[2]).await?;
    commit_next(queue, |chunk| without(chunk, &[0, 1])).await?;
    queue.replay(&id, &replays(&[0, 1])).await?;
    let behind = queue.append(&id, &[from(0, 2)]).await?;
    assert_eq!(behind, Appended::Behind { received: 2 });
    Ok(())
}
