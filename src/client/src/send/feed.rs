//! Reads the input on a thread of its own, and encodes the records.

use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinHandle};

use super::rejects::Rejects;
use crate::input::{Item, Pointer, Reader, Remarks, SourceError, Sources};
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

/// What is read.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) sources: Sources,
    /// Where the records are, if they are in a wrapper.
    pub(super) pointer: Option<Pointer>,
    pub(super) rejects: Rejects,
}

/// What was read in all.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) files: usize,
    pub(super) records: u64,
    pub(super) rejected: u64,
    pub(super) remarks: Remarks,
    /// Whether the file of rejected records is complete.
    pub(super) rejects: std::io::Result<()>,
}

impl Feed {
    /// Starts reading. What is rejected is shown on `progress`.
    ///
    /// # Errors
    ///
    /// Standard input is of a type that is not read; nothing was read of it.
    pub(super) async fn start(input: Input, progress: Progress) -> Result<Self, SourceError> {
        let Input { sources, pointer, rejects } = input;
        let mut reader = Reader::new(sources, pointer);
        if reader.reads_stdin() {
            let open = move || reader.open_stdin().map(|()| reader);
            reader = unwind(tokio::task::spawn_blocking(open).await)?;
        }
        let (sender, pages) = mpsc::channel(PAGES_MAX);
        let reader = tokio::task::spawn_blocking(move || read(reader, rejects, &sender, &progress));
        Ok(Self { pages, reader })
    }

    /// The next records; `None` after the last. Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<Messages> {
        self.pages.recv().await
    }

    /// What was read in all, once there is no more.
    pub(super) async fn finish(self) -> Read {
        unwind(self.reader.await)
    }
}

/// What a task returned. A panic goes on here.
fn unwind<T>(joined: Result<T, JoinError>) -> T {
    joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}

fn read(
    mut reader: Reader,
    mut rejects: Rejects,
    pages: &mpsc::Sender<Messages>,
    progress: &Progress,
) -> Read {
    let mut page = Draft::with_room(PAGE_ROOM);
    while let Some(item) = reader.next_item() {
        match item {
            Item::Record { record, .. } => page.push(&record.user()),
            Item::Rejected(rejection) => rejects.take(&rejection, progress),
            Item::Note(note) => rejects.note(&note, progress),
        }
        if page.records() >= PAGE_RECORDS || page.len() >= PAGE_BYTES {
            let Totals { records, rejected, bytes } = Totals::of(&reader);
            metrics::read(records, rejected, bytes);
            progress.set(records, bytes);
            if pages.blocking_send(page.take()).is_err() {
                // Sending has failed, which is reported where it failed.
                break;
            }
        }
    }
    if page.records() > 0 {
        // Without a receiver sending has failed: as above.
        let _ = pages.blocking_send(page.take());
    }
    let Totals { records, rejected, bytes } = Totals::of(&reader);
    metrics::read(records, rejected, bytes);
    Read {
        files: reader.counts().len(),
        records,
        rejected,
        remarks: reader.remarks(),
        rejects: rejects.finish(progress),
    }
}

/// What was read of all sources so far.
#[derive(Default)]
struct Totals {
    records: u64,
    rejected: u64,
    bytes: u64,
}

impl Totals {
    fn of(reader: &Reader) -> Self {
        reader.counts().iter().fold(Self::default(), |sum, counts| Self {
            records: sum.records + counts.records,
            rejected: sum.rejected + counts.rejected,
            bytes: sum.bytes + counts.bytes,
        })
    }
}
