//! Converts UTF-16 to UTF-8.

use std::io::{self, Read};

use super::super::content::ByteOrder;

/// How much is read at once.
const READ_BYTES: usize = 64 * 1024;

pub(super) struct Utf16<R> {
    stream: R,
    order: ByteOrder,
    /// What is read. The first bytes are those that the last read left without their other half.
    input: Vec<u8>,
    left: usize,
    output: String,
    /// How much of the output has been read.
    passed: usize,
    ended: bool,
}

impl<R: Read> Utf16<R> {
    /// Converts a stream that begins with a byte order mark.
    pub(super) fn new(stream: R, order: ByteOrder) -> Self {
        let input = vec![0; READ_BYTES];
        Self { stream, order, input, left: 0, output: String::new(), passed: 0, ended: false }
    }

    /// Converts what comes next: all of it but the half of a character at its end.
    fn fill(&mut self) -> io::Result<()> {
        let read = self.stream.read(&mut self.input[self.left..])?;
        self.ended = read == 0;
        let bytes = &self.input[..self.left + read];
        let (pairs, odd) = bytes.as_chunks::<2>();
        let unit = |pair: &[u8; 2]| match self.order {
            ByteOrder::Little => u16::from_le_bytes(*pair),
            ByteOrder::Big => u16::from_be_bytes(*pair),
        };
        let is_half = |pair: &&[u8; 2]| (0xd800..0xdc00).contains(&unit(pair));
        let half = usize::from(pairs.last().filter(is_half).is_some() && !self.ended);
        let whole = &pairs[..pairs.len() - half];
        let chars = char::decode_utf16(whole.iter().map(unit));
        self.passed = 0;
        self.output.clear();
        self.output.extend(chars.map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER)));
        self.left = 2 * half + odd.len();
        if self.ended && self.left > 0 {
            self.output.push(char::REPLACEMENT_CHARACTER);
            self.left = 0;
        }
        let len = bytes.len();
        self.input.copy_within(len - self.left..len, 0);
        Ok(())
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.passed == self.output.len() && !self.ended {
            self.fill()?;
        }
        let rest = &self.output.as_bytes()[self.passed..];
        let len = buffer.len().min(rest.len());
        buffer[..len].copy_from_slice(&rest[..len]);
        self.passed += len;
        Ok(len)
    }
}
