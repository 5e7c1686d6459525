//! Decompresses gzip: any number of members, and the zeros with which tapes are filled up.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::GzDecoder;

/// How much is read at once.
const READ_BYTES: usize = 64 * 1024;

pub(super) struct Gzip<R: Read> {
    member: GzDecoder<Input<R>>,
    ended: bool,
}

impl<R: Read> Gzip<R> {
    /// Decompresses a stream that begins with a member.
    pub(super) fn new(stream: R) -> Self {
        let input = Input(Some(BufReader::with_capacity(READ_BYTES, stream)));
        Self { member: GzDecoder::new(input), ended: false }
    }

    /// Goes to the next member, or to the end.
    fn next_member(&mut self) -> io::Result<()> {
        let input = self.member.get_mut();
        let mut is_padded = false;
        loop {
            match input.fill_buf()? {
                [] => {
                    self.ended = true;
                    return Ok(());
                }
                [0x1f, ..] if !is_padded => {
                    let input = std::mem::take(input);
                    self.member.reset(input);
                    return Ok(());
                }
                [0, rest @ ..] => {
                    is_padded = true;
                    let zeros = 1 + rest.iter().take_while(|byte| **byte == 0).count();
                    input.consume(zeros);
                }
                _ => {
                    let what = "something else follows the gzip data";
                    return Err(io::Error::new(io::ErrorKind::InvalidData, what));
                }
            }
        }
    }
}

impl<R: Read> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.ended && !buffer.is_empty() {
            let read = match self.member.read(buffer) {
                Ok(0) => self.next_member().map(|()| 0),
                read => read.map_err(describe),
            };
            self.ended |= read.is_err();
            if !matches!(read, Ok(0)) {
                return read;
            }
        }
        Ok(0)
    }
}

fn describe(error: io::Error) -> io::Error {
    let what = match error.kind() {
        io::ErrorKind::UnexpectedEof => "the gzip data ends early",
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => "the gzip data is damaged",
        _ => return error,
    };
    let kind = match error.kind() {
        io::ErrorKind::UnexpectedEof => io::ErrorKind::UnexpectedEof,
        _ => io::ErrorKind::InvalidData,
    };
    io::Error::new(kind, what)
}

/// The compressed stream. It can be taken out of a decoder, to be given back to it.
struct Input<R>(Option<BufReader<R>>);

impl<R> Default for Input<R> {
    fn default() -> Self {
        Self(None)
    }
}

impl<R: Read> Read for Input<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.as_mut().map_or(Ok(0), |stream| stream.read(buffer))
    }
}

impl<R: Read> BufRead for Input<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.0.as_mut().map_or(Ok(&[]), BufReader::fill_buf)
    }

    fn consume(&mut self, len: usize) {
        if let Some(stream) = &mut self.0 {
            stream.consume(len);
        }
    }
}
