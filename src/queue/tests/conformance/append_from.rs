//! Claims on appending the chunks of a stream.

use muster_content::{ContentDigest, RecordHash};
use muster_queue::{
    APPENDED_MAX, Appended, BatchState, Checkpoint, Error, Kept, NewChunk, Outcome, Places, Queue,
    Result,
};

use crate::places::{self, digest};

use super::steps::{from, lease_chunks, open, sent, shown, worker};

pub(crate) async fn chunks_are_taken_in_order(queue: &dyn Queue) -> Result<()> {
    let id = open(queue, "stream").await?;
    assert_eq!(queue.append(&id, &[from(0, 3)]).await?, Appended::Accepted);
    assert_eq!(shown(queue, &id).await?.received, 3);
    assert_eq!(queue.append(&id, &[from(3, 2)]).await?, Appended::Accepted);
    let batch = shown(queue, &id).await?;
    assert_eq!((batch.received, batch.kept, batch.dead), (5, 0, 0));
    assert_eq!(batch.state, BatchState::Open);
    Ok(())
}

pub(crate) async fn records_it_has_are_not_stored_again(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "stream", &[3, 2]).await?;
    for behind in [from(0, 3), from(3, 2), from(1, 1), from(4, 1)] {
        assert_eq!(queue.append(&id, &[behind]).await?, Appended::Behind { received: 5 });
    }
    assert_stored(queue, &[(0, 3), (3, 2)]).await
}

pub(crate) async fn a_chunk_that_overlaps_is_not_stored(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "stream", &[3]).await?;
    for overlap in [from(0, 4), from(2, 2)] {
        assert_eq!(queue.append(&id, &[overlap]).await?, Appended::Behind { received: 3 });
    }
    assert_eq!(shown(queue, &id).await?.received, 3);
    assert_eq!(queue.append(&id, &[from(3, 1)]).await?, Appended::Accepted);
    assert_stored(queue, &[(0, 3), (3, 1)]).await
}

pub(crate) async fn a_gap_is_refused(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "stream", &[3]).await?;
    let answer = queue.append(&id, &[from(4, 1)]).await;
    assert!(
        matches!(&answer, Err(Error::Gap { batch, received: 3, place: 4 }) if *batch == id),
        "{answer:?}"
    );
    assert_eq!(shown(queue, &id).await?.received, 3);
    assert_stored(queue, &[(0, 3)]).await
}

pub(crate) async fn a_gap_at_the_beginning_is_refused(queue: &dyn Queue) -> Result<()> {
    let id = open(queue, "stream").await?;
    let answer = queue.append(&id, &[from(1, 1)]).await;
    assert!(matches!(answer, Err(Error::Gap { received: 0, place: 1, .. })), "{answer:?}");
    assert_eq!(queue.append(&id, &[from(0, 1)]).await?, Appended::Accepted);
    Ok(())
}

pub(crate) async fn several_chunks_are_taken_in_one_step(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "stream", &[2]).await?;
    let chunks = [from(2, 3), from(5, 1), from(6, 2)];
    assert_eq!(queue.append(&id, &chunks).await?, Appended::Accepted);
    let batch = shown(queue, &id).await?;
    assert_eq!((batch.received, batch.chunks), (8, 4));
    let waiting = queue.depth().await?;
    let bytes = from(0, 8).payload.len() as u64;
    assert_eq!((waiting.records, waiting.bytes), (8, bytes));
    assert_eq!(queue.append(&id, &[from(8, 1)]).await?, Appended::Accepted);
    assert_stored(queue, &[(0, 2), (2, 3), (5, 1), (6, 2), (8, 1)]).await
}

pub(crate) async fn of_several_chunks_all_are_stored_or_none(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "stream", &[3]).await?;
    for behind in [[from(0, 3), from(3, 2)], [from(2, 1), from(3, 2)], [from(2, 3), from(5, 1)]] {
        assert_eq!(queue.append(&id, &behind).await?, Appended::Behind { received: 3 });
    }
    let gap = queue.append(&id, &[from(4, 1), from(5, 1)]).await;
    assert!(matches!(gap, Err(Error::Gap { received: 3, place: 4, .. })), "{gap:?}");
    let other = open(queue, "sealed").await?;
    queue.seal(&other, None, None).await?;
    let sealed = queue.append(&other, &[from(0, 1), from(1, 1)]).await;
    assert!(matches!(sealed, Err(Error::Sealed { received: 0, .. })), "{sealed:?}");
    assert_stored(queue, &[(0, 3)]).await
}

pub(crate) async fn as_many_as_may_be_are_taken_at_once(queue: &dyn Queue) -> Result<()> {
    let id = open(queue, "stream").await?;
    let chunks: Vec<_> = (0..APPENDED_MAX as u64).map(|place| from(place, 1)).collect();
    assert_eq!(queue.append(&id, &chunks).await?, Appended::Accepted);
    assert_eq!(shown(queue, &id).await?.chunks, APPENDED_MAX as u64);
    let expected: Vec<_> = (0..APPENDED_MAX as u64).map(|place| (place, 1)).collect();
    assert_stored(queue, &expected).await
}

pub(crate) async fn a_sealed_batch_takes_no_more(queue: &dyn Queue) -> Result<()> {
    for (name, counts, received) in [("empty", &[][..], 0), ("begun", &[2, 1][..], 3)] {
        let id = sent(queue, name, counts).await?;
        queue.seal(&id, None, None).await?;
        let answer = queue.append(&id, &[from(received, 1)]).await;
        assert!(
            matches!(&answer, Err(Error::Sealed { batch, received: has })
                if *batch == id && *has == received),
            "{answer:?}"
        );
        assert_eq!(shown(queue, &id).await?.received, received);
    }
    assert_stored(queue, &[(0, 2), (2, 1)]).await
}

pub(crate) async fn a_sealed_batch_still_says_what_it_has(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "sealed", &[2, 1]).await?;
    queue.seal(&id, Some(3), None).await?;
    for behind in [from(0, 2), from(2, 1)] {
        assert_eq!(queue.append(&id, &[behind]).await?, Appended::Behind { received: 3 });
    }
    Ok(())
}

pub(crate) async fn two_senders_store_each_record_once(queue: &dyn Queue) -> Result<()> {
    let id = open(queue, "twice").await?;
    let (one, other) = tokio::join!(send_ten(queue, &id), send_ten(queue, &id));
    assert_eq!(one? + other?, 5, "each chunk is accepted once");
    assert_stored(queue, &[(0, 2), (2, 2), (4, 2), (6, 2), (8, 2)]).await
}

pub(crate) async fn other_records_do_not_go_on_with_a_batch(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "stream", &[3]).await?;
    let (before, after) = (other_digest(3), other_digest(4));
    let other = NewChunk { places: Places::From { first: 3, before, after }, ..from(3, 1) };
    for _ in 0..2 {
        let answer = queue.append(&id, std::slice::from_ref(&other)).await;
        assert!(
            matches!(&answer, Err(Error::Different { batch, from: 0, to: 2 }) if *batch == id),
            "{answer:?}"
        );
        queue.seal(&id, Some(3), None).await?;
    }
    assert_stored(queue, &[(0, 3)]).await
}

pub(crate) async fn batch_shows_the_digest_of_its_records(queue: &dyn Queue) -> Result<()> {
    let id = open(queue, "stream").await?;
    assert_eq!(shown(queue, &id).await?.digest, None);
    queue.append(&id, &[from(0, 2), from(2, 3)]).await?;
    assert_eq!(shown(queue, &id).await?.digest, Some(digest(5)));
    queue.append(&id, &[from(3, 2)]).await?;
    assert_eq!(shown(queue, &id).await?.digest, Some(digest(5)));
    assert_eq!(queue.seal(&id, None, None).await?.digest, Some(digest(5)));
    Ok(())
}

pub(crate) async fn batch_has_checkpoints_at_the_ends_of_chunks(queue: &dyn Queue) -> Result<()> {
    let id = open(queue, "stream").await?;
    assert_eq!(queue.checkpoints(&id).await?, []);
    let mut first = 0;
    for counts in [&[1000, 23][..], &[1, 1023], &[2], &[3000, 10, 1100], &[1]] {
        let chunks: Vec<_> = counts
            .iter()
            .map(|count| {
                let chunk = small(first, *count);
                first += u64::from(*count);
                chunk
            })
            .collect();
        assert_eq!(queue.append(&id, &chunks).await?, Appended::Accepted);
        lease_and_commit_all(queue).await?;
    }
    let checkpoint = |records| Checkpoint { records, digest: digest(records).short() };
    let expected = [1024, 2049, 5049, 6159].map(checkpoint);
    assert_eq!(queue.checkpoints(&id).await?, expected);
    queue.abort(&id).await?;
    assert_eq!(queue.checkpoints(&id).await?, []);
    Ok(())
}

/// The digest of this many other records.
fn other_digest(records: u64) -> ContentDigest {
    digest(records).then(RecordHash::of(b"other"))
}

/// A chunk of `count` records, of a few bytes.
fn small(first: u64, count: u32) -> NewChunk {
    NewChunk { count, places: places::from(first, count), ..from(first, 1) }
}

async fn lease_and_commit_all(queue: &dyn Queue) -> Result<()> {
    for chunk in lease_chunks(queue, &worker()).await? {
        let outcome = Outcome { kept: Kept::AsSent, dead: Vec::new(), retry: Vec::new() };
        queue.commit(&chunk, &outcome).await?;
    }
    Ok(())
}

/// Sends ten records by two, and says how many chunks were accepted.
async fn send_ten(queue: &dyn Queue, id: &muster_queue::BatchId) -> Result<usize> {
    let mut accepted = 0;
    for place in (0..10).step_by(2) {
        if queue.append(id, &[from(place, 2)]).await? == Appended::Accepted {
            accepted += 1;
        }
    }
    Ok(accepted)
}

/// Asserts that chunks of this first place and count wait, and nothing else.
async fn assert_stored(queue: &dyn Queue, expected: &[(u64, u32)]) -> Result<()> {
    let chunks = lease_chunks(queue, &worker()).await?;
    let stored: Vec<_> = chunks.iter().map(|chunk| (chunk.first, chunk.count)).collect();
    assert_eq!(stored, expected);
    for chunk in chunks {
        assert_eq!(chunk.payload, from(chunk.first, chunk.count).payload);
    }
    Ok(())
}
