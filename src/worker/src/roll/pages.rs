//! The results of a batch, page by page.

use muster_queue::{Batch, Queue, ResultChunk};

use super::Error;

/// How much of a batch's results is read from the store at once, in bytes.
const PAGE_BYTES_MAX: usize = 1 << 18;

/// The results of a batch, page by page.
pub(super) struct Pages<'a> {
    queue: &'a dyn Queue,
    batch: &'a Batch,
    place: u64,
}

impl<'a> Pages<'a> {
    pub(super) fn of(queue: &'a dyn Queue, batch: &'a Batch) -> Self {
        Self { queue, batch, place: 0 }
    }

    /// The next page; `None` after the last, when every place of the batch was covered.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<ResultChunk>>, Error> {
        let Batch { id, received, .. } = self.batch;
        // Most often known by now: a batch of one page costs one question.
        if self.place == *received {
            return Ok(None);
        }
        let page = self.queue.results(id, self.place, PAGE_BYTES_MAX).await?;
        let Some(last) = page.last() else {
            let batch = id.clone();
            return Err(Error::ResultsMissing { batch, found: self.place, expected: *received });
        };
        self.place = last.first + u64::from(last.count);
        Ok(Some(page))
    }
}
