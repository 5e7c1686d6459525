//! The records that are sent and not known to be queued: what is sent again when a stream breaks.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

/// How much may be sent beyond what is known to be queued, in bytes of records.
const BYTES_MAX: usize = 16 << 20;

/// The window. Shared by the parts of one stream.
#[derive(Debug, Default)]
pub(super) struct Window {
    inner: Mutex<Inner>,
    moved: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    records: VecDeque<Bytes>,
    /// The place of the first of them.
    first: u64,
    bytes: usize,
    keeps_nothing: bool,
}

/// The server has fewer records than it said before: its store lost some.
#[derive(Debug)]
pub(super) struct Lost {
    pub(super) received: u64,
    pub(super) before: u64,
}

impl Window {
    /// The place of the first record that is not known to be queued.
    pub(super) fn first(&self) -> u64 {
        self.lock().first
    }

    /// The records from `place` on that are in the window, at most `max`.
    pub(super) fn page(&self, place: u64, max: usize) -> Vec<Bytes> {
        let inner = self.lock();
        // Places in the window are as few as the records in memory.
        let skip = usize::try_from(place.saturating_sub(inner.first)).unwrap_or(usize::MAX);
        inner.records.iter().skip(skip).take(max).cloned().collect()
    }

    /// Adds records at the end.
    pub(super) fn push(&self, page: &[Bytes]) {
        let mut inner = self.lock();
        if inner.keeps_nothing {
            inner.first += page.len() as u64;
            return;
        }
        inner.bytes += page.iter().map(Bytes::len).sum::<usize>();
        inner.records.extend(page.iter().cloned());
    }

    /// Forgets the records before the place `received`: they are queued.
    pub(super) fn acknowledge(&self, received: u64) -> Result<(), Lost> {
        let mut inner = self.lock();
        if received < inner.first {
            return Err(Lost { received, before: inner.first });
        }
        while inner.first < received {
            match inner.records.pop_front() {
                Some(record) => inner.bytes -= record.len(),
                // The server is ahead: these records are queued since an earlier attempt, and
                // are still to be read.
                None => break,
            }
            inner.first += 1;
        }
        drop(inner);
        self.moved.notify_one();
        Ok(())
    }

    /// Lets go of all records, now and later.
    pub(super) fn keep_nothing(&self) {
        let mut inner = self.lock();
        inner.first += inner.records.len() as u64;
        inner.records = VecDeque::new();
        inner.bytes = 0;
        inner.keeps_nothing = true;
        drop(inner);
        self.moved.notify_one();
    }

    /// Waits until there is room for more. Cancel-safe.
    pub(super) async fn room(&self) {
        while self.lock().bytes >= BYTES_MAX {
            self.moved.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(records: usize) -> Window {
        let window = Window::default();
        window.push(&vec![Bytes::from_static(b"record"); records]);
        window
    }

    #[test]
    fn what_is_acknowledged_is_forgotten() {
        let window = window(10);
        window.acknowledge(4).unwrap();
        assert_eq!(window.first(), 4);
        assert_eq!(window.page(5, 100).len(), 5);
        assert_eq!(window.page(10, 100).len(), 0);
        assert_eq!(window.lock().bytes, 6 * "record".len());
    }

    #[test]
    fn a_server_that_is_ahead_leaves_nothing_to_send() {
        let window = window(3);
        window.acknowledge(100).unwrap();
        assert_eq!(window.first(), 3);
        assert_eq!(window.page(3, 100).len(), 0);
    }

    #[test]
    fn a_server_that_lost_records_is_found_out() {
        let window = window(3);
        window.acknowledge(2).unwrap();
        assert!(window.acknowledge(1).is_err());
    }

    #[test]
    fn a_window_that_keeps_nothing_only_counts() {
        let window = window(3);
        window.keep_nothing();
        window.push(&[Bytes::from_static(b"record")]);
        assert_eq!(window.first(), 4);
        assert_eq!((window.page(0, 100).len(), window.lock().bytes), (0, 0));
    }

    #[tokio::test]
    async fn a_full_window_has_room_when_records_are_acknowledged() {
        let window = Window::default();
        window.push(&[Bytes::from(vec![0; BYTES_MAX])]);
        let acknowledged = async { window.acknowledge(1) };
        let ((), acknowledged) = tokio::join!(window.room(), acknowledged);
        acknowledged.unwrap();
    }
}
