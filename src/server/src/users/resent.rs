//! Records that a stream sends again, compared with those that the batch has.

use muster_content::{ContentDigest, RecordHash};
use muster_queue::{Batch, BatchId, Checkpoint, Error, Queue};

/// The records of a stream that the batch has already.
pub(super) struct Resent {
    batch: BatchId,
    /// How many records the batch has.
    received: u64,
    /// The index of the next record.
    index: u64,
    /// The digest of the records before `index`.
    digest: ContentDigest,
    /// Whether `digest` is known. If not, nothing is compared.
    is_known: bool,
    /// The checkpoints behind `index`, the last one first.
    checkpoints: Vec<Checkpoint>,
    /// How many records were found to be the same.
    same: u64,
}

impl Resent {
    /// The records of a stream that begins at the index `first`, up to what the batch has. `digest` is
    /// that of the records before `first`, if the sender sent it.
    ///
    /// # Errors
    ///
    /// [`Error::Gap`] when the batch has fewer records than `first`; those of [`Queue::checkpoints`].
    pub(super) async fn new(
        queue: &dyn Queue,
        batch: &Batch,
        first: u64,
        digest: Option<ContentDigest>,
    ) -> Result<Self, Error> {
        let (id, received) = (batch.id.clone(), batch.received);
        if received < first {
            return Err(Error::Gap { batch: id, received, place: first });
        }
        let digest = digest.or((first == 0).then_some(ContentDigest::EMPTY));
        let mut checkpoints = Vec::new();
        if first < received && digest.is_some() && batch.digest.is_some() {
            checkpoints = queue.checkpoints(&id).await?;
            checkpoints.retain(|checkpoint| checkpoint.records > first);
            checkpoints.reverse();
        }
        // Without the digest of what came before, the stream goes on with what the batch has.
        let so_far = batch.digest_so_far().unwrap_or_default();
        Ok(Self {
            batch: id,
            received,
            index: first,
            digest: digest.unwrap_or(so_far),
            is_known: digest.is_some(),
            checkpoints,
            same: 0,
        })
    }

    /// How many records are still to come.
    pub(super) fn left(&self) -> u64 {
        self.received - self.index
    }

    /// The digest of the records taken so far, and of those before the stream.
    pub(super) fn digest(&self) -> ContentDigest {
        self.digest
    }

    /// Takes the next record.
    ///
    /// # Errors
    ///
    /// [`Error::Different`] at the first checkpoint behind a record that differs from the batch's.
    pub(super) fn take(&mut self, wire: &[u8]) -> Result<(), Error> {
        self.index += 1;
        if !self.is_known {
            return Ok(());
        }
        self.digest = self.digest.then(RecordHash::of(wire));
        if let Some(here) = self.checkpoints.pop_if(|next| next.records <= self.index) {
            if here.digest != self.digest.short() {
                return Err(self.different(self.index - 1));
            }
            self.same = self.index;
        }
        Ok(())
    }

    /// The error, with what is known here of where the first difference is.
    pub(super) fn narrow(&self, error: Error) -> Error {
        match error {
            Error::Different { to, .. } => self.different(to),
            other => other,
        }
    }

    fn different(&self, to: u64) -> Error {
        Error::Different { batch: self.batch.clone(), from: self.same.min(to), to }
    }
}
