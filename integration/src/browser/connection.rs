//! The DevTools protocol: commands, their answers, and events, each a JSON object that ends with a
//! zero byte. <https://chromedevtools.github.io/devtools-protocol/>

use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, ChildStdout};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::chromium::Chromium;

/// How long Chromium may take for an answer. The first one waits for its start.
const ANSWER: Duration = Duration::from_secs(30);
/// How many messages may wait to be looked at; Chromium keeps the others.
const MESSAGES_MAX: usize = 1024;

/// A browser that listens.
#[derive(Debug)]
pub(super) struct Connection(Mutex<State>);

#[derive(Debug)]
struct State {
    commands: ChildStdin,
    messages: Receiver<Value>,
    /// The number of the last command.
    last: u64,
    events: Vec<Event>,
    chromium: Chromium,
}

/// Something that happened in a page.
#[derive(Clone, Debug)]
pub(super) struct Event {
    session: String,
    pub(super) method: String,
    pub(super) params: Value,
}

impl Connection {
    /// Starts the browser, and waits until it answers.
    pub(super) fn start() -> Self {
        let (chromium, commands, output) = Chromium::start();
        let (sender, messages) = sync_channel(MESSAGES_MAX);
        thread::spawn(move || read(output, &sender));
        let state = State { commands, messages, last: 0, events: Vec::new(), chromium };
        let connection = Self(Mutex::new(state));
        connection.call(None, "Browser.getVersion", json!({})).expect("a browser has a version");
        connection
    }

    /// Sends a command, to the browser or to one of its pages, and returns the answer, or what was
    /// wrong with the command.
    pub(super) fn call(
        &self,
        session: Option<&str>,
        method: &str,
        params: Value,
    ) -> Result<Value, String> {
        self.state().call(session, method, params)
    }

    /// What has happened in this page so far.
    pub(super) fn events(&self, session: &str) -> Vec<Event> {
        let mut state = self.state();
        while let Ok(message) = state.messages.try_recv() {
            state.keep(message);
        }
        state.events.iter().filter(|event| event.session == session).cloned().collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn call(
        &mut self,
        session: Option<&str>,
        method: &str,
        params: Value,
    ) -> Result<Value, String> {
        self.last += 1;
        let id = self.last;
        let mut command = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = session {
            command["sessionId"] = session.into();
        }
        // A browser that is gone does not answer either: that is where it is said.
        let _ = self.commands.write_all(format!("{command}\0").as_bytes());
        let deadline = Instant::now() + ANSWER;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let mut message = self.messages.recv_timeout(left).unwrap_or_else(|problem| {
                let what = match problem {
                    RecvTimeoutError::Timeout => format!("has not answered within {ANSWER:?}"),
                    RecvTimeoutError::Disconnected => "has ended".to_owned(),
                };
                panic!("Chromium {what} ({method}). Its log:\n{}", self.chromium.log())
            });
            if message["id"] != id {
                self.keep(message);
            } else if let Some(error) = message.get("error") {
                return Err(format!("{method}: {}", error["message"]));
            } else {
                return Ok(message["result"].take());
            }
        }
    }

    fn keep(&mut self, mut message: Value) {
        if let (Some(session), Some(method)) =
            (message["sessionId"].as_str(), message["method"].as_str())
        {
            let (session, method) = (session.to_owned(), method.to_owned());
            self.events.push(Event { session, method, params: message["params"].take() });
        }
    }
}

/// Reads messages until the browser ends, or nobody listens any more.
fn read(output: ChildStdout, messages: &SyncSender<Value>) {
    for message in BufReader::new(output).split(0).map_while(Result::ok) {
        // The last one may be cut off, by the browser's death.
        let Ok(message) = serde_json::from_slice(&message) else { return };
        if messages.send(message).is_err() {
            return;
        }
    }
}
