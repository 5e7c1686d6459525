//! A stream of bytes with lookahead, offsets and line numbers.

use std::io::{self, Read};

/// How much is read at once, in bytes.
const CHUNK_BYTES: usize = 1 << 16;

/// Where a byte is in the decoded text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The line, from 1.
    pub(crate) line: u64,
    /// How many bytes come before it.
    pub(crate) offset: u64,
}

/// The bytes of a stream from the current one on. It keeps what has been looked at, and at most
/// one chunk more.
#[derive(Debug)]
pub(crate) struct Window<R> {
    reader: R,
    buffer: Vec<u8>,
    /// Where the current byte is in the buffer.
    begin: usize,
    ended: bool,
    /// The error that ended the stream.
    error: Option<io::Error>,
    place: Place,
}

impl<R: Read> Window<R> {
    pub(crate) fn new(reader: R) -> Self {
        let place = Place { line: 1, offset: 0 };
        Self { reader, buffer: Vec::new(), begin: 0, ended: false, error: None, place }
    }

    /// Where the current byte is.
    pub(crate) fn place(&self) -> Place {
        self.place
    }

    /// The number of bytes from this place to the current byte.
    pub(crate) fn since(&self, place: Place) -> u64 {
        self.place.offset - place.offset
    }

    /// The byte that follows the current one by `index`; `None` if the stream ends before it.
    #[inline]
    pub(crate) fn peek(&mut self, index: usize) -> Option<u8> {
        if self.begin + index >= self.buffer.len() {
            self.fill(index + 1);
        }
        self.buffer.get(self.begin + index).copied()
    }

    /// The next `len` bytes, or fewer if the stream ends before.
    pub(crate) fn ahead(&mut self, len: usize) -> &[u8] {
        self.fill(len);
        let rest = &self.buffer[self.begin..];
        &rest[..len.min(rest.len())]
    }

    /// Passes bytes, which must have been looked at.
    #[inline]
    pub(crate) fn skip(&mut self, len: usize) {
        let passed = &self.buffer[self.begin..self.begin + len];
        let ends = passed.iter().filter(|byte| **byte == b'\n').count();
        self.begin += len;
        self.place.line += ends as u64;
        self.place.offset += len as u64;
    }

    /// Passes everything up to the end of the stream.
    pub(crate) fn skip_rest(&mut self) {
        while self.peek(0).is_some() {
            self.skip(self.buffer.len() - self.begin);
        }
    }

    /// Passes bytes as long as they are among these, and returns the one that follows them.
    pub(crate) fn skip_any(&mut self, bytes: &[u8]) -> Option<u8> {
        loop {
            match self.peek(0) {
                Some(byte) if bytes.contains(&byte) => self.skip(1),
                other => return other,
            }
        }
    }

    /// Whether an error ended the stream.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.error.is_some()
    }

    /// The error that ended the stream. Returns it only once.
    pub(crate) fn take_error(&mut self) -> Option<io::Error> {
        self.error.take()
    }

    /// Has `len` bytes from the current one on in the buffer, unless the stream ends before.
    fn fill(&mut self, len: usize) {
        while self.buffer.len() - self.begin < len && !self.ended {
            // Moving only what is shorter than what is dropped costs one move a byte on average.
            if self.begin >= self.buffer.len() - self.begin {
                self.buffer.drain(..self.begin);
                self.begin = 0;
            }
            let mut chunk = (&mut self.reader).take(CHUNK_BYTES as u64);
            // What is read before an error is in the buffer then.
            match chunk.read_to_end(&mut self.buffer) {
                Ok(len) => self.ended = len < CHUNK_BYTES,
                Err(error) => (self.ended, self.error) = (true, Some(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::cut_off;

    #[test]
    fn window_counts_bytes_and_lines_and_looks_ahead() {
        let mut window = Window::new(&b"ab\n\ncd"[..]);
        assert_eq!(window.ahead(3), b"ab\n");
        assert_eq!(window.peek(5), Some(b'd'));
        assert_eq!(window.peek(6), None);
        let begin = window.place();
        window.skip(4);
        assert_eq!(window.place(), Place { line: 3, offset: 4 });
        assert_eq!(window.since(begin), 4);
        assert_eq!(window.ahead(10), b"cd");
        window.skip_rest();
        assert_eq!(window.since(begin), 6);
    }

    #[test]
    fn window_ends_where_the_stream_cannot_be_read_on() {
        let text = "a".repeat(CHUNK_BYTES + 1);
        let mut window = Window::new(cut_off(text.as_bytes()));
        assert_eq!(window.ahead(1), b"a");
        assert!(!window.is_cut_off() && window.take_error().is_none());
        assert_eq!(window.ahead(2 * CHUNK_BYTES), text.as_bytes());
        assert!(window.is_cut_off());
        window.skip_rest();
        assert_eq!(window.place().offset, text.len() as u64);
        assert_eq!(window.take_error().unwrap().to_string(), "broken");
        assert_eq!(window.peek(0), None);
        assert!(!window.is_cut_off() && window.take_error().is_none());
    }

    #[test]
    fn window_keeps_little_of_a_long_stream() {
        let mut window = Window::new(io::repeat(b' ').take(10_000_000));
        assert_eq!(window.skip_any(b" "), None);
        assert_eq!(window.place().offset, 10_000_000);
        assert!(window.buffer.capacity() <= 4 * CHUNK_BYTES, "{}", window.buffer.capacity());
    }
}
