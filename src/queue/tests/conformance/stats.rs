//! Claims on what waits, line by line.

use std::time::{Duration, Instant};

use muster_queue::{Depth, Line, Priority, Queue, Result, Stats, Totals, Unwritten};

use super::steps::{
    HOUR, again_after, as_sent, commit_next, from, isolated, lease_chunks, lease_one, open_with,
    payload, replays, send, sent, split, take_over_all, without, worker,
};

/// How much the clocks of a store and of a test may differ, as both count in milliseconds.
const ROUNDING: Duration = Duration::from_millis(2);

/// The depth of a line in which the records at these places wait.
fn of(places: impl IntoIterator<Item = u64>) -> Depth {
    let places: Vec<u64> = places.into_iter().collect();
    Depth { records: places.len() as u64, bytes: payload(places).len() as u64 }
}

/// The depths of the lines, in their order; together they are the queue's.
async fn depths(queue: &dyn Queue) -> Result<[Depth; 4]> {
    let depths = queue.stats().await?.lines().map(|(_, line)| line.depth);
    let all = Depth {
        records: depths.iter().map(|depth| depth.records).sum(),
        bytes: depths.iter().map(|depth| depth.bytes).sum(),
    };
    assert_eq!(queue.depth().await?, all);
    Ok(depths)
}

const NONE: Depth = Depth { records: 0, bytes: 0 };

pub(crate) async fn of_nothing_is_nothing(queue: &dyn Queue) -> Result<()> {
    assert_eq!(queue.stats().await?, Stats::default());
    let id = sent(queue, "done", &[2]).await?;
    commit_next(queue, |_| as_sent()).await?;
    queue.seal(&id, None, None).await?;
    let stats = queue.stats().await?;
    assert_eq!(stats.unwritten.batches, 1);
    assert!(stats.unwritten.oldest.is_some_and(|oldest| oldest < Duration::from_secs(60)));
    let (totals, unwritten) = Default::default();
    let waits = Stats { totals, unwritten, ..stats };
    assert_eq!(waits, Stats::default(), "a roll is in no line");
    assert!(queue.mark_written(&id, "digest").await?);
    assert_eq!(queue.stats().await?.unwritten, Unwritten::default());
    Ok(())
}

pub(crate) async fn each_line_has_what_is_of_its_priority(queue: &dyn Queue) -> Result<()> {
    for (name, priority, counts) in [
        ("low", Priority::Low, vec![1]),
        ("normal", Priority::Normal, vec![2, 1]),
        ("high", Priority::High, vec![4]),
    ] {
        send(queue, &open_with(queue, name, priority).await?, &counts).await?;
    }
    assert_eq!(depths(queue).await?, [of(0..4), of(0..3), of(0..1), NONE]);
    let high = lease_one(queue).await?;
    assert_eq!(depths(queue).await?, [of(0..4), of(0..3), of(0..1), NONE], "leased");
    queue.commit(&high, &as_sent()).await?;
    commit_next(queue, |_| as_sent()).await?;
    assert_eq!(depths(queue).await?, [NONE, of([2]), of(0..1), NONE]);
    let Stats { high, normal, .. } = queue.stats().await?;
    assert_eq!(high, Line::default());
    assert!(normal.oldest.is_some());
    Ok(())
}

pub(crate) async fn what_is_isolated_has_a_line_of_its_own(queue: &dyn Queue) -> Result<()> {
    let id = open_with(queue, "suspect", Priority::Low).await?;
    send(queue, &id, &[3]).await?;
    let suspects = vec![isolated(1), isolated(2)];
    commit_next(queue, |chunk| split(chunk, &[], suspects)).await?;
    assert_eq!(depths(queue).await?, [NONE, NONE, NONE, of([1, 2])]);
    assert!(queue.stats().await?.isolated.oldest.is_some());
    let alone = queue.lease_isolated(&worker(), Duration::ZERO).await?.expect("it waits");
    queue.commit(&alone, &split(&alone, &[], vec![again_after(1, Duration::ZERO)])).await?;
    assert_eq!(depths(queue).await?, [NONE, NONE, of([1]), of([2])]);
    Ok(())
}

pub(crate) async fn what_waits_for_its_time_counts_and_is_not_in_line(
    queue: &dyn Queue,
) -> Result<()> {
    sent(queue, "later", &[3]).await?;
    commit_next(queue, |chunk| split(chunk, &[], vec![again_after(2, HOUR)])).await?;
    assert_eq!(depths(queue).await?, [NONE, of([2]), NONE, NONE]);
    assert_eq!(queue.stats().await?.normal.oldest, None);
    Ok(())
}

pub(crate) async fn dead_letters_are_those_that_are_not_resolved(queue: &dyn Queue) -> Result<()> {
    let dead_letters = async || queue.stats().await.map(|stats| stats.dead_letters);
    let id = sent(queue, "dead", &[5]).await?;
    let other = sent(queue, "other", &[2]).await?;
    commit_next(queue, |chunk| without(chunk, &[0, 2, 4])).await?;
    commit_next(queue, |chunk| without(chunk, &[1])).await?;
    assert_eq!(dead_letters().await?, 4);
    queue.replay(&id, &replays(&[2])).await?;
    assert_eq!((dead_letters().await?, depths(queue).await?[1]), (3, of([2])));
    queue.drop_letters(&id, &[4]).await?;
    assert_eq!(dead_letters().await?, 2);
    queue.abort(&other).await?;
    assert_eq!(dead_letters().await?, 1);
    Ok(())
}

pub(crate) async fn the_oldest_is_as_old_as_it_is(queue: &dyn Queue) -> Result<()> {
    let oldest = async || queue.stats().await.map(|stats| stats.normal.oldest);
    let before = Instant::now();
    let id = sent(queue, "old", &[1]).await?;
    let after = Instant::now();
    tokio::time::sleep(Duration::from_millis(60)).await;
    let before_younger = Instant::now();
    queue.append(&id, &[from(1, 1)]).await?;

    let least = after.elapsed().saturating_sub(ROUNDING);
    let age = oldest().await?.expect("one waits");
    assert!(age >= least && age <= before.elapsed() + ROUNDING, "{age:?}");
    commit_next(queue, |_| as_sent()).await?;
    let age = oldest().await?.expect("the other waits");
    assert!(age <= before_younger.elapsed() + ROUNDING, "{age:?}");
    commit_next(queue, |_| as_sent()).await?;
    assert_eq!(oldest().await?, None);
    Ok(())
}

pub(crate) async fn what_is_leased_is_what_workers_have_in_hand(queue: &dyn Queue) -> Result<()> {
    let leased = async || queue.stats().await.map(|stats| stats.leased);
    let id = sent(queue, "leased", &[2, 1, 1]).await?;
    queue.seal(&open_with(queue, "roll", Priority::High).await?, None, None).await?;
    let held = lease_chunks(queue, &worker()).await?;
    assert_eq!(leased().await?, 3, "a roll is no chunk");
    queue.release(&[held[1].lease.clone()]).await?;
    assert_eq!(leased().await?, 2);
    take_over_all(queue, &worker()).await?;
    assert_eq!(leased().await?, 2);
    queue.commit(&held[0], &split(&held[0], &[], vec![isolated(0), isolated(1)])).await?;
    assert_eq!(leased().await?, 1);
    queue.lease_isolated(&worker(), HOUR).await?.expect("it waits");
    assert_eq!(leased().await?, 2);
    queue.abort(&id).await?;
    queue.commit(&held[2], &as_sent()).await?;
    assert_eq!(leased().await?, 1);
    Ok(())
}

pub(crate) async fn totals_only_grow(queue: &dyn Queue) -> Result<()> {
    let totals = async || {
        let Totals { accepted, kept, dead } = queue.stats().await?.totals;
        Result::Ok((accepted, kept, dead))
    };
    let id = sent(queue, "counted", &[5, 1]).await?;
    queue.append(&id, &[from(0, 5)]).await?;
    assert_eq!(totals().await?, (6, 0, 0), "what it has is not counted again");
    let chunk = lease_one(queue).await?;
    let outcome = split(&chunk, &[0, 1], vec![again_after(2, Duration::ZERO)]);
    for _ in 0..2 {
        queue.commit(&chunk, &outcome).await?;
        assert_eq!(totals().await?, (6, 2, 2));
    }
    commit_next(queue, |_| as_sent()).await?;
    commit_next(queue, |chunk| without(chunk, &[2])).await?;
    assert_eq!(totals().await?, (6, 3, 3));
    queue.replay(&id, &replays(&[0])).await?;
    commit_next(queue, |_| as_sent()).await?;
    assert_eq!(totals().await?, (6, 4, 3), "it was dead, and is kept");
    queue.seal(&id, None, None).await?;
    queue.replay(&id, &replays(&[1])).await?;
    queue.drop_letters(&id, &[2]).await?;
    commit_next(queue, |_| as_sent()).await?;
    assert_eq!(totals().await?, (6, 5, 3));
    let aborted = sent(queue, "aborted", &[2, 1]).await?;
    commit_next(queue, |_| as_sent()).await?;
    let late = lease_one(queue).await?;
    queue.abort(&aborted).await?;
    queue.commit(&late, &as_sent()).await?;
    assert_eq!(totals().await?, (9, 7, 3));
    Ok(())
}

pub(crate) async fn the_store_says_what_it_is(queue: &dyn Queue) -> Result<()> {
    let info = queue.store_info().await?;
    let name = info.version.split(' ').next();
    let names = ["redis", "valkey", "redict", "embedded", "memory"];
    assert!(name.is_some_and(|name| names.contains(&name)));
    assert!(info.used_bytes > 0, "{info:?}");
    assert_eq!(info.limit_bytes, 0);
    Ok(())
}
