//! Records in several layouts, undamaged or damaged at one place, for the client's reader and that of
//! a proof.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use muster_fuzz::records;
use muster_proof::Piece;
use muster_proto::users::UserRequest;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

/// Ways to write records down.
#[derive(Clone, Copy, Debug)]
enum Layout {
    Lines,
    ArrayOfLines,
    OneLine,
    Pretty,
    /// As by Python's `indent=0`: each bracket and member on a line of its own, not indented.
    Indent0,
    /// As by PostgreSQL's `json_agg`, with another inside.
    Aggregated,
}

const LAYOUTS: [Layout; 6] = [
    Layout::Lines,
    Layout::ArrayOfLines,
    Layout::OneLine,
    Layout::Pretty,
    Layout::Indent0,
    Layout::Aggregated,
];

/// Texts that may look like JSON.
const TEXTS: [&str; 14] =
    ["", "x", "a@b.c", "\"", "\\", "\n", "{", "}", "[", "]", ",", "\": {", "\",\"", "{\"id\":7}"];

impl Layout {
    fn write(self, records: &[Value]) -> String {
        let texts = records.iter().map(|record| match self {
            Self::Pretty => serde_json::to_string_pretty(record).unwrap(),
            Self::Aggregated => aggregated(record),
            _ => record.to_string(),
        });
        let texts = texts.collect::<Vec<_>>();
        match self {
            Self::Lines => texts.join("\n") + "\n",
            Self::ArrayOfLines => format!("[\n{}\n]\n", texts.join(",\n")),
            Self::OneLine => format!("[{}]", texts.join(",")),
            Self::Pretty => serde_json::to_string_pretty(records).unwrap() + "\n",
            Self::Indent0 => {
                let pretty = serde_json::to_string_pretty(records).unwrap();
                pretty.lines().map(|line| line.trim_start().to_owned() + "\n").collect()
            }
            Self::Aggregated => format!("[{}]\n", texts.join(", \n ")),
        }
    }
}

/// A record whose nested array is written as `json_agg` writes it.
fn aggregated(record: &Value) -> String {
    let members = record.as_object().unwrap().iter().map(|(name, value)| {
        let value = match value.as_array() {
            Some(elements) => {
                let elements = elements.iter().map(Value::to_string).collect::<Vec<_>>();
                format!("[{}]", elements.join(", \n "))
            }
            None => value.to_string(),
        };
        format!("{}:{value}", json!(name))
    });
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

/// Records as they are written, some with arrays of objects inside.
fn record() -> impl Strategy<Value = Value> {
    let text = || select(&TEXTS[..]);
    let inside = prop_oneof![
        2 => Just(Value::Null),
        1 => Just(json!([])),
        1 => Just(json!([{"id": 77}, {"agent": "inner"}])),
        1 => Just(json!([{"email": "inner"}, {"id": 78, "x": [{}]}, {"id": 79}])),
        1 => Just(json!([{"x": "]}"}, [1, 2], {"id": 80}])),
    ];
    (0..100_i32, text(), text(), inside, any::<bool>()).prop_map(
        |(id, email, agent, inside, last)| {
            let mut record = json!({"id": id, "email": email});
            if !inside.is_null() && !last {
                record["logins"] = inside.clone();
            }
            record["user_name"] = json!("written");
            record["agent"] = json!(agent);
            if !inside.is_null() && last {
                record["visits"] = inside;
            }
            record
        },
    )
}

/// What is done to the text at one place.
#[derive(Clone, Debug)]
enum Damage {
    Nothing,
    Set(Index, u8),
    Insert(Index, u8),
    Remove(Index),
    Cut(Index),
}

impl Damage {
    /// Damages a text, and tells whether a record in it may have changed.
    fn make(&self, text: &mut Vec<u8>) -> bool {
        match self {
            Self::Nothing => return false,
            Self::Set(at, byte) => {
                let at = at.index(text.len());
                text[at] = *byte;
            }
            Self::Insert(at, byte) => text.insert(at.index(text.len() + 1), *byte),
            Self::Remove(at) => drop(text.remove(at.index(text.len()))),
            Self::Cut(at) => {
                text.truncate(at.index(text.len()));
                return false;
            }
        }
        true
    }
}

fn damage() -> impl Strategy<Value = Damage> {
    let byte = || prop_oneof![1 => any::<u8>(), 3 => select(&b"{}[],:\"\\\n \x1e0"[..])];
    prop_oneof![
        1 => Just(Damage::Nothing),
        4 => (any::<Index>(), byte()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        4 => (any::<Index>(), byte()).prop_map(|(at, byte)| Damage::Insert(at, byte)),
        4 => any::<Index>().prop_map(Damage::Remove),
        2 => any::<Index>().prop_map(Damage::Cut),
    ]
}

fn user(record: &Value) -> UserRequest {
    let text = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
    UserRequest {
        id: record["id"].as_i64().unwrap().try_into().unwrap(),
        user_name: text("user_name"),
        email: text("email"),
        agent: text("agent"),
        ..UserRequest::default()
    }
}

/// Those that were not written, with each one that was written used once.
fn foreign(found: &[UserRequest], written: &[UserRequest]) -> Vec<UserRequest> {
    let mut left = written.to_vec();
    let is_foreign = |record: &&UserRequest| match left.iter().position(|other| other == *record) {
        Some(index) => {
            left.swap_remove(index);
            false
        }
        None => true,
    };
    found.iter().filter(is_foreign).cloned().collect()
}

/// The records that a proof reads, and whether it reads all of the text.
fn read_by_proof(text: &[u8]) -> (Vec<UserRequest>, bool) {
    let (mut found, mut complete) = (Vec::new(), true);
    let each = |piece| match piece {
        Piece::Record { record, .. } => found.push(record),
        Piece::Unread { .. } => complete = false,
    };
    muster_proof::read_stream(text, None, each);
    (found, complete)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// A bracket or a quote that is lost may turn the objects inside of a record into records, for
    /// both readers. Something is unread then, so that nothing is proven.
    #[test]
    fn records_that_were_not_written_come_only_with_something_unread(
        layout in select(&LAYOUTS[..]),
        written in proptest::collection::vec(record(), 1..6),
        damage in damage(),
    ) {
        let mut text = layout.write(&written).into_bytes();
        let may_change = damage.make(&mut text);
        let shown = String::from_utf8_lossy(&text).into_owned();
        let written = written.iter().map(user).collect::<Vec<_>>();
        let (proof, complete) = read_by_proof(&text);
        let client = records(&text, None);
        if complete {
            let foreign = foreign(&proof, &written);
            let allowed = usize::from(may_change);
            prop_assert!(foreign.len() <= allowed, "of {shown:?}: {foreign:?}");
            let is_cut = matches!(damage, Damage::Cut(_));
            prop_assert!(is_cut || proof.len() == written.len(), "of {shown:?}: {proof:?}");
        }
        let mut left = proof.iter();
        let subsequence = client.iter().all(|record| left.any(|other| other == record));
        prop_assert!(subsequence, "of {shown:?}: the client {client:?}, the proof {proof:?}");
        if matches!(damage, Damage::Nothing) {
            prop_assert!(complete);
            prop_assert_eq!(&client, &written);
            prop_assert_eq!(&proof, &written);
        }
    }
}
