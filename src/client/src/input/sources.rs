//! What the command line names: files, folders, and standard input.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::natural;

/// The endings of the files that are taken from a folder, in any case.
const EXTENSIONS: [&str; 3] = ["json", "ndjson", "jsonl"];

/// How a gzip file begins. No JSON does.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// One thing to read records from. Its `Display` is what a person calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file, or whatever else can be opened by a path.
    File(PathBuf),
    /// Standard input.
    Stdin,
}

impl Source {
    /// Opens it for reading.
    pub(super) fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::File(path) => Box::new(File::open(path)?),
            Self::Stdin => Box::new(io::stdin()),
        })
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources {
    /// The sources.
    pub list: Vec<Arc<Source>>,
    /// How many bytes they have together; `None` when one is not a plain file.
    pub bytes: Option<u64>,
}

impl Sources {
    /// Turns the command line's arguments into sources: a file stands for itself, a folder for its
    /// `*.json`, `*.ndjson` and `*.jsonl` files in natural order (not those of its folders, nor
    /// hidden ones), and `-` for standard input.
    ///
    /// # Errors
    ///
    /// A path does not exist, cannot be read or is compressed, a folder has no such file, or `-` comes twice.
    pub fn from_arguments<A: AsRef<OsStr>>(arguments: &[A]) -> Result<Self, SourceError> {
        let mut sources = Self { list: Vec::new(), bytes: Some(0) };
        for argument in arguments {
            sources.add(argument.as_ref())?;
        }
        Ok(sources)
    }

    fn add(&mut self, argument: &OsStr) -> Result<(), SourceError> {
        if argument == "-" {
            return self.add_stdin();
        }
        let path = Path::new(argument);
        if !metadata(path)?.is_dir() {
            return self.add_file(path.to_owned());
        }
        let files = files_of(path)?;
        if files.is_empty() {
            return Err(SourceError::NoFiles(path.to_owned()));
        }
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
        if metadata.is_file() {
            // Finds out now, not after a million records, that a file may not be read. A pipe is
            // left alone: it can be opened only once.
            let mut head = Vec::with_capacity(GZIP.len());
            let file = File::open(&path).map_err(|source| unreadable(&path, source))?;
            file.take(GZIP.len() as u64)
                .read_to_end(&mut head)
                .map_err(|source| unreadable(&path, source))?;
            if head == GZIP {
                return Err(SourceError::Compressed(path));
            }
            self.bytes = self.bytes.map(|bytes| bytes + metadata.len());
        } else {
            self.bytes = None;
        }
        self.list.push(Arc::new(Source::File(path)));
        Ok(())
    }
}

/// A folder's files that may have records, in natural order.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>, SourceError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|source| unreadable(folder, source))? {
        let path = entry.map_err(|source| unreadable(folder, source))?.path();
        if has_records(&path) && !metadata(&path)?.is_dir() {
            files.push(path);
        }
    }
    files.sort_by(|a, b| natural::compare(name(a), name(b)));
    Ok(files)
}

/// Whether the name says that there may be records in the file.
fn has_records(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    !name(path).starts_with(b".") && EXTENSIONS.iter().any(|e| extension.eq_ignore_ascii_case(e))
}

fn name(path: &Path) -> &[u8] {
    path.file_name().unwrap_or_default().as_encoded_bytes()
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
    #[error(
        "{} has no {} files: name the files themselves if they are called otherwise",
        .0.display(), endings()
    )]
    NoFiles(PathBuf),
    /// The file is compressed.
    #[error("{} is compressed: unpack it first, or use gzip -dc and - for standard input", .0.display())]
    Compressed(PathBuf),
    /// Standard input can be read only once.
    #[error("- (standard input) is given twice: give it once")]
    StdinTwice,
}

/// `*.json, *.ndjson or *.jsonl`
fn endings() -> String {
    let [first, second, third] = EXTENSIONS;
    format!("*.{first}, *.{second} or *.{third}")
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    /// A folder with these files, each with 3 bytes in it.
    fn folder(names: &[&str]) -> TempDir {
        let folder = TempDir::new().unwrap();
        for name in names {
            fs::write(folder.path().join(name), "[ ]").unwrap();
        }
        folder
    }

    fn names(sources: &Sources, folder: &TempDir) -> Vec<String> {
        let prefix = format!("{}/", folder.path().display());
        sources.list.iter().map(|source| source.to_string().replace(&prefix, "")).collect()
    }

    fn error(argument: &Path) -> String {
        Sources::from_arguments(&[argument]).unwrap_err().to_string()
    }

    #[test]
    fn a_folder_stands_for_its_record_files_in_natural_order() {
        let folder =
            folder(&["10.json", "2.json", "1.ndjson", "x.jsonl", "Y.JSON", ".3.json", "notes.txt"]);
        fs::create_dir(folder.path().join("4.json")).unwrap();
        fs::write(folder.path().join("4.json/5.json"), "").unwrap();

        let sources = Sources::from_arguments(&[folder.path()]).unwrap();

        assert_eq!(
            names(&sources, &folder),
            ["1.ndjson", "2.json", "10.json", "Y.JSON", "x.jsonl"]
        );
        assert_eq!(sources.bytes, Some(15));
    }

    #[test]
    fn named_files_keep_their_order_whatever_their_ending() {
        let folder = folder(&["notes.txt", ".3.json"]);
        let arguments = ["notes.txt", ".3.json", "notes.txt"].map(|name| folder.path().join(name));

        let sources = Sources::from_arguments(&arguments).unwrap();

        assert_eq!(names(&sources, &folder), ["notes.txt", ".3.json", "notes.txt"]);
    }

    #[test]
    fn standard_input_is_read_at_most_once_and_has_no_size() {
        let folder = folder(&["1.json"]);
        let file = folder.path().join("1.json");

        let sources = Sources::from_arguments(&[Path::new("-"), &file]).unwrap();
        assert_eq!(names(&sources, &folder), ["standard input", "1.json"]);
        assert_eq!(sources.bytes, None);

        let twice = Sources::from_arguments(&["-", "-"]).unwrap_err();
        assert_eq!(twice.to_string(), "- (standard input) is given twice: give it once");
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let folder = folder(&["notes.txt", ".3.json"]);
        let path = folder.path().display();

        assert_eq!(
            error(&folder.path().join("7.json")),
            format!("{path}/7.json does not exist: check the path, or use - for standard input")
        );
        assert_eq!(
            error(folder.path()),
            format!(
                "{path} has no *.json, *.ndjson or *.jsonl files: \
                 name the files themselves if they are called otherwise"
            )
        );
    }

    #[test]
    fn a_compressed_file_is_refused_by_name() {
        let folder = folder(&["1.json"]);
        let path = folder.path().join("1.json");
        fs::write(&path, b"\x1f\x8b\x08").unwrap();

        let said = "is compressed: unpack it first, or use gzip -dc and - for standard input";
        assert_eq!(error(&path), format!("{} {said}", path.display()));
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_leads_nowhere_is_named() {
        let folder = folder(&[]);
        let path = folder.path().join("loop.json");
        std::os::unix::fs::symlink(&path, &path).unwrap();

        let said = "cannot be read: check that it is a file or a folder that you may read";
        assert_eq!(error(&path), format!("{} {said}", path.display()));
        assert_eq!(error(folder.path()), format!("{} {said}", path.display()));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_not_a_plain_file_has_no_size() {
        let sources = Sources::from_arguments(&["/dev/null"]).unwrap();
        assert_eq!(sources.bytes, None);
    }
}
