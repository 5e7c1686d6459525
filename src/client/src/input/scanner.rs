//! Cuts a byte stream into elements: those of one JSON array, or any number one after the other.
//!
//! Elements are told apart by their structure alone; what is in them is not checked. When a
//! stretch is broken, the scanner goes on at the next line that looks like the beginning of a
//! record, also when it had passed that line already, so that a record whose end is missing does
//! not take the ones behind it with it.

use std::io::Read;

use serde::de::IgnoredAny;

use super::RECORD_BYTES_MAX;
use super::fault::{Fault, FaultKind, excerpt};
use super::frame::{Frame, Place, Step};
use super::line::{Line, Margin};
use super::plain::Plain;
use super::window::Window;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A JSON value where a record should be, at most [`RECORD_BYTES_MAX`] bytes long, which has just
/// been passed.
#[derive(Debug)]
pub(super) struct Element {
    /// The line on which it begins, from 1.
    pub(super) line: u64,
    /// What is known of it, if it is a record that is written as nearly all are.
    pub(super) plain: Option<Plain>,
    len: usize,
}

/// The elements of one stream, one at a time.
pub(super) struct Scanner<R> {
    window: Window<R>,
    /// The line of the window's first byte.
    line: Line,
    frame: Frame,
    format: Format,
    state: State,
    /// How deep the last record began.
    margin: Margin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Unknown,
    /// Elements in an array.
    Array,
    /// The array, closed on this line.
    ArrayClosed(u64),
    /// Elements one after the other.
    Sequence,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Start,
    /// An element, a separator or the end comes next.
    Between,
    /// Inside a record that is too long, of which only the end is of interest.
    InTooLong,
    /// In a broken stretch.
    InBroken,
    Over,
}

impl<R: Read> Scanner<R> {
    pub(super) fn new(stream: R) -> Self {
        let line = Line::first(0);
        Self {
            window: Window::new(stream),
            line,
            frame: Frame::new(line),
            format: Format::Unknown,
            state: State::Start,
            margin: Margin::WIDEST,
        }
    }

    /// How many bytes have been passed.
    pub(super) fn offset(&self) -> u64 {
        self.window.offset()
    }

    /// The next element or the next broken stretch; `None` at the end.
    pub(super) fn next(&mut self) -> Option<Result<Element, Fault>> {
        self.find().transpose()
    }

    /// The element that [`next`](Self::next) returned last.
    pub(super) fn bytes_of(&self, element: &Element) -> &[u8] {
        self.window.passed(element.len)
    }

    fn find(&mut self) -> Result<Option<Element>, Fault> {
        loop {
            match self.state {
                State::Start => self.pass_byte_order_mark()?,
                State::InTooLong => self.pass_too_long()?,
                State::InBroken => self.pass_broken()?,
                State::Over => return Ok(None),
                State::Between => match self.pass_separators()? {
                    None => return self.end(),
                    Some(b'[') if self.format == Format::Unknown => {
                        self.format = Format::Array;
                        self.pass_byte(b'[');
                    }
                    Some(b']') if self.format == Format::Array => {
                        self.format = Format::ArrayClosed(self.line.number);
                        self.pass_byte(b']');
                    }
                    Some(byte) => return self.element(byte).map(Some),
                },
            }
        }
    }

    /// Finds the element that begins with `first`.
    fn element(&mut self, first: u8) -> Result<Element, Fault> {
        match self.format {
            Format::ArrayClosed(line) => return Err(self.after_array(line)),
            Format::Unknown => self.format = Format::Sequence,
            Format::Array | Format::Sequence => {}
        }
        match first {
            b'{' => {
                self.margin = self.line.margin(self.window.offset());
                match self.plain() {
                    Some(element) => Ok(element),
                    None => self.frame(),
                }
            }
            b'[' | b'"' => self.frame(),
            _ => self.word(),
        }
    }

    /// Refuses what follows an array that was closed on `line`.
    ///
    /// On the same line, the `]` is more likely to be the rest of a broken record than the end of
    /// the array.
    fn after_array(&mut self, line: u64) -> Fault {
        if line == self.line.number {
            self.format = Format::Array;
            self.state = State::InBroken;
        } else {
            self.state = State::Over;
        }
        self.fault(FaultKind::AfterArray)
    }

    /// Finds a record that is written as nearly all are, if all of it is in memory.
    fn plain(&mut self) -> Option<Element> {
        let (bytes, offset) = (self.window.bytes(), self.window.offset());
        let plain = Plain::find(&bytes[..bytes.len().min(RECORD_BYTES_MAX)])?;
        let (len, line) = (plain.len, self.line.number);
        self.line.pass_record(&bytes[..len], offset);
        self.window.pass(len);
        Some(Element { line, plain: Some(plain), len })
    }

    /// Finds an element that has a closing byte.
    fn frame(&mut self) -> Result<Element, Fault> {
        let Place { offset, line } = self.place();
        self.frame.begin(line, offset);
        let mut fed = 0;
        loop {
            let known = self.window.bytes().len().min(RECORD_BYTES_MAX);
            let step = self.frame.feed(&self.window.bytes()[fed..known], offset + fed as u64);
            match step {
                Step::End(len) => {
                    let len = fed + len;
                    self.pass_fed(len);
                    return Ok(Element { line: line.number, plain: None, len });
                }
                Step::Broken(len, kind) => return Err(self.give_up(fed + len, kind)),
                Step::More if known == RECORD_BYTES_MAX => {
                    return Err(self.give_up(known, FaultKind::TooLong));
                }
                Step::More => fed = known,
            }
            if !self.fill()? {
                return Err(self.give_up(fed, FaultKind::EndsInRecord(line.number)));
            }
        }
    }

    /// Gives up the record that begins here, of which `fed` bytes were fed: goes to the next one
    /// in what was fed, if there is one, and passes all of it otherwise.
    fn give_up(&mut self, fed: usize, kind: FaultKind) -> Fault {
        let begin = self.line.number;
        if let Some(place) = self.frame.next_record {
            self.go_to(place);
            return Fault { line: begin, kind: FaultKind::NotClosed(place.line.number) };
        }
        self.pass_fed(fed);
        let (state, line) = match kind {
            FaultKind::EndsInRecord(_) => (State::Over, self.line.number),
            FaultKind::TooLong => (State::InTooLong, begin),
            _ => (State::InBroken, begin),
        };
        self.state = state;
        Fault { line, kind }
    }

    /// Finds an element that is a number, `true`, `false` or `null`. Anything else is broken.
    fn word(&mut self) -> Result<Element, Fault> {
        let mut known = 1;
        let len = loop {
            let bytes = self.window.bytes();
            if let Some(len) = bytes[known..].iter().position(|byte| ends_word(*byte)) {
                break known + len;
            }
            known = bytes.len();
            if known >= RECORD_BYTES_MAX || !self.fill()? {
                break known;
            }
        };
        let word = &self.window.bytes()[..len];
        if serde_json::from_slice::<IgnoredAny>(word).is_err() {
            let kind = FaultKind::NotJson(excerpt(word));
            self.state = State::InBroken;
            return Err(self.fault(kind));
        }
        self.line.pass(word[0], self.window.offset());
        self.window.pass(len);
        Ok(Element { line: self.line.number, plain: None, len })
    }

    fn pass_byte_order_mark(&mut self) -> Result<(), Fault> {
        while self.window.bytes().len() < BYTE_ORDER_MARK.len() && self.fill()? {}
        if self.window.bytes().starts_with(BYTE_ORDER_MARK) {
            self.window.pass(BYTE_ORDER_MARK.len());
            self.line = Line::first(self.window.offset());
        }
        self.state = State::Between;
        Ok(())
    }

    /// Passes blanks and commas, however many. Returns what stands behind them.
    fn pass_separators(&mut self) -> Result<Option<u8>, Fault> {
        loop {
            match self.window.bytes().first().copied() {
                Some(b',') if !matches!(self.format, Format::ArrayClosed(_)) => {
                    self.pass_byte(b',')
                }
                Some(byte @ (b' ' | b'\t' | b'\r' | b'\n')) => self.pass_byte(byte),
                Some(byte) => return Ok(Some(byte)),
                None if self.fill()? => {}
                None => return Ok(None),
            }
        }
    }

    /// Passes the rest of a record that is too long.
    fn pass_too_long(&mut self) -> Result<(), Fault> {
        loop {
            let bytes = self.window.bytes();
            let (len, state) = match self.frame.feed(bytes, self.window.offset()) {
                Step::End(len) => (len, State::Between),
                Step::Broken(len, _) => (len, State::InBroken),
                Step::More => (bytes.len(), State::InTooLong),
            };
            if let Some(place) = self.frame.next_record {
                self.go_to(place);
                return Ok(());
            }
            self.pass_fed(len);
            self.state = state;
            if !matches!(state, State::InTooLong) {
                return Ok(());
            }
            if !self.fill()? {
                self.state = State::Over;
                return Ok(());
            }
        }
    }

    /// Passes what is broken, up to the next line that looks like the beginning of a record.
    fn pass_broken(&mut self) -> Result<(), Fault> {
        loop {
            let (bytes, offset) = (self.window.bytes(), self.window.offset());
            let mut at = 0;
            while let Some(&byte) = bytes.get(at) {
                if byte == b'{' && self.line.begins_record(offset + at as u64, self.margin) {
                    self.window.pass(at);
                    self.state = State::Between;
                    return Ok(());
                }
                self.line.pass(byte, offset + at as u64);
                at += 1;
                if !self.line.is_head {
                    at += memchr::memchr(b'\n', &bytes[at..]).unwrap_or(bytes.len() - at);
                }
            }
            self.window.pass(at);
            if !self.fill()? {
                self.state = State::Over;
                return Ok(());
            }
        }
    }

    fn end(&mut self) -> Result<Option<Element>, Fault> {
        self.state = State::Over;
        match self.format {
            Format::Array => Err(self.fault(FaultKind::EndsInArray)),
            Format::Unknown | Format::ArrayClosed(_) | Format::Sequence => Ok(None),
        }
    }

    fn pass_byte(&mut self, byte: u8) {
        self.line.pass(byte, self.window.offset());
        self.window.pass(1);
    }

    /// Passes `len` bytes that the frame was fed with.
    fn pass_fed(&mut self, len: usize) {
        self.window.pass(len);
        self.line = self.frame.line;
    }

    /// Passes what is before `place`, which is in memory.
    fn go_to(&mut self, place: Place) {
        self.window.pass_to(place.offset);
        self.line = place.line;
        self.state = State::Between;
    }

    fn place(&self) -> Place {
        Place { offset: self.window.offset(), line: self.line }
    }

    /// Reads more. Returns whether there was more.
    fn fill(&mut self) -> Result<bool, Fault> {
        self.window.fill().map_err(|error| {
            self.state = State::Over;
            self.fault(FaultKind::Unreadable(error))
        })
    }

    fn fault(&self, kind: FaultKind) -> Fault {
        Fault { line: self.line.number, kind }
    }
}

/// Whether this byte cannot be in a number, `true`, `false` or `null`.
fn ends_word(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b',' | b':' | b'"' | b'{' | b'}' | b'[' | b']')
}
