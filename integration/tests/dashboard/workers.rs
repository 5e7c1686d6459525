//! Workers that are lost are told from those that have left.

use crate::operator::{LIMIT, Operator, WORKERS, figure};

const LEASE: (&str, &str) = ("MUSTER_WORKER_LEASE", "2s");

/// How many workers the page shows in a state.
fn shown(state: &str) -> String {
    format!("document.querySelectorAll('tbody .tag.{state}').length")
}

#[test]
fn a_worker_that_is_killed_is_lost_and_one_that_is_stopped_is_gone() {
    let mut operator = Operator::start_with(&[LEASE]);
    operator.open("/workers");
    operator.wait_until_live();
    operator.wait_until(&format!("{} === {WORKERS}", shown("running")));

    let stopped = operator.stack.workers.pop().unwrap();
    stopped.terminate();
    stopped.wait(LIMIT).expect_code(0);
    let gone = "document.querySelectorAll('tbody tr').length === 4";
    operator.wait_until(&format!("{} === 4 && {gone}", shown("running")));

    operator.stack.workers.pop().unwrap().kill();
    operator.wait_until(&format!("{} === 1 && {} === 3", shown("lost"), shown("running")));
    operator.open("/");
    let workers = figure("Workers");
    operator.wait_until(&format!("{workers}.startsWith('3 alive')"));
    operator.wait_for_text(".tiles .bad", "1 lost");
    assert_eq!(operator.page.problems(), [""; 0]);
}
