//! What a record says is shown, and nothing of it is obeyed.

use std::fs;

use muster_integration::process::Process;
use muster_integration::stack::SEND;
use serde_json::json;

use crate::operator::Operator;

/// Ends an attribute, a tag, a title; runs a script in each way that HTML has.
const SCRIPT: &str = "\"'></title></dd><script>window.ran = 1</script><img src=x onerror='window.ran = 2'>\
     <svg onload='window.ran = 3'></svg><a href='javascript:window.ran = 4'>x</a>{{ 7 * 7 }}";
/// Turns the text around, ends a line, is not seen, rings.
const UNSEEN: &str = "\u{202e}gnp.exe\u{2066}\u{200b}\u{feff}\u{7}\u{1b}[31m\n\tend";

#[test]
fn nothing_of_a_record_runs_or_is_hidden() {
    let operator = Operator::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hostile.ndjson");
    let hostile = format!("{SCRIPT}{UNSEEN}");
    let record = json!({ "id": 1, "user_name": hostile, "email": hostile, "first_name": hostile,
        "last_name": hostile, "ip_address": hostile, "gender": hostile, "country": hostile,
        "agent": hostile });
    fs::write(&file, record.to_string()).unwrap();
    let mut command = operator.stack.client(&file);
    command.args(["--batch", "hostile"]);
    Process::start("muster-client", &mut command).wait(SEND).expect_code(3);

    for path in ["/dead", "/dead/batch/hostile", "/dead/letter/hostile/0", "/batches/hostile"] {
        operator.open(path);
        assert_harmless(&operator, path);
    }
    operator.open("/dead/letter/hostile/0");
    let said = operator.page.text("main");
    assert!(said.contains("<script>window.ran = 1</script>"), "{said}");
    assert!(said.contains("\\u{202e}gnp.exe\\u{2066}"), "{said}");

    // What is typed anew goes the same way, through the question and back.
    operator.page.fill("#field-email", SCRIPT);
    operator.page.click("form.record button");
    operator.wait_for_question();
    assert!(operator.page.text("main dl").contains(SCRIPT.split_once("<svg").unwrap().0));
    assert_harmless(&operator, "the question");
    operator.open(&format!("/dead?q={}", "%3Cscript%3Ewindow.ran=1%3C/script%3E%E2%80%AE"));
    assert_harmless(&operator, "the search");
}

/// Nothing has run, nothing of the record is an element, and no character of it is unseen.
fn assert_harmless(operator: &Operator, place: &str) {
    let page = &operator.page;
    assert_eq!(page.evaluate("typeof window.ran"), "undefined", "{place}");
    let foreign = "document.querySelectorAll('main :is(script, img, title, svg[onload], a[href^=javascript])').length";
    assert_eq!(page.evaluate(foreign), 0, "{place}");
    let unseen = "/[\\u202a-\\u202e\\u2066-\\u2069\\u200b\\ufeff\\u0007\\u001b]/u.test(document.documentElement.innerText)";
    assert_eq!(page.evaluate(unseen), false, "{place}");
    assert_eq!(page.structure_problems(), [""; 0], "{place}");
    assert_eq!(page.problems(), [""; 0], "{place}");
}
