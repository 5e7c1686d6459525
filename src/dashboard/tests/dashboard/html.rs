//! Whether a page is well-formed, and loads nothing that is not of the dashboard.

use std::collections::HashSet;

use axum::http::StatusCode;

use crate::asked::{get, page, post};
use crate::double::Double;

/// Elements that have no end.
const VOID: [&str; 5] = ["meta", "link", "input", "br", "path"];

/// Every page that is there, with what its services answer by themselves.
pub(crate) const PAGES: [&str; 10] = [
    "/",
    "/batches",
    "/batches?state=open",
    "/batches/b-1",
    "/workers",
    "/dead",
    "/dead/group?name=%60email%60%20is%20no%20address",
    "/dead/batch/b-1",
    "/dead/letter/b-1/6",
    "/roll",
];

/// A tag: its name, and its attributes.
struct Tag<'a> {
    name: &'a str,
    attributes: Vec<(&'a str, &'a str)>,
}

impl Tag<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(attribute, _)| *attribute == name).map(|(_, value)| *value)
    }
}

/// Reads the attributes of a tag: each is a name, or a name and a value in double quotes.
fn tag(inner: &str) -> Tag<'_> {
    let inner = inner.trim_end_matches('/');
    let (name, mut rest) = inner.split_once(' ').unwrap_or((inner, ""));
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start();
        let end = rest.find([' ', '=']).unwrap_or(rest.len());
        let (attribute, after) = rest.split_at(end);
        if attribute.is_empty() {
            return Tag { name, attributes };
        }
        match after.strip_prefix("=\"") {
            Some(value) => {
                let (value, after) = value.split_once('"').expect("the value ends");
                attributes.push((attribute, value));
                rest = after;
            }
            None => {
                attributes.push((attribute, ""));
                rest = after;
            }
        }
    }
}

/// Goes through a page, and panics at what is wrong with it.
pub(crate) fn check(html: &str) {
    let mut open: Vec<&str> = Vec::new();
    let (mut headings, mut ids, mut named) = (0, HashSet::new(), Vec::new());
    let mut rest = html.strip_prefix("<!DOCTYPE html>").expect("a page says what it is");
    while let Some((_, after)) = rest.split_once('<') {
        let (inner, after) = after.split_once('>').expect("a tag ends");
        rest = after;
        if let Some(name) = inner.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "what ends is what was open last");
            continue;
        }
        let tag = tag(inner);
        headings += usize::from(tag.name == "h1");
        assert_ne!(tag.name, "style", "no style within the page");
        if tag.name == "script" {
            assert!(tag.get("src").is_some() && after.starts_with("</script>"), "no script within");
        }
        for (attribute, value) in &tag.attributes {
            assert!(!attribute.starts_with("on") && *attribute != "style", "{inner}");
            if matches!(*attribute, "href" | "src" | "action" | "data-live") {
                let is_here =
                    value.starts_with('#') || value.starts_with('/') && !value.starts_with("//");
                assert!(is_here, "{inner}");
            }
            if *attribute == "id" {
                assert!(ids.insert(*value), "the id {value} is there twice");
            }
            if matches!(*attribute, "for" | "aria-labelledby") {
                named.push((*value).to_owned());
            }
        }
        if !VOID.contains(&tag.name) {
            open.push(tag.name);
        }
    }
    assert_eq!(open, [""; 0], "what is open ends");
    assert_eq!(headings, 1, "one heading of the page");
    for name in named {
        assert!(ids.contains(name.as_str()), "there is no #{name}");
    }
    let (_, title) = html.split_once("<title>").expect("there is a title");
    assert!(!title.starts_with(" ·") && html.contains("<html lang=\"en\">"));
    for table in html.split("<table>").skip(1) {
        assert!(table.trim_start().starts_with("<caption"), "a table has a caption");
    }
}

#[tokio::test]
async fn every_page_is_well_formed() {
    let double = Double::new();
    for path in PAGES {
        check(&page(&double, path).await.body);
    }
    for path in ["/nothing", "/batches/none", "/batches?state=lost", "/dead/letter/b-1/x"] {
        let answered = get(&double, path).await;
        assert!(answered.status.is_client_error());
        check(&answered.body);
    }
}

#[tokio::test]
async fn every_question_is_well_formed() {
    let double = Double::new();
    let edited =
        "id=1&user_name=&email=&first_name=&last_name=&ip_address=&gender=&country=&agent=";
    for (path, form) in [
        ("/queue/pause", ""),
        ("/queue/resume", ""),
        ("/batches/b-1/abort", ""),
        ("/dead/replay?all=yes", ""),
        ("/dead/drop?batch=b-1&place=6", ""),
        ("/dead/letter/b-1/6/replay", edited),
    ] {
        let answered = post(&double, path, form).await;
        assert_eq!(answered.status, StatusCode::OK, "{path}");
        check(&answered.body);
    }
}

#[tokio::test]
async fn the_page_of_the_navigation_is_marked() {
    let double = Double::new();
    for (path, name) in [
        ("/", "Overview"),
        ("/batches/b-1", "Batches"),
        ("/workers", "Workers"),
        ("/dead/letter/b-1/6", "Dead letters"),
        ("/roll", "Roll"),
    ] {
        let body = page(&double, path).await.body;
        let marked: Vec<&str> = body.split(" aria-current=\"page\">").skip(1).collect();
        assert_eq!(marked.len(), 1, "{path}");
        assert!(marked[0].starts_with(&format!("{name}</a>")), "{path}");
    }
}

#[test]
fn a_page_that_is_wrong_is_found() {
    let page = |inner: &str| {
        format!("<!DOCTYPE html><html lang=\"en\"><title>t</title><h1>h</h1>{inner}</html>")
    };
    check(&page("<p><a href=\"/x\">x</a></p>"));
    for wrong in [
        "<p>",
        "<p></b>",
        "<h1>again</h1>",
        "<style></style>",
        "<script>1</script>",
        "<p style=\"color: red\"></p>",
        "<p onclick=\"x()\"></p>",
        "<a href=\"https://other\"></a>",
        "<a href=\"//other\"></a>",
        "<a href=\"javascript:x()\"></a>",
        "<p id=\"a\"></p><p id=\"a\"></p>",
        "<label for=\"none\"></label>",
        "<table><tr></tr></table>",
    ] {
        let wrong = page(wrong);
        assert!(std::panic::catch_unwind(|| check(&wrong)).is_err(), "{wrong}");
    }
}
