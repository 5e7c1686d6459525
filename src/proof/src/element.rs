//! One element, an object or array: read strictly, or else abandoned as a whole.

use std::io::Read;

use muster_proto::users::UserRequest;
use serde::de::IgnoredAny;

use crate::damage::{Abandoned, Around, Ending, pass_abandoned};
use crate::follow;
use crate::json::BLANKS;
use crate::piece::{Notes, Piece};
use crate::record::{self, without_position};
use crate::window::{Place, Window};

/// The length of the longest record, in bytes.
const RECORD_BYTES: usize = 1 << 20;

/// How much of a record is looked at first, in bytes.
const FIRST_BYTES: usize = 1 << 13;

/// Why an element is not valid JSON.
struct Invalid {
    reason: String,
    /// Where in the element its JSON breaks, if that is not at its end.
    breaks_at: Option<u64>,
}

/// Reads an element; the current byte is its `{` or `[`. The record is where `names` lead to inside
/// of it: without names it is the element itself, which must be an object.
pub(crate) fn read<R: Read>(window: &mut Window<R>, around: Around, names: &[String]) -> Piece {
    let place = window.place();
    let len = match strict(window) {
        Ok(len) => len,
        Err(Invalid { reason, breaks_at }) => {
            let ending = pass_abandoned(window, around, breaks_at);
            return unread(place, window, ending, reason);
        }
    };
    let parsed = parse(window.ahead(len), names);
    // Where valid JSON is rejected it ends all the same where it ends.
    window.skip(len);
    match parsed {
        Ok((record, notes)) => Piece::record(place, record, notes),
        Err(reason) => Piece::unread(place, window, reason),
    }
}

/// Reads the record of an element that is valid JSON.
fn parse(element: &[u8], names: &[String]) -> Result<(UserRequest, Notes), String> {
    match (names, element) {
        ([], [b'{', ..]) => record::parse(element),
        ([], _) => Err("expected an object, found an array".to_owned()),
        _ => record::parse(follow::object(element, names)?),
    }
}

/// The length of the JSON value that begins here.
fn strict<R: Read>(window: &mut Window<R>) -> Result<usize, Invalid> {
    let mut len = FIRST_BYTES;
    loop {
        let bytes = window.ahead(len);
        let complete = bytes.len() < len;
        let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<IgnoredAny>();
        let Some(Err(error)) = values.next() else { return Ok(values.byte_offset()) };
        // Any error may be due to the cut: a number that ends in its point is a syntax error.
        if !complete && len < RECORD_BYTES {
            len = RECORD_BYTES.min(4 * len);
            continue;
        }
        let breaks_at = (!error.is_eof()).then(|| offset_of(&error, bytes));
        let reason = if !complete && error.is_eof() {
            "it is longer than 1 MiB".to_owned()
        } else {
            format!("it is not valid JSON: {}", without_position(&error))
        };
        return Err(Invalid { reason, breaks_at });
    }
}

/// Where an error is in a text.
fn offset_of(error: &serde_json::Error, text: &[u8]) -> u64 {
    let lines = text.split_inclusive(|byte| *byte == b'\n').take(error.line().saturating_sub(1));
    let offset = lines.map(<[u8]>::len).sum::<usize>() + error.column().max(1) - 1;
    offset as u64
}

fn unread<R: Read>(place: Place, window: &Window<R>, ending: Ending, reason: String) -> Piece {
    let at_end = ending == Ending::SourceEnds;
    let reason = if at_end { "the file ends inside this record".to_owned() } else { reason };
    Piece::unread(place, window, reason)
}

/// Passes the `[` of an array inside of another array; the current byte is this `[`. An array of
/// scalars is an element.
pub(crate) fn begin_nested<R: Read>(
    window: &mut Window<R>,
    around: Around,
    names: &[String],
) -> Option<Piece> {
    let is_blank = |byte: &u8| BLANKS.contains(byte);
    let begins_elements = |next: Option<u8>| matches!(next, None | Some(b'{' | b'[' | b']'));
    for index in 1..RECORD_BYTES {
        let next = window.peek(index);
        if next.as_ref().is_some_and(is_blank) {
            continue;
        }
        if begins_elements(next) {
            window.skip(index);
            return None;
        }
        return Some(read(window, around, names));
    }
    // These are too many blanks to keep, and too many for an array of scalars to be valid.
    let place = window.place();
    let mut scalars = Abandoned::begin(b'[', place, None);
    window.skip(1);
    while let Some(blank) = window.peek(0).filter(is_blank) {
        scalars.pass_blank(blank);
        window.skip(1);
    }
    if begins_elements(window.peek(0)) {
        return None;
    }
    let ending = scalars.pass_rest(window, around);
    Some(unread(place, window, ending, "it is longer than 1 MiB".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an object is read as, and how many bytes of it.
    fn read_text(text: &str) -> (Result<i32, String>, u64) {
        let mut window = Window::new(text.as_bytes());
        let piece = read(&mut window, Around::default(), &[]);
        let read = match piece {
            Piece::Record { record, .. } => Ok(record.id),
            Piece::Unread { reason, .. } => Err(reason),
        };
        (read, window.place().offset)
    }

    #[test]
    fn object_is_a_record_or_rejected_or_abandoned() {
        for (text, result, bytes) in [
            ("{\"id\":1},", Ok(1), 8),
            ("{\"id\":\"\"},", Err("`id` is not a whole number"), 9),
            // A wrong type does not hide a syntax error behind it.
            ("{\"id\":[] 2} x", Err("it is not valid JSON: expected `,` or `}`"), 11),
            ("{\"id\":1 2} x", Err("it is not valid JSON: expected `,` or `}`"), 10),
            ("{\"id\":1", Err("the file ends inside this record"), 7),
        ] {
            let (found, found_bytes) = read_text(text);
            assert_eq!(found_bytes, bytes, "{text}");
            match (found, result) {
                (Ok(id), Ok(expected)) => assert_eq!(id, expected),
                (Err(found), Err(expected)) => assert!(found.starts_with(expected), "{found}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
    }

    #[test]
    fn offset_of_an_error_is_that_of_the_byte_that_breaks_the_json() {
        for (text, breaks_at) in [
            ("{\"a\":1 2}", Some(7)),
            ("{\"a\":\n\n x}", Some(8)),
            ("{\"a\":\"x\n\"}", Some(6)),
            ("{\"a\":[1}", Some(7)),
            ("{\"a\":\"\\x\"}", Some(7)),
            ("{\"a\":[", None),
            ("{\"a\":\"x", None),
        ] {
            let invalid = strict(&mut Window::new(text.as_bytes())).err().unwrap();
            assert_eq!(invalid.breaks_at, breaks_at, "{text:?}");
        }
    }

    #[test]
    fn object_may_have_a_mebibyte() {
        let with = |len: usize| format!("{{\"id\":1.0,\"x\":\"{}\"}}\n", "-".repeat(len - 17));
        assert_eq!(read_text(&with(RECORD_BYTES)), (Ok(1), RECORD_BYTES as u64));
        let bytes = RECORD_BYTES as u64 + 1;
        let too_long = (Err("it is longer than 1 MiB".to_owned()), bytes);
        assert_eq!(read_text(&with(RECORD_BYTES + 1)), too_long);
    }

    #[test]
    fn object_is_read_wherever_the_first_look_is_cut() {
        for len in FIRST_BYTES - 20..FIRST_BYTES + 20 {
            let text = format!("{{\"x\":\"{}\",\"id\":-1.0e0}}", "-".repeat(len - 20));
            assert_eq!(read_text(&text), (Ok(-1), text.len() as u64));
        }
    }
}
