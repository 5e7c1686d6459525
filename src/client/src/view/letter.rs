//! Dead letters as lines, as a whole, and as JSON; and their groups.

use std::fmt;

use muster_proto::users::UserRequest;
use muster_proto::v1::{DeadLetter, DeadLetterGroup};
use prost::Message as _;
use serde::Serialize;

use super::figures::time;
use super::table::Columns;
use crate::printable;

/// What is shown of a dead letter.
#[derive(Debug, Serialize)]
pub(crate) struct LetterView<'a> {
    batch: &'a str,
    place: u64,
    record_id: i32,
    reason: &'a str,
    group: &'a str,
    attempts: u32,
    crashes: u32,
    first: Option<String>,
    last: Option<String>,
    trace: Option<&'a str>,
    /// `None` if it is no record.
    record: Option<UserRequest>,
}

impl<'a> From<&'a DeadLetter> for LetterView<'a> {
    fn from(letter: &'a DeadLetter) -> Self {
        Self {
            batch: &letter.batch,
            place: letter.place,
            record_id: letter.record_id,
            reason: &letter.reason,
            group: &letter.group,
            attempts: letter.attempts,
            crashes: letter.crashes,
            first: letter.first.and_then(time),
            last: letter.last.and_then(time),
            trace: Some(letter.trace.as_str()).filter(|trace| !trace.is_empty()),
            record: UserRequest::decode(letter.record.clone()).ok(),
        }
    }
}

/// All of one dead letter.
impl fmt::Display for LetterView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "batch     {}", printable::text(self.batch))?;
        writeln!(f, "place     {}", self.place)?;
        writeln!(f, "reason    {}", printable::text(self.reason))?;
        writeln!(f, "group     {}", printable::text(self.group))?;
        writeln!(f, "attempts  {}", self.attempts)?;
        writeln!(f, "crashes   {}", self.crashes)?;
        writeln!(f, "first     {}", self.first.as_deref().unwrap_or("unknown"))?;
        writeln!(f, "last      {}", self.last.as_deref().unwrap_or("unknown"))?;
        if let Some(trace) = self.trace {
            writeln!(f, "trace     {}", printable::text(trace))?;
        }
        match &self.record {
            // Numbers and texts: they are always JSON.
            Some(record) => {
                let json = serde_json::to_string_pretty(record).unwrap_or_default();
                writeln!(f, "record    {}", printable::json(&json))
            }
            None => writeln!(f, "record    cannot be read (id {})", self.record_id),
        }
    }
}

/// The widths of a list's columns, in characters: most places and ids fit.
const WIDTHS: [usize; 7] = [0, 7, 7, 0, 0, 0, 0];

/// A list of dead letters, page by page.
#[derive(Debug)]
pub(crate) struct LetterList {
    columns: Columns<7>,
    begun: bool,
}

impl LetterList {
    pub(crate) fn new() -> Self {
        Self { columns: Columns::at_least(WIDTHS), begun: false }
    }

    /// The lines of the next letters; the first follow the names of the columns.
    pub(crate) fn page(&mut self, letters: &[DeadLetter]) -> String {
        let names = ["batch", "place", "id", "attempts", "crashes", "last", "reason"];
        let names = (!self.begun).then(|| names.map(str::to_owned));
        let rows: Vec<_> = names.into_iter().chain(letters.iter().map(row)).collect();
        self.begun = true;
        self.columns.lines(&rows)
    }
}

fn row(letter: &DeadLetter) -> [String; 7] {
    [
        printable::text(&letter.batch),
        letter.place.to_string(),
        letter.record_id.to_string(),
        letter.attempts.to_string(),
        letter.crashes.to_string(),
        letter.last.and_then(time).unwrap_or_else(|| "unknown".to_owned()),
        printable::text(&letter.reason),
    ]
}

/// What is shown of a group, as JSON.
#[derive(Debug, Serialize)]
pub(crate) struct GroupView<'a> {
    group: &'a str,
    letters: u64,
}

impl<'a> From<&'a DeadLetterGroup> for GroupView<'a> {
    fn from(group: &'a DeadLetterGroup) -> Self {
        Self { group: &group.name, letters: group.letters }
    }
}

/// The groups, a line each.
pub(crate) fn groups(groups: &[DeadLetterGroup]) -> String {
    let names = ["letters", "group"].map(str::to_owned);
    let rows = groups.iter().map(|group| [group.letters.to_string(), printable::text(&group.name)]);
    Columns::at_least([0; 2]).lines(&std::iter::once(names).chain(rows).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use prost_types::Timestamp;

    use super::*;

    fn letter() -> DeadLetter {
        let record = UserRequest { id: 17, email: "a\u{202e}\x1b[2J".into(), ..Default::default() };
        DeadLetter {
            batch: "b-1".into(),
            place: 6,
            record_id: 17,
            reason: "`email` is no address: \"\x1b[2J\"".into(),
            group: "`email` is no address".into(),
            attempts: 3,
            crashes: 1,
            first: Some(Timestamp { seconds: 1_700_000_000, nanos: 1_999_999 }),
            last: Some(Timestamp { seconds: 1_700_000_001, nanos: 0 }),
            trace: String::new(),
            record: record.encode_to_vec().into(),
        }
    }

    #[test]
    fn a_letter_is_shown_whole_and_without_what_a_terminal_obeys() {
        insta::assert_snapshot!(LetterView::from(&letter()), @r#"
    batch     b-1
    place     6
    reason    `email` is no address: "\u{1b}[2J"
    group     `email` is no address
    attempts  3
    crashes   1
    first     2023-11-14T22:13:20.001Z
    last      2023-11-14T22:13:21.000Z
    record    {
      "id": 17,
      "user_name": "",
      "email": "a\u202e\u001b[2J",
      "first_name": "",
      "last_name": "",
      "ip_address": "",
      "gender": "",
      "country": "",
      "agent": ""
    }
    "#);
    }

    #[test]
    fn a_letter_as_json_has_all_its_fields() {
        insta::assert_snapshot!(super::super::json(&LetterView::from(&letter())), @r#"
    {"batch":"b-1","place":6,"record_id":17,"reason":"`email` is no address: \"\u001b[2J\"","group":"`email` is no address","attempts":3,"crashes":1,"first":"2023-11-14T22:13:20.001Z","last":"2023-11-14T22:13:21.000Z","trace":null,"record":{"id":17,"user_name":"","email":"a\u202e\u001b[2J","first_name":"","last_name":"","ip_address":"","gender":"","country":"","agent":""}}
    "#);
    }

    #[test]
    fn what_is_not_known_is_null() {
        let broken = DeadLetter {
            first: None,
            last: Some(Timestamp { seconds: i64::MAX, nanos: 0 }),
            trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into(),
            record: b"\xff".as_slice().into(),
            ..letter()
        };
        let shown: serde_json::Value =
            serde_json::from_str(&super::super::json(&LetterView::from(&broken))).unwrap();
        for field in ["first", "last", "record"] {
            assert_eq!(shown[field], serde_json::Value::Null, "{field}");
        }
        assert_eq!(shown["trace"], broken.trace);
        assert!(LetterView::from(&broken).to_string().ends_with("cannot be read (id 17)\n"));
    }

    #[test]
    fn pages_of_a_list_stand_under_one_line_of_names() {
        let mut list = LetterList::new();
        let pages =
            list.page(&[letter()]) + &list.page(&[DeadLetter { place: 1234567, ..letter() }]);
        insta::assert_snapshot!(pages, @r#"
    batch  place    id       attempts  crashes  last                      reason
    b-1    6        17       3         1        2023-11-14T22:13:21.000Z  `email` is no address: "\u{1b}[2J"
    b-1    1234567  17       3         1        2023-11-14T22:13:21.000Z  `email` is no address: "\u{1b}[2J"
    "#);
    }

    #[test]
    fn groups_have_a_line_each() {
        let group = |name: &str, letters| DeadLetterGroup { name: name.to_owned(), letters };
        let shown = groups(&[group("`email` is no address", 1200), group("panic: \x07", 1)]);
        insta::assert_snapshot!(shown, @r"
    letters  group
    1200     `email` is no address
    1        panic: \u{7}
    ");
    }
}
