//! Claims on dropping dead letters, and on listing them by group.

use bytes::Bytes;
use muster_queue::{
    BatchId, BatchState, DeadGroup, DeadLetter, LETTERS_BYTES_MAX, LetterId, Outcome, Queue, Result,
};

use super::steps::{
    ALL, as_sent, commit_next, dead_letter, kept, lease_all, nothing, open_strict, replays, send,
    sent, shown, without, worker,
};

/// A dead letter that died of `reason`.
fn died_of(reason: &str, place: u64) -> DeadLetter {
    DeadLetter { reason: format!("{reason} {place}"), ..dead_letter(place) }
}

/// Sends a batch of six records: those at even places died of one thing, the others of another.
async fn two_groups(queue: &dyn Queue, name: &str) -> Result<BatchId> {
    let id = sent(queue, name, &[6]).await?;
    let reason = |place| if place % 2 == 0 { "late" } else { "early" };
    let dead = (0..6).map(|place| died_of(reason(place), place)).collect();
    commit_next(queue, |chunk| Outcome { dead, ..without(chunk, &[0, 1, 2, 3, 4, 5]) }).await?;
    Ok(id)
}

async fn groups(queue: &dyn Queue) -> Result<Vec<(String, u64)>> {
    let groups = queue.dead_groups().await?;
    Ok(groups.into_iter().map(|DeadGroup { name, letters }| (name, letters)).collect())
}

fn group(name: &str, letters: u64) -> (String, u64) {
    (name.to_owned(), letters)
}

/// Reads all of a group by pages of this many letters.
async fn read(queue: &dyn Queue, group: &str, limit: usize) -> Result<Vec<(BatchId, DeadLetter)>> {
    let mut read: Vec<(BatchId, DeadLetter)> = Vec::new();
    loop {
        let last = read.last();
        let after = last.map(|(id, letter)| LetterId { batch: id.clone(), place: letter.place });
        let page = queue.dead_in_group(group, after.as_ref(), limit).await?;
        assert!(page.len() <= limit && read.len() <= ALL, "{page:?}");
        if page.is_empty() {
            return Ok(read);
        }
        read.extend(page);
    }
}

pub(crate) async fn dropped_ones_are_gone(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "dropped", &[4]).await?;
    commit_next(queue, |chunk| without(chunk, &[0, 1, 3])).await?;
    assert_eq!(queue.drop_letters(&id, &[0, 2, 3, 3, 99]).await?, 2);
    let batch = shown(queue, &id).await?;
    assert_eq!((batch.kept, batch.dead, batch.dropped), (1, 1, 2));
    assert_eq!(queue.dead_letters(&id, 0, ALL).await?, [dead_letter(1)]);
    assert_eq!(queue.drop_letters(&id, &[0, 3]).await?, 0, "a second time");
    assert_eq!(queue.replay(&id, &replays(&[0, 3])).await?.letters, 0);
    assert_eq!(shown(queue, &id).await?, batch);
    let batch = queue.seal(&id, Some(4), None).await?;
    assert_eq!((batch.state, batch.dropped), (BatchState::Complete, 2));
    let expected = [nothing(0), nothing(1), kept(2, 1), nothing(3)];
    assert_eq!(queue.results(&id, 0, ALL).await?, expected, "their places are covered");
    Ok(())
}

pub(crate) async fn those_of_a_written_batch_are_dropped(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "written", &[3]).await?;
    commit_next(queue, |chunk| without(chunk, &[0, 1])).await?;
    queue.seal(&id, None, None).await?;
    assert_eq!(queue.drop_letters(&id, &[0]).await?, 1);
    assert!(queue.mark_written(&id, "digest").await?);
    assert_eq!(queue.drop_letters(&id, &[1]).await?, 1);
    let batch = shown(queue, &id).await?;
    assert_eq!((batch.state, batch.dead, batch.dropped), (BatchState::Written, 0, 2));
    assert_eq!(lease_all(queue, &worker()).await?, [], "it is not completed again");
    Ok(())
}

pub(crate) async fn a_drop_does_not_complete_what_has_work_left(queue: &dyn Queue) -> Result<()> {
    let id = open_strict(queue, "busy").await?;
    send(queue, &id, &[1, 1]).await?;
    commit_next(queue, |chunk| without(chunk, &[0])).await?;
    queue.seal(&id, Some(2), None).await?;
    queue.drop_letters(&id, &[0]).await?;
    assert_eq!(shown(queue, &id).await?.state, BatchState::Sealed);
    commit_next(queue, |_| as_sent()).await?;
    assert_eq!(shown(queue, &id).await?.state, BatchState::Complete);
    Ok(())
}

pub(crate) async fn groups_are_listed_by_name(queue: &dyn Queue) -> Result<()> {
    assert_eq!(groups(queue).await?, []);
    two_groups(queue, "one").await?;
    two_groups(queue, "other").await?;
    sent(queue, "third", &[1]).await?;
    let dead = vec![died_of("again", 0)];
    commit_next(queue, |chunk| Outcome { dead, ..without(chunk, &[0]) }).await?;
    let expected = [group("again N", 1), group("early N", 6), group("late N", 6)];
    assert_eq!(groups(queue).await?, expected);
    Ok(())
}

pub(crate) async fn a_group_that_is_empty_is_gone(queue: &dyn Queue) -> Result<()> {
    let id = two_groups(queue, "one").await?;
    queue.drop_letters(&id, &[0]).await?;
    queue.replay(&id, &replays(&[2])).await?;
    assert_eq!(groups(queue).await?, [group("early N", 3), group("late N", 1)]);
    queue.drop_letters(&id, &[4]).await?;
    assert_eq!(groups(queue).await?, [group("early N", 3)]);
    assert_eq!(queue.dead_in_group("late N", None, ALL).await?, []);
    queue.replay(&id, &replays(&[1, 3, 5])).await?;
    assert_eq!(groups(queue).await?, []);
    Ok(())
}

pub(crate) async fn a_group_is_listed_across_batches(queue: &dyn Queue) -> Result<()> {
    let (one, other) = (two_groups(queue, "one").await?, two_groups(queue, "other").await?);
    queue.seal(&other, None, None).await?;
    assert!(queue.mark_written(&other, "digest").await?);
    let mut all = read(queue, "late N", ALL).await?;
    assert_eq!(queue.dead_in_group("late N", None, 0).await?, []);
    for limit in 1..4 {
        assert_eq!(read(queue, "late N", limit).await?, all, "by pages of {limit}");
    }
    all.sort_by_key(|(id, letter)| (id.clone(), letter.place));
    let letters = |id: &BatchId| [0, 2, 4].map(|place| (id.clone(), died_of("late", place)));
    assert_eq!(all, [letters(&one), letters(&other)].concat());
    assert_eq!(queue.dead_in_group("unheard of", None, ALL).await?, []);
    Ok(())
}

pub(crate) async fn paging_goes_on_behind_one_that_is_gone(queue: &dyn Queue) -> Result<()> {
    two_groups(queue, "one").await?;
    two_groups(queue, "other").await?;
    let all = read(queue, "early N", ALL).await?;
    let (id, letter) = &all[1];
    queue.drop_letters(id, &[letter.place]).await?;
    let after = LetterId { batch: id.clone(), place: letter.place };
    assert_eq!(queue.dead_in_group("early N", Some(&after), ALL).await?, all[2..]);
    Ok(())
}

pub(crate) async fn a_page_of_large_ones_is_short(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "large", &[40]).await?;
    let record = Bytes::from(vec![b'x'; LETTERS_BYTES_MAX / 16]);
    let large = |place| DeadLetter { record: record.clone(), ..died_of("late", place) };
    let letters: Vec<DeadLetter> = (0..40).map(large).collect();
    let places: Vec<u64> = (0..40).collect();
    commit_next(queue, |chunk| Outcome { dead: letters.clone(), ..without(chunk, &places) })
        .await?;

    let mut of_batch: Vec<DeadLetter> = Vec::new();
    loop {
        let page = queue.dead_letters(&id, of_batch.len() as u64, ALL).await?;
        assert!(page.len() <= 16, "{} letters", page.len());
        if page.is_empty() {
            break;
        }
        of_batch.extend(page);
    }
    assert!(of_batch == letters, "all letters of the batch");
    let of_group = read(queue, "late N", ALL).await?;
    assert!(of_group.into_iter().map(|(_, letter)| letter).eq(letters), "all letters of the group");
    assert!(queue.dead_in_group("late N", None, ALL).await?.len() <= 16);
    Ok(())
}
