//! How the records of a chunk stand in its payload: one after another, each behind its length
//! as a varint (protobuf's delimited form).

use bytes::{Buf as _, Bytes, BytesMut};
use prost::Message as _;

use crate::users::UserRequest;

/// Puts records into a payload.
#[derive(Debug, Default)]
pub struct Encoder {
    payload: BytesMut,
    count: u32,
}

impl Encoder {
    /// Adds a record.
    pub fn push(&mut self, record: &UserRequest) {
        let len = record.encoded_len();
        self.payload.reserve(prost::length_delimiter_len(len) + len);
        record.encode_length_delimited(&mut self.payload).expect("the room was reserved");
        self.count += 1;
    }

    /// Adds a record as [`Decoder::next_raw`] gives it.
    pub fn push_raw(&mut self, raw: &[u8]) {
        self.payload.reserve(prost::length_delimiter_len(raw.len()) + raw.len());
        prost::encode_length_delimiter(raw.len(), &mut self.payload)
            .expect("the room was reserved");
        self.payload.extend_from_slice(raw);
        self.count += 1;
    }

    /// How many records there are.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// How long the payload is, in bytes.
    pub fn len(&self) -> usize {
        self.payload.len()
    }

    /// Whether there are no records.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Takes the payload, and begins anew.
    pub fn take(&mut self) -> Bytes {
        self.count = 0;
        self.payload.split().freeze()
    }
}

/// Gets the records out of a payload, in order. Ends after the first that cannot be read.
#[derive(Clone, Debug)]
pub struct Decoder {
    payload: Bytes,
}

impl Decoder {
    /// Reads this payload.
    pub fn new(payload: Bytes) -> Self {
        Self { payload }
    }

    /// Takes the next record off without decoding it. `None` at the end.
    ///
    /// # Errors
    ///
    /// [`Unreadable::Cut`].
    pub fn next_raw(&mut self) -> Option<Result<Bytes, Unreadable>> {
        if self.payload.is_empty() {
            return None;
        }
        let raw = match prost::decode_length_delimiter(&mut self.payload) {
            Ok(len) if len <= self.payload.len() => Ok(self.payload.copy_to_bytes(len)),
            _ => Err(Unreadable::Cut),
        };
        if raw.is_err() {
            self.payload.clear();
        }
        Some(raw)
    }

    /// What is left of the payload.
    pub fn rest(self) -> Bytes {
        self.payload
    }
}

impl Iterator for Decoder {
    type Item = Result<UserRequest, Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.next_raw()?.and_then(decode))
    }
}

/// Decodes one record, as [`Decoder::next_raw`] gives it.
///
/// # Errors
///
/// [`Unreadable::Malformed`].
pub fn decode(raw: Bytes) -> Result<UserRequest, Unreadable> {
    Ok(UserRequest::decode(raw)?)
}

/// Why a payload cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The payload ends inside a record.
    #[error("the chunk is cut short")]
    Cut,
    /// A record is no protobuf message.
    #[error("a record of the chunk is malformed: {0}")]
    Malformed(#[from] prost::DecodeError),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records() -> Vec<UserRequest> {
        vec![
            UserRequest { id: 1, user_name: "agerber0".to_owned(), ..UserRequest::default() },
            UserRequest::default(),
            UserRequest { id: -1, agent: "Mozilla ".repeat(100), ..UserRequest::default() },
        ]
    }

    fn encoded() -> Bytes {
        let mut encoder = Encoder::default();
        records().iter().for_each(|record| encoder.push(record));
        assert_eq!(encoder.count(), 3);
        encoder.take()
    }

    #[test]
    fn records_come_out_as_they_went_in() {
        let decoded: Result<Vec<_>, _> = Decoder::new(encoded()).collect();
        assert_eq!(decoded.unwrap(), records());
    }

    #[test]
    fn raw_records_go_in_as_they_came_out() {
        let (mut decoder, mut encoder) = (Decoder::new(encoded()), Encoder::default());
        while let Some(raw) = decoder.next_raw() {
            encoder.push_raw(&raw.unwrap());
        }
        assert_eq!(encoder.count(), 3);
        assert_eq!(encoder.take(), encoded());
    }

    #[test]
    fn an_encoder_begins_anew() {
        let mut encoder = Encoder::default();
        encoder.push(&UserRequest::default());
        encoder.take();
        assert!(encoder.is_empty());
        assert_eq!(encoder.len(), 0);
    }

    #[test]
    fn a_payload_cut_short_is_an_error_once() {
        let payload = encoded();
        for len in 1..payload.len() {
            let read: Vec<_> = Decoder::new(payload.slice(..len)).collect();
            let faults = read.iter().filter(|record| record.is_err()).count();
            assert!(faults <= 1, "{faults} faults at {len}");
            assert!(read.len() - faults < 3 || faults == 0, "all three at {len}");
        }
    }

    #[test]
    fn the_rest_follows_what_was_taken() {
        let mut decoder = Decoder::new(encoded());
        decoder.next_raw().unwrap().unwrap();
        let rest: Result<Vec<_>, _> = Decoder::new(decoder.rest()).collect();
        assert_eq!(rest.unwrap(), records()[1..]);
    }
}
