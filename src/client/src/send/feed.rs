//! Reads the input on a thread of its own, and encodes the records.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::timeout;

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
/// How long to wait for a full page before an incomplete one is sent.
const PAUSE: Duration = Duration::from_millis(10);

/// Encoded records, in the order of the input.
#[derive(Debug)]
pub(super) struct Feed {
    pages: mpsc::Receiver<Messages>,
    begun: Arc<Begun>,
    reader: JoinHandle<Read>,
}

/// The page that is being written.
#[derive(Debug)]
struct Begun {
    draft: Mutex<Draft>,
    /// Notified of the first record of each page.
    first: Notify,
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
        let draft = Mutex::new(Draft::with_room(PAGE_ROOM));
        let begun = Arc::new(Begun { draft, first: Notify::new() });
        let page = Arc::clone(&begun);
        let read = move || read(reader, rejects, &page, &sender, &progress);
        Ok(Self { pages, begun, reader: tokio::task::spawn_blocking(read) })
    }

    /// The next records; `None` after the last. Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<Messages> {
        loop {
            if !self.has_begun() {
                tokio::select! {
                    page = self.pages.recv() => return page,
                    () = self.begun.first.notified() => {}
                }
            }
            if let Ok(page) = timeout(PAUSE, self.pages.recv()).await {
                return page;
            }
            if let Some(page) = self.take_begun() {
                return Some(page);
            }
        }
    }

    /// Whether all records that were read have been taken, and more may come.
    pub(super) fn is_idle(&self) -> bool {
        !self.has_begun() && self.pages.is_empty() && !self.pages.is_closed()
    }

    /// Whether a page has records. A locked page is being written.
    fn has_begun(&self) -> bool {
        self.begun.draft.try_lock().map_or(true, |draft| draft.records() > 0)
    }

    /// Takes the incomplete page, unless a full page must be sent first.
    fn take_begun(&self) -> Option<Messages> {
        let mut draft = self.begun.draft.try_lock().ok()?;
        let is_next = self.pages.is_empty() && draft.records() > 0;
        is_next.then(|| draft.take())
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
    begun: &Begun,
    pages: &mpsc::Sender<Messages>,
    progress: &Progress,
) -> Read {
    while let Some(item) = reader.next_item() {
        match item {
            Item::Record { record, .. } => {
                let mut page = begun.page();
                page.push(&record.user());
                if page.records() == 1 {
                    begun.first.notify_one();
                }
                if page.records() < PAGE_RECORDS && page.len() < PAGE_BYTES {
                    continue;
                }
                // The lock is held so that no later page is taken before this one.
                if pages.blocking_send(page.take()).is_err() {
                    // Sending has failed, which is reported where it failed.
                    break;
                }
                drop(page);
                let Totals { records, rejected, bytes } = Totals::of(&reader);
                metrics::read(records, rejected, bytes);
                progress.set(records, bytes);
            }
            Item::Rejected(rejection) => rejects.take(&rejection, progress),
            Item::Note(note) => rejects.note(&note, progress),
        }
    }
    let mut page = begun.page();
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

impl Begun {
    fn page(&self) -> MutexGuard<'_, Draft> {
        // A panic cannot leave a draft half written.
        self.draft.lock().unwrap_or_else(PoisonError::into_inner)
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
