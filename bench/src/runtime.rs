//! The threads of a program that is measured.

use std::io;

use tokio::runtime::{Builder, Runtime};

/// A runtime of so many threads. One is enough for most, and on a small machine it is the fastest.
///
/// # Errors
///
/// The system has no thread to give.
pub(crate) fn of(threads: usize) -> io::Result<Runtime> {
    if threads <= 1 {
        Builder::new_current_thread().enable_all().build()
    } else {
        Builder::new_multi_thread().worker_threads(threads).enable_all().build()
    }
}
