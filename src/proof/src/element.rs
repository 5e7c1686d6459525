//! One object or array: read strictly, or else abandoned as a whole.

use std::io::{self, Read};

use serde::de::IgnoredAny;

use crate::damage::{Abandoned, Around, Ending, pass_abandoned};
use crate::json::BLANKS;
use crate::piece::Piece;
use crate::record::{self, without_position};
use crate::window::{Place, Window};

/// The length of the longest record, in bytes.
const RECORD_BYTES: usize = 1 << 20;

/// How much of a record is looked at first, in bytes.
const FIRST_BYTES: usize = 1 << 13;

/// Reads an object; the current byte is its `{`.
///
/// # Errors
///
/// The source cannot be read on.
pub(crate) fn object<R: Read>(window: &mut Window<R>, around: Around) -> io::Result<Piece> {
    let place = window.place();
    let len = match strict(window)? {
        Ok(len) => len,
        Err(reason) => return abandoned(window, around, reason),
    };
    let parsed = record::parse(window.ahead(len)?);
    window.skip(len);
    Ok(match parsed {
        Ok((record, notes)) => Piece::record(place, record, notes),
        Err(reason) => Piece::unread(place, window, reason),
    })
}

/// Rejects an array; the current byte is its `[`.
///
/// # Errors
///
/// The source cannot be read on.
pub(crate) fn array<R: Read>(window: &mut Window<R>, around: Around) -> io::Result<Piece> {
    let place = window.place();
    match strict(window)? {
        Ok(len) => {
            window.skip(len);
            Ok(Piece::unread(place, window, "expected an object, found an array"))
        }
        Err(reason) => abandoned(window, around, reason),
    }
}

/// The length of the JSON value that begins here, or why there is none.
fn strict<R: Read>(window: &mut Window<R>) -> io::Result<Result<usize, String>> {
    let mut len = FIRST_BYTES;
    loop {
        let bytes = window.ahead(len)?;
        let complete = bytes.len() < len;
        let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<IgnoredAny>();
        let error = match values.next() {
            Some(Ok(_)) => return Ok(Ok(values.byte_offset())),
            Some(Err(error)) => error,
            None => return Ok(Err("there is nothing".to_owned())),
        };
        // Any error may be due to the cut: a number that ends in its point is a syntax error.
        if !complete && len < RECORD_BYTES {
            len = RECORD_BYTES.min(4 * len);
        } else if !complete && error.is_eof() {
            return Ok(Err("it is longer than 1 MiB".to_owned()));
        } else {
            return Ok(Err(format!("it is not valid JSON: {}", without_position(&error))));
        }
    }
}

fn abandoned<R: Read>(window: &mut Window<R>, around: Around, reason: String) -> io::Result<Piece> {
    let place = window.place();
    let ending = pass_abandoned(window, around)?;
    Ok(unread(place, window, ending, reason))
}

fn unread<R: Read>(place: Place, window: &Window<R>, ending: Ending, reason: String) -> Piece {
    let at_end = ending == Ending::SourceEnds;
    let reason = if at_end { "the file ends inside this record".to_owned() } else { reason };
    Piece::unread(place, window, reason)
}

/// Passes the `[` of an array inside of another array; the current byte is this `[`. An array of
/// scalars is rejected as a whole.
///
/// # Errors
///
/// The source cannot be read on.
pub(crate) fn begin_nested<R: Read>(
    window: &mut Window<R>,
    around: Around,
) -> io::Result<Option<Piece>> {
    let is_blank = |byte: &u8| BLANKS.contains(byte);
    let begins_elements = |next: Option<u8>| matches!(next, None | Some(b'{' | b'[' | b']'));
    for index in 1..RECORD_BYTES {
        let next = window.peek(index)?;
        if next.as_ref().is_some_and(is_blank) {
            continue;
        }
        if begins_elements(next) {
            window.skip(index);
            return Ok(None);
        }
        return array(window, around).map(Some);
    }
    // These are too many blanks to keep, and too many for an array of scalars to be valid.
    let place = window.place();
    let mut scalars = Abandoned::begin(b'[');
    window.skip(1);
    while let Some(blank) = window.peek(0)?.filter(is_blank) {
        scalars.pass_blank(blank);
        window.skip(1);
    }
    if begins_elements(window.peek(0)?) {
        return Ok(None);
    }
    let ending = scalars.pass_rest(window, around)?;
    Ok(Some(unread(place, window, ending, "it is longer than 1 MiB".to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an object is read as, and how many bytes of it.
    fn read(text: &str) -> (Result<i32, String>, u64) {
        let mut window = Window::new(text.as_bytes());
        let piece = object(&mut window, Around::default()).unwrap();
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
            ("{\"id\":1 2} x", Err("it is not valid JSON: expected `,` or `}`"), 10),
            ("{\"id\":1", Err("the file ends inside this record"), 7),
        ] {
            let (found, found_bytes) = read(text);
            assert_eq!(found_bytes, bytes, "{text}");
            match (found, result) {
                (Ok(id), Ok(expected)) => assert_eq!(id, expected),
                (Err(found), Err(expected)) => assert!(found.starts_with(expected), "{found}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
    }

    #[test]
    fn object_may_have_a_mebibyte() {
        let with = |len: usize| format!("{{\"id\":1.0,\"x\":\"{}\"}}\n", "-".repeat(len - 17));
        assert_eq!(read(&with(RECORD_BYTES)), (Ok(1), RECORD_BYTES as u64));
        let bytes = RECORD_BYTES as u64 + 1;
        let too_long = (Err("it is longer than 1 MiB".to_owned()), bytes);
        assert_eq!(read(&with(RECORD_BYTES + 1)), too_long);
    }

    #[test]
    fn object_is_read_wherever_the_first_look_is_cut() {
        for len in FIRST_BYTES - 20..FIRST_BYTES + 20 {
            let text = format!("{{\"x\":\"{}\",\"id\":-1.0e0}}", "-".repeat(len - 20));
            assert_eq!(read(&text), (Ok(-1), text.len() as u64));
        }
    }
}
