//! The roll's file: how it is laid out, grows, and is replaced.
//!
//! `[`, then a line for each record with commas in between, then `]`, each on a line of its own.
//! An array without records is `[` and `]`.

use std::fs::{File, TryLockError};
use std::io::{BufWriter, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use muster_proto::chunk::{Decoder, Unreadable};
use muster_proto::user::User;
use muster_queue::{Batch, ResultChunk};
use sha2::{Digest as _, Sha256};

use super::{Entry, Error, FILE_NAME, LOCK_NAME, MANIFEST_NAME, Manifest};

const HEAD: &[u8] = b"[\n";
const SEPARATOR: &[u8] = b",\n";
const TAIL: &[u8] = b"\n]\n";
/// An array without records: here the line break before the bracket is the head's.
const EMPTY: &[u8] = b"[\n]\n";

/// How much is read and written at once, in bytes.
const BUFFER_BYTES: usize = 1 << 20;

/// The right to write in a folder: against other writers in this process, in others on this
/// machine, and on others where the file system takes locks there. It ends when this is dropped.
pub(super) struct Lock(#[expect(dead_code, reason = "it is held, not read")] File);

impl Lock {
    /// Takes the lock; `None` while another has it.
    pub(super) fn take(folder: &Path) -> Result<Option<Self>, Error> {
        // A file, since NFS keeps the lock of a folder to one machine; open for writing, since it
        // refuses an exclusive lock otherwise. It stays: who removed it could part two writers.
        let path = folder.join(LOCK_NAME);
        let file = File::options().create(true).append(true).open(&path);
        let file = file.map_err(|source| Error::io("open", &path, source))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(Error::io("lock", &path, source)),
        }
    }
}

/// Puts this manifest into the folder, in the place of the one before.
pub(super) fn write_manifest(folder: &Path, manifest: &Manifest) -> Result<(), Error> {
    let path = folder.join(MANIFEST_NAME);
    let no_json = |error: serde_json::Error| Error::io("write", &path, error.into());
    let mut text = serde_json::to_vec_pretty(manifest).map_err(no_json)?;
    text.push(b'\n');
    replace(&path, &text)
}

/// Puts a file in the place of another, so that there is always one of the two, whole.
fn replace(path: &Path, content: &[u8]) -> Result<(), Error> {
    let new = beside(path);
    let write = || {
        let mut file = File::create(&new)?;
        file.write_all(content)?;
        file.sync_all()
    };
    write().map_err(|source| Error::io("write", &new, source))?;
    rename(&new, path)
}

fn beside(path: &Path) -> PathBuf {
    path.with_added_extension("tmp")
}

/// Renames a file that is on the disk, and waits until the rename is as well.
fn rename(new: &Path, path: &Path) -> Result<(), Error> {
    std::fs::rename(new, path).map_err(|source| Error::io("rename", new, source))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| Error::io("sync", folder, source))
}

/// A roll in the making, in a file of its own beside the one that stands.
///
/// It keeps the lock on the folder: a thread that still writes when everything else has ended
/// keeps others from writing.
pub(super) struct NewRoll {
    lock: Lock,
    folder: PathBuf,
    path: PathBuf,
    file: BufWriter<File>,
    digest: Sha256,
    manifest: Manifest,
    batch: BatchDigest,
}

impl NewRoll {
    /// Begins with what stands, as `manifest` describes it.
    pub(super) async fn after(
        folder: &Path,
        manifest: Manifest,
        lock: Lock,
    ) -> Result<Self, Error> {
        let folder = folder.to_owned();
        blocking(move || Self::copy(folder, manifest, lock)).await
    }

    fn copy(folder: PathBuf, manifest: Manifest, lock: Lock) -> Result<Self, Error> {
        let path = beside(&folder.join(FILE_NAME));
        let file = File::create(&path).map_err(|source| Error::io("create", &path, source))?;
        let mut roll = Self {
            lock,
            path,
            file: BufWriter::with_capacity(BUFFER_BYTES, file),
            digest: Sha256::new(),
            batch: BatchDigest::default(),
            manifest: Manifest { bytes: 0, ..manifest.clone() },
            folder,
        };
        if manifest.records == 0 {
            return Ok(roll);
        }
        roll.copy_records(&manifest)?;
        Ok(roll)
    }

    /// Copies the records that stand, and makes sure that they are what was written.
    fn copy_records(&mut self, manifest: &Manifest) -> Result<(), Error> {
        let path = self.folder.join(FILE_NAME);
        let changed = |problem| Error::Changed { path: path.clone(), problem };
        let mut left = manifest.bytes.saturating_sub(TAIL.len() as u64);
        let file = File::open(&path).map_err(|source| match source.kind() {
            ErrorKind::NotFound => changed("it is gone"),
            _ => Error::io("open", &path, source),
        })?;
        let mut file = file.take(left);
        let mut piece = vec![0; BUFFER_BYTES];
        while left > 0 {
            let len = file.read(&mut piece).map_err(|source| Error::io("read", &path, source))?;
            if len == 0 {
                return Err(changed("it is shorter"));
            }
            self.write(&piece[..len])?;
            left -= len as u64;
        }
        let digest = self.digest.clone().chain_update(TAIL);
        if hex(digest) == manifest.sha256 { Ok(()) } else { Err(changed("its SHA-256 differs")) }
    }

    /// Adds the records of these results.
    pub(super) async fn add(mut self, results: Vec<ResultChunk>) -> Result<Self, Error> {
        blocking(move || {
            let mut batch = std::mem::take(&mut self.batch);
            batch.add(results, |record| self.add_record(record))?;
            self.batch = batch;
            Ok(self)
        })
        .await
    }

    fn add_record(&mut self, record: &[u8]) -> Result<(), Error> {
        self.write(if self.manifest.records == 0 { HEAD } else { SEPARATOR })?;
        self.write(record)?;
        self.manifest.records += 1;
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.digest.update(bytes);
        self.manifest.bytes += bytes.len() as u64;
        self.file.write_all(bytes).map_err(|source| Error::io("write", &self.path, source))
    }

    /// Puts the new roll in the place of the one that stands, then its manifest.
    pub(super) async fn publish(mut self, batch: &Batch) -> Result<(Manifest, Lock), Error> {
        let (records, sha256) = std::mem::take(&mut self.batch).finish();
        let entry = Entry { batch: batch.id.to_string(), records, dead: batch.dead, sha256 };
        self.manifest.add(entry);
        blocking(move || {
            self.write(if self.manifest.records == 0 { EMPTY } else { TAIL })?;
            let synced = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
            synced.map_err(|source| Error::io("write", &self.path, source))?;
            self.manifest.sha256 = hex(self.digest);
            rename(&self.path, &self.folder.join(FILE_NAME))?;
            write_manifest(&self.folder, &self.manifest)?;
            Ok((self.manifest, self.lock))
        })
        .await
    }
}

/// The records of a batch, as they stand in the roll, counted and digested.
#[derive(Default)]
pub(super) struct BatchDigest {
    records: u64,
    digest: Sha256,
    line: Vec<u8>,
}

impl BatchDigest {
    /// Adds the records of these results, and passes each on as it stands in the roll.
    pub(super) fn add(
        &mut self,
        results: Vec<ResultChunk>,
        mut pass_on: impl FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        for chunk in results {
            for record in Decoder::new(chunk.payload) {
                self.line.clear();
                let record = record?;
                let user = User::read(&record).map_err(Unreadable::from)?;
                serde_json::to_writer(&mut self.line, &user)
                    .map_err(|error| Error::io("write", Path::new(FILE_NAME), error.into()))?;
                pass_on(&self.line)?;
                self.line.push(b'\n');
                self.digest.update(&self.line);
                self.records += 1;
            }
        }
        Ok(())
    }

    /// How many records there were, and their SHA-256 in hexadecimal.
    pub(super) fn finish(self) -> (u64, String) {
        (self.records, hex(self.digest))
    }
}

fn hex(digest: Sha256) -> String {
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Runs what blocks on a thread that may.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}
