//! The proof, for a person or a program.

use std::fmt;

use muster_program::{output, printable};
use muster_proof::grouped;
use serde::Serialize;

use super::difference::{Differences, Section};
use super::inputs::{Doubt, InputFile};
use super::roll::Roll;
use super::tally::Digests;
use super::unread::{Skipped, Stretches};

/// What was compared, and how. As JSON it is what `--json` prints.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    /// Whether all is as it should be.
    pub(super) proven: bool,
    /// What came out of each file.
    pub(super) inputs: Vec<InputFile>,
    /// What of them could not be read as records.
    pub(super) unread: Stretches,
    /// What of folders is not read. It does not count against the proof.
    pub(super) skipped: Skipped,
    /// Whether what is doubtful about the records counts as intended.
    pub(super) doubts_accepted: bool,
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

/// What the report proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Every record once, and nothing else.
    Yes,
    /// So it is for the records as they were read. What is unread or doubtful stands against it.
    AsRead,
    No,
}

impl Report {
    pub(super) fn verdict(&self) -> Verdict {
        let agrees = self.differences.are_none()
            && self.disagreements.as_ref().is_none_or(Vec::is_empty)
            && self.order.is_none_or(|order| order == Order::Kept);
        if !agrees {
            Verdict::No
        } else if self.unread.stretches > 0 || self.is_doubtful() {
            Verdict::AsRead
        } else {
            Verdict::Yes
        }
    }

    /// Whether there are doubts that count.
    fn is_doubtful(&self) -> bool {
        !self.doubts_accepted && self.inputs.iter().any(|file| !file.doubts.is_empty())
    }

    /// How many records were sent.
    fn records(&self) -> u64 {
        self.inputs.iter().map(|file| file.records).sum()
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
        let Self { inputs, unread, skipped, roll, dead, seconds, .. } = self;
        write_files(f, inputs)?;
        write!(f, "{unread}")?;
        write_doubts(f, inputs)?;
        write!(f, "{skipped}")?;
        let sent = counted(self.records(), "record");
        let files = counted(inputs.len() as u64, "file");
        writeln!(f, "sent      {sent} in {files}{}", Unread(unread.bytes))?;
        let (records, letters) = (counted(roll.records, "record"), counted(*dead, "dead letter"));
        writeln!(f, "found     {records} in the roll, {letters}")?;
        let Differences { missing, doubled, foreign, changed } = &self.differences;
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
        for changed in changed {
            writeln!(f, "changed   {changed}")?;
        }
        self.write_order(f)?;
        self.write_digests(f)?;
        f.write_str("proven    ")?;
        self.write_verdict(f)?;
        write!(f, " ({seconds:.2} s)")
    }
}

impl Report {
    fn write_verdict(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.verdict() {
            Verdict::Yes => return f.write_str("yes: every record once, and nothing else"),
            Verdict::No => return f.write_str("no"),
            Verdict::AsRead => (),
        }
        write!(f, "for {}", counted(self.records(), "record"))?;
        if self.is_doubtful() {
            f.write_str(" as they were read")?;
        }
        match (self.unread.stretches, self.unread.bytes) {
            (0, _) => (),
            (_, 0) => f.write_str("; an input ends before its closing bracket")?,
            (_, bytes) => write!(f, "; {} could not be read as records", length(bytes))?,
        }
        if self.is_doubtful() {
            f.write_str("; see the doubts above, or give --accept-doubts")?;
        }
        Ok(())
    }

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

fn write_files(f: &mut fmt::Formatter<'_>, inputs: &[InputFile]) -> fmt::Result {
    for InputFile { file, records, unread_bytes, .. } in inputs {
        writeln!(f, "file      {file}: {}{}", counted(*records, "record"), Unread(*unread_bytes))?;
    }
    Ok(())
}

fn write_doubts(f: &mut fmt::Formatter<'_>, inputs: &[InputFile]) -> fmt::Result {
    for InputFile { file, doubts, .. } in inputs {
        for Doubt { what, records } in doubts {
            let records = counted(*records, "record");
            let doubt = printable::text(&format!("{file}: {what} in {records}"));
            writeln!(f, "doubt     {doubt}")?;
        }
    }
    Ok(())
}

/// How many bytes are unread, if any are.
struct Unread(u64);

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            bytes => write!(f, ", {} unread", length(bytes)),
        }
    }
}

/// A number of bytes, with its digits in groups.
fn length(bytes: u64) -> String {
    format!("{} byte{}", grouped(bytes), if bytes == 1 { "" } else { "s" })
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
        let file =
            |file: &str| InputFile { file: file.to_owned(), records: 3, ..InputFile::default() };
        Report {
            inputs: vec![file("1.json"), file("2.json")],
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

    /// The same, with a stretch of this length that could not be read.
    fn with_unread(bytes: u64) -> Report {
        let mut report = report();
        report.inputs[1].unread_bytes = bytes;
        let (file, reason) = ("2.json".to_owned(), "it is not JSON".to_owned());
        report.unread.add(super::super::inputs::Unread { file, line: 4, offset: 9, bytes, reason });
        report
    }

    fn with_doubt(mut report: Report) -> Report {
        let what = "`emial` is ignored, and `email` is missing".to_owned();
        report.inputs[0].doubts = vec![Doubt { what, records: 3 }];
        report
    }

    fn last_line(report: &Report) -> String {
        report.to_string().lines().last().unwrap().to_owned()
    }

    fn missing(records: u64) -> Differences {
        let missing = Section { records, distinct: records, first: Vec::new() };
        Differences { missing, ..Differences::default() }
    }

    #[test]
    fn a_proof_has_every_number() {
        let report = Report { order: Some(Order::Kept), ..report() };
        assert_eq!(report.verdict(), Verdict::Yes);
        insta::assert_snapshot!(report, @r"
        file      1.json: 3 records
        file      2.json: 3 records
        sent      6 records in 2 files
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
        assert_eq!(report.verdict(), Verdict::No);
        insta::assert_snapshot!(report, @r"
        file      1.json: 3 records
        file      2.json: 3 records
        sent      6 records in 2 files
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
        let is_proof = |report: Report| report.verdict() == Verdict::Yes;
        assert!(is_proof(report()));
        assert!(is_proof(Report { disagreements: None, ..report() }));
        assert!(!is_proof(Report { differences: missing(1), ..report() }));
        assert!(!is_proof(Report { disagreements: Some(vec!["bytes"]), ..report() }));
        assert!(!is_proof(Report { order: Some(Order::BrokenAt(7)), ..report() }));
    }

    #[test]
    fn unread_and_doubtful_inputs_are_shown() {
        let mut report = with_doubt(with_unread(1234));
        report.skipped = Skipped::of(&["notes.txt".into()]);
        insta::assert_snapshot!(report, @r"
        file      1.json: 3 records
        file      2.json: 3 records, 1,234 bytes unread
        unread    2.json:4: 1,234 bytes: it is not JSON
        doubt     1.json: `emial` is ignored, and `email` is missing in 3 records
        skipped   1 entry of folders (notes.txt)
        sent      6 records in 2 files, 1,234 bytes unread
        found     5 records in the roll, 1 dead letter
        missing   0 records
        doubled   0 records
        foreign   0 records
        digest    d1, of both
        sha256    5ha, 999 bytes; the manifest agrees
        proven    for 6 records as they were read; 1,234 bytes could not be read as records; see the doubts above, or give --accept-doubts (0.00 s)
        ");
    }

    #[test]
    fn unread_bytes_and_doubts_stand_against_the_proof() {
        let accepted = |report| Report { doubts_accepted: true, ..report };
        let doubtful = "proven    for 6 records as they were read; see the doubts above, or give \
            --accept-doubts (0.00 s)";
        for (report, line) in [
            (
                with_unread(1),
                "proven    for 6 records; 1 byte could not be read as records (0.00 s)",
            ),
            (
                with_unread(0),
                "proven    for 6 records; an input ends before its closing bracket (0.00 s)",
            ),
            (with_doubt(report()), doubtful),
            (
                accepted(with_doubt(with_unread(2))),
                "proven    for 6 records; 2 bytes could not be read as records (0.00 s)",
            ),
        ] {
            assert_eq!(report.verdict(), Verdict::AsRead);
            assert_eq!(last_line(&report), line);
        }
        assert_eq!(accepted(with_doubt(report())).verdict(), Verdict::Yes);
        let differing = Report { differences: missing(1), ..with_unread(7) };
        assert_eq!(differing.verdict(), Verdict::No);
    }
}
