//! Somebody who runs Muster, and looks at its dashboard.

use std::path::Path;
use std::time::Duration;

use muster_integration::browser::{Browser, Page};
use muster_integration::process::{Finished, Process};
use muster_integration::programs;
use muster_integration::redis_server::Durability::Memory;
use muster_integration::stack::{SEND, Stack};
use muster_integration::users::{User, Users, write_ndjson};
use muster_integration::{examples, roll, wait};
use serde_json::json;

/// How long anything may take that a person waits for.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);
pub(crate) const WORKERS: usize = 5;

/// A stack, and a page of a browser.
pub(crate) struct Operator {
    pub(crate) stack: Stack,
    pub(crate) page: Page,
    pub(crate) browser: Browser,
}

impl Operator {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same, with settings in the environment of the programs.
    pub(crate) fn start_with(environment: &[(&str, &str)]) -> Self {
        let mut stack = Stack::prepare(Memory);
        let settings = environment.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
        stack.environment.extend(settings);
        stack.redis.start();
        stack.start_server();
        stack.start_workers(WORKERS);
        stack.wait_until_ready();
        let browser = Browser::start();
        Self { stack, page: browser.page(), browser }
    }

    /// Goes to a page that is there.
    pub(crate) fn open(&self, path: &str) {
        assert_eq!(self.page.open(&self.stack.page(path)), 200, "{path}");
    }

    /// Sends the examples as a batch of this name: 295 records are kept, one is a dead letter.
    pub(crate) fn send_examples(&self) {
        let mut command = self.stack.client(&examples::folder());
        command.args(["--batch", "examples"]);
        Process::start("muster-client", &mut command).wait(SEND).expect_code(3);
    }

    /// Sends a file, and leaves when the server has it.
    pub(crate) fn leave(&self, input: &Path, batch: &str) -> Finished {
        let mut command = programs::command("muster-client");
        command.arg("send").arg(input).args(["--batch", batch]);
        command.args(["--server", &format!("http://127.0.0.1:{}", self.stack.grpc_port())]);
        Process::start("muster-client", &mut command).wait(SEND)
    }

    /// Waits until the first such element has this in its text.
    pub(crate) fn wait_for_text(&self, selector: &str, text: &str) {
        self.wait_until(&format!(
            "document.querySelector({})?.innerText.includes({})",
            json!(selector),
            json!(text)
        ));
    }

    /// Waits until a JavaScript expression is true.
    pub(crate) fn wait_until(&self, condition: &str) {
        self.page.wait_until(condition, LIMIT);
    }

    /// Waits until the page follows what happens.
    pub(crate) fn wait_until_live(&self) {
        self.wait_for_text("[data-live-status]", "live");
    }

    /// Presses the button of this name and waits for the question.
    pub(crate) fn press(&self, button: &str) {
        self.page.click(&format!("button[aria-label={}]", json!(button)));
        self.wait_for_question();
    }

    pub(crate) fn wait_for_question(&self) {
        self.wait_until("document.querySelector('input[name=confirmed]')");
    }

    /// Answers the question with yes, and waits until the page says that this was done.
    pub(crate) fn confirm(&self, done: &str) {
        self.page.click("main form.actions button");
        self.wait_for_text("main .notice", done);
    }

    /// Waits until the roll has this many records.
    pub(crate) fn wait_for_roll(&self, records: u64) {
        let count = || roll::count(&self.stack.roll());
        wait::until(
            LIMIT,
            || (count() == records).then_some(()),
            || format!("the roll has {} records", count()),
        );
    }
}

/// The figure of this name that a page shows, as an expression.
pub(crate) fn figure(name: &str) -> String {
    let name = json!(name);
    format!(
        "[...document.querySelectorAll('dt')].find(dt => dt.innerText === {name})\
         ?.nextElementSibling.innerText"
    )
}

/// The same as a number.
pub(crate) fn number(name: &str) -> String {
    format!("parseInt({}?.replaceAll(',', ''))", figure(name))
}

/// The first users of a seed.
pub(crate) fn users(seed: u64, count: usize) -> Vec<User> {
    Users::of_seed(seed).take(count).collect()
}

/// A file with these users.
pub(crate) fn file_of(users: Vec<User>) -> tempfile::NamedTempFile {
    let file = tempfile::Builder::new().suffix(".ndjson").tempfile();
    let file = file.expect("there is room for a file");
    write_ndjson(&file, users).expect("users can be written");
    file
}
