//! One running program: its lines, its end, its death.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::wait;

/// A running program. It is killed when dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    output: Arc<Mutex<Output>>,
    readers: Vec<JoinHandle<()>>,
    has_log: bool,
}

/// What a program has written so far, by lines.
#[derive(Clone, Debug, Default)]
struct Output {
    stdout: Vec<String>,
    stderr: Vec<String>,
}

/// A program that has ended.
#[derive(Clone, Debug)]
pub struct Finished {
    name: String,
    status: ExitStatus,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Process {
    /// Starts a program with nothing on its standard input.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub fn start(name: &str, command: &mut Command) -> Self {
        Self::start_with_input(name, command, Stdio::null())
    }

    /// Starts a program that reads `input`.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub fn start_with_input(name: &str, command: &mut Command, input: Stdio) -> Self {
        Self::spawn(name, command, input, None)
    }

    /// Starts a program whose lines also go to the end of the file `log`.
    ///
    /// # Panics
    ///
    /// When it cannot be started, or the file cannot be opened.
    pub fn start_with_log(name: &str, command: &mut Command, log: &Path) -> Self {
        let log = File::options().create(true).append(true).open(log);
        let log = log.unwrap_or_else(|error| panic!("the log of {name} cannot be opened: {error}"));
        Self::spawn(name, command, Stdio::null(), Some(&Arc::new(log)))
    }

    fn spawn(name: &str, command: &mut Command, input: Stdio, log: Option<&Arc<File>>) -> Self {
        command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{name} cannot be started: {error} ({command:?})"));
        let output = Arc::new(Mutex::new(Output::default()));
        let stdout = child.stdout.take().expect("standard output is piped");
        let stderr = child.stderr.take().expect("standard error is piped");
        let readers = vec![
            collect(stdout, Arc::clone(&output), log.cloned(), |output| &mut output.stdout),
            collect(stderr, Arc::clone(&output), log.cloned(), |output| &mut output.stderr),
        ];
        Self { name: name.to_owned(), child, output, readers, has_log: log.is_some() }
    }

    /// Its id, as the system has it.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// All lines that it has written so far, to either stream.
    pub fn lines(&self) -> String {
        lock(&self.output).to_string()
    }

    /// Waits until the program has written a line with `text` in it, to either stream.
    ///
    /// # Panics
    ///
    /// When `limit` passes, or when the program ends first.
    pub fn wait_for_line(&mut self, text: &str, limit: Duration) {
        let Self { name, child, output, readers, .. } = self;
        wait::until(
            limit,
            || {
                // The last lines may still be on their way when the program has ended.
                let ended =
                    has_ended(child).is_some() && readers.iter().all(JoinHandle::is_finished);
                let output = lock(output);
                let mut lines = output.stdout.iter().chain(&output.stderr);
                let found = lines.any(|line| line.contains(text));
                assert!(found || !ended, "{name} ended without {text:?}\n{output}");
                found.then_some(())
            },
            || format!("{name} has not written {text:?}"),
        );
    }

    /// Waits for the program's end.
    ///
    /// # Panics
    ///
    /// When `limit` passes, with the program's lines.
    pub fn wait(mut self, limit: Duration) -> Finished {
        let late = format!("{} has not ended", self.name);
        let status = wait::until(limit, || has_ended(&mut self.child), || late);
        for reader in self.readers.drain(..) {
            reader.join().expect("a reader of lines does not panic");
        }
        let output = lock(&self.output).clone();
        Finished {
            name: self.name.clone(),
            status,
            stdout: output.stdout.join("\n"),
            stderr: output.stderr.join("\n"),
        }
    }

    /// Whether the program still runs.
    ///
    /// # Panics
    ///
    /// When the system does not say.
    pub fn is_running(&mut self) -> bool {
        has_ended(&mut self.child).is_none()
    }

    /// Asks the program to stop (SIGTERM).
    ///
    /// # Panics
    ///
    /// When the signal cannot be sent.
    pub fn terminate(&self) {
        self.signal(Signal::SIGTERM);
    }

    /// Sends the program SIGHUP.
    ///
    /// # Panics
    ///
    /// When the signal cannot be sent.
    pub fn hang_up(&self) {
        self.signal(Signal::SIGHUP);
    }

    /// Stops the program where it is (SIGSTOP), until [`Process::thaw`].
    ///
    /// # Panics
    ///
    /// When the signal cannot be sent.
    pub fn freeze(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Lets the program go on (SIGCONT), if it was stopped.
    ///
    /// # Panics
    ///
    /// When the signal cannot be sent.
    pub fn thaw(&self) {
        self.signal(Signal::SIGCONT);
    }

    /// The most memory that the program has had resident, in bytes.
    ///
    /// # Panics
    ///
    /// When the system does not say. Linux does.
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id()));
        let status = status.expect("the program runs");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix(" kB"));
        let peak: u64 = peak.expect("Linux knows it").trim().parse().expect("a number of KiB");
        peak * 1024
    }

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).expect("a process id is an i32");
        kill(Pid::from_raw(id), signal).expect("a child can be signalled");
    }

    /// Kills the program (SIGKILL) and waits until it is gone.
    ///
    /// # Panics
    ///
    /// When it had ended by itself: then the test would prove nothing.
    pub fn kill(mut self) {
        assert!(self.is_running(), "{} ended before it was killed", self.name);
        self.end();
    }

    fn end(&mut self) {
        // Both fail only for a child that is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
        if thread::panicking() && !self.has_log {
            // Beside the test's own message: why it failed often stands here.
            let _ = writeln!(io::stderr(), "\n=== {} ===\n{}", self.name, lock(&self.output));
        }
    }
}

impl Finished {
    /// The exit code; `None` if a signal ended the program.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Returns the program when it has this exit code.
    ///
    /// # Panics
    ///
    /// When it has another one, with the program's lines.
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code(), Some(code), "the exit code of {self}");
        self
    }
}

impl fmt::Display for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, status, stdout, stderr } = self;
        write!(f, "{name} ({status})\n--- stdout ---\n{stdout}\n--- stderr ---\n{stderr}\n")
    }
}

/// The last lines of each stream: the reason of a failure stands at the end.
impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LINES_SHOWN: usize = 40;
        for (stream, lines) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            let shown = &lines[lines.len().saturating_sub(LINES_SHOWN)..];
            writeln!(f, "--- {stream}, the last {} lines ---\n{}", shown.len(), shown.join("\n"))?;
        }
        Ok(())
    }
}

/// The largest memory that any ended child of this test had resident, in bytes.
///
/// # Panics
///
/// When the system does not say.
pub fn peak_memory_of_children() -> u64 {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the system knows a process's usage");
    let peak = u64::try_from(usage.max_rss()).expect("a peak is not negative");
    // Linux counts in KiB, macOS in bytes.
    if cfg!(target_os = "macos") { peak } else { peak * 1024 }
}

fn collect(
    stream: impl Read + Send + 'static,
    output: Arc<Mutex<Output>>,
    log: Option<Arc<File>>,
    lines: fn(&mut Output) -> &mut Vec<String>,
) -> JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            if let Some(mut log) = log.as_deref() {
                writeln!(log, "{line}").expect("there is room for a log");
            }
            lines(&mut lock(&output)).push(line);
        }
    })
}

fn lock(output: &Mutex<Output>) -> MutexGuard<'_, Output> {
    output.lock().unwrap_or_else(PoisonError::into_inner)
}

fn has_ended(child: &mut Child) -> Option<ExitStatus> {
    child.try_wait().expect("a child can be waited for")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    fn shell(script: &str) -> Process {
        Process::start("sh", Command::new("sh").args(["-c", script]))
    }

    #[test]
    fn the_lines_and_the_exit_code_are_kept() {
        let finished = shell("echo one; echo two; echo three >&2; exit 3").wait(LIMIT);
        assert_eq!(finished.code(), Some(3));
        assert_eq!(finished.stdout, "one\ntwo");
        assert_eq!(finished.stderr, "three");
    }

    #[test]
    fn a_program_that_is_killed_or_terminated_has_no_exit_code() {
        let mut sleeper = shell("echo up; exec sleep 60");
        sleeper.wait_for_line("up", LIMIT);
        sleeper.terminate();
        assert_eq!(sleeper.wait(LIMIT).code(), None);
        shell("exec sleep 60").kill();
    }

    #[test]
    fn a_program_that_is_frozen_goes_on_when_it_is_thawed_and_its_lines_are_in_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let mut command = Command::new("sh");
        command.args(["-c", "echo up; while [ ! -e go ]; do sleep 0.01; done; echo done"]);
        command.current_dir(folder.path());
        let mut process = Process::start_with_log("sh", &mut command, &log);
        process.wait_for_line("up", LIMIT);
        process.freeze();
        let stat = format!("/proc/{}/stat", process.child.id());
        let is_frozen = || std::fs::read_to_string(&stat).unwrap().contains(") T ");
        wait::until(LIMIT, || is_frozen().then_some(()), || "it is not frozen".to_owned());
        std::fs::write(folder.path().join("go"), "").unwrap();
        assert!(process.is_running() && is_frozen());
        process.thaw();
        process.wait(LIMIT).expect_code(0);
        assert_eq!(std::fs::read_to_string(log).unwrap(), "up\ndone\n");
    }

    #[test]
    #[should_panic(expected = "ended without \"never\"")]
    fn waiting_for_a_line_ends_with_the_program() {
        shell("echo other").wait_for_line("never", LIMIT);
    }

    #[test]
    #[should_panic(expected = "has not ended")]
    fn waiting_for_the_end_has_a_limit() {
        let _ = shell("exec sleep 60").wait(Duration::from_millis(50));
    }
}
