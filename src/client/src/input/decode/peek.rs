//! A stream whose first bytes are looked at before it is read.

use std::io::{self, Read};

use super::super::content::{HEAD_BYTES_MAX, Head};

/// How much is read at once for a look.
const READ_BYTES: usize = 4096;

pub(super) struct Peeked<R> {
    stream: R,
    /// What was looked at, and is still to be read.
    head: Vec<u8>,
    /// How much of the head has been read.
    passed: usize,
    ended: bool,
    /// What ended the look, to be returned behind the head.
    error: Option<io::Error>,
}

impl<R: Read> Peeked<R> {
    pub(super) fn new(stream: R) -> Self {
        Self { stream, head: Vec::new(), passed: 0, ended: false, error: None }
    }

    /// Reads as much as `recognise` needs: it returns `None` while that is more, and never once
    /// the head has ended. Nothing may have been read before.
    ///
    /// # Errors
    ///
    /// Not one byte can be read.
    pub(super) fn look<T>(&mut self, recognise: impl Fn(Head<'_>) -> Option<T>) -> io::Result<T> {
        loop {
            let ended = self.ended || self.error.is_some() || self.head.len() >= HEAD_BYTES_MAX;
            if let Some(found) = recognise(Head { bytes: &self.head, ended }) {
                return Ok(found);
            }
            self.fill()?;
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        let len = self.head.len();
        self.head.resize(len + READ_BYTES, 0);
        let read = self.stream.read(&mut self.head[len..]);
        self.head.truncate(len + read.as_ref().map_or(0, |read| *read));
        match read {
            Ok(read) => self.ended = read == 0,
            Err(error) if len == 0 => return Err(error),
            Err(error) => self.error = Some(error),
        }
        Ok(())
    }
}

impl<R: Read> Read for Peeked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.head.is_empty() {
            let len = buffer.len().min(self.head.len() - self.passed);
            buffer[..len].copy_from_slice(&self.head[self.passed..][..len]);
            self.passed += len;
            if self.passed == self.head.len() {
                self.head = Vec::new();
            }
            return Ok(len);
        }
        match self.error.take() {
            Some(error) => Err(error),
            // A terminal would need a second end-of-file.
            None if self.ended => Ok(0),
            None => self.stream.read(buffer),
        }
    }
}
