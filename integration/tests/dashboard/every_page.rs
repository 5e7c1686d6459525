//! Every page can be read and used by everybody, at any size, in light and in dark.

use muster_integration::browser::{Page, Scheme};
use muster_integration::feed::Feed;

use crate::operator::{Operator, users};

const WIDTHS: [(u32, u32); 2] = [(1280, 900), (360, 780)];
const NOTHING: [&str; 0] = [];

/// Every page but the question, with its HTTP status.
const PAGES: [(&str, u16); 15] = [
    ("/", 200),
    ("/batches", 200),
    ("/batches?state=aborted", 200),
    ("/batches/examples", 200),
    ("/batches/sending", 200),
    ("/batches/nobody", 404),
    ("/workers", 200),
    ("/dead", 200),
    ("/dead?q=nothing", 200),
    ("/dead/group?name=%60email%60%20is%20no%20address", 200),
    ("/dead/batch/examples", 200),
    ("/dead/letter/examples/166", 200),
    ("/dead/letter/examples/0", 404),
    ("/roll", 200),
    ("/nowhere", 404),
];

/// Questions: the page with the button, and its name.
const QUESTIONS: [(&str, &str); 3] = [
    ("/", "Pause the queue"),
    ("/batches/sending", "Abort the batch"),
    ("/dead/letter/examples/166", "Drop this letter"),
];

/// A stack with something on every page.
fn busy() -> (Operator, Feed) {
    let operator = Operator::start();
    operator.send_examples();
    let mut feed = Feed::begin(&operator.stack, "sending");
    feed.send(users(61, 2_000));
    operator.open("/batches");
    operator.wait_for_text("tbody th", "sending");
    (operator, feed)
}

fn assert_sound(page: &Page, what: &str) {
    assert_eq!(page.contrast_problems(), NOTHING, "{what}");
    assert_eq!(page.structure_problems(), NOTHING, "{what}");
    assert_eq!(page.problems(), NOTHING, "{what}");
}

fn assert_all_sound(scheme: Scheme) {
    let (operator, _feed) = busy();
    let page = &operator.page;
    page.prefer_scheme(scheme);
    for (width, height) in WIDTHS {
        page.set_viewport(width, height);
        for (path, status) in PAGES {
            assert_eq!(page.open(&operator.stack.page(path)), status, "{path}");
            assert_sound(page, &format!("{path} in {width} by {height}"));
        }
        for (path, button) in QUESTIONS {
            operator.open(path);
            operator.press(button);
            assert_sound(page, &format!("{button} in {width} by {height}"));
        }
    }
}

#[test]
fn every_page_is_sound_in_light_and_wide_and_on_a_phone() {
    assert_all_sound(Scheme::Light);
}

#[test]
fn every_page_is_sound_in_dark_and_wide_and_on_a_phone() {
    assert_all_sound(Scheme::Dark);
}

#[test]
fn every_page_is_sound_when_there_is_nothing_yet() {
    let operator = Operator::start();
    let page = &operator.page;
    for (width, height) in WIDTHS {
        page.set_viewport(width, height);
        for path in ["/", "/batches", "/workers", "/dead", "/roll"] {
            operator.open(path);
            assert_sound(page, &format!("{path} in {width} by {height}"));
        }
    }
}
