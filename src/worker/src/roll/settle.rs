//! The store and the folder, made to mean the same roll before anything is written.

use std::time::{Duration, SystemTime};

use muster_queue::{BatchId, BatchState, Queue, RollState};
use muster_roll::Manifest;

use super::agreement::{self, Agreement, Difference, state_of};
use super::folder::Folder;
use super::lock::Lock;
use super::status::Look;
use super::{Error, background};

/// How many batches are named that a roll lacks.
const MISSING_MAX: usize = 8;
/// How many of the batches that were written are looked at for them.
const LOOKED_AT_MAX: usize = 10_000;

/// Checks that the folder has the roll that the store knows, that nobody has changed it, and that it can be
/// written. What a crash explains is put right. While another writer is at work, that one does it.
///
/// # Errors
///
/// Why the roll cannot be written.
pub(super) async fn check(queue: &dyn Queue, folder: &Folder) -> Result<Look, Error> {
    let mut store = queue.roll().await?;
    let looked = loop {
        let (here, known) = (folder.clone(), store.clone());
        let looked = background::run(move || look(&here, known.as_ref())).await;
        // A writer may have been at work between the two: a difference that the store confirms is one.
        match looked {
            Err(Error::Differs { .. }) => {
                let again = queue.roll().await?;
                if again == store {
                    break looked;
                }
                store = again;
            }
            looked => break looked,
        }
    };
    let (is_settled, probed) = with_missing(queue, folder, looked).await?;
    if is_settled {
        return Ok(probed);
    }
    let here = folder.clone();
    let Some(lock) = background::run(move || here.lock()).await? else { return Ok(Look::Unknown) };
    let (_, lock) = settle(queue, folder, lock).await?;
    release(lock).await?;
    Ok(probed)
}

/// Looks at the folder without the lock: whether there is nothing to settle, and whether it can be written.
fn look(folder: &Folder, store: Option<&RollState>) -> Result<(bool, Look), Error> {
    let (agreement, manifest) = folder.compare(store)?;
    if agreement == Agreement::NoRoll {
        folder.make()?;
    }
    let probed = folder.probe()?;
    folder.measure(manifest.as_ref());
    // An error comes again, under the lock.
    let is_untouched =
        manifest.is_none_or(|manifest| folder.is_untouched(&manifest).unwrap_or(false));
    Ok((agreement == Agreement::Same && is_untouched, probed))
}

/// Gives the lock back, on a thread that may block.
pub(super) async fn release(lock: Lock) -> Result<(), Error> {
    background::run(move || {
        drop(lock);
        Ok(())
    })
    .await
}

/// Makes the store and the folder agree, under the lock. Returns the manifest that both stand by.
///
/// # Errors
///
/// As [`check`].
pub(super) async fn settle(
    queue: &dyn Queue,
    folder: &Folder,
    lock: Lock,
) -> Result<(Manifest, Lock), Error> {
    let store = queue.roll().await?;
    let (here, known) = (folder.clone(), store.clone());
    let settled = background::run(move || {
        let mut lock = lock;
        here.finish_publication()?;
        let (agreement, manifest) = here.compare(known.as_ref())?;
        let manifest = match (&agreement, manifest) {
            (_, None) => here.begin()?,
            (Agreement::NoId { id }, Some(manifest)) => {
                manifest.with_id(id.clone().unwrap_or_else(new_id))
            }
            (_, Some(manifest)) => manifest,
        };
        here.finish_rotation(&manifest)?;
        here.verify(&manifest, &mut lock)?;
        Ok((agreement, manifest, lock))
    });
    let (agreement, mut manifest, lock) = with_missing(queue, folder, settled.await).await?;
    if agreement != Agreement::Same {
        tell(queue, folder, store.as_ref(), &manifest).await?;
    }
    // Behind the store: if this writer is lost in between, the store's id is the one that the manifest gets.
    if matches!(agreement, Agreement::NoId { .. }) || !manifest.known_to_store {
        manifest.known_to_store = true;
        let (here, told) = (folder.clone(), manifest.clone());
        background::run(move || here.write_manifest(&told)).await?;
    }
    if let Agreement::StoreBehind { batches } = agreement
        && !batches.is_empty()
    {
        tracing::warn!(
            batches = batches.len(),
            first = batches[0],
            "the store did not know that these batches are in the roll: a writer or the store was \
             interrupted"
        );
    }
    Ok((manifest, lock))
}

/// Tells the store what the roll holds, where it knows `before`.
///
/// # Errors
///
/// It knows something else: another writer, in another folder, was first.
pub(super) async fn tell(
    queue: &dyn Queue,
    folder: &Folder,
    before: Option<&RollState>,
    manifest: &Manifest,
) -> Result<(), Error> {
    let after = state_of(manifest);
    let known = queue.set_roll(before, &after).await?;
    if known.as_ref() == Some(&after) {
        return Ok(());
    }
    match agreement::compare(known.as_ref(), Some(manifest), Duration::ZERO) {
        Err(difference) => {
            let (folder, difference) = (folder.path().to_owned(), Box::new(difference));
            Err(Error::Differs { folder, difference, missing: Vec::new() })
        }
        Ok(_) => Err(Error::StoreChanged),
    }
}

/// A new id of a roll: 32 hexadecimal digits.
pub(super) fn new_id() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// Adds to the error that the roll is an older copy which batches it lacks.
async fn with_missing<T>(
    queue: &dyn Queue,
    folder: &Folder,
    result: Result<T, Error>,
) -> Result<T, Error> {
    match result {
        Err(error) if folder.status.is_known(&error) => Err(error),
        Err(Error::Differs { folder: path, difference, .. })
            if matches!(*difference, Difference::RollBehind { .. }) =>
        {
            let here = folder.clone();
            let manifest = background::run(move || here.manifest()).await?.unwrap_or_default();
            // The difference is worth more than the names.
            let missing = written_after(queue, &manifest).await.unwrap_or_default();
            Err(Error::Differs { folder: path, difference, missing })
        }
        result => result,
    }
}

/// Some of the batches that were written after the last one of this roll.
async fn written_after(queue: &dyn Queue, manifest: &Manifest) -> Result<Vec<BatchId>, Error> {
    let last_ms = manifest.recent.back().map_or(0, |entry| entry.written_ms);
    let last = SystemTime::UNIX_EPOCH + Duration::from_millis(last_ms);
    let written = queue.batches(Some(BatchState::Written), None, LOOKED_AT_MAX).await?;
    let missing = written.into_iter().filter(|batch| {
        let is_later = batch.times.ended.is_some_and(|ended| ended > last);
        is_later && manifest.entry(batch.id.as_str()).is_none()
    });
    Ok(missing.map(|batch| batch.id).take(MISSING_MAX).collect())
}
