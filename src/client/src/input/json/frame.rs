//! Finds where an undamaged element ends, a piece at a time, by its strings and brackets.

use memchr::memchr3;

use super::super::rejection::FaultKind;

/// An element, as far as it has been fed.
#[derive(Debug, Default)]
pub(super) struct Frame {
    /// The brackets that are still to come, the next one last.
    closers: Vec<u8>,
    state: State,
    /// The line that has been reached.
    line: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Outside,
    Inside,
    /// Behind a backslash.
    Escaped,
    /// Behind a closing quote, before what may follow it.
    Behind,
}

/// What feeding led to.
#[derive(Debug)]
pub(super) enum Step {
    /// The element goes on.
    More,
    /// The element ends after this many of the bytes that were fed last. It may still not be JSON.
    End(usize),
    /// The element is damaged.
    Damaged(FaultKind),
}

impl Frame {
    /// Begins another element, on this line.
    pub(super) fn begin(&mut self, line: u64) {
        self.closers.clear();
        self.state = State::Outside;
        self.line = line;
    }

    /// Goes on with `bytes`. An element's first byte is `{` or `[`.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Step {
        let mut at = 0;
        while at < bytes.len() {
            match self.state {
                State::Inside => {
                    at += memchr3(b'"', b'\\', b'\n', &bytes[at..]).unwrap_or(bytes.len() - at);
                    match bytes.get(at) {
                        Some(b'"') => self.state = State::Behind,
                        Some(b'\\') => self.state = State::Escaped,
                        Some(_) => return Step::Damaged(FaultKind::StringNotClosed(self.line)),
                        None => {}
                    }
                }
                State::Escaped if bytes[at] == b'\n' => {
                    return Step::Damaged(FaultKind::StringNotClosed(self.line));
                }
                State::Escaped => self.state = State::Inside,
                State::Outside | State::Behind => {
                    if let Err(fault) = self.feed_outside(bytes[at]) {
                        return Step::Damaged(fault);
                    }
                    if self.closers.is_empty() {
                        return Step::End(at + 1);
                    }
                }
            }
            at += 1;
        }
        Step::More
    }

    /// Passes a byte outside of strings.
    fn feed_outside(&mut self, byte: u8) -> Result<(), FaultKind> {
        match byte {
            b'\n' => self.line += 1,
            b' ' | b'\t' | b'\r' => {}
            b',' | b':' => self.state = State::Outside,
            b'}' | b']' => {
                self.state = State::Outside;
                if self.closers.pop() != Some(byte) {
                    return Err(FaultKind::Mismatched(byte.into(), self.line));
                }
            }
            // Found early, a superfluous quote does not turn the rest of the text inside out.
            _ if self.state == State::Behind => {
                return Err(FaultKind::AfterString(self.line));
            }
            b'"' => self.state = State::Inside,
            b'{' => self.closers.push(b'}'),
            b'[' => self.closers.push(b']'),
            _ => {}
        }
        Ok(())
    }
}
