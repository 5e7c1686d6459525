//! Reads the input on a thread of its own, and encodes the records.

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::input::{Item, Reader, Sources};
use crate::metrics;
use crate::progress::Progress;
use crate::wire::{Draft, Messages};

/// How many records are handed over at once.
const PAGE_RECORDS: usize = 256;
/// A page ends here, in bytes; the last record may lie beyond, and seldom needs more room.
const PAGE_BYTES: usize = 64 << 10;
const PAGE_ROOM: usize = PAGE_BYTES + (2 << 10);
/// How many pages may wait to be sent.
const PAGES_MAX: usize = 8;

/// Encoded records, in the order of the input.
#[derive(Debug)]
pub(super) struct Feed {
    pages: mpsc::Receiver<Messages>,
    reader: JoinHandle<Read>,
}

/// What was read in all.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Read {
    pub(super) files: usize,
    pub(super) records: u64,
    pub(super) rejected: u64,
    pub(super) unknown_fields: u64,
    bytes: u64,
}

impl Feed {
    /// Starts reading. What is rejected is said to `progress`.
    pub(super) fn start(sources: Sources, progress: Progress) -> Self {
        let (sender, pages) = mpsc::channel(PAGES_MAX);
        let reader = tokio::task::spawn_blocking(move || read(sources, &sender, &progress));
        Self { pages, reader }
    }

    /// The next records; `None` after the last. Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<Messages> {
        self.pages.recv().await
    }

    /// What was read in all, once there is no more.
    pub(super) async fn finish(self) -> Read {
        match self.reader.await {
            Ok(read) => read,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }
}

fn read(sources: Sources, pages: &mpsc::Sender<Messages>, progress: &Progress) -> Read {
    let mut reader = Reader::new(sources);
    let mut page = Draft::with_room(PAGE_ROOM);
    while let Some(item) = reader.next_item() {
        match item {
            Item::Record { record, .. } => page.push(&record.user()),
            Item::Rejected(rejection) => progress.complain(&rejection),
        }
        if page.records() >= PAGE_RECORDS || page.len() >= PAGE_BYTES {
            let read = totals(&reader);
            metrics::read(read.records, read.rejected, read.bytes);
            progress.set(read.records, read.bytes);
            if pages.blocking_send(page.take()).is_err() {
                // Sending has failed, and says so itself.
                return read;
            }
        }
    }
    if page.records() > 0 {
        // Nobody to send it: as above.
        let _ = pages.blocking_send(page.take());
    }
    let read = totals(&reader);
    metrics::read(read.records, read.rejected, read.bytes);
    read
}

fn totals(reader: &Reader) -> Read {
    let files = reader.counts().len();
    reader.counts().iter().fold(Read { files, ..Read::default() }, |sum, counts| Read {
        files,
        records: sum.records + counts.records,
        rejected: sum.rejected + counts.rejected,
        unknown_fields: sum.unknown_fields + counts.unknown_fields,
        bytes: sum.bytes + counts.bytes,
    })
}
