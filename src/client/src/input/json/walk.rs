//! Goes to the elements inside a wrapper, by a JSON Pointer, and passes over everything else.

use std::io::Read;

use super::super::pointer::Token;
use super::super::rejection::{FaultKind, Position, Reason};
use super::{Found, Kind, Scanner, Stretch};

/// How long the name of a member may be, in bytes.
const NAME_BYTES_MAX: usize = 64 * 1024;

/// How far the way to the elements has been gone.
#[derive(Debug)]
pub(super) struct Walk {
    way: Vec<Token>,
    /// The containers that are open, the outermost first: each belongs to one step of the way.
    open: Vec<Container>,
}

#[derive(Debug)]
struct Container {
    is_array: bool,
    begin: Position,
    /// How many of its values were passed.
    passed: usize,
    /// What stands before the next byte.
    after: After,
    /// Whether it had what the way names.
    has_found: bool,
}

/// What stands before a byte in a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    Opening,
    Value,
    Comma,
}

impl Walk {
    pub(super) fn new(way: &[Token]) -> Self {
        Self { way: way.to_vec(), open: Vec::new() }
    }

    /// Whether the next byte is outside of the arrays whose elements are wanted.
    pub(super) fn is_outside(&self) -> bool {
        self.open.len() < self.way.len() || self.open.last().is_some_and(|last| !last.is_array)
    }

    /// Whether a container is open.
    pub(super) fn is_inside(&self) -> bool {
        !self.open.is_empty()
    }

    /// How many brackets close behind the array of elements.
    pub(super) fn closers(&self) -> usize {
        self.open.len().saturating_sub(1)
    }

    /// The way as a JSON Pointer.
    pub(super) fn path(&self) -> String {
        self.way.iter().map(|token| format!("/{token}")).collect()
    }

    /// Leaves the innermost container, whose closing bracket has been passed.
    pub(super) fn leave(&mut self) {
        self.open.pop();
    }

    /// The step of the way that the innermost container belongs to.
    fn step(&self) -> Option<&Token> {
        self.way.get(self.open.len().checked_sub(1)?)
    }

    /// Whether the way goes through this value of the innermost container.
    fn goes_through(&mut self, name: &str) -> bool {
        let goes = match self.step() {
            Some(Token::Each) => true,
            Some(Token::Name(wanted)) => wanted == name,
            None => false,
        };
        if let Some(container) = self.open.last_mut() {
            container.has_found |= goes;
            container.passed += 1;
            container.after = After::Value;
        }
        goes
    }
}

impl<R: Read> Scanner<R> {
    /// Goes on to the next element that is not in an array of elements, or to such an array.
    pub(super) fn walk(&mut self) -> Option<Found> {
        let innermost = self.walk.as_ref().and_then(|walk| walk.open.last());
        let Some(&Container { is_array, passed, after, .. }) = innermost else {
            return self.walk_outside();
        };
        let Some(byte) = self.pass_only_blanks() else { return self.end() };
        match (byte, after) {
            (b',', After::Value) => {
                self.pass(1);
                if let Some(container) = self.walk.as_mut().and_then(|walk| walk.open.last_mut()) {
                    container.after = After::Comma;
                }
                None
            }
            (b']', After::Opening | After::Value) if is_array => self.leave(),
            (b'}', After::Opening | After::Value) if !is_array => self.leave(),
            (_, After::Value) => self.give_up(),
            _ if is_array => self.value(byte, &passed.to_string()),
            (b'"', _) => {
                let Some(name) = self.pass_name() else { return self.give_up() };
                if self.pass_only_blanks() != Some(b':') {
                    return self.give_up();
                }
                self.pass(1);
                match self.pass_only_blanks() {
                    Some(byte) => self.value(byte, &name),
                    None => self.end(),
                }
            }
            _ => self.give_up(),
        }
    }

    /// Goes on to the next value that is not in any container.
    fn walk_outside(&mut self) -> Option<Found> {
        let Some(byte) = self.pass_blanks() else { return self.end() };
        match byte {
            b'{' | b'[' => match self.end_leading_text() {
                Some(found) => Some(found),
                None => self.enter(byte),
            },
            b']' => self.close_array(),
            _ if self.passes_byte_order_mark() => None,
            _ => self.junk(),
        }
    }

    /// Passes blanks. Returns the byte that stands behind them.
    fn pass_only_blanks(&mut self) -> Option<u8> {
        loop {
            let bytes = self.window.bytes();
            let blank = |byte: &u8| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
            let end = bytes.iter().position(blank);
            let (len, next) = (end.unwrap_or(bytes.len()), end.map(|at| bytes[at]));
            self.pass(len);
            if next.is_some() || !self.window.fill() {
                return next;
            }
        }
    }

    /// Passes a value of the innermost container, or goes into it.
    fn value(&mut self, byte: u8, name: &str) -> Option<Found> {
        if matches!(byte, b'}' | b']' | b':' | b',') {
            return self.give_up();
        }
        let walk = self.walk.as_mut()?;
        if !walk.goes_through(name) {
            let mut passed = Stretch::at(self.position(), Reason::Invalid(String::new()));
            self.pass_value(&mut passed);
            return None;
        }
        let is_element = walk.open.len() == walk.way.len();
        match byte {
            b'{' if is_element => Some(self.object()),
            b'[' if is_element => Some(self.framed(Kind::Array)),
            b'{' | b'[' => self.enter(byte),
            _ => self.refuse_value(),
        }
    }

    /// Goes into the container that begins here, if the way does.
    fn enter(&mut self, byte: u8) -> Option<Found> {
        let begin = self.position();
        let is_array = byte == b'[';
        let walk = self.walk.as_mut()?;
        let goes_on = match &walk.way[walk.open.len()] {
            Token::Each => true,
            Token::Name(name) => !is_array || name.parse::<usize>().is_ok(),
        };
        if !goes_on {
            return self.refuse_value();
        }
        walk.open.push(Container {
            is_array,
            begin,
            passed: 0,
            after: After::Opening,
            has_found: false,
        });
        if !walk.is_outside() {
            self.arrays = 1;
        }
        self.is_after_comma = false;
        self.pass(1);
        None
    }

    /// Passes the closing bracket of the innermost container.
    fn leave(&mut self) -> Option<Found> {
        self.pass(1);
        let walk = self.walk.as_mut()?;
        let missing = match walk.step()? {
            Token::Name(name) => Some(name.clone()),
            Token::Each => None,
        };
        let container = walk.open.pop()?;
        let name = missing.filter(|_| !container.has_found)?;
        self.elements += 1;
        let position = Position { record: self.elements, ..container.begin };
        let mut stretch = Stretch::at(position, Reason::Invalid(missing_member(&name)));
        stretch.bytes = self.window.offset() - position.offset;
        Some(stretch.into())
    }

    /// Passes a value that is not what the way names.
    fn refuse_value(&mut self) -> Option<Found> {
        let reason = "expected what --records names, found another value".to_owned();
        let mut stretch = Stretch::at(self.begin_element(), Reason::Invalid(reason));
        self.pass_value(&mut stretch);
        Some(stretch.into())
    }

    /// Gives the source up, since the containers around the elements are damaged.
    fn give_up(&mut self) -> Option<Found> {
        let reason = Reason::Damaged(FaultKind::Wrapper);
        let mut stretch = Stretch::at(self.begin_element(), reason);
        loop {
            let rest = self.window.bytes().len();
            self.pass_into(&mut stretch, rest);
            if !self.window.fill() {
                break;
            }
        }
        self.leading.end();
        self.is_over = true;
        Some(stretch.into())
    }

    /// Passes a string and returns it, as far as it is valid. `None` if it has no end, or is too long.
    fn pass_name(&mut self) -> Option<String> {
        let mut at = 1;
        loop {
            match self.window.bytes().get(at).copied() {
                Some(b'\\') => at += 2,
                Some(b'"') => break,
                Some(_) => at += 1,
                None if at > NAME_BYTES_MAX || !self.window.fill() => return None,
                None => {}
            }
        }
        let name = &self.window.bytes()[..=at];
        let name = serde_json::from_slice(name)
            .unwrap_or_else(|_| String::from_utf8_lossy(&name[1..at]).into_owned());
        self.pass(at + 1);
        Some(name)
    }

    /// Passes a value, however long, by its brackets and strings.
    fn pass_value(&mut self, stretch: &mut Stretch) {
        let is_scalar = !matches!(self.window.bytes().first(), Some(b'{' | b'[' | b'"'));
        let (mut depth, mut in_string, mut is_escaped) = (0_usize, false, false);
        let mut ends = |byte: u8| {
            if is_scalar {
                return b" \t\r\n,:{}[]\"".contains(&byte).then_some(0);
            }
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' if in_string => is_escaped = true,
                b'"' => in_string = !in_string,
                b'{' | b'[' if !in_string => depth += 1,
                b'}' | b']' if !in_string => depth -= 1,
                _ => return None,
            }
            (depth == 0 && !in_string).then_some(1)
        };
        loop {
            let bytes = self.window.bytes();
            let end = bytes.iter().enumerate().find_map(|(at, byte)| Some(at + ends(*byte)?));
            let len = end.unwrap_or(bytes.len());
            self.pass_into(stretch, len);
            if end.is_some() || !self.window.fill() {
                return;
            }
        }
    }
}

fn missing_member(name: &str) -> String {
    let name = crate::printable::beginning(name, 32);
    format!("this value has no `{name}`, which --records names")
}
