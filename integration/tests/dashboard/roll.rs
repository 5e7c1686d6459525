//! The roll is had from its page.

use std::fs;

use muster_integration::summary::Manifest;
use serde_json::json;

use crate::operator::{Operator, figure};

/// The file behind the page's link, as text, and the SHA-256 of its bytes as the browser reckons it.
const DOWNLOAD: &str = "(async () => {
    const answer = await fetch(document.querySelector('main a[download]').href);
    const bytes = await answer.arrayBuffer();
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    return [answer.status, new TextDecoder().decode(bytes), digest.toHex()];
})()";

#[test]
fn the_roll_that_is_downloaded_is_the_file() {
    let operator = Operator::start();
    operator.open("/roll");
    assert!(!operator.page.text("main .empty").is_empty(), "there is none yet");
    operator.send_examples();

    operator.open("/roll");
    let file = fs::read_to_string(operator.stack.roll()).unwrap();
    let Manifest { records, sha256 } = Manifest::of(&operator.stack.roll());
    assert_eq!(operator.page.evaluate(DOWNLOAD), json!([200, file, sha256]));
    assert_eq!(operator.page.evaluate(&figure("SHA-256")), sha256);
    assert_eq!(operator.page.evaluate(&figure("Records")), records.to_string());
    assert_eq!(operator.page.problems(), [""; 0]);
}
