//! Claims on the way of a complete batch into the roll.

use muster_queue::{Appended, BatchState, Error, Queue, Result, RollState};

use super::steps::{
    ALL, as_sent, completed, dead_letter, each, from, kept, lease_all, lease_chunks, nothing, open,
    rolls, sent, shown, take_over_all, without, worker,
};

const DIGEST: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

pub(crate) async fn there_is_none_before_a_batch_is_complete(queue: &dyn Queue) -> Result<()> {
    assert_eq!(queue.next_complete(ALL).await?, []);
    let id = sent(queue, "begun", &[1]).await?;
    assert_eq!(queue.next_complete(ALL).await?, []);
    queue.seal(&id, None, None).await?;
    assert_eq!(queue.next_complete(ALL).await?, []);
    let chunk = &lease_chunks(queue, &worker()).await?[0];
    queue.commit(chunk, &as_sent()).await?;
    let batch = shown(queue, &id).await?;
    assert_eq!(batch.state, BatchState::Complete);
    assert_eq!(queue.next_complete(ALL).await?, [batch]);
    Ok(())
}

pub(crate) async fn batches_come_in_the_order_of_completion(queue: &dyn Queue) -> Result<()> {
    for name in ["a", "b", "c"] {
        sent(queue, name, &[1]).await?;
    }
    let chunks = lease_chunks(queue, &worker()).await?;
    for chunk in &chunks {
        queue.seal(&chunk.batch, Some(1), None).await?;
    }
    for number in [1, 2, 0] {
        queue.commit(&chunks[number], &as_sent()).await?;
    }
    let all = queue.next_complete(ALL).await?;
    assert_eq!(Vec::from_iter(all.iter().map(|batch| batch.id.as_str())), ["b", "c", "a"]);
    for (written, batch) in all.iter().enumerate() {
        let left = &all[written..];
        assert_eq!(queue.next_complete(ALL).await?, left, "until they are written");
        assert_eq!(queue.next_complete(2).await?, left[..left.len().min(2)]);
        assert!(queue.mark_written(&batch.id, DIGEST).await?);
    }
    assert_eq!(queue.next_complete(ALL).await?, []);
    Ok(())
}

pub(crate) async fn state_is_replaced_only_where_it_is_as_expected(
    queue: &dyn Queue,
) -> Result<()> {
    assert_eq!(queue.roll().await?, None);
    let state = |id: &str, batches, sha256: &str| {
        Some(RollState { id: id.to_owned(), batches, sha256: sha256.to_owned() })
    };
    let [new, other, grown] = [state("a", 0, ""), state("b", 0, ""), state("a", 1, DIGEST)];
    for (before, after, then) in [
        (&grown, &new, &None),
        (&None, &new, &new),
        (&None, &new, &new),
        (&None, &other, &new),
        (&other, &grown, &new),
        (&new, &grown, &grown),
        (&new, &grown, &grown),
        (&new, &other, &grown),
        (&grown, &other, &other),
    ] {
        let known = queue.set_roll(before.as_ref(), after.as_ref().expect("a state")).await?;
        assert_eq!((&known, &queue.roll().await?), (then, then), "{before:?} {after:?}");
    }
    Ok(())
}

pub(crate) async fn a_batch_is_written_once(queue: &dyn Queue) -> Result<()> {
    let id = completed(queue, "written", &[2, 1]).await?;
    assert!(queue.mark_written(&id, DIGEST).await?);
    assert!(!queue.mark_written(&id, "another digest").await?);
    let batch = shown(queue, &id).await?;
    assert_eq!(batch.state, BatchState::Written);
    assert_eq!(batch.roll_sha256.as_deref(), Some(DIGEST));
    assert_eq!(queue.next_complete(ALL).await?, []);
    Ok(())
}

pub(crate) async fn a_batch_that_is_not_complete_is_not_written(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "early", &[1]).await?;
    assert!(!queue.mark_written(&id, DIGEST).await?);
    queue.seal(&id, None, None).await?;
    assert!(!queue.mark_written(&id, DIGEST).await?);
    let batch = shown(queue, &id).await?;
    assert_eq!((batch.state, batch.roll_sha256), (BatchState::Sealed, None));
    assert_eq!(lease_chunks(queue, &worker()).await?.len(), 1, "its work is still there");
    Ok(())
}

pub(crate) async fn a_written_batch_keeps_its_counts_and_dead_letters(
    queue: &dyn Queue,
) -> Result<()> {
    let id = sent(queue, "kept", &[3]).await?;
    let chunk = &lease_chunks(queue, &worker()).await?[0];
    queue.commit(chunk, &without(chunk, &[1])).await?;
    queue.seal(&id, Some(3), None).await?;
    assert_eq!(queue.results(&id, 0, ALL).await?, [kept(0, 1), nothing(1), kept(2, 1)]);
    assert!(queue.mark_written(&id, DIGEST).await?);
    assert_eq!(queue.results(&id, 0, ALL).await?, [], "its results are gone");
    let batch = shown(queue, &id).await?;
    assert_eq!((batch.received, batch.kept, batch.dead), (3, 2, 1));
    assert_eq!(queue.dead_letters(&id, 0, ALL).await?, [dead_letter(1)]);
    Ok(())
}

pub(crate) async fn a_written_batch_gives_no_more_work(queue: &dyn Queue) -> Result<()> {
    for (name, is_held) in [("waiting", false), ("held", true)] {
        let id = completed(queue, name, &[1]).await?;
        let mut leases = Vec::new();
        if is_held {
            let work = lease_all(queue, &worker()).await?;
            leases.extend(work.iter().map(|work| work.lease().clone()));
            assert_eq!(rolls(&work), 1);
        }
        assert!(queue.mark_written(&id, DIGEST).await?);
        queue.extend(&leases).await?;
        queue.release(&leases).await?;
        assert_eq!(lease_all(queue, &worker()).await?, [], "{name}");
        assert_eq!(take_over_all(queue, &worker()).await?, [], "{name}");
    }
    Ok(())
}

pub(crate) async fn each_complete_batch_has_a_roll(queue: &dyn Queue) -> Result<()> {
    for name in ["one", "two", "three"] {
        queue.seal(&open(queue, name).await?, None, None).await?;
    }
    assert_eq!(rolls(&lease_all(queue, &worker()).await?), 3);
    Ok(())
}

pub(crate) async fn sent_again_after_it_was_written(queue: &dyn Queue) -> Result<()> {
    let id = completed(queue, "again", &[2, 1]).await?;
    queue.mark_written(&id, DIGEST).await?;
    let written = shown(queue, &id).await?;
    assert_eq!(open(queue, "again").await?, id);
    for chunk in [from(0, 2), from(2, 1)] {
        assert_eq!(queue.append(&id, &[chunk]).await?, Appended::Behind { received: 3 });
    }
    assert_eq!(queue.seal(&id, Some(3), None).await?, written);
    let more = queue.append(&id, &[from(3, 1)]).await;
    assert!(matches!(more, Err(Error::Sealed { received: 3, .. })), "{more:?}");
    assert_eq!(shown(queue, &id).await?, written);
    assert_eq!(lease_all(queue, &worker()).await?, []);
    Ok(())
}

pub(crate) async fn single_records_sent_again_after_it_was_written(
    queue: &dyn Queue,
) -> Result<()> {
    let id = open(queue, "unary").await?;
    queue.append(&id, &[each(&[7, 2])]).await?;
    let chunk = &lease_chunks(queue, &worker()).await?[0];
    queue.commit(chunk, &as_sent()).await?;
    queue.seal(&id, Some(2), None).await?;
    assert!(queue.mark_written(&id, DIGEST).await?);
    let again = queue.append(&id, &[each(&[2])]).await?;
    assert_eq!(again, Appended::Taken { same: vec![2], different: vec![] });
    let new = queue.append(&id, &[each(&[3])]).await;
    assert!(matches!(new, Err(Error::Sealed { received: 2, .. })), "{new:?}");
    Ok(())
}
