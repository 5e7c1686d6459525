//! What the roll holds, in a file beside it.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

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
    /// What lets the next writer go on behind the records that stand; not needed to read the roll.
    pub resume: Option<Resume>,
    /// The batches that were added last, the last one at the end: at least the last 256, and all
    /// that a store can still forget.
    pub recent: VecDeque<Entry>,
}

/// What lets a writer add to the roll without reading what stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resume {
    /// When the file was last changed: a roll that was changed since has another time.
    pub modified: SystemTime,
    /// The state of its SHA-256 behind the last record, before the array is closed, in base64.
    pub sha256_state: String,
}

/// How many batches the manifest names at least.
const RECENT_MIN: usize = 256;
/// For how long a store may still forget that a batch was written, once its roll's successor is
/// there: one that loses its last two seconds, with room.
const FORGETTING: Duration = Duration::from_secs(10);

/// A batch in the roll.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its id.
    pub batch: String,
    /// Records of it in the roll.
    pub records: u64,
    /// Records of it that were dead letters then.
    pub dead: u64,
    /// SHA-256 of its part of the roll, from the first byte of its first record to the last of its
    /// last one, in hexadecimal.
    pub sha256: String,
    /// When the writing that added it began, in milliseconds since 1970.
    pub written_ms: u64,
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
        while self.recent.len() > RECENT_MIN && self.is_first_remembered() {
            self.recent.pop_front();
        }
    }

    /// Whether the store can no longer forget the first of the recent batches. It is told of a
    /// batch after this manifest is there, and before the next writing begins.
    fn is_first_remembered(&self) -> bool {
        let written = |entry: Option<&Entry>| entry.map_or(0, |entry| entry.written_ms);
        let (first, last) = (written(self.recent.front()), written(self.recent.back()));
        let next = self.recent.iter().map(|entry| entry.written_ms).find(|next| *next > first);
        next.is_some_and(|next| Duration::from_millis(last.saturating_sub(next)) > FORGETTING)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u64, written_ms: u64) -> Entry {
        Entry { batch: number.to_string(), records: 1, dead: 0, sha256: String::new(), written_ms }
    }

    fn named(manifest: &Manifest) -> usize {
        manifest.recent.len()
    }

    #[test]
    fn a_batch_is_named_until_the_store_cannot_forget_it() {
        let mut manifest = Manifest::default();
        (0..1000).for_each(|number| manifest.add(entry(number, 0)));
        assert_eq!(named(&manifest), 1000, "all of one writing");
        // However late the next writing begins: the store was told of the first just before it.
        manifest.add(entry(1000, 3_600_000));
        assert_eq!(named(&manifest), 1001);
        manifest.add(entry(1001, 3_610_000));
        assert_eq!(named(&manifest), 1002);
        manifest.add(entry(1002, 3_610_001));
        assert_eq!((named(&manifest), manifest.batches), (256, 1003));
        assert!(manifest.entry("746").is_none() && manifest.entry("747").is_some());
    }
}
