//! What the log writes, made fit to be shown: any value in it may be what others wrote.

use std::fmt::{self, Debug};
use std::io;

use tracing::field::Field;
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::fmt::{FormatFields, MakeWriter};

use crate::printable;

/// Writes fields as text does: `name=value`, the message alone. In colours, as the rest of the line
/// is, but for those that a value has.
pub(super) fn fields() -> impl for<'a> FormatFields<'a> + Send + Sync + 'static {
    let write = |to: &mut Writer<'_>, field: &Field, value: &dyn Debug| -> fmt::Result {
        let shown = printable::text(&format!("{value:?}"));
        match field.name() {
            "message" => to.write_str(&shown),
            name if to.has_ansi_escapes() => {
                write!(to, "\u{1b}[3m{name}\u{1b}[0m\u{1b}[2m=\u{1b}[0m{shown}")
            }
            name => write!(to, "{name}={shown}"),
        }
    };
    debug_fn(write).delimited(" ")
}

/// Makes writers of lines of JSON.
pub(super) struct Json<M>(pub(super) M);

/// Writes a line of JSON at a time, as one of the same meaning.
pub(super) struct Lines<W>(W);

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for Json<M> {
    type Writer = Lines<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Lines(self.0.make_writer())
    }
}

impl<W: io::Write> io::Write for Lines<W> {
    /// Takes a whole line: the log gives each at once.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let shown = printable::json(&String::from_utf8_lossy(line));
        self.0.write_all(shown.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
