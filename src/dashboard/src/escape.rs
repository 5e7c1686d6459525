//! How templates show text: nothing in it is HTML, and nothing in it is invisible.

use std::fmt::{self, Write};

use askama::filters::{Escaper, Html};
use muster_program::printable;

/// The escaper of every template (`askama.toml` names it), in text and in attributes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown;

impl Escaper for Shown {
    fn write_escaped_str<W: Write>(&self, mut shown: W, text: &str) -> fmt::Result {
        // The text since the last character that had to be spelt out.
        let mut rest = text;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| printable::is_obeyed(*c)) {
            Html.write_escaped_str(&mut shown, &rest[..at])?;
            write!(shown, "{}", c.escape_debug())?;
            rest = &rest[at + c.len_utf8()..];
        }
        Html.write_escaped_str(shown, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let mut shown = String::new();
        Shown.write_escaped_str(&mut shown, text).unwrap();
        shown
    }

    #[test]
    fn what_html_obeys_is_escaped() {
        assert_eq!(shown("<a b=\"c\" d='e'>&"), "&#60;a b=&#34;c&#34; d=&#39;e&#39;&#62;&#38;");
        assert_eq!(shown("`email` ä 名 \u{1f600}"), "`email` ä 名 \u{1f600}");
    }

    #[test]
    fn what_cannot_be_seen_is_spelt_out() {
        assert_eq!(shown("a\u{202e}<b>\0\r\n\x1b"), r"a\u{202e}&#60;b&#62;\0\r\n\u{1b}");
    }
}
