//! A roll in the making.
//!
//! `[`, then a line for each record with commas in between, then `]`, each on a line of its own.
//! An array without records is `[` and `]`.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use muster_queue::Batch;
use muster_roll::{Entry, FORMAT, Manifest, Resume};
use sha2::digest::common::hazmat::SerializableState as _;
use sha2::{Digest as _, Sha256};

use super::Error;
use super::folder::Folder;
use super::lines::{BatchDigest, Block, hex};
use super::lock::Lock;
use super::replace::{publish_manifest, rename};
use super::standing::Standing;
use super::status::Status;

const HEAD: &[u8] = b"[\n";
pub(super) const TAIL: &[u8] = b"\n]\n";
/// An array without records: here the line break before the bracket is the head's.
const EMPTY: &[u8] = b"[\n]\n";

/// How many bytes are copied, or written and synced, in one step.
const STEP_BYTES: u64 = 256 << 20;

/// The file of a roll in the making. If the roll is not published, the file goes: a disk that is full must not
/// be kept so by it.
struct Leftover(PathBuf);

impl Drop for Leftover {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A roll in the making, in a file of its own beside the one that stands. Its methods block.
///
/// It keeps the lock on the folder: a thread that still writes when everything else has ended
/// keeps others from writing.
pub(super) struct NewRoll {
    /// Before the lock, so that it goes first: nobody else has the file.
    _leftover: Leftover,
    lock: Lock,
    status: Arc<Status>,
    folder: Folder,
    path: PathBuf,
    file: File,
    digest: Sha256,
    manifest: Manifest,
    began_ms: u64,
    /// How many bytes were written since the last sync.
    unsynced: u64,
}

impl NewRoll {
    /// Begins with what stands, as `manifest` describes it.
    ///
    /// # Errors
    ///
    /// The file system fails, or something else stands.
    pub(super) fn after(folder: Folder, manifest: Manifest, lock: Lock) -> Result<Self, Error> {
        let status = Arc::clone(&folder.status);
        let step = status.step();
        let (path, file) = folder.create_roll(&manifest)?;
        let since_1970 = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        drop(step);
        let mut roll = Self {
            _leftover: Leftover(path.clone()),
            lock,
            status,
            path,
            file,
            digest: Sha256::new(),
            manifest: Manifest { format: FORMAT, bytes: 0, ..manifest.clone() },
            folder,
            began_ms: since_1970.as_millis().try_into().unwrap_or(u64::MAX),
            unsynced: 0,
        };
        if manifest.records > 0 {
            roll.copy_records(&manifest)?;
        }
        Ok(roll)
    }

    /// Copies the records that stand, and makes sure that they are what was written.
    fn copy_records(&mut self, manifest: &Manifest) -> Result<(), Error> {
        let standing = Standing::open(self.folder.path())?;
        let Some(digest) = standing.known_digest(manifest)? else {
            let status = Arc::clone(&self.status);
            let write = |piece: &[u8]| self.write_undigested(piece);
            self.digest = standing.read_records(manifest, &status, write)?;
            return Ok(());
        };
        let len = manifest.bytes.saturating_sub(TAIL.len() as u64);
        while self.manifest.bytes < len {
            let step = self.status.step();
            // The kernel copies; where the file system can, the two files share what is the same.
            let mut piece = (&standing.file).take(STEP_BYTES.min(len - self.manifest.bytes));
            let copied = io::copy(&mut piece, &mut self.file);
            let copied = copied.map_err(|error| standing.failed("copy", error))?;
            drop(step);
            if copied == 0 {
                return Err(standing.changed("it is shorter"));
            }
            self.manifest.bytes += copied;
            self.sync_after(copied)?;
            self.lock.sign();
        }
        self.digest = digest;
        Ok(())
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
        let end = if self.manifest.records == 0 { EMPTY } else { TAIL };
        let roll = self.digest.clone().chain_update(end).finalize();
        self.manifest.add(Entry {
            batch: batch.id.to_string(),
            opened_ms: opened_ms(batch),
            received: batch.digest.map(|digest| digest.to_string()),
            records: digest.records,
            dead: batch.dead,
            sha256: digest.sha256(),
            written_ms: self.began_ms,
            roll_sha256: hex(&roll),
        });
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.digest.update(bytes);
        self.write_undigested(bytes)
    }

    /// Writes, and syncs from time to time: so that no sync takes long, and others see progress.
    fn write_undigested(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let step = self.status.step();
        let written = self.file.write_all(bytes);
        drop(step);
        written.map_err(|source| Error::io("write", &self.path, source))?;
        self.manifest.bytes += bytes.len() as u64;
        self.sync_after(bytes.len() as u64)?;
        self.lock.sign();
        Ok(())
    }

    /// Syncs from time to time, when this much more was written.
    fn sync_after(&mut self, bytes: u64) -> Result<(), Error> {
        self.unsynced += bytes;
        if self.unsynced >= STEP_BYTES {
            let _step = self.status.step();
            self.file.sync_data().map_err(|source| Error::io("write", &self.path, source))?;
            self.unsynced = 0;
        }
        Ok(())
    }

    /// Puts the new roll in the place of the one that stands, then its manifest.
    ///
    /// # Errors
    ///
    /// The file system fails.
    pub(super) fn publish(mut self) -> Result<(Manifest, Lock), Error> {
        let state = BASE64.encode(self.digest.serialize());
        self.write(if self.manifest.records == 0 { EMPTY } else { TAIL })?;
        let step = self.status.step();
        let synced = self.file.sync_all().and_then(|()| self.file.metadata()?.modified());
        let modified = synced.map_err(|source| Error::io("write", &self.path, source))?;
        self.manifest.sha256 = hex(&self.digest.finalize());
        self.manifest.resume = Some(Resume { modified, sha256_state: state });
        // If this writer is lost between the two renames, the manifest tells that the roll is its own.
        step.renew();
        self.folder.prepare_manifest(&self.manifest)?;
        step.renew();
        rename(&self.path, &self.folder.roll_path())?;
        step.renew();
        publish_manifest(self.folder.path())?;
        Ok((self.manifest, self.lock))
    }
}

/// When the batch was opened, in milliseconds since 1970. 0 if the store does not know.
pub(super) fn opened_ms(batch: &Batch) -> u64 {
    let opened = batch.times.opened.and_then(|opened| opened.duration_since(UNIX_EPOCH).ok());
    opened.and_then(|opened| opened.as_millis().try_into().ok()).unwrap_or_default()
}
