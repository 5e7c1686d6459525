//! What a stream holds, recognised by its first bytes.
//!
//! | module | what is in it |
//! | --- | --- |
//! | `signature` | binary files, by the bytes that every file of a type begins with |
//! | `text` | markup, YAML and SQL, by the first lines |
//! | `header` | the header of a table |
//! | `file_type` | the types that are refused, and what to do about each ([`FileType`]) |

mod file_type;
mod header;
mod signature;
mod text;

use std::ffi::OsStr;
use std::path::Path;

pub use self::file_type::FileType;
pub(super) use self::file_type::Refused;
pub use self::header::InvalidHeader;
pub(super) use self::header::check as check_header;
pub(super) use self::text::text;

/// The endings of compressed files, in any case.
const COMPRESSED: [&str; 4] = ["gz", "gzip", "zst", "zstd"];

/// What may stand before UTF-8 text.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// What separates the texts of a JSON text sequence (RFC 7464).
pub(super) const RECORD_SEPARATOR: u8 = 0x1e;

/// How many bytes are looked at, at most. It is also the longest header of a table.
pub(super) const HEAD_BYTES_MAX: usize = 64 * 1024;

/// The first bytes of a stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head<'a> {
    pub(super) bytes: &'a [u8],
    /// Whether these are all the bytes there are, or all that may be looked at.
    pub(super) ended: bool,
}

/// What a stream holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    Compressed(Compression),
    Utf16(ByteOrder),
    Plain(Result<Format, Refusal>),
}

/// How records are written in UTF-8 text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON values: in an array, one per line, or any other way.
    Json,
    /// Rows under a header.
    Table {
        /// The byte between two cells.
        delimiter: u8,
    },
}

/// How a stream is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

impl Compression {
    /// The name of the format, and of the program that decompresses it with `-dc`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    fn file_type(self) -> FileType {
        match self {
            Self::Gzip => FileType::Gzip,
            Self::Zstd => FileType::Zstd,
        }
    }
}

/// The order of the two bytes of a UTF-16 unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ByteOrder {
    Little,
    Big,
}

/// Why a stream is not read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    FileType(FileType),
    InvalidHeader(InvalidHeader),
}

impl From<Compression> for Refusal {
    fn from(compression: Compression) -> Self {
        Self::FileType(compression.file_type())
    }
}

/// The kind of table that a file's name announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    Csv,
    Tsv,
    Other,
}

impl Named {
    pub(super) fn of(path: &Path) -> Self {
        let extension = without_compression(path).extension().unwrap_or_default();
        if extension.eq_ignore_ascii_case("csv") {
            Self::Csv
        } else if extension.eq_ignore_ascii_case("tsv") {
            Self::Tsv
        } else {
            Self::Other
        }
    }
}

/// The file's name, without the ending of a compressed file.
pub(super) fn without_compression(path: &Path) -> &Path {
    let extension = path.extension().unwrap_or_default();
    let is_compressed = COMPRESSED.iter().any(|ending| extension.eq_ignore_ascii_case(ending));
    let name = if is_compressed { path.file_stem() } else { path.file_name() };
    Path::new(name.unwrap_or(OsStr::new("")))
}

/// Recognises a stream. `None` means that more bytes are needed; a head that has ended is always
/// recognised.
pub(super) fn recognise(head: Head<'_>, named: Named) -> Option<Content> {
    match signature::find(head) {
        signature::Found::Is(content) => Some(content),
        signature::Found::Undecided => None,
        signature::Found::Text => text(head, named).map(Content::Plain),
    }
}

#[cfg(test)]
mod tests;
