//! The section on what it costs to have Muster.

use super::measured::{Case, Measured};
use super::table::Table;
use crate::figures;
use crate::number::{figure, maybe, spread};
use crate::section::Section::Rest;

const MEBIBYTE: f64 = (1 << 20) as f64;
const PARTS: [(&str, &str); 3] = [("server", "server"), ("workers", "worker"), ("redis", "Redis")];

/// The section; nothing if it was not measured.
pub(super) fn section(measured: &Measured<'_>) -> String {
    let mut text = String::new();
    if let Some(case) = measured.case(Rest, "idle") {
        text += &at_rest(case);
    }
    if let Some(case) = measured.cases(Rest, "many ").next() {
        text += &many(case);
    }
    if text.is_empty() { text } else { format!("## At rest, and with much\n\n{text}") }
}

fn at_rest(case: &Case<'_>) -> String {
    let heads =
        ["part", "% of a core", "at rest, MiB", "at rest after load, MiB", "at its peak, MiB"];
    let mut table = Table::new(&heads);
    for (part, title) in PARTS {
        let memory = |figure: String| maybe(case.median(&figure).map(|bytes| bytes / MEBIBYTE));
        table.row(&[
            title.to_owned(),
            spread(case.spread(&figures::share(part)).map(|share| share.times(100.0))),
            memory(figures::resident(part)),
            memory(figures::resident_after(part)),
            memory(figures::peak(part)),
        ]);
    }
    format!(
        "{}. They ask Redis {} times a second, with {} commands, those in scripts included.\n\n{}",
        capitalised(case.title),
        maybe(case.median(figures::READS_PER_SECOND)),
        maybe(case.median(figures::COMMANDS_PER_SECOND)),
        table.finish()
    )
}

fn many(case: &Case<'_>) -> String {
    let mut table = Table::new(&["part", "at its peak, MiB", "µs a record"]);
    for (part, title) in [("client", "client")].into_iter().chain(PARTS) {
        let peak = case.median(&figures::peak(part)).map(|bytes| figure(bytes / MEBIBYTE));
        table.row(&[
            title.to_owned(),
            peak.unwrap_or_else(|| "–".to_owned()),
            maybe(case.median(&figures::cpu(part))),
        ]);
    }
    format!(
        "### {}\n\nFrom standard input to the roll, by `muster-client`, a server and five workers; \
         the largest of the workers.\n\n{}",
        capitalised(case.title),
        table.finish()
    )
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}
