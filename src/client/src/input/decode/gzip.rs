//! Decompresses gzip: any number of members, and the zeros with which tapes are filled up.

use std::io::{self, BufRead as _, BufReader, ErrorKind, Read};

use flate2::{Decompress, FlushDecompress, Status};

/// How much is read at once.
const READ_BYTES: usize = 64 * 1024;

/// The decompressor notices damage after the damaged data, at the latest by the checksum of the member.
const DAMAGED: &str = "the gzip data is damaged; text before this place may be wrong as well";

/// The base-2 logarithm of the largest window that a member can have.
const WINDOW_BITS: u8 = 15;

/// Uses the decompressor directly, because the readers of flate2 discard their output when they find
/// damaged data.
pub(super) struct Gzip<R> {
    stream: BufReader<R>,
    member: Decompress,
    in_member: bool,
    /// What ended the stream, to be returned behind what was decompressed.
    error: Option<io::Error>,
    ended: bool,
}

impl<R: Read> Gzip<R> {
    /// Decompresses a stream that begins with a member.
    pub(super) fn new(stream: R) -> Self {
        Self {
            stream: BufReader::with_capacity(READ_BYTES, stream),
            member: Decompress::new_gzip(WINDOW_BITS),
            in_member: true,
            error: None,
            ended: false,
        }
    }

    /// Reads from the member. Returns 0 at its end, and when it needs more of the stream.
    fn read_member(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let input = self.stream.fill_buf()?;
        let is_over = input.is_empty();
        let (read, written) = (self.member.total_in(), self.member.total_out());
        let status = self.member.decompress(input, buffer, FlushDecompress::None);
        // Both lengths fit, because each is that of a part of a slice.
        self.stream.consume(usize::try_from(self.member.total_in() - read).unwrap_or_default());
        let len = usize::try_from(self.member.total_out() - written).unwrap_or_default();
        self.error = match status {
            Ok(Status::StreamEnd) => {
                self.in_member = false;
                None
            }
            Ok(_) if is_over && len == 0 => {
                Some(io::Error::new(ErrorKind::UnexpectedEof, "the gzip data ends early"))
            }
            Ok(_) => None,
            Err(_) => Some(invalid(DAMAGED)),
        };
        Ok(len)
    }

    /// Goes to the next member, or to the end.
    fn next_member(&mut self) -> io::Result<()> {
        let mut is_padded = false;
        loop {
            match self.stream.fill_buf()? {
                [] => {
                    self.ended = true;
                    return Ok(());
                }
                [0x1f, ..] if !is_padded => {
                    self.member.reset(true);
                    self.in_member = true;
                    return Ok(());
                }
                [0, rest @ ..] => {
                    is_padded = true;
                    let zeros = 1 + rest.iter().take_while(|byte| **byte == 0).count();
                    self.stream.consume(zeros);
                }
                _ => return Err(invalid("something else follows the gzip data")),
            }
        }
    }
}

impl<R: Read> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.ended && !buffer.is_empty() {
            let read = match (self.error.take(), self.in_member) {
                (Some(error), _) => Err(error),
                (None, true) => self.read_member(buffer),
                (None, false) => self.next_member().map(|()| 0),
            };
            self.ended |= read.is_err();
            if !matches!(read, Ok(0)) {
                return read;
            }
        }
        Ok(0)
    }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}
