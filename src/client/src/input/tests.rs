//! Tests of the reader as a whole, and what they share.

mod files;
mod oddities;
mod properties;

use std::io::{self, Read};

use super::{Item, Reader, Source};

/// Reads `bytes` as if they were standard input.
pub(super) fn read(bytes: &[u8]) -> Reader {
    read_in_steps(bytes, usize::MAX)
}

/// Reads `bytes` from a stream that gives at most `step` bytes at once.
fn read_in_steps(bytes: &[u8], step: usize) -> Reader {
    reader_of(Steps { bytes: bytes.to_vec(), at: 0, step })
}

fn reader_of(stream: impl Read + Send + 'static) -> Reader {
    Reader::of_stream(Source::Stdin, stream, None)
}

/// What came out, a line for each: `LINE: id ID` for a record, `LINE: REASON` for a rejection,
/// `LINE: note: …` for a note.
fn outcome(mut reader: Reader) -> String {
    let lines = all(&mut reader, |item| match item {
        Item::Record { record, position } => format!("{}: id {}", position.line, record.id),
        Item::Rejected(rejection) => format!("{}: {}", rejection.position.line, rejection.reason),
        Item::Note(note) => format!("{}: note: {}", note.line, note.kind),
    });
    lines.join("\n")
}

/// What `each` makes of everything that comes out.
fn all<T>(reader: &mut Reader, mut each: impl FnMut(Item<'_>) -> T) -> Vec<T> {
    let mut found = Vec::new();
    while let Some(item) = reader.next_item() {
        found.push(each(item));
    }
    found
}

struct Steps {
    bytes: Vec<u8>,
    at: usize,
    step: usize,
}

impl Read for Steps {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let rest = &self.bytes[self.at..];
        let len = rest.len().min(self.step).min(room.len());
        room[..len].copy_from_slice(&rest[..len]);
        self.at += len;
        Ok(len)
    }
}
