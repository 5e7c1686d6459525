use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Ways to write records down.
#[derive(Clone, Copy, Debug)]
enum Layout {
    Lines,
    CrLines,
    Sequence,
    Compact,
    ArrayOfLines,
    PrettyArray,
    PrettyLines,
    Joined,
    Arrays,
}

const LAYOUTS: [Layout; 9] = [
    Layout::Lines,
    Layout::CrLines,
    Layout::Sequence,
    Layout::Compact,
    Layout::ArrayOfLines,
    Layout::PrettyArray,
    Layout::PrettyLines,
    Layout::Joined,
    Layout::Arrays,
];

impl Layout {
    fn write(self, records: &[UserRequest]) -> String {
        let pretty = matches!(self, Self::PrettyArray | Self::PrettyLines);
        let write = if pretty { serde_json::to_string_pretty } else { serde_json::to_string };
        let texts = records.iter().map(|record| write(record).unwrap()).collect::<Vec<_>>();
        match self {
            Self::Lines | Self::PrettyLines => texts.join("\n") + "\n",
            Self::CrLines => texts.join("\r\n") + "\r\n",
            Self::Sequence => texts.iter().map(|text| format!("\x1e{text}\n")).collect(),
            Self::Compact => format!("[{}]", texts.join(",")),
            Self::ArrayOfLines | Self::PrettyArray => format!("[\n{}\n]\n", texts.join(",\n")),
            Self::Joined => texts.concat(),
            Self::Arrays => {
                texts.chunks(2).map(|pair| format!("[{}]\n", pair.join(", "))).collect()
            }
        }
    }
}

/// Texts, some of which look like JSON.
fn text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[a-z]{0,6}",
        1 => "[\\PC]{0,3}",
        1 => proptest::sample::select(vec![
            "\"", "\\", "\n", "{", "}", "[", "]", ",", ":", "\": ", "\",\"", "{\"id\":1}", " ", "é",
        ]).prop_map(str::to_owned),
    ];
    vec(part, 0..3).prop_map(|parts| parts.concat())
}

fn record() -> impl Strategy<Value = UserRequest> {
    let names = [text(), text(), text(), text()];
    (any::<i32>(), names, [text(), text(), text(), text()]).prop_map(|(id, names, others)| {
        let [user_name, email, first_name, last_name] = names;
        let [ip_address, gender, country, agent] = others;
        UserRequest {
            id,
            user_name,
            email,
            first_name,
            last_name,
            ip_address,
            gender,
            country,
            agent,
        }
    })
}

/// At least `least` records, and how they are written.
fn written(least: usize) -> impl Strategy<Value = (Layout, Vec<UserRequest>)> {
    (proptest::sample::select(&LAYOUTS[..]), vec(record(), least..8))
}

/// What may stand between elements.
const SEPARATORS: &[u8] = b" \t\r\n,\x1e\xef\xbb\xbf[]";

/// Parts of JSON in any order.
fn soup() -> impl Strategy<Value = String> {
    let part = proptest::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\n",
        "\n",
        " ",
        "\\",
        "\x1e",
        "\u{feff}",
        "\"a\"",
        "\"a\":",
        "\"id\":1",
        "\"email\":\"\"",
        "{\"id\":7}",
        "{\"id\":8}\n",
        "{\"a\":[",
        "]}",
        "7",
        "null",
        "x",
        "{\"id\":\"",
        "},\n",
    ]);
    vec(part, 0..24).prop_map(|parts| parts.concat())
}

/// The records of a text, and whether all of it was read.
fn read(text: &[u8]) -> (Vec<UserRequest>, bool) {
    let mut records = Vec::new();
    let mut complete = true;
    for piece in all(text, None) {
        match piece {
            Piece::Record { record, .. } => records.push(record),
            Piece::Unread { .. } => complete = false,
        }
    }
    (records, complete)
}

/// How many of these records were not written, with each one that was written used once.
fn foreign(found: &[UserRequest], written: &[UserRequest]) -> usize {
    let mut written = written.to_vec();
    found
        .iter()
        .filter(|record| match written.iter().position(|other| other == *record) {
            Some(index) => {
                written.swap_remove(index);
                false
            }
            None => true,
        })
        .count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn undamaged_records_are_all_read((layout, records) in written(0)) {
        let text = layout.write(&records);
        prop_assert_eq!(read(text.as_bytes()), (records, true));
    }

    #[test]
    fn damaged_text_has_no_record_that_was_not_written(
        (layout, records) in written(1),
        at: proptest::sample::Index,
        damage in prop_oneof![
            any::<u8>(),
            proptest::sample::select(&b"{}[],:\"\\\n \x1e"[..]),
        ],
        length in 0..2_usize,
    ) {
        let mut text = layout.write(&records).into_bytes();
        let at = at.index(text.len());
        // Either replaced or inserted.
        text.splice(at..at + length, [damage]);
        let (found, complete) = read(&text);
        let foreign = foreign(&found, &records);
        prop_assert!(foreign <= 1, "{:?}: {:?}", String::from_utf8_lossy(&text), found);
        if complete {
            prop_assert_eq!(found.len(), records.len(), "{:?}", String::from_utf8_lossy(&text));
        }
        let whole = all(&text[..], None);
        prop_assert_eq!(all(ByteByByte(&text), None), whole);
    }

    #[test]
    fn text_that_lost_a_byte_or_its_end_has_no_record_that_was_not_written(
        (layout, records) in written(1),
        at: proptest::sample::Index,
        to_the_end: bool,
    ) {
        let mut text = layout.write(&records).into_bytes();
        let at = at.index(text.len());
        if to_the_end {
            text.truncate(at);
        } else {
            text.remove(at);
        }
        let (found, complete) = read(&text);
        let foreign = foreign(&found, &records);
        let few = foreign <= usize::from(!to_the_end);
        prop_assert!(few, "{:?}: {:?}", String::from_utf8_lossy(&text), found);
        if complete && !to_the_end {
            prop_assert_eq!(found.len(), records.len(), "{:?}", String::from_utf8_lossy(&text));
        }
    }

    #[test]
    fn everything_but_separators_is_a_record_or_unread(text in soup()) {
        let text = text.as_bytes();
        let mut end = 0;
        let separators = |gap: &[u8]| gap.iter().all(|byte| SEPARATORS.contains(byte));
        for piece in all(text, None) {
            let (begin, len) = match piece {
                Piece::Record { offset, .. } => {
                    let begin = usize::try_from(offset).unwrap();
                    let rest = serde_json::Deserializer::from_slice(&text[begin..]);
                    let mut objects = rest.into_iter::<serde::de::IgnoredAny>();
                    prop_assert!(objects.next().unwrap().is_ok());
                    (begin, objects.byte_offset())
                }
                Piece::Unread { offset, bytes, .. } => {
                    (usize::try_from(offset).unwrap(), usize::try_from(bytes).unwrap())
                }
            };
            prop_assert!(separators(&text[end..begin]), "{end}..{begin}");
            end = begin + len;
        }
        prop_assert!(separators(&text[end..]), "{end}..");
    }

    #[test]
    fn reading_byte_by_byte_makes_no_difference(
        text in soup(),
        pointer in proptest::sample::select(&["/a/*", "/*", "/a", "/0", "/*/a", "/*/*"][..]),
    ) {
        // These check the order and the lines as well.
        pieces(text.as_bytes(), None);
        pieces(text.as_bytes(), Some(&pointer.parse().unwrap()));
    }
}
