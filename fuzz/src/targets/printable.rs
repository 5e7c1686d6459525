//! `muster_program::printable`: what others wrote, made fit to be shown.

use std::ops::RangeInclusive;

use muster_program::printable;

/// How many bytes a character takes at most when it is spelt out, for each byte that it has.
const GROWTH_MAX: usize = 6;

/// What Unicode has to change the direction of text (UAX #9), and what it has that is not seen: ends of
/// lines, what joins or parts words, marks of annotations, of music, of shorthand, and tags.
const UNSEEN: [RangeInclusive<char>; 11] = [
    '\u{ad}'..='\u{ad}',
    '\u{61c}'..='\u{61c}',
    '\u{200b}'..='\u{200f}',
    '\u{2028}'..='\u{202e}',
    '\u{2060}'..='\u{2064}',
    '\u{2066}'..='\u{206f}',
    '\u{feff}'..='\u{feff}',
    '\u{fff9}'..='\u{fffb}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0001}'..='\u{e007f}',
];

/// Nothing that is shown is obeyed by a terminal; it is bounded; JSON keeps its meaning.
pub fn printable(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let shown = printable::text(&text);
    is_harmless(&shown);
    assert!(shown.len() <= GROWTH_MAX * text.len(), "{text:?}");
    assert_eq!(printable::text(&shown), shown, "what is harmless stays as it is");
    let harmless: String = text.chars().filter(|c| !printable::is_obeyed(*c)).collect();
    assert_eq!(printable::text(&harmless), harmless);

    let json = serde_json::to_string(&text).expect("a text can be JSON");
    let shown = printable::json(&json);
    is_harmless(&shown);
    let read: String = serde_json::from_str(&shown).expect("it is JSON still");
    assert_eq!(read, text, "it means the same");
}

fn is_harmless(shown: &str) {
    let obeyed = |c: &char| c.is_control() || UNSEEN.iter().any(|range| range.contains(c));
    assert_eq!(shown.chars().find(obeyed), None, "{shown:?}");
}
