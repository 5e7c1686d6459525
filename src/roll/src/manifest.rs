//! What the roll holds, in a file beside it.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::MANIFEST_NAME;

/// What the roll holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Records in the roll.
    pub records: u64,
    /// Batches in the roll.
    pub batches: u64,
    /// Records of those batches that are dead letters, and so not in the roll.
    pub dead: u64,
    /// The roll's length, in bytes.
    pub bytes: u64,
    /// The roll's SHA-256, in hexadecimal.
    pub sha256: String,
    /// The batches that were added last, up to 256, the last one at the end.
    pub recent: VecDeque<Entry>,
}

/// How many batches the manifest names: more than a store that loses its last two seconds can
/// have forgotten.
const RECENT_MAX: usize = 256;

/// A batch in the roll.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its id.
    pub batch: String,
    /// Records of it in the roll.
    pub records: u64,
    /// Records of it that were dead letters then.
    pub dead: u64,
    /// SHA-256 of its records as they are in the roll, each with a line break at its end, in
    /// hexadecimal.
    pub sha256: String,
}

/// Why there is no manifest to be had.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The file system refused.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The manifest.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The manifest is not one.
    #[error("{} is no manifest: {problem}", path.display())]
    NoManifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

impl Manifest {
    /// The entry of a batch, if it was added lately.
    pub fn entry(&self, batch: &str) -> Option<&Entry> {
        self.recent.iter().rev().find(|entry| entry.batch == batch)
    }

    /// Counts a batch.
    pub fn add(&mut self, entry: Entry) {
        self.batches += 1;
        self.dead += entry.dead;
        self.recent.push_back(entry);
        if self.recent.len() > RECENT_MAX {
            self.recent.pop_front();
        }
    }

    /// Reads the manifest in this folder; where there is none, nothing has been written yet.
    ///
    /// # Errors
    ///
    /// It is there and cannot be read.
    pub fn read(folder: &Path) -> Result<Option<Self>, Unreadable> {
        let path = folder.join(MANIFEST_NAME);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Unreadable::Io { path, source }),
        };
        serde_json::from_slice(&text)
            .map(Some)
            .map_err(|error| Unreadable::NoManifest { path, problem: error.to_string() })
    }
}
