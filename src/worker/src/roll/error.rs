//! Why the roll was not written.

use std::path::{Path, PathBuf};

use muster_queue::BatchId;

/// Why the roll was not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file system refused.
    #[error("cannot {verb} {}: {source}", path.display())]
    Io {
        /// What was tried: `write`, `rename`.
        verb: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The system gives no thread.
    #[error("cannot begin a thread that writes the roll: {0}")]
    Thread(std::io::Error),
    /// The roll was changed by someone else since it was written.
    #[error(
        "{} is not what its manifest says ({problem}): someone else changed it. Put it back, or \
         move it and its manifest away to begin a new roll", path.display()
    )]
    Changed {
        /// The roll.
        path: PathBuf,
        /// What differs.
        problem: &'static str,
    },
    /// The manifest cannot be read.
    #[error(transparent)]
    Manifest(#[from] muster_roll::Unreadable),
    /// The store does not have all results of a batch that it calls complete.
    #[error("the store has results up to place {found} of batch {batch}, not {expected}")]
    ResultsMissing {
        /// The batch.
        batch: BatchId,
        /// The place up to which there are results.
        found: u64,
        /// How many records the batch has.
        expected: u64,
    },
    /// A result is no chunk.
    #[error("a result in the store cannot be read: {0}")]
    Unreadable(#[from] muster_proto::chunk::Unreadable),
    /// The store failed.
    #[error(transparent)]
    Queue(#[from] muster_queue::Error),
}

impl Error {
    pub(super) fn io(verb: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::Io { verb, path: path.to_owned(), source }
    }
}
