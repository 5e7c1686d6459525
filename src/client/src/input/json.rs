//! Cuts a stream of JSON into elements, whatever they are in: arrays, objects one after another, or
//! both.
//!
//! | module | what is in it |
//! | --- | --- |
//! | `window` | the part of the stream that is in memory |
//! | `plain` | finds and reads a record at once, if it is written as nearly all are |
//! | `frame` | finds where an undamaged element ends |
//! | `damage`, `strings` | finds where a damaged element ends |
//! | `junk` | finds where text ends that is not an element |
//! | `abandon` | passes what is not an element |
//! | `leading` | the text before the first bracket |
//! | `stretch` | what is passed over, and why ([`Stretch`]) |
//! | `walk` | goes to the elements inside a wrapper, by a JSON Pointer |
//!
//! Between elements, blanks, commas, byte order marks, record separators (RFC 7464) and the brackets of
//! arrays mean nothing. A damaged element costs itself: the scanner never goes back into it, so that
//! nothing inside becomes a record, and goes on behind it.

mod abandon;
mod damage;
mod frame;
mod junk;
mod leading;
mod plain;
mod stretch;
mod strings;
mod walk;
mod window;

use std::io::Read;

use self::frame::Frame;
use self::leading::Leading;
use self::plain::Plain;
pub(super) use self::stretch::Stretch;
use self::walk::Walk;
use self::window::Window;
use super::RECORD_BYTES_MAX;
use super::content::{BYTE_ORDER_MARK, RECORD_SEPARATOR};
use super::pointer::Pointer;
use super::record;
use super::rejection::{FaultKind, NoteKind, Position, Reason};

/// What is found in a stream.
#[derive(Debug)]
pub(super) enum Found {
    /// A record that is written as nearly all are: [`Scanner::plain`].
    Plain(Span),
    /// An object or an array whose brackets match. Whether it is JSON is not known yet.
    Framed(Span, Kind),
    /// A stretch that is not an element.
    Stretch(Stretch),
    /// Something that costs no record, on this line.
    Note(u64, NoteKind),
}

/// An element, which has just been passed: at most [`RECORD_BYTES_MAX`] bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) position: Position,
    len: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Object,
    Array,
}

/// The elements of one stream, one at a time.
pub(super) struct Scanner<R> {
    window: Window<R>,
    /// The line of the window's first byte.
    line: u64,
    /// How many elements have been begun.
    elements: u64,
    /// The last record that was plain.
    plain: Plain,
    frame: Frame,
    /// How many arrays are open around the next element.
    arrays: usize,
    /// Whether the last separator was a comma.
    is_after_comma: bool,
    /// What stands before the first bracket, as far as it is known.
    leading: Leading,
    /// What comes next, if it is found already.
    pending: Option<Stretch>,
    /// The way to the elements, if they are in a wrapper.
    walk: Option<Walk>,
    is_over: bool,
}

impl<R: Read> Scanner<R> {
    pub(super) fn new(stream: R, pointer: Option<&Pointer>) -> Self {
        let to_elements = pointer.map_or(&[][..], Pointer::to_elements);
        Self {
            window: Window::new(stream),
            line: 1,
            elements: 0,
            plain: Plain::default(),
            frame: Frame::default(),
            arrays: 0,
            is_after_comma: false,
            leading: Leading::Nothing,
            pending: None,
            walk: (!to_elements.is_empty()).then(|| Walk::new(to_elements)),
            is_over: false,
        }
    }

    /// How many bytes have been passed.
    pub(super) fn offset(&self) -> u64 {
        self.window.offset()
    }

    /// A JSON Pointer to the elements, as far as it is known without one.
    pub(super) fn path(&self) -> String {
        match &self.walk {
            Some(walk) => walk.path(),
            None => "/*".repeat(self.arrays),
        }
    }

    /// The bytes of the element that [`next`](Self::next) returned last.
    pub(super) fn bytes_of(&self, element: Span) -> &[u8] {
        self.window.passed(element.len)
    }

    /// What is known of the record that [`next`](Self::next) returned last as plain.
    pub(super) fn plain(&self) -> &Plain {
        &self.plain
    }

    /// The next element, stretch or note; `None` at the end.
    pub(super) fn next(&mut self) -> Option<Found> {
        if let Some(stretch) = self.pending.take() {
            return Some(stretch.into());
        }
        self.find()
    }

    fn find(&mut self) -> Option<Found> {
        while !self.is_over {
            if self.walk.as_ref().is_some_and(Walk::is_outside) {
                match self.walk() {
                    Some(found) => return Some(found),
                    None => continue,
                }
            }
            let Some(byte) = self.pass_blanks() else { return self.end() };
            if matches!(byte, b'{' | b'[')
                && let Some(found) = self.end_leading_text()
            {
                return Some(found);
            }
            match byte {
                b'{' => return Some(self.object()),
                b'[' if self.is_array_of_scalars() => {
                    return Some(self.framed(Kind::Array));
                }
                b'[' => {
                    self.pass(1);
                    self.arrays += 1;
                    self.is_after_comma = false;
                }
                b']' => {
                    if let Some(found) = self.close_array() {
                        return Some(found);
                    }
                }
                _ if self.passes_byte_order_mark() => {}
                _ => {
                    if let Some(found) = self.junk() {
                        return Some(found);
                    }
                }
            }
        }
        None
    }

    /// Passes blanks and commas, however many. Returns the byte that stands behind them.
    fn pass_blanks(&mut self) -> Option<u8> {
        loop {
            let (bytes, mut at) = (self.window.bytes(), 0);
            let next = loop {
                match bytes.get(at) {
                    Some(b'\n') => self.line += 1,
                    Some(b',') => self.is_after_comma = true,
                    Some(&(b' ' | b'\t' | b'\r' | RECORD_SEPARATOR)) => {}
                    next => break next.copied(),
                }
                at += 1;
            };
            self.window.pass(at);
            if next.is_some() || !self.window.fill() {
                return next;
            }
        }
    }

    /// Finds the object that begins here.
    fn object(&mut self) -> Found {
        let bytes = self.window.bytes();
        if self.plain.find(&bytes[..bytes.len().min(RECORD_BYTES_MAX)]).is_none() {
            return self.framed(Kind::Object);
        }
        let (position, len) = (self.begin_element(), self.plain.len);
        self.line += self.plain.line_ends;
        self.window.pass(len);
        Found::Plain(Span { position, len })
    }

    /// Finds the element that begins here, by its brackets.
    fn framed(&mut self, kind: Kind) -> Found {
        let position = self.begin_element();
        match self.find_end() {
            Ok(len) => {
                self.pass(len);
                Found::Framed(Span { position, len }, kind)
            }
            Err(fault) => self.pass_damaged(position, fault).into(),
        }
    }

    /// The length of the element that begins here, by its brackets. All of it is in the window then.
    ///
    /// # Errors
    ///
    /// The element is damaged, too long, or cut off.
    fn find_end(&mut self) -> Result<usize, FaultKind> {
        self.frame.begin(self.line);
        let mut fed = 0;
        loop {
            let known = self.window.bytes().len().min(RECORD_BYTES_MAX);
            match self.frame.feed(&self.window.bytes()[fed..known]) {
                frame::Step::End(len) => return Ok(fed + len),
                frame::Step::Damaged(fault) => return Err(fault),
                frame::Step::More if known == RECORD_BYTES_MAX => return Err(FaultKind::TooLong),
                frame::Step::More => fed = known,
            }
            if !self.window.fill() {
                return Err(FaultKind::EndsInRecord);
            }
        }
    }

    /// Whether the array that begins here is one element, because it has only scalars.
    ///
    /// Inside another array, the first value decides. An array at the top level may hold records
    /// behind a scalar, so all of its values decide.
    fn is_array_of_scalars(&mut self) -> bool {
        let mut at = 1;
        loop {
            match self.window.bytes().get(at).copied() {
                Some(b'{' | b'[' | b']') => return false,
                Some(b' ' | b'\t' | b'\r' | b'\n') if at < RECORD_BYTES_MAX => at += 1,
                Some(_) => break,
                None if self.window.fill() => {}
                None => return false,
            }
        }
        self.arrays > 0
            || self
                .find_end()
                .is_ok_and(|len| record::has_only_scalars(&self.window.bytes()[..len]))
    }

    /// Passes a `]`.
    fn close_array(&mut self) -> Option<Found> {
        let line = self.line;
        if self.arrays == 0 {
            if let Some(text) = self.leading.end() {
                return Some(text.before_first_bracket());
            }
            let reason = Reason::Damaged(FaultKind::StrayBracket);
            let mut stretch = Stretch::at(self.begin_element(), reason);
            self.pass_into(&mut stretch, 1);
            return Some(stretch.into());
        }
        self.pass(1);
        self.arrays -= 1;
        if let Some(walk) = self.walk.as_mut().filter(|_| self.arrays == 0) {
            walk.leave();
        }
        let is_after_comma = std::mem::take(&mut self.is_after_comma);
        is_after_comma.then_some(Found::Note(line, NoteKind::TrailingComma))
    }

    fn passes_byte_order_mark(&mut self) -> bool {
        if self.window.bytes()[0] != BYTE_ORDER_MARK[0] {
            return false;
        }
        while self.window.bytes().len() < BYTE_ORDER_MARK.len() && self.window.fill() {}
        let is_mark = self.window.bytes().starts_with(BYTE_ORDER_MARK);
        if is_mark {
            self.window.pass(BYTE_ORDER_MARK.len());
        }
        is_mark
    }

    /// What there is to report where the stream ends, one after the other.
    fn end(&mut self) -> Option<Found> {
        let error = self.window.take_error();
        if let Some(error) = error {
            let reason = Reason::Damaged(FaultKind::Unreadable(error));
            self.pending = Some(Stretch::at(self.begin_element(), reason));
            self.arrays = 0;
            self.walk = None;
        }
        let is_empty = self.leading.is_nothing() && self.pending.is_none();
        if let Some(text) = self.leading.end() {
            return Some(text.into());
        }
        if is_empty {
            return Some(Found::Note(1, NoteKind::Empty));
        }
        self.is_over = true;
        if let Some(stretch) = self.pending.take() {
            return Some(stretch.into());
        }
        let is_open = self.arrays > 0 || self.walk.as_ref().is_some_and(Walk::is_inside);
        let reason = Reason::Damaged(FaultKind::EndsInArray);
        is_open.then(|| Stretch::at(self.position(), reason).into())
    }

    /// Counts an element, which begins here.
    fn begin_element(&mut self) -> Position {
        self.is_after_comma = false;
        self.elements += 1;
        self.position()
    }

    fn position(&self) -> Position {
        Position { line: self.line, record: self.elements, offset: self.window.offset() }
    }

    fn pass(&mut self, len: usize) {
        self.line += memchr::memchr_iter(b'\n', &self.window.bytes()[..len]).count() as u64;
        self.window.pass(len);
    }

    fn pass_into(&mut self, stretch: &mut Stretch, len: usize) {
        stretch.push(&self.window.bytes()[..len]);
        self.pass(len);
    }
}

impl From<Stretch> for Found {
    fn from(stretch: Stretch) -> Self {
        Self::Stretch(stretch)
    }
}
