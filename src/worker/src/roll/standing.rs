//! The roll that stands: whether it is what its manifest says.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use muster_roll::{FILE_NAME, Manifest};
use sha2::digest::common::hazmat::SerializableState as _;
use sha2::{Digest as _, Sha256};

use super::Error;
use super::lines::hex;
use super::new_roll::TAIL;
use super::status::Status;

/// How much is read at once, in bytes.
const BUFFER_BYTES: usize = 1 << 20;

/// The roll that stands, opened.
pub(super) struct Standing {
    path: PathBuf,
    pub(super) file: File,
}

impl Standing {
    /// Opens the roll in this folder.
    ///
    /// # Errors
    ///
    /// The file system fails, or the file is missing.
    pub(super) fn open(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(FILE_NAME);
        match File::open(&path) {
            Ok(file) => Ok(Self { path, file }),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Err(Error::Changed { path, problem: "it is gone" })
            }
            Err(source) => Err(Error::io("open", &path, source)),
        }
    }

    /// The roll is not what its manifest says.
    pub(super) fn changed(&self, problem: &'static str) -> Error {
        Error::Changed { path: self.path.clone(), problem }
    }

    /// The file system failed.
    pub(super) fn failed(&self, verb: &'static str, source: io::Error) -> Error {
        Error::io(verb, &self.path, source)
    }

    /// Whether nobody has changed the file since it was written, as far as its length and time tell:
    /// what Git, too, takes for a file that it need not read.
    pub(super) fn is_untouched(&self, manifest: &Manifest) -> Result<bool, Error> {
        let Some(resume) = &manifest.resume else { return Ok(false) };
        let found = self.file.metadata().map_err(|error| self.failed("read", error))?;
        let modified = found.modified().map_err(|error| self.failed("read", error))?;
        Ok(found.len() == manifest.bytes && modified == resume.modified)
    }

    /// The digest behind the last record, from the manifest of a file that is untouched.
    pub(super) fn known_digest(&self, manifest: &Manifest) -> Result<Option<Sha256>, Error> {
        if !self.is_untouched(manifest)? {
            return Ok(None);
        }
        let state =
            manifest.resume.as_ref().and_then(|resume| BASE64.decode(&resume.sha256_state).ok());
        let state = state.and_then(|state| state.as_slice().try_into().ok());
        Ok(state.and_then(|state| Sha256::deserialize(&state).ok()))
    }

    /// Reads what the manifest describes, up to the last record, and passes it on piece by piece. Returns the
    /// digest behind the last record.
    ///
    /// # Errors
    ///
    /// The file system fails, or the records are not what the manifest says.
    pub(super) fn read_records(
        &self,
        manifest: &Manifest,
        status: &Status,
        mut pass_on: impl FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<Sha256, Error> {
        let mut digest = Sha256::new();
        let mut records = (&self.file).take(manifest.bytes.saturating_sub(TAIL.len() as u64));
        let mut piece = vec![0; BUFFER_BYTES];
        while records.limit() > 0 {
            let step = status.step();
            let len = records.read(&mut piece).map_err(|error| self.failed("read", error))?;
            drop(step);
            if len == 0 {
                return Err(self.changed("it is shorter"));
            }
            digest.update(&piece[..len]);
            pass_on(&piece[..len])?;
        }
        let mut end = Vec::new();
        let read = (&self.file).take(TAIL.len() as u64 + 1).read_to_end(&mut end);
        read.map_err(|error| self.failed("read", error))?;
        if end != TAIL {
            return Err(self.changed("its end differs"));
        }
        if hex(&digest.clone().chain_update(TAIL).finalize()) == manifest.sha256 {
            Ok(digest)
        } else {
            Err(self.changed("its SHA-256 differs"))
        }
    }
}
