//! A roll that an operator accepts as it is.

use std::io::{BufRead as _, BufReader};

use muster_queue::{Queue, RollState};
use muster_roll::{Entry, Manifest, Unreadable};
use serde::de::IgnoredAny;
use sha2::{Digest as _, Sha256};

use super::agreement::state_of;
use super::folder::Folder;
use super::lines::hex;
use super::lock::Lock;
use super::standing::Standing;
use super::{Error, background, settle};

/// The name in a manifest of what was in a roll that was accepted without one. Not an id of a batch.
const ACCEPTED: &str = "(accepted)";

/// What was accepted.
#[derive(Debug)]
pub enum Accepted {
    /// There was no roll in the folder: a new one was begun.
    New(Manifest),
    /// The roll is what its manifest says.
    AsDescribed(Manifest),
    /// The roll is something else than its manifest says, or has no manifest: it has a new one.
    AsFound(Manifest),
}

impl Accepted {
    /// What the roll holds.
    pub fn manifest(&self) -> &Manifest {
        let (Self::New(manifest) | Self::AsDescribed(manifest) | Self::AsFound(manifest)) = self;
        manifest
    }
}

/// Makes the roll in this folder the roll of the store, whatever the store knew before. A store that is too
/// old a copy is refused unless batches `may_duplicate`.
///
/// # Errors
///
/// The store or the file system fails, another writer is at work, what is in the folder is not a roll, or the
/// store is too old.
pub(super) async fn accept(
    queue: &dyn Queue,
    folder: &Folder,
    lock: Lock,
    may_duplicate: bool,
) -> Result<Accepted, Error> {
    let (here, store) = (folder.clone(), queue.roll().await?);
    let accepted = background::run(move || {
        let mut lock = lock;
        let accepted = describe(&here, &mut lock)?;
        let manifest = accepted.manifest();
        if let Some(store) = store.filter(|_| !may_duplicate) {
            check_age(&here, store, manifest)?;
        }
        here.write_manifest(manifest)?;
        Ok((accepted, lock))
    });
    let (accepted, _lock) = accepted.await?;
    let after = state_of(accepted.manifest());
    let mut known = queue.roll().await?;
    while known.as_ref() != Some(&after) {
        known = queue.set_roll(known.as_ref(), &after).await?;
    }
    Ok(accepted)
}

/// Checks that the manifest names all batches that were added since the store was copied.
fn check_age(folder: &Folder, store: RollState, manifest: &Manifest) -> Result<(), Error> {
    let Manifest { ref id, batches, ref recent, .. } = *manifest;
    let added = batches.saturating_sub(store.batches);
    if store.id != *id || added <= recent.len() as u64 {
        return Ok(());
    }
    let folder = folder.path().to_owned();
    Err(Error::TooOld { folder, store, batches, named: recent.len() })
}

/// What the roll in the folder is, and the manifest that fits it.
fn describe(folder: &Folder, lock: &mut Lock) -> Result<Accepted, Error> {
    if folder.manifest().is_ok() {
        folder.finish_publication()?;
    }
    let manifest = match folder.manifest() {
        // It is written again from the roll.
        Err(Error::Manifest(Unreadable::NoManifest { .. })) => None,
        manifest => manifest?,
    };
    let path = folder.roll_path();
    let has_roll = path.try_exists().map_err(|source| Error::io("look for", &path, source))?;
    Ok(match manifest {
        None if !has_roll => return folder.begin().map(Accepted::New),
        Some(manifest) if !has_roll && manifest.batches > 0 => {
            return Err(Error::Changed { path, problem: "it is gone" });
        }
        Some(manifest) => match folder.verify(&manifest, lock) {
            Ok(()) => Accepted::AsDescribed(with_id(manifest)),
            Err(Error::Changed { .. }) => {
                Accepted::AsFound(described(folder, with_id(manifest), lock)?)
            }
            Err(error) => return Err(error),
        },
        None => Accepted::AsFound(described(folder, with_id(Manifest::default()), lock)?),
    })
}

fn with_id(manifest: Manifest) -> Manifest {
    let id = if manifest.id.is_empty() { settle::new_id() } else { manifest.id.clone() };
    Manifest { known_to_store: true, ..manifest.with_id(id) }
}

/// The manifest of the roll that is there, with the batches of this one; or with one batch, if it has none.
fn described(folder: &Folder, mut manifest: Manifest, lock: &mut Lock) -> Result<Manifest, Error> {
    let standing = Standing::open(folder.path())?;
    let mut survey = Survey::default();
    let mut reader = BufReader::with_capacity(1 << 20, &standing.file);
    let mut line = Vec::new();
    loop {
        line.clear();
        let step = folder.status.step();
        let read = reader.read_until(b'\n', &mut line);
        drop(step);
        if read.map_err(|error| standing.failed("read", error))? == 0 {
            break;
        }
        survey.add(&line).map_err(|problem| not_a_roll(folder, survey.lines, problem))?;
        lock.sign();
    }
    if !survey.is_over {
        return Err(not_a_roll(folder, survey.lines + 1, "the array does not end".to_owned()));
    }
    let Survey { records, bytes, digest, .. } = survey;
    let sha256 = hex(&digest.finalize());
    forget_missing(&mut manifest, records);
    if manifest.batches == 0 {
        manifest.add(Entry { batch: ACCEPTED.to_owned(), records, ..Entry::default() });
    }
    let id = manifest.id.clone();
    Ok(Manifest { records, bytes, sha256, resume: None, ..manifest }.with_id(id))
}

/// Forgets the last batches, where the roll has fewer records than they need: they are not in it, and must be
/// added if the store has them.
fn forget_missing(manifest: &mut Manifest, records: u64) {
    while manifest.records > records
        && let Some(last) = manifest.recent.pop_back()
    {
        manifest.records = manifest.records.saturating_sub(last.records);
        manifest.batches = manifest.batches.saturating_sub(1);
        manifest.dead = manifest.dead.saturating_sub(last.dead);
    }
}

fn not_a_roll(folder: &Folder, line: u64, problem: String) -> Error {
    Error::NotARoll { path: folder.roll_path(), line, problem }
}

/// A file that is read to find out whether it is a roll: `[`, the records with a comma behind each but the
/// last, `]`, each on a line of its own.
#[derive(Default)]
struct Survey {
    digest: Sha256,
    bytes: u64,
    lines: u64,
    records: u64,
    /// Whether the last record had a comma.
    goes_on: bool,
    is_over: bool,
}

impl Survey {
    /// Adds a line, or says why it cannot follow those before.
    fn add(&mut self, line: &[u8]) -> Result<(), String> {
        self.lines += 1;
        self.bytes += line.len() as u64;
        self.digest.update(line);
        let Some(text) = line.strip_suffix(b"\n") else { return Err("it is cut off".to_owned()) };
        match (text, self.lines) {
            (b"[", 1) => {}
            (_, 1) => return Err("it is not `[`".to_owned()),
            _ if self.is_over => return Err("it follows the end of the array".to_owned()),
            (b"]", _) if self.records == 0 || !self.goes_on => self.is_over = true,
            _ if self.records > 0 && !self.goes_on => {
                return Err("a comma is missing before it".to_owned());
            }
            (record, _) => {
                let json = record.strip_suffix(b",");
                self.goes_on = json.is_some();
                serde_json::from_slice::<IgnoredAny>(json.unwrap_or(record))
                    .map_err(|error| error.to_string())?;
                self.records += 1;
            }
        }
        Ok(())
    }
}
