//! The client's reader, and that of a proof, which shares nothing with it.

use std::io::{self, Read};

use muster_client::input::{Item, Reader, Source};
use muster_program::printable::is_obeyed;
use muster_proof::Piece;
use muster_proto::users::UserRequest;
use serde::de::IgnoredAny;

/// The longest reason, in bytes.
const REASON_BYTES_MAX: usize = 400;

/// Where records are looked for besides at the top.
const POINTERS: [&str; 2] = ["/users/*", "/*/a"];

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
    for pointer in [None, Some(POINTERS[0]), Some(POINTERS[1])] {
        agree(data, pointer);
    }
}

/// What the client reads, the proof reads as well; of valid JSON both read the same.
fn agree(data: &[u8], pointer: Option<&str>) {
    let client = records(data, pointer);
    let proof = records_of_proof(data, pointer);
    if is_valid(data) {
        assert_eq!(client, proof, "the client's records, and those of the proof, at {pointer:?}");
    }
    let mut left = proof.iter();
    for record in &client {
        let read = left.any(|other| other == record);
        assert!(read, "only the client reads {record:?} at {pointer:?}: {proof:?}");
    }
}

/// The records that the client reads.
pub fn records(data: &[u8], pointer: Option<&str>) -> Vec<UserRequest> {
    let pointer = pointer.map(|pointer| pointer.parse().expect("a pointer"));
    let mut reader = Reader::of_stream(Source::Stdin, io::Cursor::new(data.to_vec()), pointer);
    let mut records = Vec::new();
    while let Some(item) = reader.next_item() {
        if let Item::Record { record, .. } = item {
            records.push(record.user().into());
        }
    }
    records
}

/// The records that a proof reads.
fn records_of_proof(data: &[u8], pointer: Option<&str>) -> Vec<UserRequest> {
    let pointer = pointer.map(|pointer| pointer.parse().expect("a pointer"));
    let mut records = Vec::new();
    let each = |piece| {
        if let Piece::Record { record, .. } = piece {
            records.push(record);
        }
    };
    muster_proof::read_stream(data, pointer.as_ref(), each);
    records
}

/// Whether all of it is JSON values, none longer than a record may be.
fn is_valid(data: &[u8]) -> bool {
    let values = serde_json::Deserializer::from_slice(data).into_iter::<IgnoredAny>();
    data.len() <= 1 << 20 && values.into_iter().all(|value| value.is_ok())
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
