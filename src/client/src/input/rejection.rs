//! What is not read as a record, where it is, and why.

use std::fmt;
use std::io;
use std::sync::Arc;

use indicatif::HumanCount;

use super::decode::OpenError;
use super::{RECORD_BYTES_MAX, Source};
use crate::printable;

/// How much of a text an error shows, in characters.
const EXCERPT_CHARS_MAX: usize = 24;
/// How much of a rejected text is kept, in bytes.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;

/// Where something is in a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// Its number among the records of the source, rejected ones included, from 1.
    pub record: u64,
    /// How many bytes of the source stand before it, after decompression and as UTF-8.
    pub offset: u64,
}

/// A stretch of a source that was not read as a record.
///
/// Its `Display` is one line: `users/6.json:978 (record 977): …`.
#[derive(Debug)]
pub struct Rejection {
    /// The source.
    pub source: Arc<Source>,
    /// Where the stretch begins.
    pub position: Position,
    /// How long the stretch is, in bytes.
    pub bytes: u64,
    /// Its beginning, up to [`TEXT_BYTES_MAX`] bytes.
    pub text: Vec<u8>,
    /// Why it was rejected.
    pub reason: Reason,
}

/// Why a stretch was rejected. Its `Display` is one short line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// It is damaged.
    #[error("{0}")]
    Damaged(FaultKind),
    /// It is whole, and not a record.
    #[error("{0}")]
    Invalid(String),
}

/// How a stretch is damaged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FaultKind {
    /// The last record is cut off.
    #[error("the file ends inside this record")]
    EndsInRecord,
    /// The last record is complete, and the array around it is not.
    #[error("the file ends before the array's closing ]")]
    EndsInArray,
    /// The closing quote is missing, or a line break is in the string, on this line.
    #[error("a string is not closed at the end of line {0}")]
    StringNotClosed(u64),
    /// Something other than a comma, a colon or a closing bracket follows a string, on this line.
    #[error("not valid JSON on line {0}: expected `,` or `:` or a closing bracket after a string")]
    AfterString(u64),
    /// A bracket closes what was not opened last, on this line.
    #[error("found {0} on line {1}, which closes nothing that is open")]
    Mismatched(char, u64),
    /// Another record begins on this line before the end of this one.
    #[error("this record is not closed before line {0}, which begins another")]
    NotClosed(u64),
    /// The brackets of the record match, and it is not JSON.
    #[error("{0}")]
    NotJson(String),
    /// The record has more than [`RECORD_BYTES_MAX`] bytes.
    #[error("this record is longer than {RECORD_BYTES_MAX} bytes")]
    TooLong,
    /// Something other than a value stands where a record should be.
    #[error("expected a record, found `{0}`")]
    Unexpected(String),
    /// A `]` stands where no array is open.
    #[error("found ], which closes nothing that is open")]
    StrayBracket,
    /// It holds records rather than being one, and is too long or cut off; this is the advice.
    #[error("{0}")]
    Holds(String),
    /// What the records are wrapped in is damaged.
    #[error("the JSON around the records is damaged, and nothing behind this place is read")]
    Wrapper,
    /// The last row of a table ends in a quoted cell.
    #[error("a quote is not closed: the rest of the file is in this cell")]
    QuoteNotClosed,
    /// A row of a table has more than [`RECORD_BYTES_MAX`] bytes.
    #[error("this row is longer than {RECORD_BYTES_MAX} bytes: a quote may be missing")]
    RowTooLong,
    /// Text follows the closing quote of a cell.
    #[error("text follows a closing quote: a quote in a cell must be written as two")]
    AfterQuotes,
    /// The source is of a type that is not read.
    #[error("{0}")]
    Refused(String),
    /// The source cannot be opened, or cannot be read any further.
    #[error("cannot read on: {0}")]
    Unreadable(io::Error),
}

impl From<OpenError> for FaultKind {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Io(error) => Self::Unreadable(error),
            refused => Self::Refused(refused.to_string()),
        }
    }
}

impl FaultKind {
    /// The line on which it was found, if it is on a line of its own.
    pub(super) fn line(&self) -> Option<u64> {
        match self {
            Self::StringNotClosed(line) | Self::AfterString(line) | Self::Mismatched(_, line) => {
                Some(*line)
            }
            _ => None,
        }
    }
}

impl Reason {
    /// What rejections for the same reason share: the reason without its numbers and excerpts.
    pub fn group(&self) -> String {
        match self {
            Self::Damaged(FaultKind::Unexpected(_)) => "expected a record".to_owned(),
            Self::Damaged(kind) => without_numbers(&kind.to_string()),
            Self::Invalid(reason) => without_numbers(reason),
        }
    }
}

/// The text with each run of digits outside of backquotes and single quotes as `…`.
fn without_numbers(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut quote = None;
    let mut in_number = false;
    for c in text.chars() {
        match (c, quote) {
            ('`' | '\'', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            _ => {}
        }
        let is_digit = c.is_ascii_digit() && quote.is_none();
        if !is_digit {
            shown.push(c);
        } else if !in_number {
            shown.push('…');
        }
        in_number = is_digit;
    }
    shown
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, position: Position { line, record, .. }, bytes, reason, .. } = self;
        write!(f, "{source}:{line} (record {record}): {reason}")?;
        match reason {
            Reason::Damaged(_) if *bytes > 0 => {
                write!(f, "; {} not read", counted_bytes(*bytes))
            }
            _ => Ok(()),
        }
    }
}

/// `1 byte was`, `3,214,009 bytes were`.
pub(super) fn counted_bytes(bytes: u64) -> String {
    let noun = if bytes == 1 { "byte was" } else { "bytes were" };
    format!("{} {noun}", HumanCount(bytes))
}

/// Something in a source that costs no record, and that a person should know.
///
/// Its `Display` is one line: `users/6.json:978: …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The source.
    pub source: Arc<Source>,
    /// The line, from 1.
    pub line: u64,
    /// What there is.
    pub kind: NoteKind,
}

/// What there is to know about a source. Its `Display` is one short line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteKind {
    /// The source has no bytes, or only blanks.
    #[error("this file is empty")]
    Empty,
    /// A comma follows the last record of an array.
    #[error("a comma stands before the closing ]: the file may have been cut there")]
    TrailingComma,
    /// Text stands before the first bracket.
    #[error("`{0}` stands before the first bracket; {text} not read", text = counted_bytes(*.1))]
    LeadingText(String, u64),
}

impl NoteKind {
    /// What notes of the same kind share.
    pub fn group(&self) -> &'static str {
        match self {
            Self::Empty => "files are empty",
            Self::TrailingComma => "a comma stands before the closing ]",
            Self::LeadingText(..) => "text before the first bracket was not read",
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, line, kind } = self;
        write!(f, "{source}:{line}: note: {kind}")
    }
}

/// The beginning of `text`, fit to be printed.
pub(super) fn excerpt(text: &[u8]) -> String {
    let bytes = &text[..text.len().min(4 * EXCERPT_CHARS_MAX)];
    let lossy = String::from_utf8_lossy(bytes);
    let beginning: String = lossy.chars().take(EXCERPT_CHARS_MAX).collect();
    let mut shown = printable::text(&beginning);
    if text.len() > bytes.len() || lossy.chars().count() > EXCERPT_CHARS_MAX {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpt_is_short_and_printable() {
        assert_eq!(excerpt(b"undefined"), "undefined");
        assert_eq!(excerpt(b"\x1b[31m\x00\xff"), "\\u{1b}[31m\\0\u{fffd}");
        assert_eq!(excerpt("ä".repeat(24).as_bytes()), "ä".repeat(24));
        assert_eq!(excerpt("ä".repeat(25).as_bytes()), "ä".repeat(24) + "…");
        assert_eq!(excerpt(&[b'x'; 1000]), "x".repeat(24) + "…");
    }

    #[test]
    fn group_has_neither_numbers_nor_excerpts() {
        for (reason, group) in [
            (Reason::Damaged(FaultKind::Unexpected("NaN".to_owned())), "expected a record"),
            (
                Reason::Damaged(FaultKind::StringNotClosed(17)),
                "a string is not closed at the end of line …",
            ),
            (
                Reason::Invalid("field `id1`: 2147483648 is out of range".to_owned()),
                "field `id1`: … is out of range",
            ),
        ] {
            assert_eq!(reason.group(), group);
        }
    }
}
