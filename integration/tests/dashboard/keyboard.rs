//! The dashboard is used by the keyboard alone.

use serde_json::{Value, json};

use crate::operator::Operator;

/// The name of what has the keyboard.
const FOCUSED: &str = "document.activeElement.ariaLabel ?? document.activeElement.innerText.trim()";

/// Presses Tab until this has the keyboard, and returns what had it on the way.
fn walk_to(operator: &Operator, name: &str) -> Vec<Value> {
    const STEPS_MAX: usize = 30;
    let steps = (0..STEPS_MAX).map(|_| {
        operator.page.press("Tab");
        operator.page.evaluate(FOCUSED)
    });
    let way: Vec<Value> = steps.take_while(|focused| *focused != name).collect();
    assert!(way.len() < STEPS_MAX, "{name} is never reached: {way:?}");
    way
}

#[test]
fn the_queue_is_paused_with_tab_and_enter() {
    let operator = Operator::start();
    operator.open("/");
    operator.wait_until_live();
    let sections = ["Overview", "Batches", "Workers", "Dead letters", "Roll"];
    let way = walk_to(&operator, "Pause the queue");
    assert_eq!(json!(way), json!([&["Skip to the content", "Muster"][..], &sections].concat()));

    // What is live was replaced, and the keyboard is where it was.
    operator.page.evaluate("void (window.before = document.activeElement)");
    operator.wait_until("!before.isConnected");
    assert_eq!(operator.page.evaluate(FOCUSED), "Pause the queue");

    operator.page.press("Enter");
    operator.wait_for_question();
    walk_to(&operator, "Pause");
    operator.page.press("Enter");
    operator.wait_for_text("main .notice", "Paused: workers take nothing more.");
}

#[test]
fn a_section_is_reached_and_its_navigation_skipped() {
    let operator = Operator::start();
    operator.send_examples();
    operator.open("/");
    walk_to(&operator, "Dead letters");
    operator.page.press("Enter");
    operator.wait_for_text("h1", "Dead letters");
    walk_to(&operator, "Skip to the content");
    operator.page.press("Enter");
    operator.wait_until("document.activeElement.id === 'main'");
    operator.page.press("Tab");
    assert_eq!(operator.page.focused(), "#q");
}
