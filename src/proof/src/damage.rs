//! Where an element that is not valid JSON ends, in text that may be damaged anywhere.

mod ahead;
mod strings;

use std::io::Read;

use crate::window::{Place, Window};
use ahead::reads_on;
pub(crate) use strings::{Role, Strings};

/// The brackets that are open around an element.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Around {
    /// How many arrays are open at the level of the element.
    pub(crate) open: u64,
    /// With a pointer: how many containers are open outside of the innermost array.
    pub(crate) outer: Option<usize>,
}

/// Why an abandoned element ends where it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Its bracket closes.
    Closed,
    /// The next element begins.
    NextBegins,
    /// The source ends.
    SourceEnds,
}

/// What stands before a byte.
#[derive(Clone, Copy, Debug, Default)]
struct Before {
    /// The last significant byte; `"` stands for a string.
    last: Option<u8>,
    /// Whether only blanks, commas and closing brackets stand between the last LF and the byte.
    first_on_line: bool,
}

impl Before {
    /// Passes a byte outside of strings.
    fn pass(&mut self, byte: u8) {
        match byte {
            b'\n' => self.first_on_line = true,
            b' ' | b'\t' | b'\r' => (),
            b',' | b'}' | b']' => self.last = Some(byte),
            _ => *self = Self { last: Some(byte), first_on_line: false },
        }
    }

    /// Passes a byte of a string.
    fn pass_text(&mut self) {
        *self = Self { last: Some(b'"'), first_on_line: false };
    }
}

/// What a closing bracket does.
enum Closing {
    /// It closes an inner bracket, or none.
    Inner,
    /// It closes the element.
    Element,
    /// It closes the element, unless a bracket before it was lost.
    ElementUnlessLost,
    /// It closes the element if brackets inside of it were lost.
    PerhapsElement,
}

/// An abandoned element, from its opening bracket to the current byte.
pub(crate) struct Abandoned {
    /// The open brackets, one byte each.
    stack: Vec<u8>,
    strings: Strings,
    before: Before,
    /// Where its opening bracket is.
    begin: Place,
    /// Where in the element its JSON breaks, if that is known.
    breaks_at: Option<u64>,
    /// How often reading ahead showed that the element goes on.
    refusals: usize,
}

/// How often it is read ahead in vain for one element. After that, only its own brackets end it.
const REFUSALS_MAX: usize = 64;

impl Abandoned {
    /// An element of which only the opening bracket has been passed.
    pub(crate) fn begin(bracket: u8, begin: Place, breaks_at: Option<u64>) -> Self {
        let before = Before { last: Some(bracket), first_on_line: false };
        Self {
            stack: vec![bracket],
            strings: Strings::default(),
            before,
            begin,
            breaks_at,
            refusals: 0,
        }
    }

    /// Passes a blank or an LF outside of strings.
    pub(crate) fn pass_blank(&mut self, byte: u8) {
        self.before.pass(byte);
    }

    /// Passes everything up to the end of the element.
    pub(crate) fn pass_rest<R: Read>(mut self, window: &mut Window<R>, around: Around) -> Ending {
        while let Some(byte) = window.peek(0) {
            if self.strings.step(byte) == Role::Text {
                self.before.pass_text();
                window.skip(1);
                continue;
            }
            let mut closed = false;
            let offset = window.since(self.begin);
            match byte {
                b'{' | b'[' => {
                    if self.may_begin_next(byte, offset) {
                        if reads_on(window, 0, around, self.is_of_lost_record()) {
                            return Ending::NextBegins;
                        }
                        self.refusals += 1;
                    }
                    self.stack.push(byte);
                }
                b'}' | b']' => {
                    let closing = self.close(byte, offset);
                    closed = match closing {
                        Closing::Inner => false,
                        Closing::Element => true,
                        Closing::ElementUnlessLost => reads_on(window, 1, around, true),
                        Closing::PerhapsElement => {
                            reads_on(window, 1, around, self.is_of_lost_record())
                        }
                    };
                    let asked =
                        matches!(closing, Closing::ElementUnlessLost | Closing::PerhapsElement);
                    self.refusals += usize::from(asked && !closed);
                }
                _ => (),
            }
            self.before.pass(byte);
            window.skip(1);
            if closed {
                return Ending::Closed;
            }
        }
        Ending::SourceEnds
    }

    /// Whether an opening bracket stands where none can in an undamaged element.
    fn may_begin_next(&self, bracket: u8, offset: u64) -> bool {
        if self.refusals >= REFUSALS_MAX {
            return false;
        }
        let Before { last, first_on_line } = self.before;
        let innermost = self.stack.last().copied();
        let after_comma = bracket == b'{' && last == Some(b',');
        let as_name = after_comma && innermost == Some(b'{');
        let without_comma = first_on_line && !matches!(last, Some(b',' | b':' | b'['));
        let in_damaged_array =
            after_comma && first_on_line && innermost == Some(b'[') && self.is_damaged(offset);
        as_name || without_comma || in_damaged_array
    }

    /// Whether it belongs to a record whose bracket is lost, so that what is open around it is unknown.
    fn is_of_lost_record(&self) -> bool {
        self.breaks_at == Some(0)
    }

    /// Whether the JSON of the element breaks at this offset in it, or before.
    fn is_damaged(&self, offset: u64) -> bool {
        self.breaks_at.is_some_and(|at| offset >= at)
    }

    fn close(&mut self, bracket: u8, offset: u64) -> Closing {
        let opener = if bracket == b'}' { b'{' } else { b'[' };
        let matches = self.stack.last() == Some(&opener);
        match self.stack.iter().rposition(|open| *open == opener) {
            None => Closing::Inner,
            Some(0) if matches && self.is_damaged(offset) && self.refusals < REFUSALS_MAX => {
                Closing::ElementUnlessLost
            }
            Some(0) if matches => Closing::Element,
            Some(0) if self.refusals >= REFUSALS_MAX => Closing::Inner,
            Some(0) => Closing::PerhapsElement,
            Some(rest) => {
                self.stack.truncate(rest);
                Closing::Inner
            }
        }
    }
}

/// Passes an abandoned element; the current byte is its opening bracket. `breaks_at` is where in the
/// element its JSON breaks, if that is known.
pub(crate) fn pass_abandoned<R: Read>(
    window: &mut Window<R>,
    around: Around,
    breaks_at: Option<u64>,
) -> Ending {
    let Some(bracket) = window.peek(0) else { return Ending::SourceEnds };
    let begin = window.place();
    window.skip(1);
    Abandoned::begin(bracket, begin, breaks_at).pass_rest(window, around)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How an element ends, and what follows it.
    fn end(text: &str, open: u64, breaks_at: Option<u64>) -> (Ending, &str) {
        let mut window = Window::new(text.as_bytes());
        let around = Around { open, outer: None };
        let ending = pass_abandoned(&mut window, around, breaks_at);
        let end = usize::try_from(window.place().offset).unwrap();
        (ending, &text[end..])
    }

    #[test]
    fn abandoned_element_ends_where_its_bracket_closes() {
        for (text, rest) in [
            ("{\"a\":1 2}, {}", ", {}"),
            ("{\"a\":[{},{}] 1}\n{}", "\n{}"),
            ("{\"a\":\"}\", 1} x", " x"),
            ("{\"a\":\"\\\"}\", 1} x", " x"),
            // A bracket that was lost: what follows is read on.
            ("{\"a\":[1}\n{\"b\":2}\n{\"c\":3}", "\n{\"b\":2}\n{\"c\":3}"),
            // A bracket that is too many.
            ("{\"a\":1]}, {}", ", {}"),
            ("[1 2]{}", "{}"),
            // Popping down to an inner bracket.
            ("{\"a\":{\"b\":[1},2} x", " x"),
        ] {
            assert_eq!(end(text, 0, None), (Ending::Closed, rest), "{text}");
        }
    }

    #[test]
    fn object_on_a_line_of_its_own_is_the_next_element_only_behind_the_break() {
        // The second object is at 11.
        let text = "{\"a\":[\"x\n,\n{\"b\":2}]";
        for (breaks_at, expected) in [
            (Some(9), (Ending::NextBegins, "{\"b\":2}]")),
            (Some(10), (Ending::NextBegins, "{\"b\":2}]")),
            (Some(11), (Ending::NextBegins, "{\"b\":2}]")),
            (Some(12), (Ending::SourceEnds, "")),
            (None, (Ending::SourceEnds, "")),
        ] {
            assert_eq!(end(text, 1, breaks_at), expected, "{breaks_at:?}");
        }
    }

    #[test]
    fn abandoned_element_ends_before_the_next_one() {
        for (text, open, rest) in [
            // N1.
            ("{\"a\":1,{\"b\":2}", 0, "{\"b\":2}"),
            // N2.
            ("{\"a\":1\n{\"b\":2}\n", 0, "{\"b\":2}\n"),
            ("{\"a\":\"x\n{\"b\":2}\n", 0, "{\"b\":2}\n"),
        ] {
            assert_eq!(end(text, open, None), (Ending::NextBegins, rest), "{text}");
        }
        for text in ["{\"a\":[1,\n{\"b\":2}]", "{\"a\":\n{\"b\":2}", "{\"a\":1,{\"b\":2}"] {
            assert_eq!(end(text, 1, None), (Ending::SourceEnds, ""), "{text}");
        }
    }
}
