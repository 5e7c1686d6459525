//! An installation with an access list, and those who are on it.

use std::fs;
use std::io::{PipeWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use muster_integration::process::{Finished, Process};
use muster_integration::programs;
use muster_integration::redis_server::Durability::Memory;
use muster_integration::stack::Stack;
use muster_integration::users::{Users, write_ndjson};
use muster_integration::wait;
use tempfile::TempDir;

/// How long anything may take that a person waits for.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// A server, a worker, and a token for each role.
pub(crate) struct Site {
    pub(crate) stack: Stack,
    pub(crate) sender: String,
    pub(crate) reader: String,
    pub(crate) operator: String,
    folder: TempDir,
}

impl Site {
    /// Opens it with these settings of the server.
    pub(crate) fn open(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let access = folder.path().join("access.toml");
        let token = |name, role| new_token(&access, &[name, "--role", role]);
        let (sender, reader) = (token("sender", "send"), token("reader", "read"));
        let operator = token("operator", "operate");
        let mut site = Self { stack: Stack::prepare(Memory), sender, reader, operator, folder };
        site.set("MUSTER_SERVER_ACCESS", &access.display().to_string());
        for (name, value) in settings {
            site.set(name, value);
        }
        site.stack.redis.start();
        site.stack.start_server();
        site.stack.start_workers(1);
        site.stack.wait_until_ready();
        site
    }

    fn set(&mut self, name: &str, value: &str) {
        self.stack.environment.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn access(&self) -> PathBuf {
        self.folder.path().join("access.toml")
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A file of so many records.
    pub(crate) fn records(&self, count: usize) -> PathBuf {
        let path = self.folder.path().join(format!("{count}.ndjson"));
        let file = fs::File::create(&path).expect("a file can be made");
        write_ndjson(file, Users::of_seed(1).take(count)).expect("it can be written");
        path
    }

    /// A client that does this with a token, and tries again for a second at most.
    pub(crate) fn client(&self, arguments: &[&str], token: Option<&str>) -> Command {
        let mut command = programs::command("muster-client");
        command.args(arguments);
        let server = format!("http://127.0.0.1:{}", self.stack.grpc_port());
        command.args(["--server", &server]).env("MUSTER_CLIENT_RETRY_FOR", "1s");
        command.current_dir(self.folder.path());
        if let Some(token) = token {
            command.env("MUSTER_CLIENT_TOKEN", token);
        }
        command
    }

    pub(crate) fn run(&self, arguments: &[&str], token: Option<&str>) -> Finished {
        let mut command = self.client(arguments, token);
        Process::start("muster-client", &mut command).wait(LIMIT)
    }

    /// Begins a batch by a stream with this token. The client gets an empty array, by which it recognises
    /// JSON, and no record until the writer is dropped.
    pub(crate) fn begin_stream(&self, batch: &str, token: &str) -> (Process, PipeWriter) {
        let (input, mut silence) = std::io::pipe().expect("there is room for a pipe");
        silence.write_all(b"[]").expect("the pipe has a reader");
        let mut command = self.client(&["send", "-", "--batch", batch], Some(token));
        command.env("MUSTER_CLIENT_RETRY_FOR", "60s");
        let client = Process::start_with_input("muster-client", &mut command, input.into());
        let begun = || {
            let shown = self.run(&["batch", "show", batch], Some(&self.reader));
            (shown.code() == Some(0)).then_some(())
        };
        wait::until(LIMIT, begun, || "the stream was not begun".to_owned());
        (client, silence)
    }

    /// Sends so many records as the sender, and waits for the roll.
    pub(crate) fn send(&self, count: usize) -> Finished {
        let file = self.records(count).display().to_string();
        self.run(&["send", &file, "--wait", "--json"], Some(&self.sender))
    }
}

/// Makes a token on this list.
pub(crate) fn new_token(access: &Path, arguments: &[&str]) -> String {
    let mut command = programs::command("muster");
    command.args(["token", "new"]).args(arguments).arg("--access").arg(access);
    let made = Process::start("muster", &mut command).wait(LIMIT);
    made.expect_code(0).stdout.trim().to_owned()
}
