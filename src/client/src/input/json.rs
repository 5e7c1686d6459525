//! Cuts a stream of JSON into elements, whatever they are in: arrays, objects one after another, or
//! both.
//!
//! | module | what is in it |
//! | --- | --- |
//! | `window` | the part of the stream that is in memory |
//! | `plain` | finds and reads a record at once, if it is written as nearly all are |
//! | `frame` | finds where an undamaged element ends |
//! | `damage`, `strings` | finds where a damaged element ends |
//! | `stretch` | what is passed over, and why ([`Stretch`]) |
//! | `junk` | finds where text ends that is not an element |
//! | `walk` | goes to the elements inside a wrapper, by a JSON Pointer |
//!
//! Between elements, blanks, commas, byte order marks, record separators (RFC 7464) and the brackets of
//! arrays mean nothing. A damaged element costs itself: the scanner never goes back into it, so that
//! nothing inside becomes a record, and goes on behind it.

mod damage;
mod frame;
mod junk;
mod plain;
mod stretch;
mod strings;
mod walk;
mod window;

use std::io::Read;

use self::damage::{AHEAD_BYTES, Around, Damage, reads_on};
use self::frame::Frame;
use self::junk::Junk;
use self::plain::Plain;
pub(super) use self::stretch::Stretch;
use self::strings::RECORD_SEPARATOR;
use self::walk::Walk;
use self::window::Window;
use super::RECORD_BYTES_MAX;
use super::nested::Nested;
use super::pointer::Pointer;
use super::record;
use super::rejection::{FaultKind, NoteKind, Position, Reason, excerpt};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

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

/// What stands before the first bracket.
#[derive(Debug)]
enum Leading {
    Nothing,
    Text(Stretch),
    /// The first bracket has been seen.
    Begun,
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

    /// Finds the end of the element that [`next`](Self::next) returned last, which is not JSON.
    pub(super) fn abandon(&mut self, element: Span, kind: FaultKind) -> Stretch {
        self.window.go_back(element.len);
        self.line = element.position.line;
        self.pass_damaged(element.position, kind)
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
            if let Some(found) = self.begin(byte) {
                return Some(found);
            }
            match byte {
                b'{' => return Some(self.object()),
                b'[' if self.arrays > 0 && self.is_array_of_scalars() => {
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

    /// Takes note of the first bracket, which ends the text before it.
    fn begin(&mut self, byte: u8) -> Option<Found> {
        if !matches!(byte, b'{' | b'[') || matches!(self.leading, Leading::Begun) {
            return None;
        }
        match std::mem::replace(&mut self.leading, Leading::Begun) {
            Leading::Text(text) => {
                let found = text.before_first_bracket();
                self.elements += u64::from(matches!(found, Found::Stretch(_)));
                Some(found)
            }
            Leading::Nothing | Leading::Begun => None,
        }
    }

    /// Finds the object that begins here.
    fn object(&mut self) -> Found {
        let bytes = self.window.bytes();
        if self.plain.find(&bytes[..bytes.len().min(RECORD_BYTES_MAX)]).is_none() {
            return self.framed(Kind::Object);
        }
        let (position, len) = (self.begin_element(), self.plain.len);
        self.pass(len);
        Found::Plain(Span { position, len })
    }

    /// Finds the element that begins here, by its brackets.
    fn framed(&mut self, kind: Kind) -> Found {
        let position = self.begin_element();
        self.frame.begin(position.line);
        let mut fed = 0;
        let fault = loop {
            let known = self.window.bytes().len().min(RECORD_BYTES_MAX);
            match self.frame.feed(&self.window.bytes()[fed..known]) {
                frame::Step::End(len) => {
                    let len = fed + len;
                    self.pass(len);
                    return Found::Framed(Span { position, len }, kind);
                }
                frame::Step::Damaged(kind) => break kind,
                frame::Step::More if known == RECORD_BYTES_MAX => break FaultKind::TooLong,
                frame::Step::More => fed = known,
            }
            if !self.window.fill() {
                break FaultKind::EndsInRecord;
            }
        };
        self.pass_damaged(position, fault).into()
    }

    /// Passes a damaged element, which begins here.
    fn pass_damaged(&mut self, position: Position, kind: FaultKind) -> Stretch {
        let mut stretch = Stretch::empty(position, Reason::Damaged(kind));
        let mut nested = Nested::default();
        let known = self.window.bytes();
        let damage = Damage::new(&known[..known.len().min(RECORD_BYTES_MAX)]);
        let is_over = self.pass_to_its_end(&mut stretch, &mut nested, damage);
        stretch.explain(nested, &self.path(), is_over, self.line);
        if is_over {
            // What is open around it ends with it, and is not reported again.
            (self.arrays, self.walk) = (0, None);
        }
        stretch
    }

    /// Returns whether the stream ends in the element.
    fn pass_to_its_end(
        &mut self,
        stretch: &mut Stretch,
        nested: &mut Nested,
        mut damage: Damage,
    ) -> bool {
        loop {
            let bytes = self.window.bytes();
            let step = damage.pass(bytes);
            let len = match step {
                damage::Step::More => bytes.len(),
                damage::Step::End(len) | damage::Step::Ask(len, _) => len,
            };
            nested.feed(&bytes[..len]);
            self.pass_into(stretch, len);
            match step {
                damage::Step::End(_) => return false,
                damage::Step::More if self.window.fill() => {}
                damage::Step::More => return true,
                damage::Step::Ask(_, evidence) => {
                    while self.window.bytes().len() <= AHEAD_BYTES && self.window.fill() {}
                    if reads_on(self.window.bytes(), self.around(), evidence) {
                        return false;
                    }
                    damage.refuse();
                }
            }
        }
    }

    fn around(&self) -> Around {
        let closers = self.walk.as_ref().map(Walk::closers);
        Around { in_array: self.arrays > 0, closers }
    }

    /// Passes text that is not an element. Returns nothing while it may be text before the first
    /// bracket.
    fn junk(&mut self) -> Option<Found> {
        let position = match &self.leading {
            Leading::Begun => self.begin_element(),
            Leading::Nothing | Leading::Text(_) => Position { record: 1, ..self.position() },
        };
        let reason = Reason::Invalid(String::new());
        let mut stretch = Stretch::empty(position, reason);
        let mut junk = Junk::default();
        loop {
            let bytes = self.window.bytes();
            let step = junk.pass(bytes);
            let len = match step {
                junk::Step::More => bytes.len(),
                junk::Step::End(len) | junk::Step::Value(len) => len,
            };
            self.pass_into(&mut stretch, len);
            match step {
                junk::Step::More if self.window.fill() => {}
                junk::Step::More | junk::Step::End(_) => break,
                junk::Step::Value(_) => {
                    let (mut nested, damage) = (Nested::default(), Damage::of_lost_record());
                    self.pass_to_its_end(&mut stretch, &mut nested, damage);
                }
            }
        }
        let text = stretch.text.trim_ascii();
        stretch.reason = match record::refuse_scalar(text) {
            Some(reason) => Reason::Invalid(reason),
            None => Reason::Damaged(FaultKind::NotARecord(excerpt(text))),
        };
        if matches!(self.leading, Leading::Begun) {
            return Some(stretch.into());
        }
        if matches!(stretch.reason, Reason::Damaged(_)) {
            match &mut self.leading {
                Leading::Text(leading) => leading.join(&stretch),
                leading => *leading = Leading::Text(stretch),
            }
            return None;
        }
        // A value that is not an object is an element, and ends the text before it.
        self.elements += 1;
        stretch.position.record = self.elements;
        Some(match std::mem::replace(&mut self.leading, Leading::Begun) {
            Leading::Text(text) => {
                self.pending = Some(stretch);
                text.before_first_bracket()
            }
            Leading::Nothing | Leading::Begun => stretch.into(),
        })
    }

    /// Whether the array that begins here has neither objects nor arrays for its elements.
    fn is_array_of_scalars(&mut self) -> bool {
        let mut at = 1;
        loop {
            match self.window.bytes().get(at).copied() {
                Some(b'{' | b'[' | b']') => return false,
                Some(b' ' | b'\t' | b'\r' | b'\n') if at < RECORD_BYTES_MAX => at += 1,
                Some(_) => return true,
                None if self.window.fill() => {}
                None => return false,
            }
        }
    }

    /// Passes a `]`.
    fn close_array(&mut self) -> Option<Found> {
        let line = self.line;
        if self.arrays == 0 {
            if let Leading::Text(text) = std::mem::replace(&mut self.leading, Leading::Begun) {
                return Some(text.before_first_bracket());
            }
            let reason = Reason::Damaged(FaultKind::StrayBracket);
            let mut stretch = Stretch::empty(self.begin_element(), reason);
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
            self.pending = Some(Stretch::empty(self.begin_element(), reason));
            self.arrays = 0;
            self.walk = None;
        }
        match std::mem::replace(&mut self.leading, Leading::Begun) {
            Leading::Text(text) => return Some(text.into()),
            Leading::Nothing if self.pending.is_none() => {
                return Some(Found::Note(1, NoteKind::Empty));
            }
            Leading::Nothing | Leading::Begun => {}
        }
        self.is_over = true;
        if let Some(stretch) = self.pending.take() {
            return Some(stretch.into());
        }
        let is_open = self.arrays > 0 || self.walk.as_ref().is_some_and(Walk::is_inside);
        let reason = Reason::Damaged(FaultKind::EndsInArray);
        is_open.then(|| Stretch::empty(self.position(), reason).into())
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
