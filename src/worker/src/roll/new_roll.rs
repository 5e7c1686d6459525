//! A roll in the making.
//!
//! `[`, then a line for each record with commas in between, then `]`, each on a line of its own.
//! An array without records is `[` and `]`.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::PathBuf;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use muster_queue::Batch;
use muster_roll::{Entry, FILE_NAME, Manifest, Resume};
use sha2::digest::common::hazmat::SerializableState as _;
use sha2::{Digest as _, Sha256};

use super::Error;
use super::lines::{BatchDigest, Block, hex};
use super::lock::Lock;
use super::replace::{beside, rename, write_manifest};

const HEAD: &[u8] = b"[\n";
const TAIL: &[u8] = b"\n]\n";
/// An array without records: here the line break before the bracket is the head's.
const EMPTY: &[u8] = b"[\n]\n";

/// How much is read at once, in bytes.
const BUFFER_BYTES: usize = 1 << 20;

/// A roll in the making, in a file of its own beside the one that stands. Its methods block.
///
/// It keeps the lock on the folder: a thread that still writes when everything else has ended
/// keeps others from writing.
pub(super) struct NewRoll {
    lock: Lock,
    folder: PathBuf,
    path: PathBuf,
    file: File,
    digest: Sha256,
    manifest: Manifest,
    began_ms: u64,
}

impl NewRoll {
    /// Begins with what stands, as `manifest` describes it.
    ///
    /// # Errors
    ///
    /// The file system fails, or something else stands.
    pub(super) fn after(folder: PathBuf, manifest: Manifest, lock: Lock) -> Result<Self, Error> {
        let path = beside(&folder.join(FILE_NAME));
        let file = File::create(&path).map_err(|source| Error::io("create", &path, source))?;
        let since_1970 = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        let mut roll = Self {
            lock,
            path,
            file,
            digest: Sha256::new(),
            manifest: Manifest { bytes: 0, ..manifest.clone() },
            folder,
            began_ms: since_1970.as_millis().try_into().unwrap_or(u64::MAX),
        };
        if manifest.records > 0 {
            roll.copy_records(&manifest)?;
        }
        Ok(roll)
    }

    /// Copies the records that stand, and makes sure that they are what was written.
    fn copy_records(&mut self, manifest: &Manifest) -> Result<(), Error> {
        let path = self.folder.join(FILE_NAME);
        let changed = |problem| Error::Changed { path: path.clone(), problem };
        let unread = |source| Error::io("read", &path, source);
        let standing = File::open(&path).map_err(|source| match source.kind() {
            ErrorKind::NotFound => changed("it is gone"),
            _ => Error::io("open", &path, source),
        })?;
        let len = manifest.bytes.saturating_sub(TAIL.len() as u64);
        if let Some(digest) = digest_of_untouched(&standing, manifest).map_err(unread)? {
            // The kernel copies; where the file system can, the two files share what is the same.
            let copied = io::copy(&mut standing.take(len), &mut self.file);
            let copied = copied.map_err(|source| Error::io("copy", &path, source))?;
            self.manifest.bytes = copied;
            self.digest = digest;
            return if copied == len { Ok(()) } else { Err(changed("it is shorter")) };
        }
        let mut standing = standing.take(len);
        let mut piece = vec![0; BUFFER_BYTES];
        while standing.limit() > 0 {
            let len = standing.read(&mut piece).map_err(unread)?;
            if len == 0 {
                return Err(changed("it is shorter"));
            }
            self.write(&piece[..len])?;
        }
        let digest = self.digest.clone().chain_update(TAIL);
        if hex(&digest.finalize()) == manifest.sha256 {
            Ok(())
        } else {
            Err(changed("its SHA-256 differs"))
        }
    }

    /// Adds records.
    ///
    /// # Errors
    ///
    /// The file system fails.
    pub(super) fn add(&mut self, block: &Block) -> Result<(), Error> {
        if self.manifest.records == 0 {
            self.write(HEAD)?;
            self.write(block.leading())?;
        } else {
            self.write(block.following())?;
        }
        self.manifest.records += block.records();
        Ok(())
    }

    /// Counts a batch, all of whose records were added.
    pub(super) fn end(&mut self, batch: &Batch, digest: BatchDigest) {
        self.manifest.add(Entry {
            batch: batch.id.to_string(),
            records: digest.records,
            dead: batch.dead,
            sha256: digest.sha256(),
            written_ms: self.began_ms,
        });
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.digest.update(bytes);
        self.manifest.bytes += bytes.len() as u64;
        self.file.write_all(bytes).map_err(|source| Error::io("write", &self.path, source))
    }

    /// Puts the new roll in the place of the one that stands, then its manifest.
    ///
    /// # Errors
    ///
    /// The file system fails.
    pub(super) fn publish(mut self) -> Result<(Manifest, Lock), Error> {
        let state = BASE64.encode(self.digest.serialize());
        self.write(if self.manifest.records == 0 { EMPTY } else { TAIL })?;
        let synced = self.file.sync_all().and_then(|()| self.file.metadata()?.modified());
        let modified = synced.map_err(|source| Error::io("write", &self.path, source))?;
        self.manifest.sha256 = hex(&self.digest.finalize());
        self.manifest.resume = Some(Resume { modified, sha256_state: state });
        rename(&self.path, &self.folder.join(FILE_NAME))?;
        write_manifest(&self.folder, &self.manifest)?;
        Ok((self.manifest, self.lock))
    }
}

/// The digest behind the last record, if nobody has changed the file since it was written, as far
/// as its length and time tell: what Git, too, takes for a file that needs no look.
fn digest_of_untouched(standing: &File, manifest: &Manifest) -> io::Result<Option<Sha256>> {
    let Some(resume) = &manifest.resume else {
        return Ok(None);
    };
    let found = standing.metadata()?;
    if found.len() != manifest.bytes || found.modified()? != resume.modified {
        return Ok(None);
    }
    let state = BASE64.decode(&resume.sha256_state).ok();
    let state = state.and_then(|state| state.as_slice().try_into().ok());
    Ok(state.and_then(|state| Sha256::deserialize(&state).ok()))
}
