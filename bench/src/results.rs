//! What has been measured, as lines of JSON beside the pictures of a page, in `results.jsonl`: the
//! page can be made of them again, and a section be measured anew without the others.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::circumstances::Circumstances;
use crate::figures::Figures;
use crate::section::Section;

/// A line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "row", rename_all = "lowercase")]
pub(crate) enum Row {
    /// A section begins: what follows was measured under these circumstances.
    Begun { section: Section, circumstances: Circumstances },
    /// A run of a case.
    Measured { section: Section, name: String, title: String, round: u32, figures: Figures },
    /// A run that came to nothing, or lost or doubled a record.
    Failed { section: Section, name: String, title: String, round: u32, why: String },
    /// Something that this machine does not have.
    Missing { section: Section, what: String, why: String },
}

impl Row {
    pub(crate) fn section(&self) -> Section {
        match self {
            Self::Begun { section, .. }
            | Self::Measured { section, .. }
            | Self::Failed { section, .. }
            | Self::Missing { section, .. } => *section,
        }
    }
}

/// The lines, and their file.
#[derive(Debug)]
pub(crate) struct Results {
    path: PathBuf,
    pub(crate) rows: Vec<Row>,
}

impl Results {
    /// Reads those of a page; none, if it has none yet.
    pub(crate) fn of_page(page: &Path) -> anyhow::Result<Self> {
        let path = page.with_extension("").join("results.jsonl");
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            text => text.with_context(|| path.display().to_string())?,
        };
        let rows = text.lines().map(serde_json::from_str).collect::<Result<_, _>>();
        let rows = rows.with_context(|| format!("{} is not of this version", path.display()))?;
        Ok(Self { path, rows })
    }

    /// Forgets what was measured of a section, and begins it.
    pub(crate) fn begin(&mut self, section: Section, circumstances: Circumstances) {
        self.rows.retain(|row| row.section() != section);
        self.rows.push(Row::Begun { section, circumstances });
    }

    /// Adds a line.
    pub(crate) fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Writes the file. It is as it was until then, and stays so when a section is broken off.
    pub(crate) fn save(&self) -> anyhow::Result<()> {
        let mut text = String::new();
        for row in &self.rows {
            text += &serde_json::to_string(row)?;
            text.push('\n');
        }
        let folder = self.path.parent().context("it is in a folder")?;
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        let part = self.path.with_extension("part");
        let written = fs::write(&part, text).and_then(|()| fs::rename(&part, &self.path));
        written.with_context(|| self.path.display().to_string())
    }

    /// Whether a run has failed.
    pub(crate) fn has_failures(&self) -> bool {
        self.rows.iter().any(|row| matches!(row, Row::Failed { .. }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(section: Section, what: &str) -> Row {
        Row::Missing { section, what: what.to_owned(), why: "it is not here".to_owned() }
    }

    #[test]
    fn a_section_is_measured_anew_and_the_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("performance.md");
        let mut results = Results::of_page(&page).unwrap();
        for (section, what) in
            [(Section::Throughput, "a"), (Section::Rest, "b"), (Section::Throughput, "c")]
        {
            results.begin(section, Circumstances::default());
            results.add(missing(section, what));
            results.save().unwrap();
        }
        let read = Results::of_page(&page).unwrap();
        assert_eq!(read.rows, results.rows);
        let begun = |section| Row::Begun { section, circumstances: Circumstances::default() };
        let expected = [
            begun(Section::Rest),
            missing(Section::Rest, "b"),
            begun(Section::Throughput),
            missing(Section::Throughput, "c"),
        ];
        assert_eq!(read.rows, expected);
        assert!(!read.has_failures());
    }

    #[test]
    fn a_section_that_is_broken_off_leaves_what_was_measured_of_it_before() {
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("performance.md");
        let mut results = Results::of_page(&page).unwrap();
        results.begin(Section::Rest, Circumstances::default());
        results.add(missing(Section::Rest, "a"));
        results.save().unwrap();
        let before = results.rows.clone();
        results.begin(Section::Rest, Circumstances::default());
        results.add(missing(Section::Rest, "b"));
        drop(results);
        assert_eq!(Results::of_page(&page).unwrap().rows, before);
    }
}
