//! Decodes a source by its content: gzip, zstd, and UTF-16 with a byte order mark.

mod gzip;
mod zstd;

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read};
use std::path::Path;

use encoding_rs_io::DecodeReaderBytesBuilder;
use gzip::GzipDecoder;
use zstd::ZstdDecoder;

/// How much of a file is read at once, in bytes.
const BUFFER_BYTES: usize = 1 << 17;

/// A decoded source.
pub(crate) type Decoded = Box<dyn Read>;

/// Opens a file and decodes it.
///
/// # Errors
///
/// The file cannot be opened or read.
pub(crate) fn open(path: &Path) -> io::Result<Decoded> {
    let mut file = BufReader::with_capacity(BUFFER_BYTES, File::open(path)?);
    let head = file.fill_buf()?;
    let source: Decoded = if gzip::begins(head) {
        Box::new(GzipDecoder::new(file))
    } else if zstd::begins(head) {
        Box::new(ZstdDecoder::new(file))
    } else {
        Box::new(file)
    };
    // UTF-8 passes as it is, its byte order mark and what is not valid included.
    Ok(Box::new(DecodeReaderBytesBuilder::new().utf8_passthru(true).build(source)))
}

#[cfg(test)]
mod tests;
