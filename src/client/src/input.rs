//! The input: from the command line's arguments to a stream of records.
//!
//! | module | what is in it |
//! | --- | --- |
//! | `flags` | the flags that name the input |
//! | `sources` | files, folders and standard input, in order ([`Sources`]) |
//! | `content`, `decode` | what a source holds, and how it becomes UTF-8 |
//! | `json` | cuts JSON into elements, and finds where damaged ones end |
//! | `table` | reads the rows of CSV and TSV |
//! | `record`, `field`, `value`, `whole` | turn one element into a [`Record`] |
//! | `pointer`, `nested` | where the records are in a wrapper |
//! | `ignored` | the fields that are ignored, by name |
//! | `single` | a source that must have one record and nothing else |
//! | `rejection` | what is not a record, and why ([`Rejection`]); what else there is to know ([`Note`]) |
//!
//! Every record that can be told apart is read; everything else is reported with its place, its size
//! and the reason. Memory does not grow with the input.

mod content;
mod decode;
mod field;
mod flags;
mod ignored;
mod json;
mod natural;
mod nested;
mod pointer;
mod record;
mod rejection;
mod single;
mod sources;
mod table;
#[cfg(test)]
mod tests;
mod value;
mod whole;

use std::fmt;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use self::content::Format;
pub use self::content::{FileType, InvalidHeader};
use self::decode::{OpenError, Opened};
pub use self::flags::InputFlags;
use self::ignored::Ignored;
pub use self::ignored::{Counted, IgnoredField, Remarks};
use self::json::{Found, Kind, Scanner, Span, Stretch};
pub use self::pointer::{InvalidPointer, Pointer};
pub use self::record::Record;
use self::record::{Buffer, NotARecord};
pub use self::rejection::{FaultKind, Note, NoteKind, Position, Reason, Rejection, TEXT_BYTES_MAX};
pub use self::single::{SingleError, read_one};
pub use self::sources::{Skipped, Source, SourceError, Sources};
use self::table::{Row, Rows};

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
    open: Option<Open>,
    /// Standard input, if it was opened before its turn.
    stdin: Option<Result<Opened, OpenError>>,
    pointer: Option<Pointer>,
    /// The text of the last record, if it was plain.
    text: String,
    /// The last record, if it was not.
    buffer: Buffer,
    ignored: Ignored,
}

/// A source that is being read.
struct Open {
    stream: Stream,
    /// How many bytes of the source have been read, if it tells.
    raw_bytes: Option<Arc<AtomicU64>>,
}

/// A source, as it is read.
enum Stream {
    Json(Box<Scanner<Box<dyn Read + Send>>>),
    Table(Box<Rows<Box<dyn Read + Send>>>),
}

/// What came out of one source, so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// The source.
    pub source: Arc<Source>,
    /// Records read.
    pub records: u64,
    /// Records and damaged stretches rejected.
    pub rejected: u64,
    /// Bytes read, as they are stored: compressed, if the source is.
    pub bytes: u64,
}

/// What the reader found next.
#[derive(Debug)]
pub enum Item<'a> {
    /// A record.
    Record {
        /// The record.
        record: Record<'a>,
        /// Where it begins.
        position: Position,
    },
    /// Something that is not a record.
    Rejected(Rejection),
    /// Something that costs no record.
    Note(Note),
}

/// What a stream gave.
enum Next {
    /// A record whose text is known.
    Plain(Position),
    /// A record that lies in the buffer.
    Buffered(Position),
    Rejected(Stretch),
    Note(u64, NoteKind),
}

impl Reader {
    /// Reads these sources. If their records are in a wrapper, `pointer` leads to them.
    pub fn new(sources: Sources, pointer: Option<Pointer>) -> Self {
        let counts = sources.list.into_iter().map(Counts::none).collect();
        Self {
            counts,
            begun: 0,
            open: None,
            stdin: None,
            pointer,
            text: String::new(),
            buffer: Buffer::default(),
            ignored: Ignored::default(),
        }
    }

    /// Reads one stream of JSON in the place of what its source would open.
    pub fn of_stream(
        source: Source,
        stream: impl Read + Send + 'static,
        pointer: Option<Pointer>,
    ) -> Self {
        let list = vec![Arc::new(source)];
        let sources = Sources { list, bytes: None, skipped: Skipped::default() };
        let scanner = Scanner::new(Box::new(stream) as Box<dyn Read + Send>, pointer.as_ref());
        let open = Some(Open { stream: Stream::Json(Box::new(scanner)), raw_bytes: None });
        Self { begun: 1, open, ..Self::new(sources, pointer) }
    }

    /// Whether standard input is among the sources.
    pub fn reads_stdin(&self) -> bool {
        self.counts.iter().any(|counts| *counts.source == Source::Stdin)
    }

    /// Opens standard input, to find out before anything is read that it is of a type that is not
    /// read. Blocks until its first bytes are there.
    ///
    /// # Errors
    ///
    /// It is of such a type.
    pub fn open_stdin(&mut self) -> Result<(), SourceError> {
        match Source::Stdin.open() {
            opened @ (Ok(_) | Err(OpenError::Io(_))) => self.stdin = Some(opened),
            Err(refused) => return Err(SourceError::Stdin(refused)),
        }
        Ok(())
    }

    /// What came out of each source so far, in the order in which they are read.
    pub fn counts(&self) -> &[Counts] {
        &self.counts
    }

    /// What was read over so far, in all sources.
    pub fn remarks(&self) -> Remarks {
        self.ignored.remarks()
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

    /// Reads on, up to the next record or what is not one. `None` at the end.
    pub fn next_item(&mut self) -> Option<Item<'_>> {
        let next = self.advance()?;
        let Self { counts, begun, open, text, buffer, ignored, .. } = self;
        let counts = &mut counts[*begun - 1];
        let (record, position) = match (next, open.as_ref().map(|open| &open.stream)) {
            (Next::Plain(position), Some(Stream::Json(scanner))) => {
                (scanner.plain().read(text)?, position)
            }
            (Next::Buffered(position), _) => (buffer.record(), position),
            (Next::Note(line, kind), _) => {
                let source = Arc::clone(&counts.source);
                return Some(Item::Note(Note { source, line, kind }));
            }
            (Next::Rejected(stretch), _) => return Some(Item::Rejected(counts.reject(stretch))),
            // A plain record comes from a scanner.
            (Next::Plain(_), _) => return None,
        };
        counts.records += 1;
        ignored.count_nulls(&record);
        Some(Item::Record { record, position })
    }

    /// Goes on to what comes next, in any source.
    fn advance(&mut self) -> Option<Next> {
        loop {
            if self.open.is_none()
                && let Err(fault) = self.begin()?
            {
                return Some(Next::Rejected(Stretch::unreadable(fault)));
            }
            let next = self.next_of_stream();
            if next.is_some() {
                return next;
            }
            let counts = &self.counts[self.begun - 1];
            self.ignored.finish(&counts.source, counts.records);
            self.open = None;
        }
    }

    /// Begins the next source. Returns `None` after the last.
    fn begin(&mut self) -> Option<Result<(), FaultKind>> {
        let source = &self.counts.get(self.begun)?.source;
        self.begun += 1;
        let opened = match (&**source, self.stdin.take()) {
            (Source::Stdin, Some(opened)) => opened,
            (_, stdin) => {
                self.stdin = stdin;
                source.open()
            }
        };
        Some(opened.map_err(FaultKind::from).and_then(|opened| {
            let Opened { stream, format, raw_bytes } = opened;
            let stream = match format {
                Format::Json => Stream::Json(Box::new(Scanner::new(stream, self.pointer.as_ref()))),
                Format::Table { delimiter } => {
                    let rows = Rows::new(stream, delimiter).map_err(FaultKind::Unreadable)?;
                    Stream::Table(Box::new(rows))
                }
            };
            self.open = Some(Open { stream, raw_bytes: Some(raw_bytes) });
            Ok(())
        }))
    }

    /// What comes next in the source that is being read; `None` at its end.
    fn next_of_stream(&mut self) -> Option<Next> {
        let Self { counts, begun, open, pointer, text, buffer, ignored, .. } = self;
        let Open { stream, raw_bytes } = open.as_mut()?;
        let (next, passed) = match stream {
            Stream::Json(scanner) => {
                let next = scanner.next().map(|found| match found {
                    Found::Plain(span)
                        if !pointer.as_ref().is_some_and(Pointer::goes_inside)
                            && keep_text(scanner, span, text) =>
                    {
                        Next::Plain(span.position)
                    }
                    Found::Plain(span) => {
                        read_framed(scanner, span, Kind::Object, pointer.as_ref(), buffer, ignored)
                    }
                    Found::Framed(span, kind) => {
                        read_framed(scanner, span, kind, pointer.as_ref(), buffer, ignored)
                    }
                    Found::Stretch(stretch) => Next::Rejected(stretch),
                    Found::Note(line, kind) => Next::Note(line, kind),
                });
                (next, scanner.offset())
            }
            Stream::Table(rows) => (rows.next(buffer, ignored).map(Next::from), rows.offset()),
        };
        counts[*begun - 1].bytes =
            raw_bytes.as_ref().map_or(passed, |bytes| bytes.load(Ordering::Relaxed));
        next
    }
}

/// Keeps the text of a plain record, if it is valid.
fn keep_text<R: Read>(scanner: &Scanner<R>, span: Span, kept: &mut String) -> bool {
    let text = scanner.plain().text(scanner.bytes_of(span));
    kept.clear();
    kept.push_str(text.unwrap_or_default());
    text.is_some()
}

/// Turns an element into a record in `buffer`, or finds why it is not one.
fn read_framed<R: Read>(
    scanner: &mut Scanner<R>,
    span: Span,
    kind: Kind,
    pointer: Option<&Pointer>,
    buffer: &mut Buffer,
    ignored: &mut Ignored,
) -> Next {
    let (element, line) = (scanner.bytes_of(span), span.position.line);
    let read = match (kind, pointer) {
        (_, Some(pointer)) if pointer.goes_inside() => {
            record::read_inside(element, pointer, line, buffer, ignored)
        }
        (Kind::Array, _) => Err(record::refuse_array(element, line)),
        (Kind::Object, _) => record::read(element, line, &scanner.path(), buffer, ignored),
    };
    match read {
        Ok(()) => Next::Buffered(span.position),
        Err(NotARecord::Damaged(fault)) => Next::Rejected(scanner.abandon(span, fault)),
        Err(NotARecord::Invalid(reason)) => {
            Next::Rejected(Stretch::of(span.position, element, Reason::Invalid(reason)))
        }
    }
}

impl From<Row> for Next {
    fn from(row: Row) -> Self {
        match row {
            Row::Record(position) => Self::Buffered(position),
            Row::Rejected(stretch) => Self::Rejected(stretch),
        }
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("counts", &self.counts).finish_non_exhaustive()
    }
}

impl Counts {
    fn none(source: Arc<Source>) -> Self {
        Self { source, records: 0, rejected: 0, bytes: 0 }
    }

    fn reject(&mut self, stretch: Stretch) -> Rejection {
        self.rejected += 1;
        let Stretch { position, bytes, text, reason } = stretch;
        Rejection { source: Arc::clone(&self.source), position, bytes, text, reason }
    }
}
