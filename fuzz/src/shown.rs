//! What may stand in a line that a person reads, and on a page.

use muster_program::printable::is_obeyed;

/// The longest line that a refusal may be, in bytes. It may name a path or a key; it must not grow
/// with what is refused.
const LINE_BYTES_MAX: usize = 4096;

/// Every element of the dashboard.
const ELEMENTS: [&str; 55] = [
    "!DOCTYPE",
    "a",
    "body",
    "button",
    "caption",
    "circle",
    "code",
    "dd",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "head",
    "header",
    "html",
    "input",
    "label",
    "legend",
    "li",
    "line",
    "link",
    "main",
    "meta",
    "nav",
    "ol",
    "option",
    "p",
    "path",
    "polyline",
    "progress",
    "rect",
    "script",
    "section",
    "select",
    "small",
    "span",
    "strong",
    "svg",
    "table",
    "tbody",
    "td",
    "text",
    "th",
    "thead",
    "time",
    "title",
    "tr",
    "ul",
];

/// The one script, as it stands on every page.
const SCRIPT: &str = "script src=\"/assets/live.js\" defer";

/// Checks a line that may come to a terminal: nothing in it is obeyed, and it is not long.
pub(crate) fn line(line: &str) {
    assert_eq!(line.chars().find(|c| is_obeyed(*c)), None, "{line:?}");
    assert!(line.len() <= LINE_BYTES_MAX, "{} bytes: {line:.200}", line.len());
}

/// Checks a page, or a part of one: all that is HTML in it is of the dashboard.
pub(crate) fn page(html: &str) {
    let unseen = html.chars().find(|c| is_obeyed(*c) && *c != '\n');
    assert_eq!(unseen, None, "{html}");
    let mut rest = html;
    while let Some((_, after)) = rest.split_once('<') {
        let (tag, after) = after.split_once('>').expect("a tag ends");
        rest = after;
        let tag_name = tag.trim_start_matches('/').split([' ', '\n']).next().unwrap_or_default();
        assert!(ELEMENTS.contains(&tag_name), "<{tag}>");
        assert!(tag_name != "script" || tag == SCRIPT || tag == "/script", "<{tag}>");
        attributes(tag);
    }
    assert!(!rest.contains('>'), "{html}");
}

/// Checks the attributes of a tag: none is a script, and each link leads to the dashboard.
fn attributes(tag: &str) {
    let mut rest = tag;
    while let Some((before, after)) = rest.split_once("=\"") {
        let (value, after) = after.split_once('"').expect("a value ends");
        rest = after;
        let name = before.rsplit(' ').next().unwrap_or_default();
        assert!(!name.starts_with("on") && name != "style", "<{tag}>");
        if matches!(name, "href" | "src" | "action" | "data-live") {
            link(value);
        }
    }
    assert!(!rest.contains('"'), "<{tag}>");
}

/// Checks that an address is one of the dashboard.
pub(crate) fn link(link: &str) {
    let is_here = link.starts_with('#') || link.starts_with('/') && !link.starts_with("//");
    assert!(is_here && link.bytes().all(|byte| byte.is_ascii_graphic()), "{link:?}");
}
