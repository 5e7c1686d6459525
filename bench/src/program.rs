//! A program that is measured, or does the measuring: a process, with those that it starts.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::clock;
use crate::usage::{self, Usage};

/// How long a program may take to end when it is told to.
const END: Duration = Duration::from_secs(10);
/// How often a program is looked at whose end is waited for.
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// A running program. It is ended when dropped, with all that it has started.
#[derive(Debug)]
pub(crate) struct Program {
    name: String,
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<Line>,
}

/// What a program said.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) text: String,
    /// When it did, as [`clock::now`] has it.
    pub(crate) at: f64,
    /// What it had used by then.
    pub(crate) usage: Usage,
}

/// A program that has ended.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    /// What it was last seen to have used, a few milliseconds before its end.
    pub(crate) usage: Usage,
    /// What it said, and nobody had waited for.
    pub(crate) output: String,
}

impl Program {
    /// Starts it in a process group of its own. What it says beside its standard output goes to
    /// the end of the file `log`.
    pub(crate) fn start(name: &str, command: &mut Command, log: &Path) -> anyhow::Result<Self> {
        let log = File::options().create(true).append(true).open(log);
        command
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log.with_context(|| format!("the log of {name}"))?);
        let mut child =
            command.spawn().with_context(|| format!("{name} cannot be started: {command:?}"))?;
        let stdout = child.stdout.take().context("standard output is piped")?;
        let lines = listen(child.id(), stdout);
        let input = child.stdin.take();
        Ok(Self { name: name.to_owned(), child, input, lines })
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it has said a line that begins like this.
    pub(crate) fn wait_for(&mut self, beginning: &str, limit: Duration) -> anyhow::Result<Line> {
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) if line.text.starts_with(beginning) => return Ok(line),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => {
                    bail!("{} has not said {beginning:?} within {limit:?}", self.name)
                }
                Err(RecvTimeoutError::Disconnected) => {
                    bail!("{} ended, and had not said {beginning:?}", self.name)
                }
            }
        }
    }

    /// Gives it a line.
    pub(crate) fn say(&mut self, line: &str) -> anyhow::Result<()> {
        let input = self.input.as_mut().context("its input is open")?;
        writeln!(input, "{line}").with_context(|| format!("{} does not listen", self.name))
    }

    /// What it reads, to be written by whoever takes it.
    pub(crate) fn take_input(&mut self) -> Option<ChildStdin> {
        self.input.take()
    }

    /// Waits until it ends by itself.
    pub(crate) fn wait(mut self, limit: Duration) -> anyhow::Result<Ended> {
        self.input = None;
        let deadline = Instant::now() + limit;
        let mut usage = usage::of(self.child.id());
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            if Instant::now() >= deadline {
                bail!("{} has not ended within {limit:?}", self.name);
            }
            usage = usage.max(usage::of(self.child.id()));
            thread::sleep(BETWEEN_LOOKS);
        };
        let output: Vec<String> = self.lines.iter().map(|line| line.text).collect();
        Ok(Ended { status, usage, output: output.join("\n") })
    }

    /// Tells it to end, and waits until it has.
    pub(crate) fn end(mut self) {
        self.signal(Signal::SIGTERM);
        let deadline = Instant::now() + END;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            thread::sleep(BETWEEN_LOOKS);
        }
    }

    fn signal(&self, signal: Signal) {
        if let Ok(id) = i32::try_from(self.child.id()) {
            // A group that has gone needs no signal.
            let _ = killpg(Pid::from_raw(id), signal);
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

fn listen(id: u32, stdout: ChildStdout) -> Receiver<Line> {
    let (said, lines) = mpsc::channel();
    thread::spawn(move || {
        for text in BufReader::new(stdout).lines().map_while(Result::ok) {
            let at = clock::now();
            if said.send(Line { text, at, usage: usage::of(id) }).is_err() {
                break;
            }
        }
    });
    lines
}
