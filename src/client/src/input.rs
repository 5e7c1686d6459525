//! The input: from the command line's arguments to a stream of records.
//!
//! | module | what is in it |
//! | --- | --- |
//! | `sources` | files, folders and standard input, in order ([`Sources`]) |
//! | `window` | the part of a byte stream that is in memory |
//! | `scanner` | cuts the stream into elements, and recovers where it is broken |
//! | `frame`, `line` | where an element ends; where a line looks like a record |
//! | `plain` | finds and reads a record at once, if it is written as nearly all are |
//! | `record`, `field`, `value` | turns one element into a [`Record`] |
//! | `single` | a source that must have one record and nothing else |
//! | `fault` | what can be wrong around records ([`FaultKind`]) |
//!
//! What is bad costs what is bad: every record that can be told apart is read, and everything else
//! is rejected with its line and the reason. Memory does not grow with the input.

mod fault;
mod field;
mod frame;
mod line;
mod natural;
mod plain;
mod record;
mod scanner;
mod single;
mod sources;
#[cfg(test)]
mod tests;
mod value;
mod window;

use std::fmt;
use std::io::Read;
use std::sync::Arc;

use self::fault::Fault;
pub use self::fault::FaultKind;
use self::record::Parsed;
pub use self::record::Record;
use self::scanner::{Element, Scanner};
pub use self::single::{SingleError, read_one};
pub use self::sources::{Source, SourceError, Sources};

/// The longest record, in bytes. A longer one is rejected.
pub const RECORD_BYTES_MAX: usize = 1024 * 1024;

/// Reads the records of all sources, one after the other.
///
/// It blocks: use it on a thread that may.
pub struct Reader {
    counts: Vec<Counts>,
    /// How many of the sources have been begun.
    begun: usize,
    /// The one that is being read.
    scanner: Option<Scanner<Box<dyn Read + Send>>>,
}

/// What came out of one source, so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// The source.
    pub source: Arc<Source>,
    /// Records read.
    pub records: u64,
    /// Records and broken stretches rejected.
    pub rejected: u64,
    /// Fields of the records read that a record does not have.
    pub unknown_fields: u64,
    /// Bytes read and done with.
    pub bytes: u64,
}

/// What the reader found next.
#[derive(Debug)]
pub enum Item<'a> {
    /// A record.
    Record {
        /// The record.
        record: Record<'a>,
        /// The line on which it begins, from 1.
        line: u64,
    },
    /// Something that is no record.
    Rejected(Rejection),
}

/// Something that was not read as a record. Its `Display` is `path/6.json:978: reason`.
#[derive(Debug)]
pub struct Rejection {
    /// Where it was.
    pub source: Arc<Source>,
    /// The line on which it begins, from 1; on which it ends, if the file ends inside it.
    pub line: u64,
    /// Why it was rejected.
    pub reason: Reason,
}

/// Why something was rejected. Its `Display` is one short line.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// Where records begin and end cannot be told here.
    #[error("{0}")]
    Broken(FaultKind),
    /// The record can be told apart, and is not valid: this is why, in words.
    #[error("{0}")]
    Invalid(String),
}

impl Reader {
    /// Reads these sources.
    pub fn new(sources: Sources) -> Self {
        let counts = sources.list.into_iter().map(Counts::none).collect();
        Self { counts, begun: 0, scanner: None }
    }

    /// Reads one stream in the place of what its source would open.
    pub fn of_stream(source: Source, stream: impl Read + Send + 'static) -> Self {
        let counts = vec![Counts::none(Arc::new(source))];
        Self { counts, begun: 1, scanner: Some(Scanner::new(Box::new(stream))) }
    }

    /// What came out of each source so far, in the order in which they are read.
    pub fn counts(&self) -> &[Counts] {
        &self.counts
    }

    /// The source of the record at `place`, counted from 0 over all sources; `None` if it has not
    /// been read.
    pub fn source_of(&self, place: u64) -> Option<&Arc<Source>> {
        let mut end = 0;
        self.counts.iter().find_map(|counts| {
            end += counts.records;
            (place < end).then_some(&counts.source)
        })
    }

    /// Reads on, up to the next record or what is none. `None` at the end.
    pub fn next_item(&mut self) -> Option<Item<'_>> {
        let found = loop {
            let Some(scanner) = &mut self.scanner else {
                match self.begin()? {
                    Ok(()) => continue,
                    Err(rejection) => return Some(Item::Rejected(rejection)),
                }
            };
            let found = scanner.next();
            self.counts[self.begun - 1].bytes = scanner.offset();
            match found {
                Some(found) => break found,
                None => self.scanner = None,
            }
        };
        let counts = &mut self.counts[self.begun - 1];
        Some(match found {
            Ok(element) => counts.take(self.scanner.as_ref()?.bytes_of(&element), &element),
            Err(Fault { line, kind }) => Item::Rejected(counts.reject(line, Reason::Broken(kind))),
        })
    }

    /// Begins the next source. Returns `None` after the last.
    fn begin(&mut self) -> Option<Result<(), Rejection>> {
        let counts = self.counts.get_mut(self.begun)?;
        self.begun += 1;
        Some(match counts.source.open() {
            Ok(stream) => {
                self.scanner = Some(Scanner::new(stream));
                Ok(())
            }
            Err(error) => Err(counts.reject(1, Reason::Broken(FaultKind::Unreadable(error)))),
        })
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("counts", &self.counts).finish_non_exhaustive()
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.source, self.line, self.reason)
    }
}

impl Counts {
    fn none(source: Arc<Source>) -> Self {
        Self { source, records: 0, rejected: 0, unknown_fields: 0, bytes: 0 }
    }

    /// Reads and counts an element that the scanner found.
    fn take<'a>(&mut self, bytes: &'a [u8], element: &Element) -> Item<'a> {
        let line = element.line;
        let plain = element.plain.as_ref().and_then(|plain| plain.read(bytes));
        let parsed = match plain {
            Some(record) => Ok(Parsed { record, unknown_fields: 0 }),
            None => record::parse(bytes, line),
        };
        match parsed {
            Ok(Parsed { record, unknown_fields }) => {
                self.records += 1;
                self.unknown_fields += u64::from(unknown_fields);
                Item::Record { record, line }
            }
            Err(reason) => Item::Rejected(self.reject(line, Reason::Invalid(reason))),
        }
    }

    fn reject(&mut self, line: u64, reason: Reason) -> Rejection {
        self.rejected += 1;
        Rejection { source: Arc::clone(&self.source), line, reason }
    }
}
