//! zstd: several frames, skippable ones among them.

use std::io::{self, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// The largest window of a frame, in bytes: what `zstd --long` has.
const WINDOW_BYTES: u64 = 1 << 27;

/// The last block of a frame, without content.
const EMPTY_LAST_BLOCK: [u8; 3] = [1, 0, 0];

/// Whether a text begins with a frame of zstd.
pub(super) fn begins(text: &[u8]) -> bool {
    text.starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
        || matches!(text, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// Decodes all frames of a source.
pub(super) struct ZstdDecoder<R> {
    source: R,
    frame: FrameDecoder,
    state: State,
}

enum State {
    Between,
    Inside,
    /// The frame cannot be decoded on. What it had before is given first.
    Broken(io::Error),
    /// At the end, or behind an error.
    Ended,
}

impl<R: Read> ZstdDecoder<R> {
    pub(super) fn new(source: R) -> Self {
        let mut frame = FrameDecoder::new();
        frame.set_max_window_size(WINDOW_BYTES);
        Self { source, frame, state: State::Between }
    }

    /// Passes the head of a frame, or a skippable frame. Returns what comes next.
    fn begin_frame(&mut self) -> io::Result<State> {
        let mut first = [0];
        if self.source.read(&mut first)? == 0 {
            return Ok(State::Ended);
        }
        match self.frame.init((&first[..]).chain(&mut self.source)) {
            Ok(()) => Ok(State::Inside),
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length,
                ..
            })) => {
                let length = u64::from(length);
                if io::copy(&mut (&mut self.source).take(length), &mut io::sink())? < length {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                Ok(State::Between)
            }
            Err(FrameDecoderError::WindowSizeTooBig { .. }) => {
                Err(invalid("a zstd frame needs a window of more than 128 MiB"))
            }
            Err(error) => Err(invalid(error)),
        }
    }

    /// Decodes a block, or ends the frame. Returns what comes next.
    fn go_on(&mut self) -> io::Result<State> {
        if self.frame.is_finished() {
            // The decoder takes both checksums, but does not compare them.
            let expected = self.frame.get_checksum_from_data();
            if expected.is_some() && expected != self.frame.get_calculated_checksum() {
                return Err(invalid("the checksum of a zstd frame does not match its content"));
            }
            return Ok(State::Between);
        }
        let one = BlockDecodingStrategy::UptoBlocks(1);
        let Err(error) = self.frame.decode_blocks(&mut self.source, one) else {
            return Ok(State::Inside);
        };
        // The decoder holds back up to a window until it has seen the last block. Where a checksum has
        // to follow, it is missing: the block itself is decoded.
        self.frame.decode_blocks(&EMPTY_LAST_BLOCK[..], BlockDecodingStrategy::All).ok();
        Ok(State::Broken(invalid(error)))
    }
}

impl<R: Read> Read for ZstdDecoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !buffer.is_empty() {
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Ended => break,
                State::Between => self.state = self.begin_frame()?,
                state => {
                    let len = self.frame.read(buffer)?;
                    if len > 0 {
                        self.state = state;
                        return Ok(len);
                    }
                    if let State::Broken(error) = state {
                        return Err(error);
                    }
                    self.state = self.go_on()?;
                }
            }
        }
        Ok(0)
    }
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests {
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    #[test]
    fn window_of_more_than_128_mib_is_refused() {
        for (window, refused) in [(0x88, false), (0x89, true)] {
            let head = [0x28, 0xb5, 0x2f, 0xfd, 0x00, window];
            let mut decoder = ZstdDecoder::new(&head[..]);
            let error = decoder.read(&mut [0; 10]).unwrap_err().to_string();
            let expected = "a zstd frame needs a window of more than 128 MiB";
            assert_eq!(error == expected, refused, "{error}");
        }
    }

    #[test]
    fn cut_frame_gives_what_it_has_before_the_error() {
        let text = (0..100_000).map(|n| format!("{n}\n")).collect::<String>();
        let whole = compress_to_vec(text.as_bytes(), CompressionLevel::Fastest);
        for (len, least) in [(whole.len() - 1, text.len()), (whole.len() / 2, 1 << 17)] {
            let mut decoded = Vec::new();
            let read = ZstdDecoder::new(&whole[..len]).read_to_end(&mut decoded);
            assert!(read.is_err(), "{len}");
            assert!(text.as_bytes().starts_with(&decoded), "{len}");
            assert!(decoded.len() >= least, "{len}: {}", decoded.len());
        }
    }

    #[test]
    fn damaged_frame_gives_what_it_has_before_the_error() {
        // A block of three bytes, and one of a reserved type.
        let frame = b"\x28\xb5\x2f\xfd\0\0\x18\0\0one\x07\0\0";
        let mut decoded = Vec::new();
        assert!(ZstdDecoder::new(&frame[..]).read_to_end(&mut decoded).is_err());
        assert_eq!(decoded, b"one");
    }
}
