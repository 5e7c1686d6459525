//! From the bytes of a source to UTF-8 text: decompressed, and converted from UTF-16.
//!
//! | module | what is in it |
//! | --- | --- |
//! | `peek` | a stream whose first bytes are looked at, and given again |
//! | `count` | counts the bytes of the file itself |
//! | `gzip`, `zstd` | decompress |
//! | `utf16` | converts |

mod count;
mod gzip;
mod peek;
mod utf16;
mod zstd;

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use self::count::Counted;
use self::gzip::Gzip;
use self::peek::Peeked;
use self::utf16::Utf16;
use self::zstd::Zstd;
use super::content::{
    self, Compression, Content, FileType, Format, InvalidHeader, Named, Refusal, Refused,
};

type Stream = Box<dyn Read + Send>;

/// A source that is open.
pub struct Opened {
    /// Its content as UTF-8, from the start; a byte order mark is still in front. Bytes that are
    /// not valid UTF-8 are passed on as they are.
    pub stream: Box<dyn Read + Send>,
    /// How records are written in it.
    pub format: Format,
    /// How many bytes have been read so far from the file itself, which may be compressed.
    pub raw_bytes: Arc<AtomicU64>,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("format", &self.format).finish_non_exhaustive()
    }
}

/// Why a source cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// It cannot be read, or its first bytes cannot be decompressed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is of a type that is not read.
    #[error("this {}", Refused { file_type: *file_type, compression: *compression, path: None })]
    Unsupported {
        /// What it is.
        file_type: FileType,
        /// What it is inside.
        compression: Option<Compression>,
    },
    /// Its name ends in `.csv` or `.tsv` and its header has no known name; or two columns are the
    /// same field.
    #[error("this table has {0}")]
    InvalidHeader(InvalidHeader),
}

impl OpenError {
    fn refused(refusal: Refusal, compression: Option<Compression>) -> Self {
        match refusal {
            Refusal::FileType(file_type) => Self::Unsupported { file_type, compression },
            Refusal::InvalidHeader(header) => Self::InvalidHeader(header),
        }
    }
}

/// Recognises and decodes a stream. It returns as soon as the stream is recognised: in JSON, at
/// the first byte that is not blank; in anything else, at the end of the first line.
pub(super) fn decode(raw: impl Read + Send + 'static, named: Named) -> Result<Opened, OpenError> {
    let (raw, raw_bytes) = Counted::new(raw);
    let mut stream = Peeked::new(Box::new(raw) as Stream);
    let mut content = stream.look(|head| content::recognise(head, named))?;
    let mut compression = None;
    if let Content::Compressed(outer) = content {
        let decoder: Stream = match outer {
            Compression::Gzip => Box::new(Gzip::new(stream)),
            Compression::Zstd => Box::new(Zstd::new(stream)),
        };
        stream = Peeked::new(decoder);
        content = stream.look(|head| content::recognise(head, named))?;
        compression = Some(outer);
    }
    let format = match content {
        Content::Plain(format) => format,
        Content::Compressed(inner) => Err(inner.into()),
        Content::Utf16(order) => {
            stream = Peeked::new(Box::new(Utf16::new(stream, order)));
            stream.look(|head| content::text(head, named))?
        }
    };
    let format = format.map_err(|refusal| OpenError::refused(refusal, compression))?;
    Ok(Opened { stream: Box::new(stream), format, raw_bytes })
}

#[cfg(test)]
mod tests;
