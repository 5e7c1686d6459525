//! Counts what is read from a file.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub(super) struct Counted<R> {
    raw: R,
    bytes: Arc<AtomicU64>,
}

impl<R> Counted<R> {
    pub(super) fn new(raw: R) -> (Self, Arc<AtomicU64>) {
        let bytes = Arc::default();
        (Self { raw, bytes: Arc::clone(&bytes) }, bytes)
    }
}

impl<R: Read> Read for Counted<R> {
    /// Reads again where a signal interrupts, so that no decoder has to.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.raw.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(len) => {
                    self.bytes.fetch_add(len as u64, Ordering::Relaxed);
                    return Ok(len);
                }
            }
        }
    }
}
