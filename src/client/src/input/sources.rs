//! What the command line names: files, folders, and standard input.

mod folder;

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use self::folder::Skipped;
use self::folder::Walk;
use super::content::{Compression, FileType, InvalidHeader, Named, Refused};
use super::decode::{OpenError, Opened, decode};

/// One thing to read records from. Its `Display` is what a person calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file, or whatever else can be opened by a path.
    File(PathBuf),
    /// Standard input.
    Stdin,
}

impl Source {
    /// Opens it, recognises what it holds, and decodes it.
    ///
    /// It blocks until the first bytes are there: in JSON, until the first that is not blank; in
    /// anything else, until the end of the first line.
    ///
    /// # Errors
    ///
    /// It cannot be read, or it is of a type that is not read.
    pub fn open(&self) -> Result<Opened, OpenError> {
        match self {
            Self::File(path) => decode(File::open(path)?, Named::of(path)),
            Self::Stdin => decode(io::stdin(), Named::Other),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Stdin => f.write_str("standard input"),
        }
    }
}

/// The sources of one run, in the order in which they are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// The sources.
    pub list: Vec<Arc<Source>>,
    /// The size of all of them in bytes, as they are stored; `None` if one is not a regular file.
    pub bytes: Option<u64>,
    /// What the folders contain besides.
    pub skipped: Skipped,
}

impl Sources {
    /// Turns the command line's arguments into sources: a file stands for itself, a folder for the
    /// files in it whose names have a known ending, in natural order, and `-` for standard input.
    /// If `recursive`, a folder stands for the files of its folders too. Hidden files and folders
    /// are skipped, and so are links to folders, unless they are named.
    ///
    /// # Errors
    ///
    /// A path does not exist or cannot be read, a file is of a type that is not read, a folder has
    /// no file with a known ending, or `-` comes twice.
    pub fn from_arguments<A: AsRef<OsStr>>(
        arguments: &[A],
        recursive: bool,
    ) -> Result<Self, SourceError> {
        let mut sources = Self { list: Vec::new(), bytes: Some(0), skipped: Skipped::default() };
        for argument in arguments {
            sources.add(argument.as_ref(), recursive)?;
        }
        Ok(sources)
    }

    /// Whether this file is one of the sources, whatever it is called there.
    pub fn contains(&self, file: &Path) -> bool {
        let Ok(file) = file.canonicalize() else { return false };
        self.list.iter().any(|source| match &**source {
            Source::File(path) => path.canonicalize().is_ok_and(|path| path == file),
            Source::Stdin => false,
        })
    }

    fn add(&mut self, argument: &OsStr, recursive: bool) -> Result<(), SourceError> {
        if argument == "-" {
            return self.add_stdin();
        }
        let path = Path::new(argument);
        if !metadata(path)?.is_dir() {
            return self.add_file(path.to_owned());
        }
        let Walk { files, skipped, .. } = Walk::through(path, recursive)?;
        if files.is_empty() {
            return Err(SourceError::NoFiles(skipped));
        }
        self.skipped.add(skipped);
        files.into_iter().try_for_each(|file| self.add_file(file))
    }

    fn add_stdin(&mut self) -> Result<(), SourceError> {
        if self.list.iter().any(|source| **source == Source::Stdin) {
            return Err(SourceError::StdinTwice);
        }
        self.list.push(Arc::new(Source::Stdin));
        self.bytes = None;
        Ok(())
    }

    fn add_file(&mut self, path: PathBuf) -> Result<(), SourceError> {
        let metadata = metadata(&path)?;
        let source = Source::File(path);
        if metadata.is_file() {
            // Finds out now, not after a million records, that a file may not be read. A pipe is
            // left alone: it can be opened only once.
            if let (Err(error), Source::File(path)) = (source.open(), &source) {
                SourceError::of(path, error)?;
            }
            self.bytes = self.bytes.map(|bytes| bytes + metadata.len());
        } else {
            self.bytes = None;
        }
        self.list.push(Arc::new(source));
        Ok(())
    }
}

fn metadata(path: &Path) -> Result<fs::Metadata, SourceError> {
    fs::metadata(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => SourceError::Missing(path.to_owned()),
        _ => unreadable(path, source),
    })
}

fn unreadable(path: &Path, source: io::Error) -> SourceError {
    SourceError::Unreadable { path: path.to_owned(), source }
}

/// Why the arguments cannot be read from.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// There is no such path.
    #[error("{} does not exist: check the path, or use - for standard input", .0.display())]
    Missing(PathBuf),
    /// The path is there, and cannot be read.
    #[error("{} cannot be read: check that it is a file or a folder that you may read", path.display())]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A folder has no files with records.
    #[error("{}", folder::no_files(.0))]
    NoFiles(Skipped),
    /// The file is of a type that is not read.
    #[error(
        "{} {}",
        path.display(),
        Refused { file_type: *file_type, compression: *compression, path: Some(path.as_path()) }
    )]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What it is.
        file_type: FileType,
        /// What it is inside.
        compression: Option<Compression>,
    },
    /// The file is compressed in a way that is not decompressed.
    #[error("{} cannot be decompressed: {source}", path.display())]
    Undecodable {
        /// The file.
        path: PathBuf,
        /// What is in the way.
        source: io::Error,
    },
    /// A table has no known column, or one twice.
    #[error("{} has {header}", path.display())]
    InvalidHeader {
        /// The file.
        path: PathBuf,
        /// The header.
        header: InvalidHeader,
    },
    /// Standard input is of a type that is not read.
    #[error("standard input: {0}")]
    Stdin(OpenError),
    /// The file for what is rejected is one of the inputs.
    #[error("{} is both input and --rejects: name another file for --rejects", .0.display())]
    Rejects(PathBuf),
    /// Standard input can be read only once.
    #[error("- (standard input) is given twice: give it once")]
    StdinTwice,
}

impl SourceError {
    /// The error that refuses a file. One that is only damaged is not refused: it is read as far
    /// as it goes, and what is wrong is reported then.
    fn of(path: &Path, error: OpenError) -> Result<(), Self> {
        let path = path.to_owned();
        Err(match error {
            OpenError::Unsupported { file_type, compression } => {
                Self::Unsupported { path, file_type, compression }
            }
            OpenError::InvalidHeader(header) => Self::InvalidHeader { path, header },
            OpenError::Io(source) => match source.kind() {
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => return Ok(()),
                io::ErrorKind::Unsupported => Self::Undecodable { path, source },
                _ => Self::Unreadable { path, source },
            },
        })
    }
}

#[cfg(test)]
mod tests;
