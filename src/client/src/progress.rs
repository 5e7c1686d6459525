//! What a person sees during a job: a bar on a terminal, and what is wrong as it is found.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use muster_program::output;

/// The bar. It is drawn on standard error if that is a terminal.
#[derive(Clone, Debug)]
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar that is never drawn.
    pub fn hidden() -> Self {
        Self { bar: ProgressBar::hidden() }
    }

    /// A bar for so many bytes, or for an unknown number of them.
    pub fn new(bytes: Option<u64>) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self::hidden();
        }
        let known = "{wide_bar} {percent}%  {msg} records  {bytes}/{total_bytes}  {eta} left";
        let unknown = "{spinner} {msg} records  {bytes}  {bytes_per_sec}";
        let template = if bytes.is_some() { known } else { unknown };
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(bytes, ProgressDrawTarget::stderr());
        bar.set_style(style);
        bar.set_message("0");
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar }
    }

    /// Moves the bar.
    pub(crate) fn set(&self, records: u64, bytes: u64) {
        if !self.bar.is_hidden() {
            self.bar.set_message(records.to_string());
            self.bar.set_position(bytes);
        }
    }

    /// Says what is wrong, above the bar, as one line that is fit for a terminal whoever wrote
    /// parts of it.
    pub fn complain(&self, complaint: &dyn std::fmt::Display) {
        self.bar.suspend(|| output::complain(&complaint));
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
