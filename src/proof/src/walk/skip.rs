//! Values that are passed over, however long: only brackets and strings are looked at.

use std::io::Read;

use super::Window;

/// How much of a name is kept, in bytes. A longer one is not what a pointer names.
const NAME_BYTES: usize = 1 << 20;

/// Passes the value that begins with the current byte.
pub(super) fn value<R: Read>(window: &mut Window<R>) {
    match window.peek(0) {
        Some(b'"') => string(window, |_| ()),
        Some(b'{' | b'[') => container(window),
        _ => scalar(window),
    }
}

/// Passes the name that begins with the current byte, a quote. `None`: it is not a valid string.
pub(super) fn name<R: Read>(window: &mut Window<R>) -> Option<String> {
    let mut quoted = Vec::new();
    string(window, |byte| {
        if quoted.len() < NAME_BYTES {
            quoted.push(byte);
        }
    });
    serde_json::from_slice(&quoted).ok()
}

fn string<R: Read>(window: &mut Window<R>, mut each: impl FnMut(u8)) {
    let (mut quotes, mut escaped) = (0, false);
    while quotes < 2
        && let Some(byte) = window.peek(0)
    {
        each(byte);
        window.skip(1);
        quotes += usize::from(byte == b'"' && !escaped);
        escaped = byte == b'\\' && !escaped;
    }
}

fn container<R: Read>(window: &mut Window<R>) {
    let mut depth = 0_u64;
    while let Some(byte) = window.peek(0) {
        match byte {
            b'"' => {
                string(window, |_| ());
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => (),
        }
        window.skip(1);
        if depth == 0 {
            break;
        }
    }
}

fn scalar<R: Read>(window: &mut Window<R>) {
    let ends = |byte: &u8| b" \t\r\n,:{}[]\"".contains(byte);
    while window.peek(0).is_some_and(|byte| !ends(&byte)) {
        window.skip(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_is_passed_over_to_its_end() {
        for (text, rest) in [
            ("12.5e1, 1", ", 1"),
            ("true}", "}"),
            ("nul \n", " \n"),
            ("\"a,\\\"}\", 1", ", 1"),
            ("{\"a\":[{\"b\":\"]}\"}]}, 1", ", 1"),
            ("[[],[{}]]]", "]"),
            ("[[", ""),
            ("\"a", ""),
        ] {
            let mut window = Window::new(text.as_bytes());
            value(&mut window);
            assert_eq!(window.ahead(100), rest.as_bytes(), "{text}");
        }
    }

    #[test]
    fn name_is_decoded() {
        for (text, expected) in [
            ("\"a\\u0062\":", Some("ab")),
            ("\"\\\\\":", Some("\\")),
            ("\"a\n\":", None),
            ("\"a", None),
        ] {
            let mut window = Window::new(text.as_bytes());
            assert_eq!(name(&mut window).as_deref(), expected, "{text}");
        }
    }
}
