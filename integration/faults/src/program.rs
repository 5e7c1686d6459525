//! A program as its supervisor sees it: whenever it is gone, it is started again.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use muster_integration::ports::free_port;
use muster_integration::process::{Finished, Process};
use muster_integration::{http, programs, wait};

/// What a program may take for its end, which is 10 s, and some for a busy machine.
const END: Duration = Duration::from_secs(20);
/// What servers and workers log when they have begun to listen to signals.
const UP: &str = "\"starting\"";
const START: Duration = Duration::from_secs(10);

/// A program that can be started again and again.
#[derive(Debug)]
pub(crate) struct Program {
    name: String,
    program: &'static str,
    arguments: Vec<OsString>,
    environment: Vec<(&'static str, &'static str)>,
    folder: PathBuf,
    /// The port of its probes.
    probes: Option<u16>,
    process: Option<Process>,
    /// It was asked to end.
    is_ending: bool,
}

impl Program {
    /// Prepares a program that runs in `folder`, with its log `NAME.log` there.
    pub(crate) fn new(
        name: String,
        program: &'static str,
        arguments: Vec<OsString>,
        folder: &Path,
    ) -> Self {
        let folder = folder.to_owned();
        let (environment, probes, process) = (Vec::new(), None, None);
        Self { name, program, arguments, environment, folder, probes, process, is_ending: false }
    }

    /// Sets these variables in its environment.
    pub(crate) fn with_environment(self, variables: &[(&'static str, &'static str)]) -> Self {
        Self { environment: variables.to_vec(), ..self }
    }

    /// Lets it serve probes.
    pub(crate) fn with_probes(mut self) -> Self {
        let port = free_port();
        self.arguments.extend(["--http".into(), format!("127.0.0.1:{port}").into()]);
        Self { probes: Some(port), ..self }
    }

    /// The port of its probes, if it serves them.
    pub(crate) fn probes(&self) -> Option<u16> {
        self.probes
    }

    /// What it answers when it is asked whether it is ready; `None` if it does not answer.
    pub(crate) fn readiness(&self) -> Option<(u16, String)> {
        http::get(self.probes?, "/readyz")
    }

    /// The file with all lines that it has written, also before it was started again.
    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join(format!("{}.log", self.name.replace(' ', "-")))
    }

    /// Starts it, if it does not run. One that is ending ends first, and must end well.
    pub(crate) fn start(&mut self) {
        self.wait_for_end();
        if self.process.is_none() {
            let mut command = programs::command(self.program);
            command.args(&self.arguments).current_dir(&self.folder);
            command.envs(self.environment.iter().copied());
            self.process = Some(Process::start_with_log(&self.name, &mut command, &self.log()));
        }
    }

    fn wait_for_end(&mut self) {
        if self.is_ending {
            let process = self.process.take().expect("what is ending runs");
            process.wait(END).expect_code(0);
            self.is_ending = false;
        }
    }

    /// Kills it. That it had ended by itself is a failure of the schedule.
    pub(crate) fn kill(&mut self) {
        match self.process.take() {
            // It may be gone already.
            Some(process) if self.is_ending => drop(process),
            Some(process) => process.kill(),
            None => {}
        }
        self.is_ending = false;
    }

    /// Asks it to end. One that was started just now is let come so far that it listens. One that
    /// is ending is not asked again: a second signal would cut its end short.
    pub(crate) fn terminate(&mut self) {
        if let Some(process) = self.process.as_mut().filter(|_| !self.is_ending) {
            process.wait_for_line(UP, START);
            process.terminate();
            self.is_ending = true;
        }
    }

    /// Asks it to end, if it runs, and waits until it has. It must end well.
    pub(crate) fn stop(&mut self) {
        self.terminate();
        self.wait_for_end();
    }

    /// Stops it where it is.
    pub(crate) fn freeze(&self) {
        if let Some(process) = &self.process {
            process.freeze();
        }
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) {
        if let Some(process) = &self.process {
            process.thaw();
        }
    }

    /// Whether it runs.
    pub(crate) fn is_running(&mut self) -> bool {
        self.process.as_mut().is_some_and(Process::is_running)
    }

    /// Waits for its end until `deadline`; `None` when it has not ended by then.
    pub(crate) fn wait_until(&mut self, deadline: Instant) -> Option<Finished> {
        wait::by(deadline, || (!self.is_running()).then_some(()))?;
        Some(self.process.take()?.wait(END))
    }

    /// What it is called.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}
