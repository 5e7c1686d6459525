//! Decompresses zstd: any number of frames, and those that a decoder skips.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// How much is read at once.
const READ_BYTES: usize = 64 * 1024;

/// The largest window, and with it the memory of a decoder: as much as the zstd program takes
/// when it is not told otherwise.
const WINDOW_BYTES_MAX: u64 = 128 << 20;

/// The last block of a frame, with nothing in it, and room for the checksum.
const LAST_BLOCK: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];

pub(super) struct Zstd<R> {
    input: Input<R>,
    frame: FrameDecoder,
    in_frame: bool,
    /// What ended the frame, to be returned behind what it has.
    error: Option<io::Error>,
    ended: bool,
}

impl<R: Read> Zstd<R> {
    /// Decompresses a stream that begins with a frame.
    pub(super) fn new(stream: R) -> Self {
        let stream = BufReader::with_capacity(READ_BYTES, stream);
        let input = Input { stream, cut: false, error: None };
        let mut frame = FrameDecoder::new();
        frame.set_max_window_size(WINDOW_BYTES_MAX);
        Self { input, frame, in_frame: false, error: None, ended: false }
    }

    /// Goes to the next frame, or to the end.
    fn next_frame(&mut self) -> io::Result<()> {
        if self.input.stream.fill_buf()?.is_empty() {
            self.ended = true;
            return Ok(());
        }
        match self.frame.reset(&mut self.input) {
            Ok(()) => self.in_frame = true,
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length,
                ..
            })) => {
                let length = u64::from(length);
                let skipped = io::copy(&mut (&mut self.input).take(length), &mut io::sink());
                if !matches!(skipped, Ok(skipped) if skipped == length) {
                    return Err(self.input.take_error());
                }
            }
            Err(error) => return Err(self.describe(&error)),
        }
        Ok(())
    }

    /// Reads from the frame. Returns 0 at its end.
    fn read_frame(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.frame.can_collect() == 0 && !self.frame.is_finished() {
            let one = BlockDecodingStrategy::UptoBlocks(1);
            if let Err(error) = self.frame.decode_blocks(&mut self.input, one) {
                self.error = Some(self.describe(&error));
                // The decoder holds back as much as its window until it has the last block.
                let last = BlockDecodingStrategy::UptoBlocks(1);
                let ended = self.frame.decode_blocks(&LAST_BLOCK[..], last);
                ended.map_err(|error| damaged(&error))?;
            }
        }
        let len = self.frame.read(buffer)?;
        if len > 0 {
            return Ok(len);
        }
        self.in_frame = false;
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        // The decoder leaves it to its caller to compare them.
        let stored = self.frame.get_checksum_from_data();
        if stored.is_some() && stored != self.frame.get_calculated_checksum() {
            return Err(damaged(&"its checksum is another"));
        }
        Ok(0)
    }

    fn describe(&mut self, error: &FrameDecoderError) -> io::Error {
        match error {
            _ if self.input.cut || self.input.error.is_some() => self.input.take_error(),
            FrameDecoderError::WindowSizeTooBig { requested, .. } => too_large(*requested),
            FrameDecoderError::DictNotProvided { .. } => io::Error::new(
                ErrorKind::Unsupported,
                "the zstd data needs a dictionary: \
                 use zstd -dc -D DICTIONARY FILE | muster-client send -",
            ),
            FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::BadMagicNumber(_)) => {
                io::Error::new(ErrorKind::InvalidData, "something else follows the zstd data")
            }
            error => damaged(error),
        }
    }
}

impl<R: Read> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.ended && !buffer.is_empty() {
            let read = match self.in_frame {
                true => self.read_frame(buffer),
                false => self.next_frame().map(|()| 0),
            };
            self.ended |= read.is_err();
            if !matches!(read, Ok(0)) {
                return read;
            }
        }
        Ok(0)
    }
}

/// The compressed stream. It notes why it could not be read, which the decoder does not tell.
struct Input<R> {
    stream: BufReader<R>,
    cut: bool,
    error: Option<io::Error>,
}

impl<R> Input<R> {
    fn take_error(&mut self) -> io::Error {
        self.error
            .take()
            .unwrap_or_else(|| io::Error::new(ErrorKind::UnexpectedEof, "the zstd data ends early"))
    }
}

impl<R: Read> Read for Input<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.stream.read(buffer) {
            Ok(len) => {
                self.cut |= len == 0 && !buffer.is_empty();
                Ok(len)
            }
            Err(error) => {
                let kind = error.kind();
                self.error = Some(error);
                Err(kind.into())
            }
        }
    }
}

fn damaged(error: &dyn std::fmt::Display) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("the zstd data is damaged: {error}"))
}

fn too_large(window: u64) -> io::Error {
    // The program takes the window as a power of two.
    let log = u64::BITS - (window - 1).leading_zeros();
    let what = format!(
        "the zstd data needs a window of {} MiB, more than the {} MiB that are taken: \
         use zstd -dc --long={log} FILE | muster-client send -",
        window.div_ceil(1 << 20),
        WINDOW_BYTES_MAX >> 20,
    );
    io::Error::new(ErrorKind::Unsupported, what)
}
