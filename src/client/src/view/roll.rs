//! What the roll holds, as a few lines, and as JSON.

use std::fmt;

use muster_proto::v1::{RollEntry, RollManifest};
use serde::Serialize;

use super::figures::{size, time};
use super::table::Columns;
use crate::printable;
use crate::report::counted;

/// What is shown of the roll.
#[derive(Debug, Serialize)]
pub(crate) struct RollView<'a> {
    records: u64,
    batches: u64,
    dead: u64,
    bytes: u64,
    sha256: &'a str,
    written_at: Option<String>,
    recent: Vec<EntryView<'a>>,
}

/// A batch in the roll.
#[derive(Debug, Serialize)]
struct EntryView<'a> {
    batch: &'a str,
    records: u64,
    dead: u64,
    sha256: &'a str,
}

impl<'a> From<&'a RollManifest> for RollView<'a> {
    fn from(roll: &'a RollManifest) -> Self {
        Self {
            records: roll.records,
            batches: roll.batches,
            dead: roll.dead,
            bytes: roll.bytes,
            sha256: &roll.sha256,
            written_at: roll.written_at.and_then(time),
            recent: roll.recent.iter().map(EntryView::from).collect(),
        }
    }
}

impl<'a> From<&'a RollEntry> for EntryView<'a> {
    fn from(entry: &'a RollEntry) -> Self {
        let RollEntry { batch, records, dead, sha256 } = entry;
        Self { batch, records: *records, dead: *dead, sha256 }
    }
}

/// The figures, and under them the batches that were added last.
impl fmt::Display for RollView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (records, dead) = (counted(self.records, "record"), counted(self.dead, "dead letter"));
        writeln!(f, "in roll   {records}, {dead}")?;
        writeln!(f, "batches   {}", self.batches)?;
        writeln!(f, "size      {} ({} bytes)", size(self.bytes), self.bytes)?;
        writeln!(f, "written   {}", self.written_at.as_deref().unwrap_or("unknown"))?;
        writeln!(f, "sha256    {}", printable::text(self.sha256))?;
        if self.recent.is_empty() {
            return Ok(());
        }
        let names = ["batch", "records", "dead", "sha256"].map(str::to_owned);
        let rows = self.recent.iter().map(|entry| {
            [
                printable::text(entry.batch),
                entry.records.to_string(),
                entry.dead.to_string(),
                printable::text(entry.sha256),
            ]
        });
        let rows: Vec<_> = std::iter::once(names).chain(rows).collect();
        write!(f, "\n{}", Columns::at_least([0; 4]).lines(&rows))
    }
}

#[cfg(test)]
mod tests {
    use prost_types::Timestamp;

    use super::*;

    #[test]
    fn the_last_batches_stand_under_the_figures() {
        let entry = |batch: &str, records, dead| RollEntry {
            batch: batch.to_owned(),
            records,
            dead,
            sha256: "5ha".to_owned(),
        };
        let mut roll = RollManifest {
            records: 300,
            batches: 2,
            dead: 1,
            bytes: 92_345,
            sha256: "405195b5".to_owned(),
            written_at: Some(Timestamp { seconds: 1_700_000_000, nanos: 0 }),
            recent: vec![entry("tues\x1bday", 4, 0), entry("monday", 296, 1)],
        };
        insta::assert_snapshot!(RollView::from(&roll), @r"
        in roll   300 records, 1 dead letter
        batches   2
        size      90.18 KiB (92345 bytes)
        written   2023-11-14T22:13:20.000Z
        sha256    405195b5

        batch          records  dead  sha256
        tues\u{1b}day  4        0     5ha
        monday         296      1     5ha
        ");
        roll.recent.clear();
        assert!(RollView::from(&roll).to_string().ends_with("sha256    405195b5\n"));
    }
}
