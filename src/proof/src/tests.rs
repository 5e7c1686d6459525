mod files;
mod properties;

use std::io;

use super::*;

/// What is found in a stream, which is read at once and byte by byte: the ids of the records, each
/// with its line, and `-` and the number of bytes for what is unread.
pub(crate) fn pieces(text: &[u8], pointer: Option<&Pointer>) -> Vec<String> {
    let found = all(text, pointer);
    assert_eq!(all(ByteByByte(text), pointer), found);
    let mut end = 0;
    let piece = |piece| match piece {
        Piece::Record { record, line, offset, .. } => {
            assert!(offset >= end);
            end = offset + 1;
            assert_eq!(line, line_at(text, offset));
            format!("{}@{line}", record.id)
        }
        Piece::Unread { line, offset, bytes, .. } => {
            assert!(offset >= end);
            end = offset + bytes;
            assert_eq!(line, line_at(text, offset));
            format!("-{bytes}@{line}")
        }
    };
    found.into_iter().map(piece).collect()
}

fn all(stream: impl Read, pointer: Option<&Pointer>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    read_stream(stream, pointer, |piece| pieces.push(piece)).unwrap();
    pieces
}

fn line_at(text: &[u8], offset: u64) -> u64 {
    let before = &text[..usize::try_from(offset).unwrap()];
    1 + before.iter().filter(|byte| **byte == b'\n').count() as u64
}

struct ByteByByte<'a>(&'a [u8]);

impl Read for ByteByByte<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = buffer.len().min(1);
        self.0.read(&mut buffer[..len])
    }
}
