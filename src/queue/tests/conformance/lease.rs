//! Claims on leasing work.

use std::collections::BTreeSet;
use std::slice::from_ref;
use std::time::{Duration, Instant};

use muster_queue::{History, Priority, Queue, Result, Work};

use super::steps::{
    ALL, LONG, TRACE, chunks, completed, from, lease_all, lease_chunks, open, open_with, sent,
    worker,
};

pub(crate) async fn nothing_waits_in_an_empty_store(queue: &dyn Queue) -> Result<()> {
    assert_eq!(lease_all(queue, &worker()).await?, []);
    open(queue, "empty").await?;
    assert_eq!(lease_all(queue, &worker()).await?, []);
    Ok(())
}

pub(crate) async fn work_is_as_it_was_sent(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "sent", &[2, 3]).await?;
    let worker = worker();
    let chunks = lease_chunks(queue, &worker).await?;
    assert_eq!(chunks.len(), 2);
    for (chunk, (first, count)) in chunks.iter().zip([(0, 2), (2, 3)]) {
        assert_eq!((&chunk.batch, chunk.first, chunk.count), (&id, first, count));
        assert_eq!(chunk.payload, from(first, count).payload);
        assert_eq!(chunk.lease.worker, worker);
        assert_eq!((chunk.trace.as_deref(), chunk.lost), (Some(TRACE), 0));
        assert_eq!(chunk.history, History::default());
    }
    Ok(())
}

pub(crate) async fn urgent_work_comes_first_then_the_oldest(queue: &dyn Queue) -> Result<()> {
    use Priority::{High, Low, Normal};
    let batches =
        [("l1", Low), ("n1", Normal), ("h1", High), ("n2", Normal), ("h2", High), ("l2", Low)];
    for (name, priority) in batches {
        open_with(queue, name, priority).await?;
    }
    for place in 0..2 {
        for (name, _) in batches {
            queue.append(&super::steps::id(name), &[from(place, 1)]).await?;
        }
    }
    let chunks = lease_chunks(queue, &worker()).await?;
    let order: Vec<_> = chunks.iter().map(|chunk| (chunk.batch.as_str(), chunk.first)).collect();
    let expected = ["h1", "h2", "n1", "n2", "l1", "l2"]
        .chunks(2)
        .flat_map(|pair| (0..2).flat_map(move |place| pair.iter().map(move |name| (*name, place))));
    assert_eq!(order, expected.collect::<Vec<_>>());
    Ok(())
}

pub(crate) async fn a_roll_comes_before_all_chunks(queue: &dyn Queue) -> Result<()> {
    let urgent = open_with(queue, "urgent", Priority::High).await?;
    queue.append(&urgent, &[from(0, 1)]).await?;
    let empty = open_with(queue, "empty", Priority::Low).await?;
    queue.seal(&empty, None, None).await?;
    let work = lease_all(queue, &worker()).await?;
    assert!(matches!(&work[..], [Work::Roll(_), Work::Chunk(_)]), "{work:?}");
    Ok(())
}

pub(crate) async fn never_more_than_asked_for(queue: &dyn Queue) -> Result<()> {
    let urgent = open_with(queue, "urgent", Priority::High).await?;
    queue.append(&urgent, &[from(0, 1)]).await?;
    sent(queue, "normal", &[1, 1, 1]).await?;
    queue.seal(&open(queue, "empty").await?, None, None).await?;
    let worker = worker();
    let mut sizes = Vec::new();
    for max in [1, 2, 10] {
        sizes.push(queue.lease(&worker, max, Duration::ZERO).await?.len());
    }
    assert_eq!(sizes, [1, 2, 2]);
    Ok(())
}

pub(crate) async fn nothing_is_leased_twice(queue: &dyn Queue) -> Result<()> {
    sent(queue, "shared", &[1, 1]).await?;
    let (one, other) = (worker(), worker());
    assert_eq!(lease_chunks(queue, &one).await?.len(), 2);
    assert_eq!(lease_all(queue, &one).await?, []);
    assert_eq!(lease_all(queue, &other).await?, []);
    Ok(())
}

pub(crate) async fn workers_who_ask_at_once_share_the_work(queue: &dyn Queue) -> Result<()> {
    sent(queue, "shared", &[1; 10]).await?;
    let (one, two, three) = (worker(), worker(), worker());
    let leased = tokio::join!(
        queue.lease(&one, 4, Duration::ZERO),
        queue.lease(&two, 4, Duration::ZERO),
        queue.lease(&three, 4, Duration::ZERO),
    );
    let work: Vec<Work> = [leased.0?, leased.1?, leased.2?].concat();
    let places: BTreeSet<u64> = chunks(work.clone()).iter().map(|chunk| chunk.first).collect();
    assert_eq!(work.len(), 10);
    assert_eq!(places, (0..10).collect());
    Ok(())
}

pub(crate) async fn waiting_ends_when_work_arrives(queue: &dyn Queue) -> Result<()> {
    let id = open(queue, "late").await?;
    let worker = worker();
    let begun = Instant::now();
    let chunk = from(0, 1);
    let (work, _) =
        tokio::join!(queue.lease(&worker, ALL, LONG), queue.append(&id, from_ref(&chunk)));
    assert_eq!(chunks(work?).len(), 1);
    assert!(begun.elapsed() < LONG / 2, "it took {:?}", begun.elapsed());
    Ok(())
}

pub(crate) async fn waiting_ends_when_a_roll_arrives(queue: &dyn Queue) -> Result<()> {
    let id = open(queue, "late").await?;
    let worker = worker();
    let begun = Instant::now();
    let (work, _) = tokio::join!(queue.lease(&worker, ALL, LONG), queue.seal(&id, None, None));
    assert!(matches!(&work?[..], [Work::Roll(_)]));
    assert!(begun.elapsed() < LONG / 2, "it took {:?}", begun.elapsed());
    Ok(())
}

pub(crate) async fn waiting_ends_when_work_is_released(queue: &dyn Queue) -> Result<()> {
    sent(queue, "given-back", &[1]).await?;
    let held = lease_chunks(queue, &worker()).await?;
    let leases = [held[0].lease.clone()];
    let worker = worker();
    let begun = Instant::now();
    let (work, _) = tokio::join!(queue.lease(&worker, ALL, LONG), queue.release(&leases));
    assert_eq!(chunks(work?)[0].payload, held[0].payload);
    assert!(begun.elapsed() < LONG / 2, "it took {:?}", begun.elapsed());
    Ok(())
}

pub(crate) async fn waiting_ends_after_its_time(queue: &dyn Queue) -> Result<()> {
    completed(queue, "done", &[1]).await?;
    lease_all(queue, &worker()).await?;
    let (wait, begun) = (Duration::from_millis(100), Instant::now());
    assert_eq!(queue.lease(&worker(), ALL, wait).await?, []);
    let waited = begun.elapsed();
    assert!(waited >= wait / 2 && waited < LONG, "it took {waited:?}");
    Ok(())
}
