//! Reads the inputs of a proof, independently of the client: it shares no code with the client's
//! reader, so that a fault of one shows against the other.
//!
//! | module | what is in it |
//! | --- | --- |
//! | `arguments` | the files that the arguments stand for |
//! | `decode` | gzip, zstd and UTF-16, recognised by the content |
//! | `window` | a stream with lookahead, offsets and line numbers |
//! | `json`, `element`, `junk` | JSON, one element after another |
//! | `damage` | where an element ends that is not valid JSON |
//! | `pointer`, `walk`, `follow` | JSON whose records are where a pointer points |
//! | `table` | CSV |
//! | `record` | one record, and the fields that it can have |
//! | `doubts` | what makes it doubtful that records were read as they were meant |
//! | `piece`, `report` | what is found in a source, and in a file |
//!
//! It is simple rather than fast. What it keeps of a file is bounded, whatever the length of the
//! file or of its lines; only open brackets in damaged text cost a byte each.

mod arguments;
mod damage;
mod decode;
mod doubts;
mod element;
mod follow;
mod json;
mod junk;
mod piece;
mod pointer;
mod record;
mod report;
mod table;
mod walk;
mod window;

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use muster_proto::users::UserRequest;

use arguments::Files;
use doubts::Doubts;
use json::JsonReader;
use piece::Pieces;
use table::TableReader;
use walk::PointerReader;
use window::Window;

pub use doubts::Doubt;
pub use piece::{Notes, Piece};
pub use pointer::{Pointer, PointerError};
pub use report::{InputFile, Unread, grouped};

/// Why the inputs cannot be read, in a short sentence.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How the inputs are read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Whether the files of subfolders are read.
    pub recursive: bool,
    /// Where the records are in JSON; `None`: at the top, or in arrays there.
    pub pointer: Option<Pointer>,
}

/// The inputs, which can be read more than once.
#[derive(Debug)]
pub struct Inputs {
    files: Files,
    options: Options,
}

impl Inputs {
    /// The files that these arguments stand for, in order. None of them may be among `outputs`:
    /// the roll and its manifest.
    ///
    /// # Errors
    ///
    /// A path does not exist or cannot be read, is not a regular file, or belongs to the roll; a
    /// folder has no inputs.
    pub fn from_arguments(
        arguments: &[OsString],
        outputs: &[PathBuf],
        options: Options,
    ) -> Result<Self, Failure> {
        let files = Files::of(arguments, options.recursive)?;
        let same = |path: &Path| path.canonicalize().ok();
        let outputs = outputs.iter().filter_map(|path| same(path)).collect::<Vec<_>>();
        let is_output = |path: &&PathBuf| same(path).is_some_and(|path| outputs.contains(&path));
        if let Some(path) = files.list.iter().find(is_output) {
            return Err(format!(
                "{} is both input and roll: name the inputs only, or another --roll",
                path.display()
            )
            .into());
        }
        Ok(Self { files, options })
    }

    /// The entries of folders that are not read.
    pub fn skipped(&self) -> &[PathBuf] {
        &self.files.skipped
    }

    /// Goes through all records, each with its file and line, and through what could not be read. A
    /// file that cannot be read or decoded to its end has a stretch there that could not be read.
    ///
    /// # Errors
    ///
    /// A file cannot be opened, or nothing of it can be read.
    pub fn read(
        &self,
        mut record: impl FnMut(UserRequest, &dyn fmt::Display),
        mut unread: impl FnMut(Unread),
    ) -> Result<Vec<InputFile>, Failure> {
        self.files.list.iter().map(|path| self.read_file(path, &mut record, &mut unread)).collect()
    }

    fn read_file(
        &self,
        path: &Path,
        record: &mut impl FnMut(UserRequest, &dyn fmt::Display),
        unread: &mut impl FnMut(Unread),
    ) -> Result<InputFile, Failure> {
        let name = path.display();
        let failure = |error| format!("{name} cannot be read: {error}");
        let mut reader = self.open(path).map_err(failure)?;
        let mut doubts = Doubts::about(path);
        let mut file = InputFile { file: name.to_string(), ..InputFile::default() };
        while let Some(piece) = reader.next_piece() {
            match piece {
                Piece::Record { record: mut sent, line, notes, .. } => {
                    file.records += 1;
                    doubts.take(&mut sent, &notes);
                    record(sent, &format_args!("{name}:{line}"));
                }
                Piece::Unread { line, offset, bytes, reason } => {
                    file.unread += 1;
                    file.unread_bytes += bytes;
                    unread(Unread { file: name.to_string(), line, offset, bytes, reason });
                }
            }
        }
        (file.doubts, file.ignored) = doubts.finish();
        Ok(file)
    }

    /// The records only, in order. A file that cannot be opened has none, and one that cannot be
    /// read or decoded to its end has those up to there.
    pub fn records(&self) -> impl Iterator<Item = UserRequest> {
        let readers = self.files.list.iter().filter_map(|path| self.open(path).ok());
        let pieces = readers.flat_map(|mut reader| std::iter::from_fn(move || reader.next_piece()));
        pieces.filter_map(|piece| match piece {
            Piece::Record { record, .. } => Some(record),
            Piece::Unread { .. } => None,
        })
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn Pieces>> {
        let mut window = Window::new(decode::open(path)?);
        let delimiter = table::delimiter(&mut window, arguments::names_table(path));
        Ok(match delimiter {
            Some(delimiter) => Box::new(TableReader::new(window, delimiter)),
            None => json_reader(window, self.options.pointer.clone()),
        })
    }
}

/// A reader of the records that are where a pointer points.
fn json_reader<'a, R: Read + 'a>(
    window: Window<R>,
    pointer: Option<Pointer>,
) -> Box<dyn Pieces + 'a> {
    match pointer {
        Some(pointer) if pointer.walked.is_empty() => {
            Box::new(JsonReader::new(window, pointer.names))
        }
        Some(pointer) => Box::new(PointerReader::new(window, pointer)),
        None => Box::new(JsonReader::new(window, Vec::new())),
    }
}

/// Reads a stream as JSON, without decoding it, and goes through its pieces. If the stream
/// fails, the last piece has the error.
pub fn read_stream(stream: impl Read, pointer: Option<&Pointer>, each: impl FnMut(Piece)) {
    let mut reader = json_reader(Window::new(stream), pointer.cloned());
    std::iter::from_fn(|| reader.next_piece()).for_each(each);
}

#[cfg(test)]
mod tests;
