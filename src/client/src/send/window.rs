//! The records that are sent and not known to be queued: what is sent again when a stream breaks.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use muster_content::ContentDigest;
use tokio::sync::Notify;

use crate::wire::Messages;

/// How much may be sent beyond what is known to be queued, in bytes of records.
const BYTES_MAX: usize = 16 << 20;

/// The window. Shared by the parts of one stream.
#[derive(Debug, Default)]
pub(super) struct Window {
    inner: Mutex<Inner>,
    /// Notified when records are forgotten.
    moved: Notify,
    /// Notified when records are added.
    pushed: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    /// A page is kept until all of it is queued.
    pages: VecDeque<Messages>,
    /// The place of the first record of the first of them.
    start: u64,
    /// The place behind the last one.
    end: u64,
    /// The place of the first record that is not known to be queued.
    first: u64,
    /// The digest of all records up to the last one.
    digest: ContentDigest,
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

    /// The place of the first record that is not known to be queued, and the digest of those before it.
    pub(super) fn start(&self) -> (u64, ContentDigest) {
        let first = self.first();
        let digest = self.page(first).map(|page| page.before());
        (first, digest.unwrap_or_else(|| self.lock().digest))
    }

    /// Whether the record at `place` is forgotten: it is queued.
    pub(super) fn has_passed(&self, place: u64) -> bool {
        place < self.lock().start
    }

    /// Records from `place` on that are in the window, if any are.
    pub(super) fn page(&self, place: u64) -> Option<Messages> {
        let inner = self.lock();
        if place >= inner.end {
            return None;
        }
        let mut start = inner.start;
        inner.pages.iter().find_map(|page| {
            // Places in the window are as few as the records in memory.
            let behind = usize::try_from(place.checked_sub(start)?).ok()?;
            start += page.records() as u64;
            (behind < page.records()).then(|| page.clone().behind(behind))
        })
    }

    /// Adds records at the end.
    pub(super) fn push(&self, page: Messages) {
        let mut inner = self.lock();
        inner.end += page.records() as u64;
        inner.digest = page.after();
        if inner.keeps_nothing {
            inner.first = inner.end;
            return;
        }
        inner.bytes += page.bytes().len();
        inner.pages.push_back(page);
        drop(inner);
        self.pushed.notify_one();
    }

    /// Forgets the records before the place `received`: they are queued.
    pub(super) fn acknowledge(&self, received: u64) -> Result<(), Lost> {
        let mut inner = self.lock();
        if received < inner.first {
            return Err(Lost { received, before: inner.first });
        }
        // If the server is ahead, records are queued since an earlier attempt, and are still to be
        // read.
        inner.first = received.min(inner.end);
        while let Some(page) = inner.pages.front()
            && inner.start + page.records() as u64 <= inner.first
        {
            let (records, bytes) = (page.records() as u64, page.bytes().len());
            inner.start += records;
            inner.bytes -= bytes;
            inner.pages.pop_front();
        }
        drop(inner);
        self.moved.notify_one();
        Ok(())
    }

    /// Lets go of all records, now and later.
    pub(super) fn keep_nothing(&self) {
        let mut inner = self.lock();
        inner.first = inner.end;
        inner.pages = VecDeque::new();
        inner.bytes = 0;
        inner.keeps_nothing = true;
        drop(inner);
        self.moved.notify_one();
    }

    /// Waits until there is a record that is not known to be queued. Cancel-safe.
    pub(super) async fn unacknowledged(&self) {
        while self.is_acknowledged() {
            self.pushed.notified().await;
        }
    }

    /// Whether all records are known to be queued. A window that keeps nothing does not know.
    pub(super) fn is_acknowledged(&self) -> bool {
        let inner = self.lock();
        inner.first == inner.end && !inner.keeps_nothing
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
    use muster_proto::user::User;

    use super::*;
    use crate::wire::Draft;

    /// So many records, numbered by their places from `first` on.
    fn page(first: i32, records: i32) -> Messages {
        let mut page = Draft::with_room(0);
        for id in first..first + records {
            page.push(&User { id, ..User::default() });
        }
        page.take()
    }

    /// A window with ten records, on two pages.
    fn window() -> Window {
        let window = Window::default();
        let mut draft = Draft::with_room(0);
        for (first, records) in [(1, 6), (7, 4)] {
            for id in first..first + records {
                draft.push(&User { id, ..User::default() });
            }
            window.push(draft.take());
        }
        window
    }

    /// The ids of the records that are sent again from `place` on.
    fn sent_from(window: &Window, mut place: u64) -> Vec<u8> {
        let mut ids = Vec::new();
        while let Some(page) = window.page(place) {
            place += page.records() as u64;
            ids.extend(page.filter_map(|message| message.last().copied()));
        }
        ids
    }

    #[test]
    fn what_is_acknowledged_is_not_sent_again() {
        for queued in 0..=10_u8 {
            let window = window();
            window.acknowledge(queued.into()).unwrap();
            assert_eq!(window.first(), u64::from(queued));
            let rest: Vec<u8> = (queued + 1..=10).collect();
            assert_eq!(sent_from(&window, queued.into()), rest);
            // A page is forgotten as a whole.
            let kept = match queued {
                0..6 => 10,
                6..10 => 4,
                _ => 0,
            };
            assert_eq!(window.lock().bytes, kept * page(1, 1).bytes().len());
        }
    }

    #[test]
    fn start_of_a_window_has_the_digest_of_the_records_before_it() {
        let (all, window) = (window(), window());
        for queued in 0..=12 {
            window.acknowledge(queued).unwrap();
            let (first, digest) = window.start();
            assert_eq!(first, queued.min(10));
            let before = all.page(first).map_or(all.lock().digest, |page| page.before());
            assert_eq!(digest, before, "{queued}");
        }
    }

    #[test]
    fn window_has_passed_the_records_that_it_has_forgotten() {
        let window = window();
        window.acknowledge(7).unwrap();
        assert!(window.has_passed(0) && window.has_passed(5));
        assert!(!window.has_passed(6) && !window.has_passed(10));
    }

    #[test]
    fn a_server_that_is_ahead_leaves_nothing_to_send() {
        let window = window();
        window.acknowledge(100).unwrap();
        assert_eq!(window.first(), 10);
        assert!(window.page(10).is_none());
    }

    #[test]
    fn a_server_that_lost_records_is_found_out() {
        let window = window();
        window.acknowledge(2).unwrap();
        assert!(window.acknowledge(1).is_err());
    }

    #[test]
    fn a_window_that_keeps_nothing_only_counts() {
        let window = window();
        window.keep_nothing();
        window.push(page(11, 1));
        assert_eq!(window.first(), 11);
        assert_eq!((sent_from(&window, 0), window.lock().bytes), (vec![], 0));
        assert!(!window.is_acknowledged());
    }

    #[tokio::test]
    async fn unacknowledged_records_are_waited_for() {
        let window = Window::default();
        let pushed = async { window.push(page(1, 2)) };
        tokio::join!(biased; window.unacknowledged(), pushed);
        window.acknowledge(1).unwrap();
        window.unacknowledged().await;
        window.acknowledge(2).unwrap();
        assert!(window.is_acknowledged());
    }

    #[tokio::test]
    async fn a_full_window_has_room_when_records_are_acknowledged() {
        let window = Window::default();
        let mut full = Draft::with_room(0);
        full.push(&User { agent: &"x".repeat(BYTES_MAX), ..User::default() });
        window.push(full.take());
        let acknowledged = async { window.acknowledge(1) };
        let ((), acknowledged) = tokio::join!(window.room(), acknowledged);
        acknowledged.unwrap();
    }
}
