//! Reading ahead: whether what follows a supposed end of an element reads on as elements.

use std::io::Read;

use super::{Around, Before, Role, Strings};
use crate::window::Window;

/// How much is looked at, in bytes.
const AHEAD_BYTES: usize = 65536;

/// Whether the text reads on as elements, rather than as the inside of something still open. It
/// begins `from` bytes after the current byte, and may itself be cut off if `may_be_cut`.
pub(super) fn reads_on<R: Read>(
    window: &mut Window<R>,
    from: usize,
    around: Around,
    may_be_cut: bool,
) -> bool {
    let source_ends = window.peek(from + AHEAD_BYTES).is_none();
    let bytes = window.ahead(from + AHEAD_BYTES);
    judge(bytes.get(from..).unwrap_or_default(), source_ends, around, may_be_cut)
}

fn judge(bytes: &[u8], source_ends: bool, around: Around, may_be_cut: bool) -> bool {
    // Only the end of the source and a closing bracket can make it a no: where neither is near,
    // nothing has to be counted. This keeps text fast in which every line is damaged.
    let may_go_on = !source_ends || may_be_cut;
    if may_go_on && !bytes.contains(&b']') {
        return true;
    }
    let mut depth = 0_usize;
    let mut strings = Strings::default();
    let mut before = Before::default();
    for (index, &byte) in bytes.iter().enumerate() {
        if strings.step(byte) == Role::Text {
            before.pass_text();
            continue;
        }
        match byte {
            b'{' if depth == 0 && before.first_on_line && before.last == Some(b'}') => {
                return true;
            }
            b'{' | b'[' => depth += 1,
            b']' if depth == 0 => {
                return closes_array(&bytes[index + 1..], source_ends, around, may_be_cut);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => (),
        }
        before.pass(byte);
    }
    may_go_on || (depth == 0 && !strings.is_open() && around.open == 0)
}

/// Whether a `]` at depth 0, with these bytes behind it, closes an array at element level.
fn closes_array(bytes: &[u8], source_ends: bool, around: Around, may_be_cut: bool) -> bool {
    let significant = |byte: &&u8| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0x1e);
    let mut rest = bytes.iter().filter(significant).peekable();
    let next = rest.peek().copied();
    if let Some(outer) = around.outer
        && source_ends
        && rest.clone().take(outer + 1).count() == outer
        && rest.all(|byte| matches!(byte, b'}' | b']'))
    {
        return true;
    }
    (around.open > 0 || may_be_cut) && !matches!(next, Some(b'}' | b','))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_ahead_tells_elements_from_the_inside_of_one() {
        for (text, source_ends, open, expected) in [
            ("", true, 0, true),
            ("", true, 1, false),
            ("", false, 1, true),
            ("{\"a\":1}", true, 0, true),
            ("{\"a\":1", true, 0, false),
            ("{\"a\":\"x", true, 0, false),
            ("\"x\" ", true, 0, true),
            // An array closes.
            (", {\"a\":[1]}]", true, 0, false),
            (", {\"a\":[1]}]", true, 1, true),
            (", {\"a\":1}]}", true, 1, false),
            (", {\"a\":1}] \n\x1e ,", true, 1, false),
            (", {\"a\":1}] \n [", true, 1, true),
            // Objects on lines of their own.
            ("{}\n{", true, 1, true),
            ("{} {", true, 1, false),
            ("\n{", true, 1, false),
            ("}\n,{", true, 1, false),
            ("}\n]", true, 0, false),
        ] {
            let around = Around { open, outer: None };
            assert_eq!(
                judge(text.as_bytes(), source_ends, around, false),
                expected,
                "{text:?} {open}"
            );
        }
    }

    #[test]
    fn closing_bracket_is_judged_by_the_containers_outside_of_the_array() {
        for (text, source_ends, outer, expected) in [
            ("]}", true, 1, true),
            ("] ]\n}\n", true, 2, true),
            ("]}", true, 2, false),
            ("]}}", true, 1, false),
            ("]}", false, 1, false),
            ("]", true, 0, true),
        ] {
            let around = Around { open: 1, outer: Some(outer) };
            assert_eq!(
                judge(text.as_bytes(), source_ends, around, false),
                expected,
                "{text:?} {outer}"
            );
        }
    }
}
