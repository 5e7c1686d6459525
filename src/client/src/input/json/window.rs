//! The part of a byte stream that is in memory: from the first byte not yet passed to the last
//! one read.

use std::io::{self, Read};

/// How much is read at first: many files are small, and each has a buffer of its own.
const READ_BYTES_MIN: usize = 16 * 1024;
/// How much is read at once. Small enough to stay in the processor's cache until it is parsed.
const READ_BYTES_MAX: usize = 128 * 1024;

pub(super) struct Window<R> {
    stream: R,
    /// Grows with the longest record, and has room for what is read behind it.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// How much is read next.
    read_bytes: usize,
    /// The place of `buffer[start]` in the stream.
    offset: u64,
    ended: bool,
    /// Why no more can be read, if that is why the stream ended.
    error: Option<io::Error>,
}

impl<R: Read> Window<R> {
    pub(super) fn new(stream: R) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            read_bytes: READ_BYTES_MIN,
            offset: 0,
            ended: false,
            error: None,
        }
    }

    /// What is in memory.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Where in the stream [`Self::bytes`] begins.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Passes the first `len` bytes.
    pub(super) fn pass(&mut self, len: usize) {
        self.start += len;
        self.offset += len as u64;
    }

    /// Goes back by the last `len` bytes that were passed. They must not have been before the last
    /// [`Self::fill`].
    pub(super) fn go_back(&mut self, len: usize) {
        self.start -= len;
        self.offset -= len as u64;
    }

    /// The last `len` bytes that were passed. They are there until the next [`Self::fill`].
    pub(super) fn passed(&self, len: usize) -> &[u8] {
        &self.buffer[self.start - len..self.start]
    }

    /// The error that ended the stream, if one did.
    pub(super) fn take_error(&mut self) -> Option<io::Error> {
        self.error.take()
    }

    /// Reads more behind what is in memory. Returns whether there was more. A stream that fails ends
    /// there: what is in memory is still to be passed.
    pub(super) fn fill(&mut self) -> bool {
        if self.ended {
            return false;
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;

        if self.buffer.len() < self.end + self.read_bytes {
            self.buffer.resize(self.end + 2 * self.read_bytes, 0);
        }
        let room = &mut self.buffer[self.end..][..self.read_bytes];
        let len = loop {
            match self.stream.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.error = Some(error);
                    break 0;
                }
                Ok(len) => break len,
            }
        };
        if len == self.read_bytes {
            self.read_bytes = READ_BYTES_MAX.min(2 * self.read_bytes);
        }
        self.end += len;
        self.ended = len == 0;
        !self.ended
    }
}
