//! Text that others wrote, made fit to be shown: nothing in it moves a terminal's cursor, changes
//! its colours, or lets a line look like another, there or on a page.

use std::fmt::Write as _;

/// The text, with what a terminal would obey in place of showing it as `\n` or `\u{1b}`.
pub fn text(text: &str) -> String {
    escape(text, |c, shown| shown.extend(c.escape_debug()))
}

/// The beginning of a text, as [`text()`] shows it: so many characters of it.
pub fn beginning(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((end, _)) => self::text(&text[..end]) + "…",
        None => self::text(text),
    }
}

/// JSON of the same meaning, with what a terminal would obey as `\u001b`. Line breaks, which stand
/// only between the values of JSON, stay.
pub fn json(json: &str) -> String {
    escape(json, |c, shown| {
        if c == '\n' {
            return shown.push(c);
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            // A `String` takes all that is written to it.
            let _ = write!(shown, "\\u{unit:04x}");
        }
    })
}

fn escape(text: &str, escape: impl Fn(char, &mut String)) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_obeyed(c) { escape(c, &mut shown) } else { shown.push(c) }
    }
    shown
}

/// Whether a terminal does something else with the character than to show it: Unicode's control
/// and format characters (escapes, bidirectional marks, what has no width), and line separators.
pub fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_harmless_stays_as_it_is() {
        let harmless = "`email` is no address: \"no address\" \\ 'ä' \u{1f600} e\u{301} नी";
        assert_eq!(text(harmless), harmless);
        assert_eq!(json("{\n  \"a\": \"ä\"\n}"), "{\n  \"a\": \"ä\"\n}");
    }

    #[test]
    fn what_a_terminal_obeys_is_spelt_out() {
        assert_eq!(text("\x1b[2J\r\n\t\x07\u{9b}0m"), r"\u{1b}[2J\r\n\t\u{7}\u{9b}0m");
        assert_eq!(
            text("a\u{202e}b\u{2066}c\u{200b}d\u{2028}"),
            r"a\u{202e}b\u{2066}c\u{200b}d\u{2028}"
        );
        assert_eq!(text("\u{1d173}\u{1bca0}\u{13430}"), r"\u{1d173}\u{1bca0}\u{13430}");
    }

    #[test]
    fn a_beginning_ends_between_two_characters() {
        assert_eq!(beginning("\u{1b}äö", 3), "\\u{1b}äö");
        assert_eq!(beginning("\u{1b}äö", 2), "\\u{1b}ä…");
        assert_eq!(beginning("", 0), "");
    }

    #[test]
    fn escaped_json_means_the_same() {
        let obeyed = "\x1b\x7f\u{9b}\u{202e}\u{feff}\u{e0041}";
        let escaped = json(&serde_json::to_string(obeyed).unwrap());
        assert_eq!(escaped, r#""\u001b\u007f\u009b\u202e\ufeff\udb40\udc41""#);
        assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), obeyed);
    }
}
