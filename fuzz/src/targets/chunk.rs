//! The chunk codec: the records of a payload.

use bytes::Bytes;
use muster_proto::chunk::{Decoder, Encoder};

/// What LZ4 makes of a byte at most.
const RATIO_MAX: usize = 255;

/// Any payload comes to an end within its bounds, and what it has comes back; any records do.
pub fn chunk(data: &[u8]) {
    let (records, broken) = decode(Bytes::copy_from_slice(data));
    let bytes: usize = records.iter().map(Bytes::len).sum();
    assert!(bytes <= (data.len() + 1) * RATIO_MAX, "{bytes} bytes of {}", data.len());
    // Each has a byte for its length at least.
    assert!(records.len() <= (data.len() + 1) * RATIO_MAX);
    assert!(!data.is_empty() || !broken && records.is_empty());
    let again = decode(encode(&records));
    assert_eq!(again, (records, false), "what was read comes back");

    let own = records_of(data);
    let one = encode(&own);
    assert_eq!(decode(one.clone()), (own.clone(), false));
    // What two payloads hold one behind the other holds; cut short it is an error, after whole ones.
    let two = Bytes::from([&one[..], &one[..]].concat());
    assert_eq!(decode(two.clone()), ([&own[..], &own[..]].concat(), false));
    let cut = data.first().map_or(0, |byte| two.len() * usize::from(*byte) / 256);
    let (whole, _) = decode(two.slice(..cut));
    assert!([&own[..], &own[..]].concat().starts_with(&whole), "cut at {cut}");
}

/// The records up to the first that cannot be read, and whether there is one.
fn decode(payload: Bytes) -> (Vec<Bytes>, bool) {
    let mut decoder = Decoder::new(payload);
    let mut records = Vec::new();
    while let Some(record) = decoder.next() {
        match record {
            Ok(record) => records.push(record),
            Err(error) => {
                crate::shown::line(&error.to_string());
                assert!(decoder.next().is_none(), "it ends with the first error");
                return (records, true);
            }
        }
    }
    (records, false)
}

/// A payload of these records; an empty one has no frame.
fn encode(records: &[Bytes]) -> Bytes {
    let mut encoder = Encoder::default();
    records.iter().for_each(|record| encoder.push_raw(record));
    assert_eq!(encoder.count() as usize, records.len());
    if encoder.is_empty() { Bytes::new() } else { encoder.take() }
}

/// Records cut from the input: each as long as the byte before it says.
fn records_of(mut data: &[u8]) -> Vec<Bytes> {
    let mut records = Vec::new();
    while let Some((len, rest)) = data.split_first() {
        let (record, rest) = rest.split_at(rest.len().min((*len).into()));
        records.push(Bytes::copy_from_slice(record));
        data = rest;
    }
    records
}
