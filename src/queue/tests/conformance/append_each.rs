//! Claims on appending single records, each at its own place.

use muster_content::RecordHash;
use muster_queue::{Appended, BatchId, Error, Indexed, NewChunk, Places, Queue, Result};

use super::steps::{each, from, lease_chunks, open, shown, worker};

/// Opens a batch and appends single records in two chunks.
async fn sent_each(queue: &dyn Queue) -> Result<BatchId> {
    let id = open(queue, "unary").await?;
    for places in [&[7, 2][..], &[0, 9, 4][..]] {
        assert_eq!(queue.append(&id, &[each(places)]).await?, Appended::Accepted);
    }
    Ok(id)
}

/// Asserts that the batch has the same records at just these indices.
#[track_caller]
fn assert_taken(answer: Appended, expected: &[u64]) {
    let Appended::Taken { mut same, different } = answer else { panic!("{answer:?}") };
    same.sort_unstable();
    assert_eq!((&same[..], different), (expected, vec![]));
}

pub(crate) async fn places_are_taken_in_any_order(queue: &dyn Queue) -> Result<()> {
    let id = sent_each(queue).await?;
    assert_eq!(shown(queue, &id).await?.received, 5);
    let chunks = lease_chunks(queue, &worker()).await?;
    let found: Vec<_> = chunks.iter().map(|chunk| (chunk.first, chunk.count)).collect();
    assert_eq!(found, [(0, 2), (2, 3)], "the roll's order is that of arrival");
    assert_eq!(chunks[0].payload, each(&[7, 2]).payload);
    assert_eq!(chunks[1].payload, each(&[0, 9, 4]).payload);
    Ok(())
}

pub(crate) async fn repeated_places_are_told(queue: &dyn Queue) -> Result<()> {
    let id = sent_each(queue).await?;
    assert_taken(queue.append(&id, &[each(&[7, 2])]).await?, &[2, 7]);
    assert_taken(queue.append(&id, &[each(&[4])]).await?, &[4]);
    assert_eq!(shown(queue, &id).await?.received, 5);
    assert_eq!(lease_chunks(queue, &worker()).await?.len(), 2);
    Ok(())
}

pub(crate) async fn digest_of_indexed_records_does_not_depend_on_their_order(
    queue: &dyn Queue,
) -> Result<()> {
    let mut expected = Indexed::default();
    for index in [0_u64, 2, 4, 7, 9, 1000] {
        expected.add(index, RecordHash::of(&index.to_be_bytes()).short());
    }
    let unary = sent_each(queue).await?;
    queue.append(&unary, &[each(&[1000])]).await?;
    let other = open(queue, "other").await?;
    queue.append(&other, &[each(&[4, 1000, 9, 7, 2, 0])]).await?;
    queue.seal(&other, None, None).await?;
    for id in [&unary, &other] {
        assert_eq!(queue.indexed(id).await?, expected);
    }
    queue.abort(&unary).await?;
    let stream = open(queue, "stream").await?;
    queue.append(&stream, &[from(0, 3)]).await?;
    for id in [unary, stream, "unknown".parse().expect("an id")] {
        assert_eq!(queue.indexed(&id).await?, Indexed::default());
    }
    Ok(())
}

pub(crate) async fn a_chunk_with_some_taken_is_not_stored(queue: &dyn Queue) -> Result<()> {
    let id = sent_each(queue).await?;
    assert_taken(queue.append(&id, &[each(&[1, 9, 3, 7])]).await?, &[7, 9]);
    assert_eq!(shown(queue, &id).await?.received, 5);
    assert_eq!(queue.append(&id, &[each(&[1, 3])]).await?, Appended::Accepted);
    assert_eq!(lease_chunks(queue, &worker()).await?.len(), 3);
    Ok(())
}

pub(crate) async fn different_record_at_a_taken_index_is_told(queue: &dyn Queue) -> Result<()> {
    let id = sent_each(queue).await?;
    let places = Places::Each([2, 1, 7].map(|index| (index, RecordHash::of(b"other"))).to_vec());
    let other = NewChunk { places, ..each(&[2, 1, 7]) };
    let Appended::Taken { same, mut different } = queue.append(&id, &[each(&[0]), other]).await?
    else {
        panic!("the batch has some of the records");
    };
    different.sort_unstable();
    assert_eq!((same, different), (vec![0], vec![2, 7]));
    assert_eq!(shown(queue, &id).await?.received, 5);
    assert_taken(queue.append(&id, &[each(&[7, 2, 0, 9, 4])]).await?, &[0, 2, 4, 7, 9]);
    Ok(())
}

pub(crate) async fn indices_far_apart_are_told_apart(queue: &dyn Queue) -> Result<()> {
    let id = open(queue, "far").await?;
    let far = [0, 31, 32, 1000, (1 << 27) - 1];
    for index in far {
        assert_eq!(queue.append(&id, &[each(&[index])]).await?, Appended::Accepted);
    }
    let near = [1, 30, 33, 999, 1001, (1 << 27) - 2];
    assert_eq!(queue.append(&id, &[each(&near)]).await?, Appended::Accepted);
    let all: Vec<u64> = far.into_iter().chain(near).collect();
    let mut expected = all.clone();
    expected.sort_unstable();
    assert_taken(queue.append(&id, &[each(&all)]).await?, &expected);
    Ok(())
}

pub(crate) async fn several_chunks_are_taken_in_one_step(queue: &dyn Queue) -> Result<()> {
    let id = sent_each(queue).await?;
    let chunks = [each(&[8, 1]), each(&[3]), each(&[6, 5])];
    assert_eq!(queue.append(&id, &chunks).await?, Appended::Accepted);
    let batch = shown(queue, &id).await?;
    assert_eq!((batch.received, batch.chunks), (10, 5));
    assert_taken(queue.append(&id, &[each(&[6, 3]), each(&[10, 1])]).await?, &[1, 3, 6]);
    let stored = lease_chunks(queue, &worker()).await?.split_off(2);
    let found: Vec<_> = stored.iter().map(|chunk| (chunk.first, chunk.count)).collect();
    assert_eq!(found, [(5, 2), (7, 1), (8, 2)]);
    for (stored, sent) in stored.iter().zip(&chunks) {
        assert_eq!(stored.payload, sent.payload);
    }
    Ok(())
}

pub(crate) async fn of_several_chunks_all_are_stored_or_none(queue: &dyn Queue) -> Result<()> {
    let id = sent_each(queue).await?;
    assert_taken(queue.append(&id, &[each(&[1, 3]), each(&[5, 9])]).await?, &[9]);
    assert_taken(queue.append(&id, &[each(&[7, 3]), each(&[5])]).await?, &[7]);
    assert_eq!(shown(queue, &id).await?.received, 5);
    assert_eq!(lease_chunks(queue, &worker()).await?.len(), 2);
    assert_eq!(queue.append(&id, &[each(&[1, 3]), each(&[5])]).await?, Appended::Accepted);
    Ok(())
}

pub(crate) async fn places_are_of_their_batch_alone(queue: &dyn Queue) -> Result<()> {
    sent_each(queue).await?;
    let other = open(queue, "other").await?;
    assert_eq!(queue.append(&other, &[each(&[7, 2])]).await?, Appended::Accepted);
    Ok(())
}

pub(crate) async fn a_sealed_batch_takes_no_more(queue: &dyn Queue) -> Result<()> {
    let id = sent_each(queue).await?;
    queue.seal(&id, Some(5), None).await?;
    let answer = queue.append(&id, &[each(&[1, 3])]).await;
    assert!(
        matches!(&answer, Err(Error::Sealed { batch, received: 5 }) if *batch == id),
        "{answer:?}"
    );
    assert_eq!(lease_chunks(queue, &worker()).await?.len(), 2);
    Ok(())
}

pub(crate) async fn a_sealed_batch_still_says_what_it_has(queue: &dyn Queue) -> Result<()> {
    let id = sent_each(queue).await?;
    queue.seal(&id, None, None).await?;
    assert_taken(queue.append(&id, &[each(&[9, 0])]).await?, &[0, 9]);
    Ok(())
}

pub(crate) async fn a_stream_takes_no_single_records(queue: &dyn Queue) -> Result<()> {
    let id = open(queue, "stream").await?;
    queue.append(&id, &[from(0, 2)]).await?;
    for places in [[0], [2]] {
        assert_mixed(queue.append(&id, &[each(&places)]).await, &id);
    }
    assert_eq!(shown(queue, &id).await?.received, 2);
    assert_eq!(queue.append(&id, &[from(2, 1)]).await?, Appended::Accepted);
    Ok(())
}

pub(crate) async fn single_records_take_no_stream(queue: &dyn Queue) -> Result<()> {
    let id = sent_each(queue).await?;
    for place in [0, 5, 6] {
        assert_mixed(queue.append(&id, &[from(place, 1)]).await, &id);
    }
    assert_eq!(shown(queue, &id).await?.received, 5);
    assert_eq!(queue.append(&id, &[each(&[5])]).await?, Appended::Accepted);
    Ok(())
}

pub(crate) async fn what_was_refused_does_not_decide_the_way(queue: &dyn Queue) -> Result<()> {
    let id = open(queue, "undecided").await?;
    assert!(matches!(queue.append(&id, &[from(1, 1)]).await, Err(Error::Gap { .. })));
    assert_eq!(queue.append(&id, &[each(&[1])]).await?, Appended::Accepted);
    assert_mixed(queue.append(&id, &[from(1, 1)]).await, &id);
    Ok(())
}

#[track_caller]
fn assert_mixed(answer: Result<Appended>, id: &BatchId) {
    assert!(matches!(&answer, Err(Error::MixedPlaces(batch)) if batch == id), "{answer:?}");
}
