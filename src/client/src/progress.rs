//! What a person sees during a job: a bar on a terminal, and what is wrong as it is found.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use muster_program::output;

/// The bar. It is drawn on standard error if that is a terminal.
#[derive(Clone, Debug)]
pub struct Progress {
    bar: ProgressBar,
    read: Arc<Read>,
}

/// How much of the input was read.
#[derive(Debug, Default)]
struct Read {
    records: AtomicU64,
    bytes: AtomicU64,
    /// Of so many, if that is known.
    all: Option<u64>,
}

impl Progress {
    /// A bar that is never drawn.
    pub fn hidden() -> Self {
        Self { bar: ProgressBar::hidden(), read: Arc::default() }
    }

    /// A bar for so many bytes, or for an unknown number of them.
    pub fn new(bytes: Option<u64>) -> Self {
        let read = Arc::new(Read { all: bytes, ..Read::default() });
        if !std::io::stderr().is_terminal() {
            return Self { bar: ProgressBar::hidden(), read };
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
        Self { bar, read }
    }

    /// Moves the bar.
    pub(crate) fn set(&self, records: u64, bytes: u64) {
        self.read.records.store(records, Ordering::Relaxed);
        self.read.bytes.store(bytes, Ordering::Relaxed);
        if !self.bar.is_hidden() {
            self.bar.set_message(records.to_string());
            self.bar.set_position(bytes);
        }
    }

    /// About how many records the input has, by the part of it that was read. `None` if its size is not
    /// known.
    pub(crate) fn estimated_records(&self) -> Option<u64> {
        let Read { records, bytes, all } = &*self.read;
        let (records, bytes) = (records.load(Ordering::Relaxed), bytes.load(Ordering::Relaxed));
        let estimated =
            (u128::from(records) * u128::from((*all)?)).checked_div(u128::from(bytes))?;
        u64::try_from(estimated).ok()
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
