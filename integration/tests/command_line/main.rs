//! What a person sees who enters a command: its help, its settings, its errors, and
//! what a supervisor or a packager makes of it.

mod errors;
mod health;
mod help;
mod packaging;
mod settings;

use std::fs;
use std::time::Duration;

use muster_integration::process::{Finished, Process};
use muster_integration::programs;
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(20);
/// The width of the terminal, in characters.
const WIDTH: &str = "100";

/// A folder in which commands are entered.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("there is room for a folder") }
    }

    /// Puts a file into the folder.
    fn put(&self, name: &str, content: &str) {
        fs::write(self.folder.path().join(name), content).expect("a new file can be made");
    }

    /// Enters a command: `[folder]` in it stands for the folder.
    fn enter(&self, line: &str) -> Finished {
        self.enter_with(line, &[])
    }

    /// Enters a command with variables in its environment.
    fn enter_with(&self, line: &str, environment: &[(&str, &str)]) -> Finished {
        self.start_with(line, environment).wait(LIMIT)
    }

    /// Enters the command of a program that stays.
    fn start(&self, line: &str) -> Process {
        self.start_with(line, &[])
    }

    fn start_with(&self, line: &str, environment: &[(&str, &str)]) -> Process {
        let line = line.replace("[folder]", &self.path());
        let mut words = line.split(' ');
        let program = words.next().expect("a program");
        let mut command = programs::command(program);
        command.args(words).current_dir(self.folder.path());
        command.env("COLUMNS", WIDTH).envs(environment.iter().copied());
        Process::start(program, &mut command)
    }

    /// A text with `[folder]` for the folder, and without blanks at the ends of lines.
    fn without_path(&self, text: &str) -> String {
        let text = text.replace(&self.path(), "[folder]");
        text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    }

    fn path(&self) -> String {
        self.folder.path().to_str().expect("the folder's path is text").to_owned()
    }
}
