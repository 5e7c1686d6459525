//! Strings in damaged text, where a quote may be missing or superfluous.

use super::super::content::RECORD_SEPARATOR;

/// How far a scan of damaged text is with its strings.
///
/// A quote closes a string only before something that may follow one: a comma, a colon, a closing
/// bracket, or the end of the line. Any other quote is text. No string passes the end of its line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Strings {
    #[default]
    Outside,
    Inside,
    /// Behind a backslash.
    Escaped,
    /// Behind a quote, which closes the string if what comes next may follow one.
    AtQuote,
}

/// What a byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passed {
    /// It belongs to a string.
    Inside,
    /// It stands outside of strings.
    Outside,
    /// It stands outside of strings, and a string has ended before it.
    Behind,
    /// It is the line end at which an open string ends.
    LineEnd,
}

impl Strings {
    pub(super) fn pass(&mut self, byte: u8) -> Passed {
        match (*self, byte) {
            (Self::Outside, b'"') => *self = Self::Inside,
            (Self::Outside, _) => return Passed::Outside,
            (Self::Inside | Self::Escaped, b'\n') => {
                *self = Self::Outside;
                return Passed::LineEnd;
            }
            (Self::Inside, b'\\') => *self = Self::Escaped,
            (Self::Inside, b'"') => *self = Self::AtQuote,
            (Self::Escaped, _) => *self = Self::Inside,
            (Self::Inside, _) | (Self::AtQuote, b' ' | b'\t' | b'\r') => {}
            (Self::AtQuote, b',' | b':' | b'}' | b']' | b'\n' | RECORD_SEPARATOR) => {
                *self = Self::Outside;
                return Passed::Behind;
            }
            (Self::AtQuote, _) => {
                *self = Self::Inside;
                return self.pass(byte);
            }
        }
        Passed::Inside
    }

    /// Whether the text ends inside a string.
    pub(super) fn is_open(self) -> bool {
        matches!(self, Self::Inside | Self::Escaped)
    }
}
