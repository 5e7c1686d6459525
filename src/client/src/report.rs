//! What a person, or a program, sees after a job.

use std::fmt;

use muster_program::{exit, output};
use serde::Serialize;

use crate::input::{Counted, IgnoredField, Remarks};

/// How a job ended. As JSON it is what `--json` prints.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// The batch that the records are in.
    pub batch: String,
    /// Files (or other sources) read.
    pub files: usize,
    /// Records that the server has accepted.
    pub accepted: u64,
    /// Those of them that the batch had before this job.
    pub sent_before: u64,
    /// Records, and damaged stretches, that were not.
    pub rejected: u64,
    /// What was read over.
    #[serde(flatten)]
    pub remarks: Remarks,
    /// Whether the batch waits for somebody who replays or drops its dead letters.
    pub held: bool,
    /// Records that are dead letters; known when the batch is written or held.
    pub dead: Option<u64>,
    /// Records of the batch that are in the roll; known when it is written.
    pub records: Option<u64>,
    /// SHA-256 of the roll, in hexadecimal; known when the batch is written.
    pub sha256: Option<String>,
    /// How long it took.
    pub seconds: f64,
    /// Why the file of rejected records is not complete, if it is not.
    #[serde(skip)]
    pub rejects_failure: Option<String>,
}

impl Report {
    /// Whether everything that was in the input is accepted, and nothing is known to be dead.
    pub fn is_whole(&self) -> bool {
        self.rejected == 0 && self.dead.unwrap_or(0) == 0
    }
}

impl Report {
    /// The exit code, once the report is printed.
    ///
    /// # Errors
    ///
    /// The job is done, but the file of rejected records is not complete.
    pub fn exit_code(&self) -> Result<u8, String> {
        match &self.rejects_failure {
            Some(failure) => Err(format!(
                "the file for rejected records is not complete: {failure}; all else is done"
            )),
            None if self.is_whole() => Ok(exit::OK),
            None => Ok(exit::INCOMPLETE),
        }
    }

    /// The report as one line of JSON.
    fn to_json(&self) -> String {
        // Numbers, texts and nulls: they are always JSON.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Prints the report on standard output: for a program, or for a person.
    ///
    /// # Errors
    ///
    /// Standard output cannot be written.
    pub fn print(&self, json: bool) -> std::io::Result<()> {
        let text = if json { self.to_json() } else { self.to_string() };
        output::print(&(text + "\n"))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { batch, files, accepted, sent_before, rejected, remarks, seconds, .. } = self;
        let files = counted(*files as u64, "file");
        writeln!(f, "read      {files}, {} rejected", counted(*rejected, "record"))?;
        write_remarks(f, remarks)?;
        #[expect(clippy::cast_precision_loss, reason = "a rate for a person to read")]
        let rate = *accepted as f64 / seconds.max(f64::MIN_POSITIVE);
        writeln!(
            f,
            "accepted  {} in {seconds:.2} s ({rate:.0} a second)",
            counted(*accepted, "record")
        )?;
        match *sent_before {
            0 => write!(f, "batch     {batch}")?,
            before if before == *accepted => {
                let before = counted(before, "record");
                write!(f, "batch     {batch} was sent before: {before}, nothing new")?;
            }
            before => {
                let (before, new) = (counted(before, "record"), accepted.saturating_sub(before));
                write!(f, "batch     {batch} had {before}; {new} are new")?;
            }
        }
        match (self.records, self.dead) {
            (Some(records), Some(dead)) => {
                let (records, dead) = (counted(records, "record"), counted(dead, "dead letter"));
                write!(f, "\nin roll   {records}, {dead}")?;
            }
            (None, Some(dead)) if self.held => {
                write!(f, "\nin roll   nothing yet: {}", held(batch, dead))?;
            }
            _ => {}
        }
        if let Some(sha256) = &self.sha256 {
            write!(f, "\nsha256    {sha256}")?;
        }
        Ok(())
    }
}

/// How many ignored fields are shown.
const IGNORED_SHOWN_MAX: usize = 20;

fn write_remarks(f: &mut fmt::Formatter<'_>, remarks: &Remarks) -> fmt::Result {
    let Remarks { ignored, null_texts, escaped_quotes, ignored_folders } = remarks;
    for IgnoredField { name, records, nearest } in ignored.iter().take(IGNORED_SHOWN_MAX) {
        let records = counted(*records, "record");
        match (name, nearest) {
            (None, _) => writeln!(f, "ignored   fields of other names, in {records}")?,
            (Some(name), None) => writeln!(f, "ignored   `{name}` in {records}")?,
            (Some(name), Some(nearest)) => {
                writeln!(f, "ignored   `{name}` in {records}: did you mean `{nearest}`?")?;
            }
        }
    }
    match ignored.len().saturating_sub(IGNORED_SHOWN_MAX) {
        0 => {}
        more => writeln!(f, "ignored   {} more", counted(more as u64, "field"))?,
    }
    for Counted { name, records } in null_texts {
        let records = counted(*records, "record");
        writeln!(f, "kept      `{name}` is a text such as \"null\" in {records}: is it a NULL?")?;
    }
    for Counted { name, records } in escaped_quotes {
        let records = counted(*records, "record");
        writeln!(
            f,
            "kept      `{name}` has \\\" in {records}: is a quote escaped by a backslash?"
        )?;
    }
    for Counted { name, records } in ignored_folders {
        let records = counted(*records, "record");
        writeln!(f, "ignored   the folder's name `{name}`, of {records}: add the field to them")?;
    }
    Ok(())
}

/// What a batch that is held waits for.
pub(crate) fn held(batch: &str, dead: u64) -> String {
    let letters = counted(dead, "dead letter");
    format!("{letters} must be replayed or dropped (muster-client dead list --batch {batch})")
}

/// `1 record`, `2 records`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        Report {
            batch: "b-1".to_owned(),
            files: 3,
            accepted: 2977,
            rejected: 1,
            seconds: 0.5,
            ..Report::default()
        }
    }

    #[test]
    fn a_job_that_did_not_wait_says_what_was_accepted() {
        insta::assert_snapshot!(report(), @r"
        read      3 files, 1 record rejected
        accepted  2977 records in 0.50 s (5954 a second)
        batch     b-1
        ");
    }

    #[test]
    fn job_of_a_batch_that_was_sent_before_says_so() {
        let line = |sent_before| {
            let report = Report { sent_before, ..report() }.to_string();
            report.lines().last().unwrap().to_owned()
        };
        assert_eq!(line(0), "batch     b-1");
        assert_eq!(line(2977), "batch     b-1 was sent before: 2977 records, nothing new");
        assert_eq!(line(1000), "batch     b-1 had 1000 records; 1977 are new");
    }

    #[test]
    fn a_job_that_waited_says_what_is_in_the_roll() {
        let report = Report {
            records: Some(2976),
            dead: Some(1),
            sha256: Some("5ha".to_owned()),
            remarks: Remarks {
                ignored: vec![
                    IgnoredField {
                        name: Some("username".to_owned()),
                        records: 2977,
                        nearest: Some("user_name"),
                    },
                    IgnoredField { name: Some("plan".to_owned()), records: 1, nearest: None },
                ],
                null_texts: vec![Counted { name: "gender".to_owned(), records: 3 }],
                escaped_quotes: vec![Counted { name: "agent".to_owned(), records: 1 }],
                ignored_folders: vec![Counted { name: "country=Peru".to_owned(), records: 9 }],
            },
            ..report()
        };
        insta::assert_snapshot!(report, @r#"
        read      3 files, 1 record rejected
        ignored   `username` in 2977 records: did you mean `user_name`?
        ignored   `plan` in 1 record
        kept      `gender` is a text such as "null" in 3 records: is it a NULL?
        kept      `agent` has \" in 1 record: is a quote escaped by a backslash?
        ignored   the folder's name `country=Peru`, of 9 records: add the field to them
        accepted  2977 records in 0.50 s (5954 a second)
        batch     b-1
        in roll   2976 records, 1 dead letter
        sha256    5ha
        "#);
    }

    #[test]
    fn a_job_whose_batch_is_held_says_what_to_do() {
        let report = Report { held: true, dead: Some(3), ..report() };
        insta::assert_snapshot!(report, @r"
        read      3 files, 1 record rejected
        accepted  2977 records in 0.50 s (5954 a second)
        batch     b-1
        in roll   nothing yet: 3 dead letters must be replayed or dropped (muster-client dead list --batch b-1)
        ");
    }

    #[test]
    fn a_whole_report_has_nothing_rejected_and_nothing_dead() {
        let whole = Report { rejected: 0, ..report() };
        assert!(whole.is_whole());
        assert!(!report().is_whole());
        assert!(!Report { dead: Some(1), ..whole }.is_whole());
    }
}
