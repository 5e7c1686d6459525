//! Binary files, by their first bytes.

use super::header::is_known;
use super::{ByteOrder, Compression, Content, FileType, Head, Refusal};

/// What the first bytes tell.
pub(super) enum Found {
    Is(Content),
    /// They begin as a binary file does: more of them will tell.
    Undecided,
    Text,
}

#[derive(Clone, Copy)]
pub(super) enum Kind {
    Compressed(Compression),
    Utf16(ByteOrder),
    Refused(FileType),
    /// Text can begin with these letters too: bytes follow that text does not have.
    Letters(FileType),
    Zip,
    ArrowStream,
}

/// Any byte, in a signature.
const ANY: u8 = b'?';
/// Where a tar archive has its signature: behind the name and the numbers of its first file.
const TAR_OFFSET: usize = 257;
/// How much of a zip archive has the name of its first file.
const ZIP_HEAD_BYTES: usize = 128;
/// How much is searched for bytes that text does not have.
const SAMPLE_BYTES: usize = 64;

/// None of them begins as JSON does, so that a live feed of JSON never waits for more bytes.
pub(super) const SIGNATURES: [(&[u8], Kind); 31] = [
    (b"\x1f\x8b", Kind::Compressed(Compression::Gzip)),
    (b"\x28\xb5\x2f\xfd", Kind::Compressed(Compression::Zstd)),
    (b"\xff\xfe\0\0", Kind::Refused(FileType::Utf32)),
    (b"\0\0\xfe\xff", Kind::Refused(FileType::Utf32)),
    (b"\xff\xfe", Kind::Utf16(ByteOrder::Little)),
    (b"\xfe\xff", Kind::Utf16(ByteOrder::Big)),
    (b"PAR1", Kind::Letters(FileType::Parquet)),
    (b"ARROW1\0", Kind::Refused(FileType::ArrowFile)),
    (b"\xff\xff\xff\xff", Kind::ArrowStream),
    (b"FEA1", Kind::Letters(FileType::Feather1)),
    (b"ORC", Kind::Letters(FileType::Orc)),
    (b"Obj\x01", Kind::Refused(FileType::Avro)),
    (b"SQLite format 3\0", Kind::Refused(FileType::Sqlite)),
    (b"PK\x03\x04", Kind::Zip),
    (b"PK\x05\x06", Kind::Refused(FileType::Zip)),
    (b"7z\xbc\xaf\x27\x1c", Kind::Refused(FileType::SevenZip)),
    (b"\xfd7zXZ\0", Kind::Refused(FileType::Xz)),
    (b"BZh?1AY&SY", Kind::Refused(FileType::Bzip2)),
    // No block follows: there is nothing in it.
    (b"BZh?\x17\x72\x45\x38\x50\x90", Kind::Refused(FileType::Bzip2)),
    (b"\x04\x22\x4d\x18", Kind::Refused(FileType::Lz4)),
    (b"\x02\x21\x4c\x18", Kind::Refused(FileType::Lz4)),
    (b"\xff\x06\0\0sNaPpY", Kind::Refused(FileType::Snappy)),
    (b"\x1f\x9d", Kind::Refused(FileType::Compress)),
    (b"\x80\x02", Kind::Refused(FileType::Pickle)),
    (b"\x80\x03", Kind::Refused(FileType::Pickle)),
    (b"\x80\x04\x95", Kind::Refused(FileType::Pickle)),
    (b"\x80\x05\x95", Kind::Refused(FileType::Pickle)),
    (b"\x93NUMPY", Kind::Refused(FileType::Numpy)),
    (b"PGDMP\x01", Kind::Refused(FileType::PostgresDump)),
    (b"bplist00", Kind::Refused(FileType::BinaryPropertyList)),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind::Refused(FileType::Excel97)),
];

/// Looks for a signature.
pub(super) fn find(head: Head<'_>) -> Found {
    let Head { bytes, ended } = head;
    let mut undecided = false;
    for (signature, kind) in SIGNATURES {
        let same = bytes.iter().zip(signature).all(|(byte, own)| byte == own || *own == ANY);
        if same && bytes.len() >= signature.len() {
            match kind.found(head) {
                Found::Text => {}
                found => return found,
            }
        } else {
            undecided |= same && !ended;
        }
    }
    match bytes {
        [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
            return Found::Is(Content::Compressed(Compression::Zstd));
        }
        _ if is_bson(bytes) => return refused(FileType::Bson),
        _ if bytes.get(TAR_OFFSET..).is_some_and(|rest| rest.starts_with(b"ustar")) => {
            return refused(FileType::Tar);
        }
        // What skips data may begin with `[`, as JSON does: it is taken for that if it is alone.
        [0x50..=0x5a | 0x5c..=0x5f, ..] => undecided |= bytes.len() < 4 && !ended,
        _ => {}
    }
    if undecided { Found::Undecided } else { Found::Text }
}

impl Kind {
    /// What a stream with this signature is. It may turn out to be text.
    fn found(self, Head { bytes, ended }: Head<'_>) -> Found {
        let needs = |len| !ended && bytes.len() < len;
        match self {
            Self::Compressed(compression) => Found::Is(Content::Compressed(compression)),
            // UTF-32 begins with the same bytes.
            Self::Utf16(ByteOrder::Little) if needs(4) => Found::Undecided,
            Self::Utf16(order) => Found::Is(Content::Utf16(order)),
            Self::Refused(file_type) => refused(file_type),
            Self::Letters(file_type) if !is_text(bytes) => refused(file_type),
            Self::Letters(_) => Found::Text,
            Self::Zip if needs(ZIP_HEAD_BYTES) => Found::Undecided,
            Self::Zip => refused(zip(bytes)),
            Self::ArrowStream if needs(8) => Found::Undecided,
            Self::ArrowStream if is_arrow_stream(bytes) => refused(FileType::ArrowStream),
            Self::ArrowStream => Found::Text,
        }
    }
}

fn refused(file_type: FileType) -> Found {
    Found::Is(Content::Plain(Err(Refusal::FileType(file_type))))
}

/// Whether the first bytes can be UTF-8 text.
fn is_text(bytes: &[u8]) -> bool {
    let sample = &bytes[..bytes.len().min(SAMPLE_BYTES)];
    let is_utf8 = std::str::from_utf8(sample).is_ok_and(|_| true)
        || std::str::from_utf8(sample).is_err_and(|error| error.error_len().is_none());
    is_utf8 && !sample.iter().any(|byte| matches!(byte, 0..=8 | 0x0b..=0x0c | 0x0e..=0x1f))
}

/// What a zip archive is, by the name of its first file.
fn zip(bytes: &[u8]) -> FileType {
    let name = bytes.get(30..).unwrap_or_default();
    let office: [&[u8]; 5] = [
        b"[Content_Types].xml",
        b"_rels/.rels",
        b"docProps/",
        b"xl/",
        b"mimetypeapplication/vnd.oasis.opendocument",
    ];
    if office.iter().any(|first| name.starts_with(first)) {
        FileType::Spreadsheet
    } else {
        FileType::Zip
    }
}

/// Whether the length of the first message is one that a schema can have.
fn is_arrow_stream(bytes: &[u8]) -> bool {
    let Some(length) = bytes.get(4..8).and_then(|length| <[u8; 4]>::try_from(length).ok()) else {
        return false;
    };
    let length = u32::from_le_bytes(length);
    (8..1 << 24).contains(&length) && length.is_multiple_of(8)
}

/// Whether these bytes begin a BSON document whose first member is a field of a record, or `_id`.
fn is_bson(bytes: &[u8]) -> bool {
    let Some((length, [kind, rest @ ..])) = bytes.split_first_chunk() else { return false };
    let Some(end) = rest.iter().take(SAMPLE_BYTES).position(|byte| *byte == 0) else {
        return false;
    };
    (5..1 << 24).contains(&u32::from_le_bytes(*length))
        && matches!(kind, 0x01..=0x13)
        && std::str::from_utf8(&rest[..end]).is_ok_and(|name| name == "_id" || is_known(name))
}
