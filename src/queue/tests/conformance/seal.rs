//! Claims on sealing a batch, and on what completes it.

use muster_queue::{BatchState, Committed, Error, Queue, Result};

use crate::places::digest;

use super::steps::{
    ALL, as_sent, each, lease_all, lease_chunks, open, rolls, sent, shown, without, worker,
};

pub(crate) async fn the_number_is_checked(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "counted", &[3, 2]).await?;
    for claimed in [0, 4, 6] {
        let answer = queue.seal(&id, Some(claimed), None).await;
        assert!(
            matches!(&answer, Err(Error::Miscounted { batch, received: 5, claimed: said })
                if *batch == id && *said == claimed),
            "{answer:?}"
        );
        assert_eq!(shown(queue, &id).await?.state, BatchState::Open);
    }
    let batch = queue.seal(&id, Some(5), None).await?;
    assert_eq!((batch.state, batch.received), (BatchState::Sealed, 5));
    assert_eq!(shown(queue, &id).await?, batch);
    Ok(())
}

pub(crate) async fn an_aborted_batch_is_not_sealed(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "aborted", &[3]).await?;
    queue.abort(&id).await?;
    for records in [None, Some(3), Some(4)] {
        let answer = queue.seal(&id, records, None).await;
        assert!(matches!(&answer, Err(Error::Aborted(batch)) if *batch == id), "{answer:?}");
    }
    Ok(())
}

pub(crate) async fn twice_is_the_same_as_once(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "twice", &[3]).await?;
    let first = queue.seal(&id, Some(3), None).await?;
    assert_eq!(queue.seal(&id, Some(3), None).await?, first);
    assert_eq!(queue.seal(&id, None, None).await?, first);
    let empty = open(queue, "empty").await?;
    let first = queue.seal(&empty, None, None).await?;
    assert_eq!(queue.seal(&empty, None, None).await?, first);
    assert_eq!(rolls(&lease_all(queue, &worker()).await?), 1, "one roll for one batch");
    Ok(())
}

pub(crate) async fn the_number_is_checked_again(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "sealed", &[3]).await?;
    queue.seal(&id, None, None).await?;
    let answer = queue.seal(&id, Some(4), None).await;
    assert!(matches!(answer, Err(Error::Miscounted { received: 3, claimed: 4, .. })), "{answer:?}");
    Ok(())
}

pub(crate) async fn an_empty_batch_is_complete(queue: &dyn Queue) -> Result<()> {
    let id = open(queue, "empty").await?;
    let batch = queue.seal(&id, Some(0), None).await?;
    assert_eq!((batch.state, batch.received), (BatchState::Complete, 0));
    assert_eq!(queue.next_complete(ALL).await?, [batch]);
    assert_eq!(rolls(&lease_all(queue, &worker()).await?), 1);
    Ok(())
}

pub(crate) async fn a_batch_with_work_left_is_not_complete(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "half", &[1, 1]).await?;
    let chunks = lease_chunks(queue, &worker()).await?;
    queue.commit(&chunks[0], &as_sent()).await?;
    let batch = queue.seal(&id, None, None).await?;
    assert_eq!((batch.state, batch.kept), (BatchState::Sealed, 1));
    assert_eq!(queue.next_complete(ALL).await?, []);
    assert_eq!(lease_all(queue, &worker()).await?, []);
    Ok(())
}

pub(crate) async fn commit_last_completes(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "sealed-first", &[2, 1]).await?;
    let chunks = lease_chunks(queue, &worker()).await?;
    queue.seal(&id, Some(3), None).await?;
    queue.commit(&chunks[1], &without(&chunks[1], &[2])).await?;
    assert_eq!(shown(queue, &id).await?.state, BatchState::Sealed);
    assert_eq!(queue.commit(&chunks[0], &as_sent()).await?, Committed::Taken);
    assert_eq!(shown(queue, &id).await?.state, BatchState::Complete);
    assert_eq!(rolls(&lease_all(queue, &worker()).await?), 1);
    Ok(())
}

pub(crate) async fn seal_last_completes(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "committed-first", &[2, 1]).await?;
    for chunk in lease_chunks(queue, &worker()).await? {
        queue.commit(&chunk, &as_sent()).await?;
    }
    let batch = shown(queue, &id).await?;
    assert_eq!((batch.state, batch.kept), (BatchState::Open, 3));
    assert_eq!(queue.next_complete(ALL).await?, []);
    assert_eq!(queue.seal(&id, Some(3), None).await?.state, BatchState::Complete);
    assert_eq!(rolls(&lease_all(queue, &worker()).await?), 1);
    Ok(())
}

pub(crate) async fn the_digest_is_checked(queue: &dyn Queue) -> Result<()> {
    let id = sent(queue, "stream", &[2, 1]).await?;
    for _ in 0..2 {
        let other = queue.seal(&id, Some(3), Some(digest(2))).await;
        assert!(
            matches!(&other, Err(Error::Different { batch, from: 0, to: 2 }) if *batch == id),
            "{other:?}"
        );
        let miscounted = queue.seal(&id, Some(2), Some(digest(2))).await;
        assert!(matches!(miscounted, Err(Error::Miscounted { .. })), "{miscounted:?}");
        queue.seal(&id, Some(3), Some(digest(3))).await?;
    }
    Ok(())
}

pub(crate) async fn single_records_have_no_digest(queue: &dyn Queue) -> Result<()> {
    let id = open(queue, "unary").await?;
    queue.append(&id, &[each(&[1, 0])]).await?;
    let mixed = queue.seal(&id, Some(2), Some(digest(2))).await;
    assert!(matches!(&mixed, Err(Error::MixedPlaces(batch)) if *batch == id), "{mixed:?}");
    queue.seal(&id, Some(2), None).await?;
    let mixed = queue.seal(&id, Some(2), Some(digest(2))).await;
    assert!(matches!(&mixed, Err(Error::MixedPlaces(batch)) if *batch == id), "{mixed:?}");
    Ok(())
}

pub(crate) async fn an_empty_batch_has_the_digest_of_no_records(queue: &dyn Queue) -> Result<()> {
    let id = open(queue, "empty").await?;
    let different = queue.seal(&id, Some(0), Some(digest(1))).await;
    assert!(matches!(different, Err(Error::Different { .. })), "{different:?}");
    queue.seal(&id, Some(0), Some(digest(0))).await?;
    Ok(())
}
