//! What the roll holds, in a file beside it.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::path::Path;

use muster_queue::BatchId;
use serde::{Deserialize, Serialize};

use super::{Error, MANIFEST_NAME, file};

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

impl Manifest {
    /// The entry of a batch, if it was added lately.
    pub(super) fn entry(&self, batch: &BatchId) -> Option<&Entry> {
        self.recent.iter().rev().find(|entry| entry.batch == batch.as_str())
    }

    /// Counts a batch.
    pub(super) fn add(&mut self, entry: Entry) {
        self.batches += 1;
        self.dead += entry.dead;
        self.recent.push_back(entry);
        if self.recent.len() > RECENT_MAX {
            self.recent.pop_front();
        }
    }

    /// Reads the manifest in this folder; where there is none, nothing has been written yet.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, Error> {
        let path = folder.join(MANIFEST_NAME);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("read", &path, error)),
        };
        serde_json::from_slice(&text)
            .map(Some)
            .map_err(|error| Error::NoManifest { path, problem: error.to_string() })
    }

    /// Puts this manifest into the folder, in the place of the one before.
    pub(super) fn write(&self, folder: &Path) -> Result<(), Error> {
        let path = folder.join(MANIFEST_NAME);
        let no_json = |error: serde_json::Error| Error::io("write", &path, error.into());
        let mut text = serde_json::to_vec_pretty(self).map_err(no_json)?;
        text.push(b'\n');
        file::replace(&path, &text)
    }
}
