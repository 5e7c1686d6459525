//! What is done by buttons: the queue is paused and resumed, a batch is aborted.

use muster_integration::feed::Feed;
use muster_integration::roll;
use muster_integration::roll::assert_roll;

use crate::operator::{LIMIT, Operator, figure, file_of, number, users};

#[test]
fn pausing_stops_the_workers_and_resuming_lets_them_go_on() {
    let operator = Operator::start();
    operator.open("/");
    operator.press("Pause the queue");
    assert_eq!(operator.page.text("h1"), "Pause the queue?");
    operator.confirm("Paused: workers take nothing more.");

    let sent = users(41, 100);
    operator.leave(file_of(sent.clone()).path(), "waiting").expect_code(0);
    operator.wait_until(&format!("{}.startsWith('100 records')", figure("In the queue")));
    // The server looks once a second: it has looked again and again, and nothing was taken.
    operator.wait_until(&format!("parseFloat({}) >= 3", figure("Oldest waits")));
    assert_eq!(operator.page.evaluate(&figure("Kept")), "0 records");
    assert_eq!(roll::count(&operator.stack.roll()), 0);
    operator.open("/batches/waiting");
    assert_eq!(operator.page.text(".state .tag"), "sealed");

    operator.open("/");
    operator.press("Resume the queue");
    operator.confirm("Resumed: workers take again.");
    operator.wait_until(&format!("{} === '100 records'", figure("Kept")));
    operator.wait_for_roll(100);
    assert_roll(&operator.stack.roll(), sent);
    assert_eq!(operator.page.problems(), [""; 0]);
}

#[test]
fn all_programs_log_what_they_are_told_to() {
    let mut operator = Operator::start();
    operator.open("/");
    operator.page.fill("#filter", "debug");
    operator.press("Set the filter of the log");
    operator.confirm("Set: the log of every program follows");
    let changed = "the log's filter has changed";
    operator.stack.server.as_mut().expect("it runs").wait_for_line(changed, LIMIT);
    operator.stack.workers[0].wait_for_line(changed, LIMIT);
    assert_eq!(operator.page.problems(), [""; 0]);
}

#[test]
fn one_who_goes_back_from_the_question_has_done_nothing() {
    let operator = Operator::start();
    operator.open("/");
    operator.press("Pause the queue");
    operator.page.click("main a.button");
    operator.wait_for_text("h1", "Overview");
    operator.wait_until_live();
    assert!(operator.page.text(".state").starts_with("Running"));
    operator.send_examples();
    operator.wait_for_roll(295);
}

#[test]
fn an_open_batch_is_aborted_on_its_page_and_is_not_in_the_roll() {
    let operator = Operator::start();
    let mut feed = Feed::begin(&operator.stack, "unwanted");
    feed.send(users(42, 2_000));
    operator.open("/batches?state=open");
    operator.wait_for_text("tbody th", "unwanted");
    operator.page.click("tbody th a");
    operator.wait_until(&format!("{} >= 1000", number("Received")));
    operator.press("Abort the batch");
    assert_eq!(operator.page.text("h1"), "Abort batch unwanted?");
    operator.confirm("Aborted: none of the batch will be in the roll.");
    assert_eq!(operator.page.text(".state .tag"), "aborted");
    operator.wait_until("!document.querySelector('button')");

    // Its sender is told, and what comes after it is in the roll alone.
    let said = feed.finish().expect_code(1);
    assert!(said.stderr.contains("aborted"), "{said}");
    let sent = users(43, 50);
    operator.stack.send(file_of(sent.clone()).path()).expect_code(0);
    assert_roll(&operator.stack.roll(), sent);
}
