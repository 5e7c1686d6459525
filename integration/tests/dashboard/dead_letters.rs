//! A dead letter is found, mended or dropped.

use muster_integration::roll;
use muster_integration::roll::assert_roll;
use muster_integration::users::{User, Users};
use muster_integration::{examples, wait};

use crate::operator::{LIMIT, Operator};

/// The record of the examples that is a dead letter: its email is "no address".
fn mended(email: &str) -> User {
    let dead = Users::of_seed(6).nth(16).expect("users do not end");
    User { email: email.to_owned(), ..dead }
}

/// Searches the errors, and waits for the page of what was found.
fn search(operator: &Operator, text: &str) {
    operator.page.fill("#q", text);
    operator.page.press("Enter");
    operator.wait_until(&format!("new URL(location).searchParams.get('q') === '{text}'"));
    operator.page.text("h1");
}

#[test]
fn a_dead_letter_is_found_by_its_error_mended_and_reaches_the_roll() {
    let operator = Operator::start();
    operator.send_examples();
    operator.open("/dead");
    search(&operator, "no such error");
    assert_eq!(operator.page.text("main .empty"), "No error has “no such error” in it. Show all");
    search(&operator, "address");
    operator.page.click("tbody th a");
    operator.wait_for_text("h1", "Dead letters of");
    assert!(operator.page.text("tbody").contains("`email` is no address: \"no address\""));
    operator.page.click("tbody th a");
    operator.wait_for_text("h1", "Dead letter at place");

    let email = "mended@example.com";
    operator.page.fill("#field-email", email);
    operator.page.click("form.record button");
    operator.wait_for_question();
    assert!(operator.page.text("main dl").contains(email));
    assert_eq!(roll::count(&operator.stack.roll()), 295, "nothing is done before the answer");
    operator.confirm("Replayed: 1 dead letter.");
    assert_eq!(operator.page.text("main .empty"), "There are none here.");

    operator.wait_for_roll(296);
    let expected = examples::kept().into_iter().chain([mended(email)]);
    assert_roll(&operator.stack.roll(), expected);
    operator.open("/dead");
    assert_eq!(operator.page.text("main .empty"), "There are no dead letters.");
    assert_eq!(operator.page.problems(), [""; 0]);
}

#[test]
fn a_record_that_is_no_better_is_a_dead_letter_again() {
    let operator = Operator::start();
    operator.send_examples();
    operator.open("/dead/letter/examples/166");
    operator.page.fill("#field-email", "no address either");
    operator.page.click("form.record button");
    operator.wait_for_question();
    operator.confirm("Replayed: 1 dead letter.");
    let is_there_again = || {
        operator.open("/dead");
        operator.page.evaluate("document.querySelectorAll('tbody tr').length") == 1
    };
    wait::until(
        LIMIT,
        || is_there_again().then_some(()),
        || "no dead letter of the new record".to_owned(),
    );
    operator.page.click("tbody th a");
    operator.wait_for_text("tbody", "\"no address either\"");
}

#[test]
fn a_dead_letter_is_dropped_when_that_is_confirmed_and_not_before() {
    let operator = Operator::start();
    operator.send_examples();
    operator.open("/dead");
    operator.press("Drop all dead letters");
    assert_eq!(operator.page.text("h1"), "Drop 1 dead letter of all batches?");
    operator.page.click("main a.button");
    operator.wait_for_text("h1", "Dead letters");
    assert!(operator.page.text("tbody").contains("address"), "it is still there");

    operator.press("Drop all dead letters");
    operator.confirm("Dropped: 1 dead letter.");
    assert_eq!(operator.page.text("main .empty"), "There are no dead letters.");
    assert_roll(&operator.stack.roll(), examples::kept());
}
