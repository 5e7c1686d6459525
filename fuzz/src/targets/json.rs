//! The client's JSON reader.

use std::io::{self, Read};

use muster_client::input::{Item, RECORD_BYTES_MAX, Reader, Source};
use muster_program::printable::is_obeyed;
use muster_proto::users::UserRequest;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// The longest reason, in bytes.
const REASON_BYTES_MAX: usize = 400;

/// What was found: a record, or the reason why something is none; and on which line.
type Found = (u64, Result<UserRequest, String>);

/// Any bytes come to an end, with the same result however they arrive; what is valid JSON is read
/// as `serde_json` reads it.
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
    if let Some(expected) = expected(data) {
        let found: Vec<_> = whole.into_iter().map(|(_, found)| found.ok()).collect();
        assert_eq!(found, expected);
    }
}

/// Reads what a stream gives in pieces, each as long as `step` says of its first byte.
fn read(data: &[u8], step: fn(u8) -> usize) -> Vec<Found> {
    let stream = Stream { data: data.to_vec(), at: 0, step };
    let mut reader = Reader::of_stream(Source::Stdin, stream);
    let mut found = Vec::new();
    while let Some(item) = reader.next_item() {
        found.push(match item {
            Item::Record { record, line } => (line, Ok(UserRequest::from(record.user()))),
            Item::Rejected(rejection) => (rejection.line, Err(rejection.reason.to_string())),
        });
    }
    let counts = &reader.counts()[0];
    assert!(counts.bytes <= data.len() as u64);
    assert_eq!(counts.records + counts.rejected, found.len() as u64);
    assert!(found.len() <= data.len() + 1);
    found
}

/// What a valid input has to give: a record, or none, for each of its elements. Nothing is known of
/// what is no JSON, and of what the reader takes otherwise by design: too long, too deep, or with
/// arrays where records should be.
fn expected(data: &[u8]) -> Option<Vec<Option<UserRequest>>> {
    if data.len() > RECORD_BYTES_MAX {
        return None;
    }
    let is_array = data.trim_ascii_start().first() == Some(&b'[');
    let elements: Vec<Element> = if is_array {
        serde_json::from_slice(data).ok()?
    } else {
        let elements = serde_json::Deserializer::from_slice(data).into_iter();
        elements.collect::<Result<_, _>>().ok()?
    };
    let has_arrays = elements.iter().any(|element| matches!(element, Element::Array));
    (!has_arrays).then(|| elements.iter().map(Element::record).collect())
}

/// An element as it stands there, with fields that are there twice.
enum Element {
    Object(Vec<(String, Value)>),
    Array,
    Other,
}

impl Element {
    /// The record that it is.
    fn record(&self) -> Option<UserRequest> {
        let Self::Object(fields) = self else {
            return None;
        };
        let mut record = UserRequest::default();
        let mut seen: Vec<&str> = Vec::new();
        for (name, value) in fields {
            let text = match name.as_str() {
                "id" => {
                    record.id = match value {
                        Value::Null => 0,
                        value => value.as_i64()?.try_into().ok()?,
                    };
                    None
                }
                "user_name" => Some(&mut record.user_name),
                "email" => Some(&mut record.email),
                "first_name" => Some(&mut record.first_name),
                "last_name" => Some(&mut record.last_name),
                "ip_address" => Some(&mut record.ip_address),
                "gender" => Some(&mut record.gender),
                "country" => Some(&mut record.country),
                "agent" => Some(&mut record.agent),
                _ => continue,
            };
            if seen.contains(&name.as_str()) {
                return None;
            }
            seen.push(name);
            if let Some(text) = text {
                *text = match value {
                    Value::Null => String::new(),
                    value => value.as_str()?.to_owned(),
                };
            }
        }
        Some(record)
    }
}

impl<'de> Deserialize<'de> for Element {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ElementVisitor)
    }
}

struct ElementVisitor;

impl<'de> Visitor<'de> for ElementVisitor {
    type Value = Element;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Element, E> {
        Ok(Element::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Element, E> {
        Ok(Element::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Element, E> {
        Ok(Element::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Element, E> {
        Ok(Element::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Element, E> {
        Ok(Element::Other)
    }

    fn visit_str<E>(self, _: &str) -> Result<Element, E> {
        Ok(Element::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Element, A::Error> {
        while array.next_element::<Value>()?.is_some() {}
        Ok(Element::Array)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Element, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = object.next_entry()? {
            fields.push(field);
        }
        Ok(Element::Object(fields))
    }
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
