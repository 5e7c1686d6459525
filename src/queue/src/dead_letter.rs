//! A dead letter, and the form in which the stores keep it.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// A record that will not be tried again, kept with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its place in the batch, from 0.
    pub place: u64,
    /// The record's own id, as sent.
    pub record_id: i32,
    /// Why it is dead, in words a person can act on.
    pub reason: String,
    /// The record, as sent.
    pub record: Bytes,
}

/// What is stored in front of the record, as one line of JSON.
#[derive(Serialize, Deserialize)]
struct Header<'a> {
    id: i32,
    #[serde(borrow)]
    reason: std::borrow::Cow<'a, str>,
}

impl DeadLetter {
    /// The letter as stored under its place: one line of JSON, then the record's bytes.
    pub(crate) fn to_stored(&self) -> Vec<u8> {
        let header = Header { id: self.record_id, reason: self.reason.as_str().into() };
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
            record: Bytes::copy_from_slice(&stored[line_end + 1..]),
        })
    }
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
            record: Bytes::from_static(b"\n\0bytes\n"),
        };
        assert_eq!(DeadLetter::from_stored(7, &letter.to_stored()), Some(letter));
        assert_eq!(DeadLetter::from_stored(7, b"no header"), None);
    }
}
