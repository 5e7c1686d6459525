//! The page.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::measured::Measured;
use super::table::Table;
use super::{demands, latency, rest, scaling, throughput};
use crate::circumstances::Circumstances;
use crate::figures;
use crate::number::figure;
use crate::results::Row;
use crate::say::say;
use crate::section::Section;

const HEAD: &str = "\
# Performance

How fast Muster is beside the limit of a machine and beside other queues, and what it costs.
`muster-bench report` measured all of it and wrote this page; [bench/](../bench/README.md) says how to
run it, and what a figure means; [bench/findings.md](../bench/findings.md) where the time goes, and
what was tried. Figures are medians over all rounds, with the least and the most of
them in brackets. A ratio is that of two runs of one round, which were minutes apart. Each run is a
line of `results.jsonl`, beside the pictures.

";

/// What a page is made of, beside its text.
pub(super) struct Pictures {
    folder: PathBuf,
    /// What the page calls the folder.
    name: String,
}

impl Pictures {
    /// Writes a picture, and returns what the page says to show it. Nothing is shown of nothing.
    pub(super) fn show(
        &self,
        name: &str,
        shown: &str,
        picture: Option<String>,
    ) -> anyhow::Result<String> {
        let Some(picture) = picture else { return Ok(String::new()) };
        let path = self.folder.join(name).with_extension("svg");
        fs::write(&path, picture).with_context(|| path.display().to_string())?;
        Ok(format!("![{shown}]({}/{name}.svg)\n\n", self.name))
    }
}

/// Writes the page and its pictures.
pub(super) fn write(rows: &[Row], page: &Path) -> anyhow::Result<()> {
    let name = page.file_stem().context("the page is no file")?.to_string_lossy().into_owned();
    let pictures = Pictures { folder: page.with_extension(""), name };
    let measured = Measured::of(rows);
    let mut text = HEAD.to_owned();
    text += &circumstances(rows);
    text += &demands::section(&measured);
    text += &throughput::section(&measured, &pictures)?;
    text += &scaling::section(&measured, &pictures)?;
    text += &latency::section(&measured, &pictures)?;
    text += &rest::section(&measured);
    text += &left_out(rows, &measured);
    fs::write(page, text.trim_end().to_owned() + "\n")
        .with_context(|| page.display().to_string())?;
    say(&format!("{} is written", page.display()));
    Ok(())
}

fn circumstances(rows: &[Row]) -> String {
    let begun = rows.iter().filter_map(|row| match row {
        Row::Begun { section, circumstances } => Some((*section, circumstances)),
        _ => None,
    });
    let mut text = String::new();
    let mut begun: Vec<(Section, &Circumstances)> = begun.collect();
    begun.sort_by_key(|(section, _)| *section);
    if begun.iter().any(|(_, circumstances)| circumstances.quick) {
        text += "**These are the figures of a trial (`--quick`): they say nothing.**\n\n";
    }
    // Sections of one run share a table: that of the first, which has the versions of the peers.
    let mut shared: Vec<(Vec<String>, &Circumstances)> = Vec::new();
    for (section, circumstances) in begun {
        match shared.last_mut() {
            Some((sections, first)) if first.command == circumstances.command => {
                sections.push(section.to_string());
            }
            _ => shared.push((vec![section.to_string()], circumstances)),
        }
    }
    for (sections, circumstances) in shared {
        let Circumstances { command, date, rounds, machine, versions, .. } = circumstances;
        text += &format!("```text\n{command}\n```\n\n");
        let mut table = Table::new(&["measured", &sections.join(", ")]);
        table.row(&["when".to_owned(), date.clone()]);
        table.row(&["rounds".to_owned(), rounds.to_string()]);
        for (name, value) in machine.iter().chain(versions) {
            table.row(&[name.clone(), value.clone()]);
        }
        text += &table.finish();
    }
    text
}

/// What is missing, what failed, and who else was busy.
fn left_out(rows: &[Row], measured: &Measured<'_>) -> String {
    let mut text = "## What is left out, and what went wrong\n\n".to_owned();
    let before = text.len();
    for row in rows {
        match row {
            Row::Missing { what, why, .. } => {
                text += &format!("- {what}: not on this machine: {why}\n")
            }
            Row::Failed { section, title, round, why, .. } => {
                let why = why.replace('\n', " ");
                text += &format!("- {section}, round {round}, {title}: **failed**: {why}\n");
            }
            _ => {}
        }
    }
    if text.len() == before {
        text += "Nothing.\n";
    }
    text.push('\n');
    let busiest = Section::ALL.into_iter().flat_map(|section| measured.cases(section, ""));
    let busiest = busiest.filter_map(|case| Some((case.spread(figures::FOREIGN)?.max, case.title)));
    if let Some((foreign, title)) = busiest.max_by(|(one, _), (other, _)| one.total_cmp(other)) {
        text += &format!(
            "Beside what was measured, at most {} processors were busy with something else, on \
             average over a run ({title}).\n",
            figure(foreign)
        );
    }
    text
}
