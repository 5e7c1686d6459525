//! The client's JSON reader.

use std::io::{self, Read};

use muster_client::input::{Item, Reader, Source};
use muster_program::printable::is_obeyed;
use muster_proto::users::UserRequest;

/// The longest reason, in bytes.
const REASON_BYTES_MAX: usize = 400;

/// What was found: a record, or the reason why something is none; and on which line.
type Found = (u64, Result<UserRequest, String>);

/// Any bytes come to an end, with the same result however they arrive.
pub fn json(data: &[u8]) {
    let whole = read(data, |_| usize::MAX);
    // As long as the bytes themselves say.
    assert_eq!(read(data, |next| 1 + usize::from(next)), whole);
    assert_eq!(read(data, |next| 1 + usize::from(next % 5)), whole);
    let lines = 1 + data.iter().filter(|byte| **byte == b'\n').count() as u64;
    for (line, found) in &whole {
        assert!((1..=lines).contains(line), "line {line} of {lines}");
        if let Err(reason) = found {
            assert_eq!(reason.chars().find(|c| is_obeyed(*c)), None, "{reason:?}");
            assert!(reason.len() <= REASON_BYTES_MAX, "{reason:?}");
        }
    }
}

/// Reads what a stream gives in pieces, each as long as `step` says of its first byte.
fn read(data: &[u8], step: fn(u8) -> usize) -> Vec<Found> {
    let stream = Stream { data: data.to_vec(), at: 0, step };
    let mut reader = Reader::of_stream(Source::Stdin, stream, None);
    let mut found = Vec::new();
    while let Some(item) = reader.next_item() {
        found.push(match item {
            Item::Record { record, position } => {
                (position.line, Ok(UserRequest::from(record.user())))
            }
            Item::Rejected(rejection) => {
                (rejection.position.line, Err(rejection.reason.to_string()))
            }
            Item::Note(_) => continue,
        });
    }
    let counts = &reader.counts()[0];
    assert!(counts.bytes <= data.len() as u64);
    assert_eq!(counts.records + counts.rejected, found.len() as u64);
    assert!(found.len() <= data.len() + 1);
    found
}

/// A stream that gives what it has in pieces.
struct Stream {
    data: Vec<u8>,
    at: usize,
    step: fn(u8) -> usize,
}

impl Read for Stream {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let rest = &self.data[self.at..];
        let step = rest.first().map_or(0, |next| (self.step)(*next));
        let len = rest.len().min(step).min(room.len());
        room[..len].copy_from_slice(&rest[..len]);
        self.at += len;
        Ok(len)
    }
}
