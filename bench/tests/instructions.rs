//! The hot functions take no more instructions than they did. What is counted differs between kinds of
//! machines, and Valgrind is not everywhere: it is counted where it was counted before.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::process::Command;
use std::time::Duration;

use muster_integration::process::Process;

const LIMIT: Duration = Duration::from_secs(300);

#[test]
fn the_hot_functions_take_what_they_took_before() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muster-bench"));
    Process::start("muster-bench", command.arg("instructions")).wait(LIMIT).expect_code(0);
}
