//! Decodes a source by its content: gzip, zstd, and UTF-16 with a byte order mark.

mod zstd;

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use encoding_rs_io::DecodeReaderBytesBuilder;
use flate2::bufread::MultiGzDecoder;
use zstd::ZstdDecoder;

/// How much of a file is read at once, in bytes.
const BUFFER_BYTES: usize = 1 << 17;

/// How many bytes tell how a source is compressed.
const HEAD_BYTES: u64 = 4;

/// A decoded source.
pub(crate) type Decoded<'a> = Box<dyn Read + 'a>;

/// Opens a file and decodes it.
///
/// # Errors
///
/// The file cannot be opened or read.
pub(crate) fn open(path: &Path) -> io::Result<Decoded<'static>> {
    decoded(File::open(path)?)
}

/// Decodes a stream.
///
/// # Errors
///
/// The stream cannot be read.
pub(crate) fn decoded<'a>(mut stream: impl Read + 'a) -> io::Result<Decoded<'a>> {
    let mut head = Vec::new();
    (&mut stream).take(HEAD_BYTES).read_to_end(&mut head)?;
    let is_gzip = head.starts_with(&[0x1f, 0x8b]);
    let is_zstd = zstd::begins(&head);
    let stream = BufReader::with_capacity(BUFFER_BYTES, io::Cursor::new(head).chain(stream));
    let source: Decoded<'a> = if is_gzip {
        Box::new(MultiGzDecoder::new(stream))
    } else if is_zstd {
        Box::new(ZstdDecoder::new(stream))
    } else {
        Box::new(stream)
    };
    // UTF-8 passes as it is, its byte order mark and what is not valid included.
    Ok(Box::new(DecodeReaderBytesBuilder::new().utf8_passthru(true).build(source)))
}

#[cfg(test)]
mod tests;
