//! A dead letter, its group, and the form in which the stores keep it.

use std::borrow::Cow;
use std::time::SystemTime;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::BatchId;
use crate::millis::{from_millis, to_millis};

/// A page of dead letters gets no more of them once it has so many bytes, as they are stored. The last
/// one may go beyond.
pub const LETTERS_BYTES_MAX: usize = 1 << 20;

/// The longest name of a group, in characters.
const GROUP_LEN_MAX: usize = 120;

/// A record that will not be tried again, kept until it is replayed or dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its place in the batch, from 0.
    pub place: u64,
    /// The record's own id, as sent.
    pub record_id: i32,
    /// Why it is dead, in words a person can act on.
    pub reason: String,
    /// How often it was processed to an end.
    pub attempts: u32,
    /// How often a worker was lost while it had this record, alone, in hand.
    pub crashes: u32,
    /// When it failed first, to the millisecond.
    pub first: SystemTime,
    /// When it failed last, to the millisecond.
    pub last: SystemTime,
    /// The trace that the record came with (a W3C `traceparent`).
    pub trace: Option<String>,
    /// The record, as sent.
    pub record: Bytes,
}

/// Dead letters that died of the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadGroup {
    /// What their reasons share ([`DeadLetter::group`]).
    pub name: String,
    /// How many they are.
    pub letters: u64,
}

/// Where a dead letter is: its batch, and its place in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LetterId {
    /// The batch.
    pub batch: BatchId,
    /// The place in it, from 0.
    pub place: u64,
}

/// A dead letter that is to be tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// Its place in the batch.
    pub place: u64,
    /// The record, as it was or mended, in the form of a chunk's payload.
    pub payload: Bytes,
}

/// What became of dead letters that were to be replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// The batch that has them now.
    pub into: BatchId,
    /// How many there were; the others are no dead letters (any more).
    pub letters: u64,
}

/// What is stored in front of the record, as one line of JSON.
#[derive(Serialize, Deserialize)]
struct Header<'a> {
    id: i32,
    #[serde(borrow)]
    reason: Cow<'a, str>,
    /// For those who read the header alone.
    #[serde(borrow)]
    group: Cow<'a, str>,
    attempts: u32,
    crashes: u32,
    first_ms: u64,
    last_ms: u64,
    #[serde(borrow)]
    trace: Option<Cow<'a, str>>,
}

impl DeadLetter {
    /// What the letter's reason shares with those of others: the reason with `…` in place of what
    /// is in quotes, and `N` in place of numbers, at most 120 characters of it.
    pub fn group(&self) -> String {
        group(&self.reason)
    }

    /// The letter as stored under its place: one line of JSON, then the record's bytes.
    pub(crate) fn to_stored(&self) -> Vec<u8> {
        let header = Header {
            id: self.record_id,
            reason: self.reason.as_str().into(),
            group: self.group().into(),
            attempts: self.attempts,
            crashes: self.crashes,
            first_ms: to_millis(self.first),
            last_ms: to_millis(self.last),
            trace: self.trace.as_deref().map(Cow::from),
        };
        let mut stored = serde_json::to_vec(&header).unwrap_or_default();
        stored.push(b'\n');
        stored.extend_from_slice(&self.record);
        stored
    }

    /// Reads a letter back; `None` if `stored` is none.
    pub(crate) fn from_stored(place: u64, stored: &[u8]) -> Option<Self> {
        let line_end = stored.iter().position(|byte| *byte == b'\n')?;
        let header: Header<'_> = serde_json::from_slice(&stored[..line_end]).ok()?;
        Some(Self {
            place,
            record_id: header.id,
            reason: header.reason.into_owned(),
            attempts: header.attempts,
            crashes: header.crashes,
            first: from_millis(header.first_ms),
            last: from_millis(header.last_ms),
            trace: header.trace.map(Cow::into_owned),
            record: Bytes::copy_from_slice(&stored[line_end + 1..]),
        })
    }
}

fn group(reason: &str) -> String {
    let mut group = String::new();
    let mut characters = reason.chars().peekable();
    let mut len = 0;
    while len < GROUP_LEN_MAX
        && let Some(character) = characters.next()
    {
        match character {
            '"' => {
                // What is quoted may hold escaped quotes; without an end, all the rest is quoted.
                while let Some(quoted) = characters.next() {
                    match quoted {
                        '\\' => drop(characters.next()),
                        '"' => break,
                        _ => {}
                    }
                }
                group.push_str("\"…\"");
            }
            digit if digit.is_ascii_digit() => {
                while characters.next_if(char::is_ascii_digit).is_some() {}
                group.push('N');
            }
            control if control.is_control() => group.push(' '),
            other => group.push(other),
        }
        len += 1;
    }
    group
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_is_read_back_as_it_was_stored() {
        let letter = DeadLetter {
            place: 7,
            record_id: -3,
            reason: "two\nlines and a \"quote\"".to_owned(),
            attempts: 5,
            crashes: 1,
            first: from_millis(1_700_000_000_000),
            last: from_millis(1_700_000_060_001),
            trace: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
            record: Bytes::from_static(b"\n\0bytes\n"),
        };
        assert_eq!(DeadLetter::from_stored(7, &letter.to_stored()), Some(letter));
        assert_eq!(DeadLetter::from_stored(7, b"no header"), None);
    }

    #[test]
    fn a_group_is_what_reasons_share() {
        for (reason, expected) in [
            ("`email` is no address: \"no address\"", "`email` is no address: \"…\""),
            ("`email` is no address: \"a \\\" b\"", "`email` is no address: \"…\""),
            ("index 17 is out of 16", "index N is out of N"),
            ("never \"closed 12", "never \"…\""),
            ("two\nlines", "two lines"),
        ] {
            assert_eq!(group(reason), expected);
        }
        assert_eq!(group(&"é".repeat(500)).chars().count(), GROUP_LEN_MAX);
    }
}
