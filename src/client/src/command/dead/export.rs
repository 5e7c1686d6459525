//! `dead export`, and the file into which dead letters go.

use std::fs::File;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use muster_program::exit;
use muster_proto::v1::DeadLetter;

use super::pages::{all, each_page, ndjson};
use super::read::OfFlags;
use crate::command::flags::OperationFlags;
use crate::command::{Ended, failed, print, usage};
use crate::report::counted;

#[derive(Debug, clap::Args)]
pub struct Export {
    #[command(flatten)]
    of: OfFlags,
    /// The file to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    flags: OperationFlags,
}

pub(super) fn export(Export { of, output, flags }: &Export) -> Result<u8, Ended> {
    let mut output = output.as_deref().map(LettersFile::create).transpose()?;
    flags.run(async |operations| {
        let selected = match of.of() {
            Some(of) => vec![of],
            None => all(&operations).await?,
        };
        let mut exported = 0;
        for of in selected {
            let letters = each_page(&operations, &of, async |letters| match &mut output {
                Some(file) => file.write(letters),
                None => print(&ndjson(letters)),
            });
            exported += letters.await?;
        }
        if let Some(file) = output {
            print(&file.exported(exported))?;
        }
        Ok(exit::OK)
    })
}

/// A file of dead letters.
#[derive(Debug)]
pub(super) struct LettersFile<'a> {
    path: &'a Path,
    file: File,
}

impl<'a> LettersFile<'a> {
    /// Makes the file, or empties the one that is there.
    fn create(path: &'a Path) -> Result<Self, Ended> {
        let file = File::create(path).map_err(|error| usage(unwritable(path, &error)))?;
        Ok(Self { path, file })
    }

    /// Makes the file. One that is there stays as it is: it may be the last copy of other letters.
    /// Its name is on the disk when this returns.
    pub(super) fn create_new(path: &'a Path) -> Result<Self, Ended> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let create = || {
            let file = File::create_new(path)?;
            match File::open(folder.unwrap_or(Path::new(".")))?.sync_all() {
                // Some network file systems cannot sync folders.
                Err(error)
                    if !matches!(
                        error.kind(),
                        ErrorKind::InvalidInput | ErrorKind::Unsupported
                    ) =>
                {
                    Err(error)
                }
                _ => Ok(file),
            }
        };
        let file = create().map_err(|error| usage(unwritable(path, &error)))?;
        Ok(Self { path, file })
    }

    /// Removes the file, in which nothing was written.
    pub(super) fn remove(self) {
        // An empty file does no harm.
        let _ = std::fs::remove_file(self.path);
    }

    /// Adds letters.
    fn write(&mut self, letters: &[DeadLetter]) -> Result<(), Ended> {
        let written = self.file.write_all(ndjson(letters).as_bytes());
        written.map_err(|error| failed(unwritable(self.path, &error)))
    }

    /// Adds letters, which are on the disk when it returns.
    pub(super) fn write_synced(&mut self, letters: &[DeadLetter]) -> Result<(), Ended> {
        self.write(letters)?;
        self.file.sync_all().map_err(|error| failed(unwritable(self.path, &error)))
    }

    /// Says how many letters it has.
    pub(super) fn exported(&self, letters: u64) -> String {
        format!("exported  {} to {}\n", counted(letters, "dead letter"), self.path.display())
    }
}

fn unwritable(path: &Path, error: &io::Error) -> String {
    format!("{} cannot be written: {error}", path.display())
}
