//! Finds where text ends that stands where an element should, a piece at a time.

use super::super::content::RECORD_SEPARATOR;
use super::strings::{Passed, Strings};

/// A run of such text: up to a comma, a bracket or the end of the line.
///
/// What it may be is the rest of a record whose opening bracket is lost. So a bracket behind a name
/// and a colon does not end it: that is the value of a member, and no record begins there.
#[derive(Debug, Default)]
pub(super) struct Junk {
    strings: Strings,
    last: Last,
}

/// What stands before a byte, blanks left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Last {
    #[default]
    Other,
    String,
    /// A string and a colon.
    Name,
}

/// What passing led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The run goes on.
    More,
    /// The run ends after this many of the bytes that were passed last.
    End(usize),
    /// After this many of the bytes that were passed last a member's value begins with a bracket. It
    /// has to be passed as a whole; the run goes on behind it.
    Value(usize),
}

impl Junk {
    pub(super) fn pass(&mut self, bytes: &[u8]) -> Step {
        for (at, &byte) in bytes.iter().enumerate() {
            match self.strings.pass(byte) {
                Passed::Inside => continue,
                Passed::Behind | Passed::LineEnd => self.last = Last::String,
                Passed::Outside => {}
            }
            self.last = match (byte, self.last) {
                (b' ' | b'\t' | b'\r', last) => last,
                (b'\n', Last::Name) => Last::Name,
                (b':', Last::String) => Last::Name,
                (b'{' | b'[', Last::Name) => {
                    self.last = Last::Other;
                    return Step::Value(at);
                }
                (b',' | b'\n' | b'{' | b'[' | b']' | RECORD_SEPARATOR, _) => return Step::End(at),
                _ => Last::Other,
            };
        }
        Step::More
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(text: &str) -> Step {
        Junk::default().pass(text.as_bytes())
    }

    #[test]
    fn run_ends_at_a_comma_a_bracket_or_a_line_end() {
        for (run, rest) in [
            ("NaN", ",{}"),
            ("Warning: x", "\n["),
            ("callback(", "[{}])"),
            ("}", "]"),
            ("x \"a,b]\"", "]"),
            ("\"open", "\n{"),
            ("Warning:", "\n[{}]"),
            ("x:", "[1]"),
        ] {
            assert_eq!(step(&format!("{run}{rest}")), Step::End(run.len()), "{run}");
            assert_eq!(step(run), Step::More, "{run}");
        }
    }

    #[test]
    fn value_of_a_member_does_not_end_the_run() {
        for (run, rest) in [("x\"a\":1 \"b\":", "[{}]"), ("\"a\" : \n", "{}"), ("\"a\"b\":", "{")] {
            assert_eq!(step(&format!("{run}{rest}")), Step::Value(run.len()), "{run}");
        }
    }
}
