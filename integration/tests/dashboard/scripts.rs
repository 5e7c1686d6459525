//! Without JavaScript the pages show the same, and what they do works.

use muster_integration::browser::Page;

use crate::operator::{Operator, figure};

/// What a page says, but for how long ago something was.
fn words(page: &Page) -> String {
    let said = page.evaluate(
        "document.querySelector('main').innerText.replace(/\\bnow\\b|\\d+ (s|min) ago/g, 'then')",
    );
    said.as_str().expect("a text is a string").to_owned()
}

#[test]
fn without_scripts_the_pages_say_the_same() {
    let operator = Operator::start();
    operator.send_examples();
    let plain = operator.browser.page();
    plain.disable_scripts();
    for path in ["/batches", "/batches/examples", "/dead", "/dead/letter/examples/166", "/roll"] {
        operator.open(path);
        assert_eq!(plain.open(&operator.stack.page(path)), 200);
        assert_eq!(words(&plain), words(&operator.page), "{path}");
    }
    assert_eq!(plain.open(&operator.stack.page("/")), 200);
    assert_eq!(plain.evaluate(&figure("Kept")), "295 records");
    assert_eq!(plain.evaluate("document.querySelector('[data-live-status]').innerText"), "");
    assert_eq!(plain.problems(), [""; 0]);
}

#[test]
fn without_scripts_the_queue_is_paused() {
    let operator = Operator::start();
    operator.page.disable_scripts();
    operator.open("/");
    operator.press("Pause the queue");
    operator.confirm("Paused: workers take nothing more.");
    // The twin of this page knows it too.
    let live = operator.browser.page();
    live.open(&operator.stack.page("/"));
    assert!(live.text(".state").starts_with("Paused"));
}
