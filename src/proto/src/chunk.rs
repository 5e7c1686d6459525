//! How the records of a chunk stand in its payload: one after another, each behind its length
//! as a varint (protobuf's delimited form), in frames.

mod frame;

use bytes::{Buf as _, Bytes, BytesMut};

use crate::user::User;
use crate::wire::{self, Malformed, Wire};

/// Puts records into a payload of one frame.
#[derive(Debug, Default)]
pub struct Encoder {
    records: BytesMut,
    count: u32,
    /// Where frames are made; kept for its room.
    frame: Vec<u8>,
}

impl Encoder {
    /// Adds a record.
    pub fn push(&mut self, record: &User<'_>) {
        let len = record.wire_len();
        self.begin_record(len);
        record.write(&mut self.records);
    }

    /// Adds a record as it is on the wire, and as [`Decoder`] gives it.
    pub fn push_raw(&mut self, raw: &[u8]) {
        self.begin_record(raw.len());
        self.records.extend_from_slice(raw);
    }

    fn begin_record(&mut self, len: usize) {
        self.records.reserve(wire::varint_len(len as u64) + len);
        wire::put_varint(&mut self.records, len as u64);
        self.count += 1;
    }

    /// How many records there are.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// How long the records are, in bytes, each with its length, before they are compressed.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are no records.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Takes the payload, and begins anew.
    pub fn take(&mut self) -> Bytes {
        self.count = 0;
        let frame = frame::close(&self.records, &mut self.frame);
        self.records.clear();
        frame
    }
}

/// Gets the records out of a payload, in order. Ends after the first that cannot be read.
#[derive(Clone, Debug)]
pub struct Decoder {
    /// The records of the frame that is open.
    records: Bytes,
    /// The frames behind it.
    frames: Bytes,
}

impl Decoder {
    /// Reads this payload.
    pub fn new(payload: Bytes) -> Self {
        Self { records: Bytes::new(), frames: payload }
    }

    fn take_record(&mut self) -> Result<Bytes, Unreadable> {
        if self.records.is_empty() {
            self.records = frame::open(&mut self.frames)?;
        }
        let mut rest = Wire(&self.records);
        let len = rest.bytes().map_err(|_| Unreadable::Cut)?.len();
        let end = self.records.len() - rest.0.len();
        let record = self.records.slice(end - len..end);
        self.records.advance(end);
        Ok(record)
    }
}

impl Iterator for Decoder {
    type Item = Result<Bytes, Unreadable>;

    /// The next record, as it is on the wire.
    fn next(&mut self) -> Option<Self::Item> {
        if self.records.is_empty() && self.frames.is_empty() {
            return None;
        }
        let record = self.take_record();
        if record.is_err() {
            (self.records, self.frames) = (Bytes::new(), Bytes::new());
        }
        Some(record)
    }
}

/// Why a payload cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// The payload ends inside a record.
    #[error("the chunk is cut short")]
    Cut,
    /// A frame is of a form that is not known.
    #[error("the chunk has the form {0}, which only a later version can read")]
    Form(u8),
    /// A frame is not as it was written: its checksum is another.
    #[error("the chunk was damaged in the store: its checksum does not match")]
    Damaged,
    /// A frame cannot be decompressed, or is empty.
    #[error("the chunk is broken: it cannot be decompressed")]
    Broken,
    /// A record is no protobuf message.
    #[error("a record of the chunk is malformed: {0}")]
    Malformed(#[from] Malformed),
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/535.1 (KHTML, like Gecko)";

    /// Few records make a plain frame, many a compressed one.
    fn payload(records: i32) -> Bytes {
        let mut encoder = Encoder::default();
        for id in 0..records {
            let name = format!("name {id}");
            encoder.push(&User { id, user_name: &name, agent: AGENT, ..User::default() });
        }
        assert_eq!(encoder.count().cast_signed(), records);
        encoder.take()
    }

    fn ids(payload: Bytes) -> Result<Vec<i32>, Unreadable> {
        Decoder::new(payload).map(|record| Ok(User::read(&record?)?.id)).collect()
    }

    #[test]
    fn records_come_out_as_they_went_in() {
        for records in [1, 2, 256, 10_000] {
            assert_eq!(ids(payload(records)), Ok((0..records).collect()));
        }
        assert_eq!(ids(Bytes::new()), Ok(Vec::new()));
    }

    #[test]
    fn an_empty_record_is_one() {
        let mut encoder = Encoder::default();
        encoder.push(&User::default());
        encoder.push_raw(b"");
        assert_eq!(ids(encoder.take()), Ok(vec![0, 0]));
    }

    #[test]
    fn raw_records_go_in_as_they_came_out() {
        let mut encoder = Encoder::default();
        Decoder::new(payload(100)).for_each(|record| encoder.push_raw(&record.unwrap()));
        assert_eq!(encoder.take(), payload(100));
    }

    #[test]
    fn an_encoder_begins_anew() {
        let mut encoder = Encoder::default();
        encoder.push(&User::default());
        encoder.take();
        assert!(encoder.is_empty());
        assert_eq!(encoder.len(), 0);
    }

    #[test]
    fn many_records_take_less_room_than_on_the_wire() {
        let mut encoder = Encoder::default();
        (0..256).for_each(|id| encoder.push(&User { id, agent: AGENT, ..User::default() }));
        let plain = encoder.len();
        let stored = encoder.take().len();
        assert!(stored < plain / 2, "{stored} of {plain} bytes");
    }

    #[test]
    fn what_two_payloads_hold_one_behind_the_other_holds() {
        let both = [payload(100), payload(2)].concat();
        let expected: Vec<_> = (0..100).chain(0..2).collect();
        assert_eq!(ids(both.into()), Ok(expected));
    }

    #[test]
    fn a_payload_cut_short_is_an_error_once() {
        for payload in [payload(3), payload(100)] {
            for len in 1..payload.len() {
                let mut decoder = Decoder::new(payload.slice(..len));
                while let Some(Ok(_)) = decoder.next() {}
                assert!(decoder.next().is_none(), "{len} bytes");
                assert_eq!(ids(payload.slice(..len)), Err(Unreadable::Cut), "{len} bytes");
            }
        }
    }

    #[test]
    fn a_frame_that_claims_too_much_is_broken() {
        // A gigabyte of records in two bytes.
        let bomb = b"\x01\x80\x80\x80\x80\x04\x02\x00\x00";
        assert_eq!(ids(Bytes::from_static(bomb)), Err(Unreadable::Broken));
        assert_eq!(ids(Bytes::from_static(b"\x00\x00")), Err(Unreadable::Broken));
    }

    #[test]
    fn a_flipped_bit_is_noticed_wherever_it_is() {
        for payload in [payload(3), payload(100)] {
            let intact = ids(payload.clone());
            for bit in 0..payload.len() * 8 {
                let mut damaged = payload.to_vec();
                damaged[bit / 8] ^= 1 << (bit % 8);
                // In the byte of the form, it may make a frame without a checksum.
                if bit / 8 > 0 {
                    assert!(ids(damaged.into()).is_err(), "bit {bit}");
                } else {
                    assert_ne!(ids(damaged.into()), intact, "bit {bit}");
                }
            }
        }
    }

    #[test]
    fn a_frame_of_an_earlier_version_is_read() {
        // Two empty records, without a checksum.
        assert_eq!(ids(Bytes::from_static(b"\x00\x02\x00\x00")), Ok(vec![0, 0]));
    }

    #[test]
    fn a_form_that_is_not_known_is_said() {
        assert_eq!(ids(Bytes::from_static(b"\x07\x00")), Err(Unreadable::Form(7)));
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            Decoder::new(bytes.into()).for_each(drop);
        }

        #[test]
        fn a_broken_payload_ends(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut broken = payload(100).to_vec();
            let at = at.index(broken.len());
            broken[at] = byte;
            Decoder::new(broken.into()).for_each(drop);
        }
    }
}
