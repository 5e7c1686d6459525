//! What the roll holds, in a file beside it.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::MANIFEST_NAME;

/// The format of the manifests that this version writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// What the roll holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The format of the manifest, up to [`FORMAT`]. 0 in manifests without it.
    #[serde(default)]
    pub format: u32,
    /// The id of the roll: new for each one that is begun. Empty in a manifest of format 0.
    #[serde(default)]
    pub id: String,
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
    /// Whether the store was told of this roll. Until then, no batch is written to it.
    #[serde(default)]
    pub known_to_store: bool,
    /// The name of the file in the same folder in which the roll before this one is kept, if it was rotated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<String>,
    /// The roll before this one, as it was when this one was begun: as long as a store may still forget
    /// that batches were written to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Box<Self>>,
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
pub const FORGETTING: Duration = Duration::from_secs(10);

/// A batch in the roll.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its id.
    pub batch: String,
    /// When it was opened, by the store's clock, in milliseconds since 1970. 0 where that is not known.
    #[serde(default)]
    pub opened_ms: u64,
    /// The digest of all its records as they were received, in hexadecimal. `None` where it is not known.
    #[serde(default)]
    pub received: Option<String>,
    /// Records of it in the roll.
    pub records: u64,
    /// Records of it that were dead letters then.
    pub dead: u64,
    /// SHA-256 of its part of the roll, from the first byte of its first record to the last of its
    /// last one, in hexadecimal.
    pub sha256: String,
    /// When the writing that added it began, in milliseconds since 1970.
    pub written_ms: u64,
    /// SHA-256 of the roll up to this batch, in hexadecimal. Empty where a version without it wrote the
    /// entry.
    #[serde(default)]
    pub roll_sha256: String,
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
    /// A later version wrote it.
    #[error(
        "{} has format {format}, and this version reads formats up to {FORMAT}: use the version of \
         Muster that wrote it, or a later one", path.display()
    )]
    Newer {
        /// The manifest.
        path: PathBuf,
        /// Its format.
        format: u32,
    },
    /// The manifest is not one.
    #[error("{} is not a manifest: {problem}", path.display())]
    NoManifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

impl Manifest {
    /// The entry of a batch, if it was added lately, to this roll or to the one before.
    pub fn entry(&self, batch: &str) -> Option<&Entry> {
        let here = self.recent.iter().rev().find(|entry| entry.batch == batch);
        here.or_else(|| self.previous.as_ref()?.entry(batch))
    }

    /// The roll that has this batch: this one, or the one before.
    pub fn holder(&self, batch: &str) -> &Self {
        let previous = self
            .previous
            .as_deref()
            .filter(|_| !self.recent.iter().any(|entry| entry.batch == batch));
        previous.filter(|previous| previous.entry(batch).is_some()).unwrap_or(self)
    }

    /// The manifest of a roll that begins.
    pub fn of_new_roll(id: String) -> Self {
        Self { format: FORMAT, id, ..Self::default() }
    }

    /// The manifest of the same roll with an id, where an earlier version wrote it without one.
    #[must_use]
    pub fn with_id(mut self, id: String) -> Self {
        if let Some(last) = self.recent.back_mut() {
            last.roll_sha256.clone_from(&self.sha256);
        }
        Self { format: FORMAT, id, ..self }
    }

    /// The manifest of a roll that begins where this one ends, which is kept in a file of this name.
    pub fn followed_by(self, id: String, kept: String) -> Self {
        let previous = Some(Box::new(Self { previous: None, ..self }));
        Self { previous, kept: Some(kept), known_to_store: true, ..Self::of_new_roll(id) }
    }

    /// The SHA-256 of the roll when it had this many batches: empty when it had none. `None` if not all
    /// batches that were added since are named, or if there were never this many.
    pub fn sha256_at(&self, batches: u64) -> Option<&str> {
        let unnamed = self.batches.saturating_sub(self.recent.len() as u64);
        match usize::try_from(batches.checked_sub(unnamed)?).ok()? {
            _ if batches == self.batches => Some(&self.sha256),
            0 if unnamed == 0 => Some(""),
            named => self.recent.get(named.checked_sub(1)?).map(|entry| entry.roll_sha256.as_str()),
        }
    }

    /// The batches that were added after the roll had this many: the last of them, if not all are named.
    pub fn added_since(&self, batches: u64) -> impl Iterator<Item = &Entry> {
        let added = usize::try_from(self.batches.saturating_sub(batches)).unwrap_or(usize::MAX);
        self.recent.iter().skip(self.recent.len().saturating_sub(added))
    }

    /// Counts a batch.
    pub fn add(&mut self, entry: Entry) {
        self.batches += 1;
        self.dead += entry.dead;
        self.recent.push_back(entry);
        while self.recent.len() > RECENT_MIN && self.is_first_remembered() {
            self.recent.pop_front();
        }
        let written = |entry: Option<&Entry>| entry.map_or(0, |entry| entry.written_ms);
        let span = written(self.recent.back()).saturating_sub(written(self.recent.front()));
        if Duration::from_millis(span) > FORGETTING {
            self.previous = None;
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
        match serde_json::from_slice(&text) {
            Ok(Self { format, .. }) if format > FORMAT => Err(Unreadable::Newer { path, format }),
            Ok(manifest) => Ok(Some(manifest)),
            Err(error) => Err(Unreadable::NoManifest { path, problem: error.to_string() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u64, written_ms: u64) -> Entry {
        let (batch, roll_sha256) = (number.to_string(), number.to_string());
        Entry { batch, records: 1, written_ms, roll_sha256, ..Entry::default() }
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

    #[test]
    fn digest_is_known_from_the_first_named_batch_on() {
        let mut manifest = Manifest::of_new_roll("id".to_owned());
        assert_eq!(manifest.sha256_at(0), Some(""));
        for number in 0..300 {
            manifest.add(entry(number, number * 60_000));
            manifest.sha256 = number.to_string();
        }
        assert_eq!((named(&manifest), manifest.batches), (256, 300));
        for (batches, sha256) in [
            (0, None),
            (44, None),
            (45, Some("44")),
            (299, Some("298")),
            (300, Some("299")),
            (301, None),
        ] {
            assert_eq!(manifest.sha256_at(batches), sha256, "{batches}");
        }
        for (batches, added) in [(0, 256), (44, 256), (45, 255), (299, 1), (300, 0), (301, 0)] {
            assert_eq!(manifest.added_since(batches).count(), added, "{batches}");
        }
    }

    #[test]
    fn previous_roll_is_named_until_the_store_cannot_forget_it() {
        let mut first = Manifest::of_new_roll("first".to_owned());
        first.add(entry(1, 0));
        let mut next = first
            .clone()
            .followed_by("next".to_owned(), String::new())
            .followed_by("third".to_owned(), String::new());
        assert_eq!(next.previous.as_ref().map(|roll| roll.previous.is_none()), Some(true));
        next = first.followed_by("next".to_owned(), String::new());
        assert!(next.entry("1").is_some() && next.batches == 0);
        next.add(entry(2, 60_000));
        next.add(entry(3, 70_000));
        assert!(next.entry("1").is_some());
        next.add(entry(4, 70_001));
        assert!(next.entry("1").is_none() && next.entry("2").is_some());
    }

    #[test]
    fn manifest_of_a_later_format_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let later = Manifest { format: FORMAT + 1, ..Manifest::default() };
        let text = serde_json::to_vec(&later).unwrap();
        std::fs::write(folder.path().join(MANIFEST_NAME), text).unwrap();
        let error = Manifest::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("has format 2, and this version reads formats up to 1"), "{error}");
    }
}
