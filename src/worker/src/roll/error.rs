//! Why the roll was not written.

use std::fmt;
use std::path::{Path, PathBuf};

use muster_queue::{BatchId, RollState};

use super::agreement::Difference;

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
        "{} is not what its manifest says: {problem}. Something else changed it: put it back, or \
         accept it as it is with `muster-worker roll accept`", path.display()
    )]
    Changed {
        /// The roll.
        path: PathBuf,
        /// What differs.
        problem: &'static str,
    },
    /// The store and the folder do not mean the same roll.
    #[error(
        "the roll in {} is not the one that the store knows: {difference}{}. Put the right one \
         back, or accept this one with `muster-worker roll accept`",
        folder.display(), Missing(missing)
    )]
    Differs {
        /// The folder of the roll.
        folder: PathBuf,
        /// How they differ.
        difference: Box<Difference>,
        /// Batches that the store knows to be in the roll, and that are not in this one: some of them, if
        /// they are many.
        missing: Vec<BatchId>,
    },
    /// The store is so old a copy that batches could be added twice once the roll is accepted.
    #[error(
        "the store knows {store}, and the manifest in {} names the last {named} of {batches} batches: one \
         that the store has, and that was added before those, would be added a second time. Put a newer \
         copy of the store back, or begin with an empty one, or accept this with `muster-worker roll accept \
         --may-duplicate`",
        folder.display()
    )]
    TooOld {
        /// The folder of the roll.
        folder: PathBuf,
        /// What the store knows.
        store: RollState,
        /// How many batches the roll has.
        batches: u64,
        /// How many of them its manifest names.
        named: usize,
    },
    /// The store has changed between two steps, in a way that the next check finds out about.
    #[error("the store has changed what it knows of the roll; this is checked again")]
    StoreChanged,
    /// Another writer holds the lock of the folder, and does nothing.
    #[error(
        "another writer has locked the roll in {} and makes no progress: {holder}. End it if it \
         is frozen", folder.display()
    )]
    Locked {
        /// The folder of the roll.
        folder: PathBuf,
        /// Who says to hold it.
        holder: String,
    },
    /// The file system has no locks.
    #[error(
        "cannot lock {}: its file system has no locks, and without them two workers could write \
         at once. Mount it with locks, or use another file system", path.display()
    )]
    NoLocks {
        /// The lock file.
        path: PathBuf,
    },
    /// What is in the place of the roll cannot be accepted as one.
    #[error(
        "{} is not a whole roll: line {line}: {problem}. Put a whole one back, or move it and its \
         manifest away to begin a new roll", path.display()
    )]
    NotARoll {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
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
    /// What tells this problem from others: its words, but for the numbers that grow while it stands.
    pub(super) fn kind(&self) -> String {
        match self {
            Self::Differs { difference, .. } => {
                format!("{:?}", std::mem::discriminant(difference.as_ref()))
            }
            error => error.to_string(),
        }
    }

    pub(super) fn io(verb: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::Io { verb, path: path.to_owned(), source }
    }
}

/// Batches that are missing, behind what is said before.
struct Missing<'a>(&'a [BatchId]);

impl fmt::Display for Missing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, batch) in self.0.iter().enumerate() {
            let before = if index == 0 { "; it lacks, among others, " } else { ", " };
            write!(f, "{before}{batch}")?;
        }
        Ok(())
    }
}
