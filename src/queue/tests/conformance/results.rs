//! Claims on reading back what was committed.

use bytes::Bytes;
use muster_queue::{Appended, BatchId, Kept, NewChunk, Outcome, Queue, Result, ResultChunk};

use crate::places;

use super::steps::{
    as_sent, completed, dead_letter, each, from, kept, lease_chunks, nothing, open, payload, sent,
    without, worker,
};

/// More bytes than any claim stores, but for the large payloads.
const ALL_BYTES: usize = 1 << 20;

fn result(first: u64, count: u32, payload: Bytes) -> ResultChunk {
    ResultChunk { first, count, payload }
}

fn upper_case(bytes: &Bytes) -> Bytes {
    bytes.to_ascii_uppercase().into()
}

pub(crate) async fn they_are_in_order_whatever_the_order_of_commits(
    queue: &dyn Queue,
) -> Result<()> {
    let id = sent(queue, "shuffled", &[2, 1, 3]).await?;
    let chunks = lease_chunks(queue, &worker()).await?;
    let rewritten = upper_case(&chunks[1].payload);
    queue.commit(&chunks[2], &as_sent()).await?;
    queue.commit(&chunks[0], &as_sent()).await?;
    let outcome = Outcome { kept: Kept::Runs(vec![result(2, 1, rewritten.clone())]), ..as_sent() };
    queue.commit(&chunks[1], &outcome).await?;
    queue.seal(&id, Some(6), None).await?;
    let expected =
        [result(0, 2, payload(0..2)), result(2, 1, rewritten), result(3, 3, payload(3..6))];
    assert_eq!(queue.results(&id, 0, ALL_BYTES).await?, expected);
    assert_eq!(queue.results(&id, 2, ALL_BYTES).await?, expected[1..]);
    Ok(())
}

pub(crate) async fn single_records_are_in_the_order_of_arrival(queue: &dyn Queue) -> Result<()> {
    let id = open(queue, "unary").await?;
    for places in [&[7, 2][..], &[0][..]] {
        assert_eq!(queue.append(&id, &[each(places)]).await?, Appended::Accepted);
    }
    let mut chunks = lease_chunks(queue, &worker()).await?;
    chunks.reverse();
    for chunk in chunks {
        queue.commit(&chunk, &as_sent()).await?;
    }
    queue.seal(&id, Some(3), None).await?;
    let expected = [result(0, 2, payload([7, 2])), result(2, 1, payload([0]))];
    assert_eq!(queue.results(&id, 0, ALL_BYTES).await?, expected);
    Ok(())
}

pub(crate) async fn records_left_out_keep_their_places(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "gaps", &[3, 2]).await?;
    let chunks = lease_chunks(queue, &worker()).await?;
    queue.commit(&chunks[0], &without(&chunks[0], &[0, 1, 2])).await?;
    queue.commit(&chunks[1], &without(&chunks[1], &[3])).await?;
    queue.seal(&id, Some(5), None).await?;
    let expected = [nothing(0), nothing(1), nothing(2), nothing(3), kept(4, 1)];
    assert_eq!(queue.results(&id, 0, ALL_BYTES).await?, expected);
    assert_eq!(queue.results(&id, 2, ALL_BYTES).await?, expected[2..]);
    Ok(())
}

pub(crate) async fn a_page_has_as_many_chunks_as_fit(queue: &dyn Queue) -> Result<()> {
    let id = completed(queue, "paged", &[1, 1, 1]).await?;
    let chunk_bytes = payload([0]).len();
    for (bytes_max, chunks) in [
        (2 * chunk_bytes - 1, 1),
        (2 * chunk_bytes, 2),
        (3 * chunk_bytes - 1, 2),
        (3 * chunk_bytes, 3),
    ] {
        let page = queue.results(&id, 0, bytes_max).await?;
        assert_eq!(page.len(), chunks, "in {bytes_max} bytes");
    }
    let rest = queue.results(&id, 1, 2 * chunk_bytes).await?;
    assert_eq!(rest, [result(1, 1, payload([1])), result(2, 1, payload([2]))]);
    Ok(())
}

pub(crate) async fn a_page_has_at_least_one_chunk(queue: &dyn Queue) -> Result<()> {
    let id = completed(queue, "paged", &[2, 2]).await?;
    for bytes_max in [0, 1] {
        assert_eq!(queue.results(&id, 0, bytes_max).await?, [result(0, 2, payload(0..2))]);
        assert_eq!(queue.results(&id, 2, bytes_max).await?, [result(2, 2, payload(2..4))]);
    }
    Ok(())
}

pub(crate) async fn there_is_nothing_where_no_chunk_begins(queue: &dyn Queue) -> Result<()> {
    let id = completed(queue, "complete", &[2, 2]).await?;
    for first in [1, 4, 1000] {
        assert_eq!(queue.results(&id, first, ALL_BYTES).await?, [], "from {first} on");
    }
    Ok(())
}

/// Sends twenty records, of which every odd one dies, in chunks committed last to first.
async fn half_dead(queue: &dyn Queue) -> Result<BatchId> {
    let id = sent(queue, "half-dead", &[5; 4]).await?;
    let mut chunks = lease_chunks(queue, &worker()).await?;
    chunks.reverse();
    for chunk in chunks {
        let dead: Vec<u64> =
            (chunk.first..chunk.first + 5).filter(|place| place % 2 == 1).collect();
        queue.commit(&chunk, &without(&chunk, &dead)).await?;
    }
    Ok(id)
}

pub(crate) async fn dead_letters_are_listed_by_place(queue: &dyn Queue) -> Result<()> {
    let id = half_dead(queue).await?;
    let expected: Vec<_> = (0..10).map(|n| dead_letter(2 * n + 1)).collect();
    assert_eq!(queue.dead_letters(&id, 0, 100).await?, expected);
    let other = sent(queue, "alive", &[1]).await?;
    assert_eq!(queue.dead_letters(&other, 0, 100).await?, []);
    Ok(())
}

pub(crate) async fn dead_letters_come_by_page(queue: &dyn Queue) -> Result<()> {
    let id = half_dead(queue).await?;
    for (from_place, limit, places) in [
        (0, 2, &[1, 3][..]),
        (3, 2, &[3, 5][..]),
        (4, 2, &[5, 7][..]),
        (9, 3, &[9, 11, 13][..]),
        (17, 5, &[17, 19][..]),
        (20, 5, &[][..]),
    ] {
        let page = queue.dead_letters(&id, from_place, limit).await?;
        let found: Vec<u64> = page.iter().map(|letter| letter.place).collect();
        assert_eq!(found, places, "{limit} from {from_place} on");
    }
    Ok(())
}

pub(crate) async fn large_and_binary_payloads_are_kept(queue: &dyn Queue) -> Result<()> {
    let id = open(queue, "binary").await?;
    let all_bytes: Vec<u8> = (0..=u8::MAX).collect();
    let large: Bytes = all_bytes.repeat(8 * 1024).into();
    let chunk =
        NewChunk { places: places::from(0, 1), count: 1, payload: large.clone(), trace: None };
    queue.append(&id, &[chunk]).await?;
    queue.append(&id, &[from(1, 1)]).await?;
    for chunk in lease_chunks(queue, &worker()).await? {
        queue.commit(&chunk, &as_sent()).await?;
    }
    queue.seal(&id, Some(2), None).await?;
    assert_eq!(queue.results(&id, 0, 1).await?, [result(0, 1, large)]);
    Ok(())
}
