//! The proof, for a person or a program.

use std::fmt;

use muster_program::output;
use serde::Serialize;

use super::difference::{Differences, Section};
use super::inputs::InputFile;
use super::roll::Roll;
use super::tally::Digests;

/// What was compared, and how. As JSON it is what `--json` prints.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    /// Whether all is as it should be.
    pub(super) proven: bool,
    /// What came out of each file.
    pub(super) inputs: Vec<InputFile>,
    /// What the roll is.
    pub(super) roll: Roll,
    /// Dead letters that were given, or that the store has.
    pub(super) dead: u64,
    /// What the manifest says otherwise than the roll is; `None` if there is no manifest.
    pub(super) disagreements: Option<Vec<&'static str>>,
    /// The digests of both sides.
    pub(super) digests: Digests,
    /// Where the sides differ.
    #[serde(flatten)]
    pub(super) differences: Differences,
    /// How many dead letters the manifest counts, if they would explain what is missing.
    pub(super) letters_wanted: Option<u64>,
    /// The order of the roll's records, if it was asked for.
    pub(super) order: Option<Order>,
    /// How long it took.
    pub(super) seconds: f64,
}

/// The order of the roll's records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Order {
    /// It is that of the inputs.
    Kept,
    /// The record on this line of the roll comes, in the inputs, before the one above it.
    BrokenAt(u64),
    /// The records differ, so that there is no order to compare.
    Unknown,
}

impl Report {
    /// Whether what the report says is a proof.
    pub(super) fn is_proof(&self) -> bool {
        self.differences.are_none()
            && self.disagreements.as_ref().is_none_or(Vec::is_empty)
            && self.order.is_none_or(|order| order == Order::Kept)
    }

    /// Prints the report on standard output: for a program, or for a person.
    ///
    /// # Errors
    ///
    /// Standard output cannot be written.
    pub(super) fn print(&self, json: bool) -> std::io::Result<()> {
        let text = if json { serde_json::to_string(self)? } else { self.to_string() };
        output::print(&(text + "\n"))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { inputs, roll, dead, seconds, .. } = self;
        for InputFile { file, records, rejected } in inputs {
            writeln!(f, "file      {file}: {}, {rejected} rejected", counted(*records, "record"))?;
        }
        let sent = counted(inputs.iter().map(|file| file.records).sum(), "record");
        let rejected: u64 = inputs.iter().map(|file| file.rejected).sum();
        let files = counted(inputs.len() as u64, "file");
        writeln!(f, "sent      {sent} in {files}, {rejected} rejected")?;
        let (records, letters) = (counted(roll.records, "record"), counted(*dead, "dead letter"));
        writeln!(f, "found     {records} in the roll, {letters}")?;
        let Differences { missing, doubled, foreign } = &self.differences;
        write_section(f, "missing", missing)?;
        if let Some(dead) = self.letters_wanted {
            let letters = counted(dead, "dead letter");
            writeln!(
                f,
                "          the manifest counts {letters}: give the --store, or --dead FILE"
            )?;
        }
        write_section(f, "doubled", doubled)?;
        write_section(f, "foreign", foreign)?;
        self.write_order(f)?;
        self.write_digests(f)?;
        let proven = if self.proven { "yes: every record once, and nothing else" } else { "no" };
        write!(f, "proven    {proven} ({seconds:.2} s)")
    }
}

impl Report {
    fn write_order(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.order {
            None => Ok(()),
            Some(Order::Kept) => writeln!(f, "order     as in the inputs"),
            Some(Order::BrokenAt(line)) => writeln!(
                f,
                "order     broken at {}:{line}: in the inputs this record comes before the one above",
                self.roll.file
            ),
            Some(Order::Unknown) => writeln!(f, "order     not compared, since the records differ"),
        }
    }

    fn write_digests(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Digests { inputs, found } = &self.digests;
        if inputs == found {
            writeln!(f, "digest    {inputs}, of both")?;
        } else {
            writeln!(f, "digest    {inputs}, of what was sent")?;
            writeln!(f, "          {found}, of what was found")?;
        }
        let manifest = match self.disagreements.as_deref() {
            None => "there is no manifest".to_owned(),
            Some([]) => "the manifest agrees".to_owned(),
            Some(names) => format!("the manifest disagrees on {}", names.join(", ")),
        };
        let Roll { bytes, sha256, .. } = &self.roll;
        writeln!(f, "sha256    {sha256}, {bytes} bytes; {manifest}")
    }
}

/// Writes a line for the kind, and one for each difference of it that is shown.
fn write_section(f: &mut fmt::Formatter<'_>, kind: &str, section: &Section) -> fmt::Result {
    let Section { records, distinct, first } = section;
    writeln!(f, "{kind:<10}{}", counted(*records, "record"))?;
    for difference in first {
        writeln!(f, "          {difference}")?;
    }
    match distinct.saturating_sub(first.len() as u64) {
        0 => Ok(()),
        more => writeln!(f, "          and {more} more"),
    }
}

fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let file = |file: &str, rejected| InputFile { file: file.to_owned(), records: 3, rejected };
        Report {
            inputs: vec![file("1.json", 0), file("2.json", 1)],
            roll: Roll {
                file: "all_users.json".to_owned(),
                records: 5,
                bytes: 999,
                sha256: "5ha".to_owned(),
            },
            dead: 1,
            disagreements: Some(Vec::new()),
            digests: Digests { inputs: "d1".to_owned(), found: "d1".to_owned() },
            ..Report::default()
        }
    }

    fn missing(records: u64) -> Differences {
        let missing = Section { records, distinct: records, first: Vec::new() };
        Differences { missing, ..Differences::default() }
    }

    #[test]
    fn a_proof_has_every_number() {
        let report = Report { proven: true, order: Some(Order::Kept), ..report() };
        assert!(report.is_proof());
        insta::assert_snapshot!(report, @r"
        file      1.json: 3 records, 0 rejected
        file      2.json: 3 records, 1 rejected
        sent      6 records in 2 files, 1 rejected
        found     5 records in the roll, 1 dead letter
        missing   0 records
        doubled   0 records
        foreign   0 records
        order     as in the inputs
        digest    d1, of both
        sha256    5ha, 999 bytes; the manifest agrees
        proven    yes: every record once, and nothing else (0.00 s)
        ");
    }

    #[test]
    fn what_is_not_proven_says_why() {
        let report = Report {
            dead: 0,
            differences: missing(1),
            disagreements: Some(vec!["sha256", "bytes"]),
            digests: Digests { inputs: "d1".to_owned(), found: "d2".to_owned() },
            letters_wanted: Some(1),
            order: Some(Order::Unknown),
            ..report()
        };
        assert!(!report.is_proof());
        insta::assert_snapshot!(report, @r"
        file      1.json: 3 records, 0 rejected
        file      2.json: 3 records, 1 rejected
        sent      6 records in 2 files, 1 rejected
        found     5 records in the roll, 0 dead letters
        missing   1 record
                  and 1 more
                  the manifest counts 1 dead letter: give the --store, or --dead FILE
        doubled   0 records
        foreign   0 records
        order     not compared, since the records differ
        digest    d1, of what was sent
                  d2, of what was found
        sha256    5ha, 999 bytes; the manifest disagrees on sha256, bytes
        proven    no (0.00 s)
        ");
    }

    #[test]
    fn a_difference_a_manifest_that_disagrees_and_a_broken_order_are_no_proof() {
        assert!(report().is_proof());
        assert!(Report { disagreements: None, ..report() }.is_proof());
        assert!(!Report { differences: missing(1), ..report() }.is_proof());
        assert!(!Report { disagreements: Some(vec!["bytes"]), ..report() }.is_proof());
        assert!(!Report { order: Some(Order::BrokenAt(7)), ..report() }.is_proof());
    }
}
