//! What can be wrong between and around records, so that they cannot be told apart.

use std::io;

use super::RECORD_BYTES_MAX;
use crate::printable;

/// How much of a text is shown, in characters.
const EXCERPT_CHARS_MAX: usize = 24;

/// A broken stretch of a source.
#[derive(Debug)]
pub(super) struct Fault {
    /// The line, from 1, on which the stretch begins; for [`FaultKind::EndsInRecord`], on which
    /// it ends.
    pub(super) line: u64,
    pub(super) kind: FaultKind,
}

/// Why a stretch of a source is broken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FaultKind {
    /// The last record is cut off. It begins on this line.
    #[error("the file ends inside this record (it starts at line {0})")]
    EndsInRecord(u64),
    /// The last record is whole, but the array around it is not.
    #[error("the file ends before the array's closing ]")]
    EndsInArray,
    /// The closing quote is missing, or a raw line break is in the string, on this line.
    #[error("a string is not closed at the end of line {0}")]
    StringNotClosed(u64),
    /// A bracket closes what was not opened last, on this line.
    #[error("found {0} on line {1}, which closes nothing that is open")]
    Mismatched(char, u64),
    /// Another record begins on this line before the end of the one at hand.
    #[error("this record is not closed before line {0}, which begins another")]
    NotClosed(u64),
    /// The record has more than [`RECORD_BYTES_MAX`] bytes.
    #[error("this record is longer than {RECORD_BYTES_MAX} bytes")]
    TooLong,
    /// What stands where a record should is no JSON.
    #[error("expected a record, found {0}")]
    NotJson(String),
    /// Something follows the array. If it is on another line than the `]`, it is not read.
    #[error("expected nothing after the array's closing ]")]
    AfterArray,
    /// The source cannot be opened, or cannot be read any further.
    #[error("cannot read on: {0}")]
    Unreadable(io::Error),
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
    fn an_excerpt_is_short_and_printable() {
        assert_eq!(excerpt(b"undefined"), "undefined");
        assert_eq!(excerpt(b"\x1b[31m\x00\xff"), "\\u{1b}[31m\\0\u{fffd}");
        assert_eq!(excerpt("ä".repeat(24).as_bytes()), "ä".repeat(24));
        assert_eq!(excerpt("ä".repeat(25).as_bytes()), "ä".repeat(24) + "…");
        assert_eq!(excerpt(&[b'x'; 1000]), "x".repeat(24) + "…");
    }
}
