mod files;
mod properties;

use std::io;

use super::*;

/// What is found in a stream, which is read at once and byte by byte: the ids of the records, each
/// with its line, and `-` and the number of bytes for what is unread.
pub(crate) fn pieces(text: &[u8], pointer: Option<&Pointer>) -> Vec<String> {
    let found = all(text, pointer);
    assert_eq!(all(ByteByByte(text), pointer), found);
    shown(text, found)
}

fn shown(text: &[u8], found: Vec<Piece>) -> Vec<String> {
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
    read_stream(stream, pointer, |piece| pieces.push(piece));
    pieces
}

fn line_at(text: &[u8], offset: u64) -> u64 {
    let before = &text[..usize::try_from(offset).unwrap()];
    1 + before.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// A stream that cannot be read on behind this text.
pub(crate) fn cut_off(text: impl Read) -> impl Read {
    text.chain(Broken)
}

struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("broken"))
    }
}

struct ByteByByte<'a>(&'a [u8]);

impl Read for ByteByByte<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = buffer.len().min(1);
        self.0.read(&mut buffer[..len])
    }
}

#[test]
fn stream_that_cannot_be_read_on_has_what_stands_before_and_then_the_error() {
    for (text, pointer, expected) in [
        ("", None, "-0@1"),
        ("{\"id\":1}\n", None, "1@1 -0@2"),
        ("[[{\"id\":1},\n", None, "1@1 -0@2"),
        ("[{\"id\":1},\n{\"id\":2", None, "1@1 -7@2 -0@2"),
        ("{\"id\":1}\n12", None, "1@1 -2@2 -0@2"),
        ("", Some("/a/*"), "-0@1"),
        ("{\"a\":[{\"id\":1}]}", Some("/a/*"), "1@1 -0@1"),
        ("{\"a\":[{\"id\":1}", Some("/a/*"), "1@1 -0@1"),
        ("{\"a\":[{\"id\":1},{\"id\"", Some("/a/*"), "1@1 -5@1 -0@1"),
        ("{\"a\":[{\"id\":1}] x", Some("/a/*"), "1@1 -1@1 -0@1"),
        ("{\"b\":[1,", Some("/a/*"), "-0@1"),
        ("[{\"a\":{\"id\":1}},", Some("/a"), "1@1 -0@1"),
    ] {
        let pointer = pointer.map(|pointer| pointer.parse().unwrap());
        let found = all(cut_off(text.as_bytes()), pointer.as_ref());
        assert_eq!(all(cut_off(ByteByByte(text.as_bytes())), pointer.as_ref()), found);
        let error = |piece: &&Piece| matches!(piece, Piece::Unread { reason, .. } if reason == "cannot be read on: broken");
        assert!(found.last().as_ref().is_some_and(error), "{text}: {found:?}");
        assert_eq!(found.iter().filter(error).count(), 1, "{text}: {found:?}");
        assert_eq!(shown(text.as_bytes(), found).join(" "), expected, "{text}");
    }
}
