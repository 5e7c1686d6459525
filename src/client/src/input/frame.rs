//! Finds where an element ends, a piece at a time, by its strings and brackets alone.

use memchr::memchr3;

use super::fault::FaultKind;
use super::line::{Line, Margin};

/// How deep an element may be where a line in it looks like the beginning of a record.
///
/// Unclosed records nest, one in the other. This bounds how many records a byte is scanned for.
const DEPTH_MAX: usize = 128;

/// An element, as far as it has been fed.
#[derive(Debug)]
pub(super) struct Frame {
    /// The brackets that are still to come, the next one last.
    closers: Vec<u8>,
    in_string: bool,
    is_escaped: bool,
    /// The last byte outside of strings that was not blank.
    before: u8,
    margin: Margin,
    /// The line that has been reached.
    pub(super) line: Line,
    /// The first place inside that looks like the beginning of a record, in case that this one
    /// turns out to be broken.
    pub(super) next_record: Option<Place>,
}

/// A place to which the scanner can go back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) offset: u64,
    pub(super) line: Line,
}

/// What feeding led to.
#[derive(Debug)]
pub(super) enum Step {
    /// The element goes on.
    More,
    /// The element ends after this many of the bytes that were fed last.
    End(usize),
    /// The element is broken after this many of the bytes that were fed last.
    Broken(usize, FaultKind),
}

impl Frame {
    pub(super) fn new(line: Line) -> Self {
        Self {
            closers: Vec::new(),
            in_string: false,
            is_escaped: false,
            before: 0,
            margin: Margin::WIDEST,
            line,
            next_record: None,
        }
    }

    /// Begins another element, which is at `offset`.
    pub(super) fn begin(&mut self, line: Line, offset: u64) {
        self.closers.clear();
        self.in_string = false;
        self.is_escaped = false;
        self.margin = line.margin(offset);
        self.line = line;
        self.next_record = None;
    }

    /// Goes on with `bytes`, which are at `offset`. An element's first byte is `{`, `[` or `"`.
    pub(super) fn feed(&mut self, bytes: &[u8], offset: u64) -> Step {
        let mut at = 0;
        while at < bytes.len() {
            if self.in_string {
                at += self.feed_string(&bytes[at..]);
                if bytes.get(at) == Some(&b'\n') && self.in_string {
                    return Step::Broken(at, FaultKind::StringNotClosed(self.line.number));
                }
            } else {
                if let Err(fault) = self.feed_byte(bytes[at], offset + at as u64) {
                    return Step::Broken(at, fault);
                }
                at += 1;
            }
            if self.closers.is_empty() && !self.in_string {
                return Step::End(at);
            }
        }
        Step::More
    }

    /// Passes the inside of a string and its closing quote. Stops before a line break.
    fn feed_string(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        if self.is_escaped && bytes[0] != b'\n' {
            at = 1;
        }
        self.is_escaped = false;
        while let Some(len) = memchr3(b'"', b'\\', b'\n', &bytes[at..]) {
            at += len;
            match bytes[at] {
                b'\n' => return at,
                b'"' => {
                    self.in_string = false;
                    return at + 1;
                }
                _ => match bytes.get(at + 1) {
                    Some(b'\n') => return at + 1,
                    Some(_) => at += 2,
                    None => {
                        self.is_escaped = true;
                        return at + 1;
                    }
                },
            }
        }
        bytes.len()
    }

    /// Passes a byte outside of strings.
    fn feed_byte(&mut self, byte: u8, offset: u64) -> Result<(), FaultKind> {
        match byte {
            b'"' => self.in_string = true,
            b'{' => {
                self.check_nesting(offset)?;
                self.closers.push(b'}');
            }
            b'[' => self.closers.push(b']'),
            b'}' | b']' => {
                if self.closers.last() != Some(&byte) {
                    return Err(FaultKind::Mismatched(byte.into(), self.line.number));
                }
                self.closers.pop();
            }
            _ => {}
        }
        self.line.pass(byte, offset);
        if !byte.is_ascii_whitespace() {
            self.before = byte;
        }
        Ok(())
    }

    /// Fails if the `{` at `offset` begins another record rather than an object in this one.
    ///
    /// An array among records is rejected anyway: it must not take along what may be a record.
    fn check_nesting(&mut self, offset: u64) -> Result<(), FaultKind> {
        let Some(closer) = self.closers.last() else {
            return Ok(());
        };
        if !self.line.begins_record(offset, self.margin) {
            return Ok(());
        }
        self.next_record.get_or_insert(Place { offset, line: self.line });
        let is_record = self.closers.first() == Some(&b'}');
        let may_begin = match closer {
            b'}' => self.before == b':',
            _ => matches!(self.before, b'[' | b','),
        };
        if is_record && may_begin && self.closers.len() <= DEPTH_MAX {
            Ok(())
        } else {
            Err(FaultKind::NotClosed(self.line.number))
        }
    }
}
