//! What some people could not read, find or use is found, and what they can is not.

use muster_integration::browser::{Page, Scheme};

use crate::shown;

/// Shows this in the page's body.
fn show(page: &Page, html: &str) {
    page.evaluate(&format!("void (document.body.innerHTML = {})", serde_json::json!(html)));
}

/// One page that shows each of these, with the problem that it then has, or none ("").
fn all_have(look: impl Fn(&Page) -> Vec<String>, cases: &[(&str, &str)]) {
    let page = shown("<!doctype html><html lang=en><title>Page</title><h1>Page</h1>");
    for (html, problem) in cases {
        show(&page, html);
        let found = look(&page);
        let expected: &[&str] = if problem.is_empty() { &[] } else { &[problem] };
        assert_eq!(found, expected, "{html}");
    }
}

#[test]
fn texts_with_and_without_contrast() {
    all_have(
        Page::contrast_problems,
        &[
            ("<p>black on white", ""),
            (
                "<main><p>one<p style='color: #888; background: #bbb'>grey  on\ngrey",
                "\"grey on grey\" in main > p:nth-of-type(2) has 1.84:1 and needs 4.5:1: \
             rgb(136, 136, 136) on rgb(187, 187, 187)",
            ),
            // The border: #767676 has 4.54:1 on white, #777 has 4.47:1.
            ("<p style='color: #767676'>just", ""),
            (
                "<p style='color: #777'>not",
                "\"not\" in p has 4.47:1 and needs 4.5:1: rgb(119, 119, 119) on rgb(255, 255, 255)",
            ),
            // Large texts need less.
            ("<p style='color: #888; font-size: 24px'>large", ""),
            ("<p style='color: #888; font: bold 18.7px serif'>large", ""),
            (
                "<p style='color: #888; font: 23px serif'>not",
                "\"not\" in p has 3.54:1 and needs 4.5:1: rgb(136, 136, 136) on rgb(255, 255, 255)",
            ),
            (
                "<p style='color: #aaa; font-size: 40px'>faint",
                "\"faint\" in p has 2.32:1 and needs 3:1: rgb(170, 170, 170) on rgb(255, 255, 255)",
            ),
        ],
    );
}

#[test]
fn colours_that_are_mixed() {
    all_have(
        Page::contrast_problems,
        &[
            // What shines through an ancestor, twice.
            (
                "<div style='background: #000'><p style='background: #fff8'><b style='color: #fff'>text",
                "\"text\" in div > p > b has 3.54:1 and needs 4.5:1: \
             rgb(255, 255, 255) on rgb(136, 136, 136)",
            ),
            (
                "<div style='background: #000'><p style='background: #fff2'><b style='color: #fff'>text",
                "",
            ),
            // A text that is transparent, or in something that is.
            (
                "<p style='color: rgba(0, 0, 0, 0.5)'>text",
                "\"text\" in p has 3.97:1 and needs 4.5:1: rgb(128, 128, 128) on rgb(255, 255, 255)",
            ),
            (
                "<div style='opacity: 0.5'><p style='background: #fff'>text",
                "\"text\" in div > p has 3.97:1 and needs 4.5:1: rgb(128, 128, 128) on rgb(255, 255, 255)",
            ),
            ("<div style='opacity: 0.9'><p style='background: #fff'>text", ""),
            (
                "<div style='background: #000'><p style='opacity: 0.5; background: #fff; color: #444'>text",
                "\"text\" in div > p has 4.00:1 and needs 4.5:1: rgb(34, 34, 34) on rgb(128, 128, 128)",
            ),
            // Whatever a colour is written in.
            (
                "<p style='color: oklch(0.75 0 0)'>text",
                "\"text\" in p has 2.21:1 and needs 4.5:1: rgb(174, 174, 174) on rgb(255, 255, 255)",
            ),
            (
                "<p style='color: oklch(0.4 0.1 250); background: color-mix(in oklab, white, #eee)'>text",
                "",
            ),
            // A picture is not looked into, unless it is painted over.
            (
                "<p style='background-image: linear-gradient(#fff, #000)'>text",
                "\"text\" in p is on a background image, of p: its contrast is not known",
            ),
            (
                "<p style='background-image: linear-gradient(#fff, #000)'><b style='background: #fff'>text",
                "",
            ),
        ],
    );
}

#[test]
fn what_controls_drawings_and_style_sheets_write() {
    let faint = |text: &str, path: &str| {
        format!(
            "\"{text}\" in {path} has 2.32:1 and needs 4.5:1: rgb(170, 170, 170) on rgb(255, 255, 255)"
        )
    };
    let field = "<style>input, select, button { color: #aaa; background: #fff } \
                 input::placeholder { color: #aaa }</style>";
    let sheet = "<style>p::before { content: 'new'; color: #aaa } i::after { content: '→'; color: #aaa }</style>";
    all_have(
        Page::contrast_problems,
        &[
            (&format!("{field}<input value=value>"), &faint("value", "input")),
            (&format!("{field}<input placeholder=hint>"), &faint("hint", "input::placeholder")),
            (
                &format!("{field}<select><option>a<option selected>b</select>"),
                &faint("b", "select"),
            ),
            (&format!("{field}<button id=go>go</button>"), &faint("go", "#go")),
            (
                &format!(
                    "{field}<button disabled>go</button><label style='color: #aaa'>no <input disabled value=no></label>"
                ),
                "",
            ),
            (&format!("{field}<input type=checkbox value=yes>"), ""),
            (&format!("{sheet}<p>text"), &faint("new", "p::before")),
            (&format!("{sheet}<i>text</i>"), ""),
            ("<svg><text y=20 fill='#aaa'>bar</text></svg>", &faint("bar", "svg > text")),
            ("<svg style='color: #aaa'><text y=20>bar</text></svg>", ""),
            (
                "<svg><text y=20 fill='url(#none) red'>bar</text></svg>",
                "\"bar\" in svg > text is filled with url(\"#none\") rgb(255, 0, 0): its contrast is not known",
            ),
        ],
    );
}

#[test]
fn what_cannot_be_seen_needs_no_contrast() {
    let hidden = [
        "display: none",
        "visibility: hidden",
        "opacity: 0",
        "position: absolute; left: -999px",
        "position: absolute; width: 1px; height: 1px; overflow: hidden; white-space: nowrap",
    ];
    let cases: Vec<_> =
        hidden.iter().map(|style| format!("<p style='color: #fff; {style}'>text")).collect();
    let mut cases: Vec<_> = cases.iter().map(|html| (html.as_str(), "")).collect();
    cases.push((
        "<details style='color: #fff'><summary style='color: #000'>more</summary>text</details>",
        "",
    ));
    cases.push((
        "<details open style='color: #fff'><summary style='color: #000'>more</summary>text</details>",
        "\"text\" in details has 1.00:1 and needs 4.5:1: rgb(255, 255, 255) on rgb(255, 255, 255)",
    ));
    all_have(Page::contrast_problems, &cases);
}

#[test]
fn a_page_that_can_be_dark_is_painted_on_a_dark_sheet() {
    let page = shown(
        "<style>:root { color-scheme: light dark }</style><p>text</p><b style='color: #333'>more</b>",
    );
    assert_eq!(page.contrast_problems(), [""; 0]);
    page.prefer_scheme(Scheme::Dark);
    let found = page.contrast_problems();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("\"more\" in b has 1."), "{found:?}");
}

#[test]
fn names_labels_and_the_order_of_focus() {
    let structure = |page: &Page| {
        let found = page.structure_problems().into_iter();
        found.filter(|problem| problem != "the page has 0 h1, and needs one").collect()
    };
    all_have(
        structure,
        &[
            (
                "<label>Name <input></label><label for=b>B</label><select id=b></select><textarea aria-label=C></textarea>",
                "",
            ),
            ("<input>", "the field input has no label"),
            ("<input placeholder=Name>", "the field input has a placeholder for a label"),
            ("<input placeholder=Name aria-label=Name>", ""),
            ("<select></select>", "the field select has no label"),
            ("<input type=hidden><div hidden><input></div>", ""),
            (
                "<a href=/>on</a><a href=/><img alt=on src=data:,></a><button aria-label=on></button>",
                "",
            ),
            ("<a href=/></a>", "the link a has no name"),
            (
                "<nav><a href=/>a</a><a href=/><img alt='' src=data:,></a></nav>",
                "the link nav > a:nth-of-type(2) has no name",
            ),
            ("<button><svg></svg></button>", "the button button has no name"),
            ("<input type=submit><button>go</button>", ""),
            ("<svg role=img aria-label=drawing></svg><svg></svg>", ""),
            ("<svg role=img></svg>", "the drawing svg has no name"),
            ("<img src=data:,>", "the image img has no alt"),
            ("<p id=a></p><p id=b></p>", ""),
            ("<p id=a></p><p id=a></p><p id=a></p>", "the id a is there twice"),
            ("<p tabindex=0>a</p><p tabindex=-1>a</p>", ""),
            ("<p tabindex=2>a</p>", "p has the tabindex 2, and is out of order"),
        ],
    );
}

#[test]
fn the_language_the_title_the_heading_and_the_width() {
    let page =
        shown("<!doctype html><html lang=en><title>Page</title><h1>Page</h1><h1 hidden>other</h1>");
    assert_eq!(page.structure_problems(), [""; 0]);
    page.evaluate("document.querySelector('h1 ~ h1').hidden = false");
    assert_eq!(page.structure_problems(), ["the page has 2 h1, and needs one"]);
    let page = shown("<p>text");
    assert_eq!(
        page.structure_problems(),
        ["html has no lang", "the page has no title", "the page has 0 h1, and needs one"]
    );
    let page = shown(
        "<!doctype html><html lang=en><title>Page</title><body style='margin: 0'><h1>Page</h1>
         <div style='overflow: auto'><p style='width: 800px'>scrolls by itself</p></div>
         <table style='width: 500px'><tr><td>does not</td></tr></table>",
    );
    assert_eq!(page.structure_problems(), [""; 0]);
    page.set_viewport(360, 640);
    assert_eq!(page.structure_problems(), ["the page is 500 pixels wide in 360: table"]);
}
