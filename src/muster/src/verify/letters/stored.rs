//! Dead letters in the store, read page by page.

use std::collections::BTreeSet;
use std::sync::Arc;

use muster_program::daemon::Failure;
use muster_proto::user::User;
use muster_proto::users::UserRequest;
use muster_queue::{
    BatchId, DeadLetter, Error, KeyPrefix, LetterId, Queue, StoreOptions, StoreUrl,
};
use tokio::runtime::{Builder, Runtime};

use super::Letter;

/// How many letters are read at once.
const PAGE_LETTERS: usize = 256;

/// A store, opened, and which of its letters are meant.
pub(in crate::verify) struct Stored {
    url: StoreUrl,
    /// Those of which the letters are meant; none means all.
    batches: BTreeSet<BatchId>,
    queue: Arc<dyn Queue>,
    runtime: Runtime,
}

impl Stored {
    /// Opens the store, which must be there.
    ///
    /// # Errors
    ///
    /// It does not answer, or it is a file that does not exist or that another process has open.
    pub(in crate::verify) fn open(
        url: &StoreUrl,
        key_prefix: KeyPrefix,
        batches: &[BatchId],
    ) -> Result<Self, Failure> {
        if let StoreUrl::Embedded(path) = url {
            // Opening would make one.
            path.metadata().map_err(|error| crate::verify::unreadable(path, error))?;
        }
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let queue = runtime.block_on(async {
            let options = StoreOptions { key_prefix, ..StoreOptions::default() };
            let queue = url.open(&options).await?;
            queue.ping().await?;
            Ok::<_, Error>(queue)
        })?;
        let (url, batches) = (url.clone(), batches.iter().cloned().collect());
        Ok(Self { url, batches, queue, runtime })
    }

    /// Goes through all letters.
    ///
    /// # Errors
    ///
    /// The store fails, does not know a batch, or has a letter whose record is unreadable.
    pub(in crate::verify) fn read(&self, mut each: impl FnMut(Letter)) -> Result<(), Failure> {
        self.runtime.block_on(async {
            if self.batches.is_empty() {
                for group in self.queue.dead_groups().await? {
                    self.of_group(&group.name, &mut each).await?;
                }
            }
            for batch in &self.batches {
                self.of_batch(batch, &mut each).await?;
            }
            Ok(())
        })
    }

    async fn of_group(&self, group: &str, each: &mut impl FnMut(Letter)) -> Result<(), Failure> {
        let mut after = None;
        loop {
            let page = self.queue.dead_in_group(group, after.as_ref(), PAGE_LETTERS).await?;
            let Some((batch, last)) = page.last() else {
                return Ok(());
            };
            after = Some(LetterId { batch: batch.clone(), place: last.place });
            for (batch, letter) in page {
                each(self.letter(&batch, letter)?);
            }
        }
    }

    async fn of_batch(
        &self,
        batch: &BatchId,
        each: &mut impl FnMut(Letter),
    ) -> Result<(), Failure> {
        if self.queue.batch(batch).await?.is_none() {
            return Err(Error::UnknownBatch(batch.clone()).into());
        }
        let mut from_place = 0;
        loop {
            let page = self.queue.dead_letters(batch, from_place, PAGE_LETTERS).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            from_place = last.place + 1;
            for letter in page {
                each(self.letter(batch, letter)?);
            }
        }
    }

    fn letter(&self, batch: &BatchId, letter: DeadLetter) -> Result<Letter, Failure> {
        let DeadLetter { place, reason, record, .. } = letter;
        let (origin, batch) = (self.url.to_string(), batch.to_string());
        let record = User::read(&record).map(UserRequest::from).map_err(|reason| {
            format!(
                "{origin}: the dead letter at place {place} of batch {batch} is no record: {reason}"
            )
        })?;
        Ok(Letter { record, origin, batch, place, reason })
    }
}
