//! gzip: several members, and zeros behind the last.

use std::io::{self, BufRead, Read};

use flate2::{Decompress, FlushDecompress, Status};

/// Whether a text begins with a member of gzip.
pub(super) fn begins(text: &[u8]) -> bool {
    text.starts_with(&[0x1f, 0x8b])
}

/// Decompresses all members of a source. What stands before a fault is given before the error.
pub(super) struct GzipDecoder<R> {
    source: R,
    state: State,
}

enum State {
    /// Inside of a member.
    Inside(Decompress),
    /// Behind a member, or the zeros that follow the last.
    Behind {
        zeros: bool,
    },
    /// The member cannot be decompressed further.
    Broken(&'static str),
    Ended,
}

impl<R: BufRead> GzipDecoder<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, state: State::Inside(new_member()) }
    }

    /// Decompresses a part. Returns its length, and what comes next.
    fn decompress(
        &mut self,
        mut member: Decompress,
        buffer: &mut [u8],
    ) -> io::Result<(usize, State)> {
        let compressed = self.source.fill_buf()?;
        let at_end = compressed.is_empty();
        let (used, before) = (member.total_in(), member.total_out());
        let result = member.decompress(compressed, buffer, FlushDecompress::None);
        // Neither is longer than the slice that it counts.
        self.source.consume(usize::try_from(member.total_in() - used).unwrap_or_default());
        let len = usize::try_from(member.total_out() - before).unwrap_or_default();
        let next = match result {
            Ok(Status::StreamEnd) => State::Behind { zeros: false },
            Ok(_) if at_end && len == 0 => State::Broken("the gzip data is cut off"),
            Ok(_) => State::Inside(member),
            Err(_) => State::Broken("the gzip data is damaged"),
        };
        Ok((len, next))
    }

    /// Passes what stands behind a member. Returns what comes next.
    fn pass(&mut self, mut zeros: bool) -> io::Result<State> {
        let next = self.source.fill_buf()?.first().copied();
        if next == Some(0) {
            self.source.consume(1);
            zeros = true;
        }
        Ok(match next {
            None => State::Ended,
            Some(0) => State::Behind { zeros },
            Some(0x1f) if !zeros => State::Inside(new_member()),
            Some(_) => State::Broken("something else follows the gzip data"),
        })
    }
}

fn new_member() -> Decompress {
    // Of 32 KiB, the largest window there is.
    Decompress::new_gzip(15)
}

impl<R: BufRead> Read for GzipDecoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !buffer.is_empty() {
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Inside(member) => {
                    let (len, next) = self.decompress(member, buffer)?;
                    self.state = next;
                    if len > 0 {
                        return Ok(len);
                    }
                }
                State::Behind { zeros } => self.state = self.pass(zeros)?,
                State::Broken(fault) => {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, fault));
                }
                State::Ended => break,
            }
        }
        Ok(0)
    }
}
