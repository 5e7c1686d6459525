//! A stretch of the stream that is passed over, and why.

use super::super::RECORD_BYTES_MAX;
use super::super::nested::Nested;
use super::super::rejection::{FaultKind, NoteKind, Position, Reason, TEXT_BYTES_MAX, excerpt};
use super::Found;

/// A stretch of the stream that is passed over.
#[derive(Debug)]
pub(in crate::input) struct Stretch {
    pub(in crate::input) position: Position,
    pub(in crate::input) bytes: u64,
    /// Its beginning.
    pub(in crate::input) text: Vec<u8>,
    pub(in crate::input) reason: Reason,
}

impl Stretch {
    /// A stretch that has been passed.
    pub(in crate::input) fn of(position: Position, text: &[u8], reason: Reason) -> Self {
        let mut stretch = Self::at(position, reason);
        stretch.push(text);
        stretch
    }

    /// All of a source that cannot be opened.
    pub(in crate::input) fn unreadable(fault: FaultKind) -> Self {
        let position = Position { line: 1, record: 1, offset: 0 };
        Self::at(position, Reason::Damaged(fault))
    }

    pub(super) fn at(position: Position, reason: Reason) -> Self {
        Self { position, bytes: 0, text: Vec::new(), reason }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        let room = TEXT_BYTES_MAX - self.text.len();
        self.text.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.bytes += bytes.len() as u64;
    }

    /// Takes `other` in as well, which follows.
    pub(super) fn join(&mut self, other: &Self) {
        let gap = other.position.offset - self.position.offset - self.bytes;
        self.push(b"\n");
        self.bytes += gap - 1 + other.bytes;
        let room = TEXT_BYTES_MAX - self.text.len();
        self.text.extend_from_slice(&other.text[..other.text.len().min(room)]);
        self.reason = Reason::Damaged(FaultKind::Unexpected(excerpt(&self.text)));
    }

    /// What the text before the first bracket is: most likely a line of the tool that wrote the
    /// file. But if it has the name of a member, it may be the rest of a record.
    pub(super) fn before_first_bracket(self) -> Found {
        if memchr::memmem::find(&self.text, b"\":").is_some() {
            return self.into();
        }
        let text = excerpt(self.text.trim_ascii());
        Found::Note(self.position.line, NoteKind::LeadingText(text, self.bytes))
    }

    /// Finds the reason that helps most, once the end is found: `line` is the one that is reached.
    pub(super) fn explain(&mut self, nested: Nested, path: &str, is_over: bool, line: u64) {
        let Reason::Damaged(kind) = &self.reason else { return };
        let is_cut = matches!(kind, FaultKind::TooLong | FaultKind::EndsInRecord);
        let is_too_long =
            matches!(kind, FaultKind::TooLong) && self.bytes > RECORD_BYTES_MAX as u64;
        // A fault found behind the end does not explain this element.
        let is_behind = kind.line().is_some_and(|found| found > line);
        if is_cut && let Some(holds) = nested.records() {
            self.reason = Reason::Damaged(FaultKind::Holds(holds.advice(path)));
        } else if !is_over && !is_too_long && (is_cut || is_behind) {
            self.reason = Reason::Damaged(FaultKind::NotClosed(line));
        }
    }
}
