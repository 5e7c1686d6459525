//! What a page shows moves by itself.

use muster_integration::feed::Feed;

use crate::operator::{Operator, figure, number, users};

#[test]
fn the_overview_moves_while_a_batch_runs() {
    let operator = Operator::start();
    operator.open("/");
    operator.wait_until_live();
    operator.page.evaluate("window.loaded = 'once'");
    operator.wait_until(&format!("{}.startsWith('5 alive')", figure("Workers")));

    let mut feed = Feed::begin(&operator.stack, "moving");
    feed.send(users(31, 2_000));
    let figures = ["Accepted", "Kept"].map(number);
    for figure in &figures {
        operator.wait_until(&format!("{figure} >= 1000 && {figure} <= 2000"));
    }
    feed.send(users(32, 2_000));
    for figure in &figures {
        operator.wait_until(&format!("{figure} > 2000"));
    }
    // Both lines have gone up from the ground, and are told in words as well.
    operator.wait_until(
        "[...document.querySelectorAll('.plot .line')].filter(line => line.getBBox().height > 0).length === 2",
    );
    operator.wait_until(
        "[...document.querySelectorAll('.plot svg')].every(chart => !chart.ariaLabel.endsWith('peak 0'))",
    );
    feed.finish().expect_code(0);
    operator.wait_until(&format!("{} === '4,000 records'", figure("Kept")));
    assert_eq!(operator.page.evaluate("window.loaded"), "once", "nothing was loaded again");
    assert_eq!(operator.page.problems(), [""; 0]);
}

#[test]
fn a_batch_is_followed_from_its_first_record_to_the_roll() {
    let operator = Operator::start();
    let mut feed = Feed::begin(&operator.stack, "followed");
    feed.send(users(33, 2_000));
    operator.open("/batches");
    operator.wait_for_text("tbody th", "followed");
    operator.page.click("tbody th a");
    operator.wait_for_text("h1", "Batch followed");
    operator.wait_until(&format!("{} >= 1000", number("Kept")));
    operator.wait_for_text(".state .tag", "open");
    operator.page.evaluate("window.loaded = 'once'");
    feed.finish().expect_code(0);
    operator.wait_for_text(".state .tag", "written");
    operator.wait_until(&format!("{} === '2,000'", figure("Kept")));
    operator.wait_until("document.querySelector('progress').value === 100");
    assert_eq!(operator.page.evaluate("window.loaded"), "once", "nothing was loaded again");
}

#[test]
fn a_page_says_that_the_server_is_away_and_is_live_again_when_it_is_back() {
    let mut operator = Operator::start();
    operator.open("/");
    operator.wait_until(&format!("{}.startsWith('5 alive')", figure("Workers")));
    operator.stack.server.take().unwrap().kill();
    operator.wait_for_text("[data-live-status]", "offline");
    // What was seen last is still there.
    let workers = operator.page.evaluate(&figure("Workers"));
    assert!(workers.as_str().is_some_and(|shown| shown.starts_with("5 alive")), "{workers}");
    operator.stack.start_server();
    operator.wait_until_live();
    operator.send_examples();
    operator.wait_until(&format!("{} === '295 records'", figure("Kept")));
}

#[test]
fn a_page_says_that_the_store_is_away() {
    let mut operator = Operator::start();
    operator.open("/");
    operator.wait_until_live();
    operator.stack.redis.kill();
    operator.wait_for_text("main .problem", "The store does not answer");
    operator.wait_until(&format!("{} === 'away'", figure("State")));
    operator.stack.redis.start();
    operator.wait_until("!document.querySelector('main .problem')");
    operator.wait_until(&format!("{} === 'well'", figure("State")));
}
