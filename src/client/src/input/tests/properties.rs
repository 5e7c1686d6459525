//! What holds for any records, however they are written, cut or damaged.

use muster_proto::users::UserRequest;
use proptest::prelude::*;

use super::super::{Item, Reader};
use super::{all, read, read_in_steps};

/// How records are written.
#[derive(Clone, Copy, Debug)]
enum Layout {
    OneLine,
    LinePerRecord,
    PrettyArray,
    NewlineDelimited,
    PrettySequence,
}

fn layouts() -> impl Strategy<Value = Layout> {
    prop::sample::select(vec![
        Layout::OneLine,
        Layout::LinePerRecord,
        Layout::PrettyArray,
        Layout::NewlineDelimited,
        Layout::PrettySequence,
    ])
}

fn records() -> impl Strategy<Value = Vec<UserRequest>> {
    let record = prop_oneof![record(".{0,8}"), record(r#"[{}\[\],:"\\\n]{0,6}"#)];
    prop::collection::vec(record, 0..8)
}

/// A record whose texts are like this.
fn record(text: &'static str) -> impl Strategy<Value = UserRequest> {
    (any::<i32>(), text, text, text).prop_map(|(id, email, country, agent)| UserRequest {
        id,
        email,
        country,
        agent,
        ..UserRequest::default()
    })
}

/// Every other record is plain.
fn as_json(record: &UserRequest) -> serde_json::Value {
    if record.id % 2 == 0 {
        return serde_json::json!({
            "id": record.id,
            "email": record.email,
            "country": record.country,
            "agent": record.agent,
        });
    }
    serde_json::json!({
        "id": record.id,
        "nested": [{"id": 0, "braces": "}]"}, [[]], {}],
        "email": record.email,
        "country": record.country,
        "agent": record.agent,
        "more": {"id": 0},
    })
}

fn write(records: &[UserRequest], layout: Layout) -> String {
    let values: Vec<_> = records.iter().map(as_json).collect();
    let lines: Vec<String> = values.iter().map(ToString::to_string).collect();
    match layout {
        Layout::OneLine => serde_json::to_string(&values).unwrap(),
        Layout::LinePerRecord => format!("[{}]", lines.join(",\n")),
        Layout::PrettyArray => serde_json::to_string_pretty(&values).unwrap(),
        Layout::NewlineDelimited => lines.join("\n"),
        Layout::PrettySequence => values.iter().map(|value| format!("{value:#}\n")).collect(),
    }
}

/// The records that come out, and how many rejections.
fn sorted(mut reader: Reader) -> (Vec<UserRequest>, u64) {
    let found = all(&mut reader, |item| match item {
        Item::Record { record, .. } => Some(UserRequest::from(record.user())),
        Item::Rejected(_) | Item::Note(_) => None,
    });
    let records: Vec<_> = found.into_iter().flatten().collect();
    let rejected = reader.counts()[0].rejected;
    (records, rejected)
}

/// What records are made of.
fn pieces() -> Vec<&'static [u8]> {
    let pieces = [
        "{",
        "}",
        "},\n",
        "}\n{",
        ",",
        ":",
        "\"",
        "\\",
        "\n",
        " ",
        "[",
        "]",
        "null",
        "true",
        "-",
        "17",
        "0",
        "{\"id\":",
        "\"email\":",
        ",\"email\":\"a@b.c\"",
        "\"country\":\"C\\u00f4te",
        "{\"agent\":\"\"}",
        "{\"id\":1}",
        "{\n  \"id\" : 1,\n  \"email\" : null\n}",
        "{\"x\":{\"id\":1}}",
    ];
    let pieces = pieces.map(str::as_bytes);
    pieces.into_iter().chain([&b"\xff"[..], b"\x1b"]).collect()
}

proptest! {
    #[test]
    fn what_is_written_is_read(records in records(), layout in layouts(), step in 1_usize..40) {
        let text = write(&records, layout);
        prop_assert_eq!(sorted(read_in_steps(text.as_bytes(), step)), (records, 0));
    }

    #[test]
    fn what_is_whole_before_a_cut_is_read(
        records in records(),
        layout in layouts(),
        cut in any::<prop::sample::Index>(),
    ) {
        let text = write(&records, layout);
        let cut = cut.index(text.len() + 1);
        // A record is whole if it is so in what is written of it and of those before it.
        let whole = (0..=records.len())
            .rev()
            .find(|count| end_of(&records[..*count], layout) <= cut)
            .unwrap_or(0);

        let (read, rejected) = sorted(read(&text.as_bytes()[..cut]));

        prop_assert_eq!(&read, &records[..whole]);
        prop_assert!(rejected <= 1);
    }

    #[test]
    fn any_bytes_come_to_an_end(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..300),
            prop::collection::vec(
                prop::sample::select(b"{}[]\",:\\\n {}\"1atrue\xff\x1b".to_vec()), 0..300
            ),
            prop::collection::vec(prop::sample::select(pieces()), 0..60)
                .prop_map(|pieces| pieces.concat()),
        ],
        step in 1_usize..20,
    ) {
        let whole = all(&mut read(&bytes), |item| format!("{item:?}"));
        let mut reader = read_in_steps(&bytes, step);
        let mut stepped = Vec::new();
        while let Some(item) = reader.next_item() {
            if let Item::Rejected(rejection) = &item {
                let reason = rejection.reason.to_string();
                prop_assert!(!reason.contains(char::is_control), "{:?}", reason);
                prop_assert!(reason.len() < 400, "{:?}", reason);
            }
            stepped.push(format!("{item:?}"));
        }
        prop_assert!(stepped.len() <= bytes.len() + 1);
        prop_assert_eq!(stepped, whole);
        let counts = &reader.counts()[0];
        prop_assert!(counts.bytes <= bytes.len() as u64);
    }

    #[test]
    fn damaged_byte_costs_one_record(
        before in records(),
        damaged in record("[^{}\\[\\]\"\\\\]{0,8}"),
        after in records(),
        at in any::<prop::sample::Index>(),
        with in prop_oneof!["[^\n]", r#"[\[\]{},:"\\]"#],
    ) {
        let line = |record| as_json(record).to_string().into_bytes();
        // Behind a damaged quote, brackets in strings are like any others.
        let mut damaged = as_json(&damaged).to_string().replace("}]\"", "x\"").into_bytes();
        let at = at.index(damaged.len());
        damaged[at] = with.as_bytes()[0];
        // What is the beginning of JSON may go on in the next line.
        let error = serde_json::from_slice::<serde_json::Value>(&damaged).err();
        if error.is_some_and(|error| error.is_eof()) {
            return Ok(());
        }
        let lines: Vec<_> =
            before.iter().map(line).chain([damaged]).chain(after.iter().map(line)).collect();
        let text = [b"[", &*lines.join(&b",\n"[..]), b"\n]"].concat();

        let (read, _) = sorted(read(&text));

        prop_assert!(read.starts_with(&before), "{:?}", String::from_utf8_lossy(&text));
        prop_assert!(read.ends_with(&after), "{:?}", String::from_utf8_lossy(&text));
    }
}

/// Where the last of these records ends, when they are the first that are written.
fn end_of(records: &[UserRequest], layout: Layout) -> usize {
    match write(records, layout).rfind('}') {
        Some(at) if !records.is_empty() => at + 1,
        _ => 0,
    }
}
