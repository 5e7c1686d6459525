//! A dashboard that is read-only shows, and changes nothing.

use serde_json::json;

use crate::operator::{Operator, figure};

const PAGES: [&str; 7] =
    ["/", "/batches", "/batches/examples", "/workers", "/dead", "/dead/batch/examples", "/roll"];

#[test]
fn every_page_is_shown_and_none_has_a_button_that_does_something() {
    let operator = Operator::start_with(&[("MUSTER_SERVER_READ_ONLY", "true")]);
    operator.send_examples();
    for path in PAGES {
        operator.open(path);
        assert_eq!(operator.page.text(".mark"), "read only");
        assert_eq!(
            operator.page.evaluate("document.querySelectorAll('form[method=post]').length"),
            0,
            "{path}"
        );
    }
    assert_eq!(operator.page.problems(), [""; 0]);
    // The search is still there, and what it leads to.
    operator.open("/dead?q=address");
    operator.page.click("tbody th a");
    operator.wait_for_text("h1", "Dead letters of");
    operator.page.click("tbody th a");
    operator.wait_for_text("h1", "Dead letter at place");
    assert_eq!(operator.page.evaluate("document.querySelectorAll('input').length"), 0);
}

#[test]
fn what_is_sent_to_it_all_the_same_is_refused() {
    // The same sender, and what it is answered by a dashboard that is not read-only.
    for (read_only, status) in [("true", 403), ("false", 200)] {
        let operator = Operator::start_with(&[("MUSTER_SERVER_READ_ONLY", read_only)]);
        operator.send_examples();
        operator.open("/");
        for path in ["/queue/pause", "/dead/drop?all=yes"] {
            let answer = operator.page.evaluate(&format!(
                "fetch({}, {{ method: 'POST', body: new URLSearchParams('confirmed=yes') }})\
                 .then(answer => answer.status)",
                json!(path)
            ));
            assert_eq!(answer, status, "{path}");
        }
        let (word, letters) = if status == 403 { ("Running", "1") } else { ("Paused", "0") };
        operator.wait_for_text(".state", word);
        operator.wait_until(&format!("{} === '{letters}'", figure("Dead letters")));
    }
}
