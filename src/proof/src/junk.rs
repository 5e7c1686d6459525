//! Stretches between elements that are neither elements nor separators.

use std::io::Read;

use serde_json::Value;

use crate::damage::{Around, Role, Strings, pass_abandoned};
use crate::piece::Piece;
use crate::window::Window;

/// How much of a stretch is kept to name what it is, in bytes.
const KEPT_BYTES: usize = 1 << 16;

/// The last significant thing in a stretch.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    String,
    /// A colon behind a string: a value follows.
    Colon,
    Other,
}

/// Passes and rejects a junk run, which begins with the current byte.
pub(crate) fn run<R: Read>(window: &mut Window<R>, around: Around) -> Piece {
    let place = window.place();
    let mut strings = Strings::default();
    let mut last = Last::Other;
    let mut text = Vec::new();
    while let Some(byte) = window.peek(0) {
        if strings.step(byte) == Role::Text {
            last = Last::String;
        } else {
            match (byte, last) {
                (b'{' | b'[', Last::Colon) => {
                    pass_abandoned(window, around, Some(0));
                    last = Last::Other;
                    continue;
                }
                (b'\n', Last::Colon) | (b' ' | b'\t' | b'\r', _) => (),
                (b',' | b'\n' | 0x1e | b'{' | b'[' | b']', _) => break,
                (b':', Last::String) => last = Last::Colon,
                _ => last = Last::Other,
            }
        }
        if text.len() < KEPT_BYTES {
            text.push(byte);
        }
        window.skip(1);
    }
    let whole = text.len() as u64 == window.since(place);
    let scalar = if whole { scalar(&text) } else { None };
    let reason = match scalar {
        Some(kind) => format!("expected an object, found {kind}"),
        None => "it is not JSON".to_owned(),
    };
    Piece::unread(place, window, reason)
}

/// What kind of scalar a text is.
fn scalar(text: &[u8]) -> Option<&'static str> {
    Some(match serde_json::from_slice(text).ok()? {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) | Value::Object(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn junk_run_ends_at_separators_and_brackets() {
        for (text, rest, reason) in [
            ("x,{}", ",{}", "it is not JSON"),
            ("x\n{}", "\n{}", "it is not JSON"),
            ("x {}", "{}", "it is not JSON"),
            ("}]", "]", "it is not JSON"),
            ("7 ,", ",", "expected an object, found a number"),
            ("\"a,{\" ]", "]", "expected an object, found a string"),
            ("null", "", "expected an object, found null"),
            // A quote that nothing sensible follows does not end the string.
            ("\"a\" {}\n{}", "\n{}", "it is not JSON"),
            // The value of a member whose object has lost its bracket.
            ("\"a\":{\"b\":[1,2]}},{}", ",{}", "it is not JSON"),
            ("\"a\"\t:\n\n [1,\n2]},{}", ",{}", "it is not JSON"),
            ("\"a\"\n:[1]", "\n:[1]", "expected an object, found a string"),
            ("x:{}", "{}", "it is not JSON"),
            ("\"a\"::[1]", "[1]", "it is not JSON"),
            ("\"a\":1 [1]", "[1]", "it is not JSON"),
            ("\"a\":{1\n{\"b\":2}", "{\"b\":2}", "it is not JSON"),
        ] {
            let mut window = Window::new(text.as_bytes());
            let piece = run(&mut window, Around::default());
            let bytes = window.place().offset;
            let end = usize::try_from(bytes).unwrap();
            assert_eq!(&text[end..], rest, "{text:?}");
            let reason = reason.to_owned();
            assert_eq!(piece, Piece::Unread { line: 1, offset: 0, bytes, reason }, "{text:?}");
        }
    }
}
