//! The section on scaling.

use super::measured::{Case, Measured};
use super::page::Pictures;
use super::table::Table;
use crate::figures;
use crate::number::{grouped, maybe, spread};
use crate::plot::lines::{self, Axes, Line};
use crate::section::Section;

const PARTS: [&str; 4] = ["client", "server", "workers", "redis"];

const INTRODUCTION: &str = "\
## Scaling

The load of the first section, by stream and without AOF, against more of one thing at a time.

";

/// What is tried against: the names of its cases begin like this.
struct Dimension {
    name: &'static str,
    title: &'static str,
    axis: &'static str,
    words: &'static str,
}

const DIMENSIONS: [Dimension; 5] = [
    Dimension {
        name: "workers",
        title: "Workers",
        axis: "workers, each a process",
        words: "How many workers share the work.",
    },
    Dimension {
        name: "batch",
        title: "Length of a batch",
        axis: "records in a batch",
        words: "One stream after another. At most a hundred short ones are sent: each is written to \
                the roll.",
    },
    Dimension {
        name: "size",
        title: "Length of a record",
        axis: "bytes of a record on the wire",
        words: "Longer records are longer by their `agent`, which repeats itself: they are \
                compressed better than others would be.",
    },
    Dimension {
        name: "backlog",
        title: "Length of the queue",
        axis: "records waiting",
        words: "So many records wait when five workers start, and a stream comes. Where much waits, \
                workers get more done than comes: the rate is the mean of the one at which records \
                were answered and the one at which they were worked off, until the first of the two \
                has as many as the stream.",
    },
    Dimension {
        name: "open",
        title: "Open batches",
        axis: "batches that are open beside it",
        words: "So many batches of one record are begun before, and left open.",
    },
];

/// The section; nothing if it was not measured.
pub(super) fn section(measured: &Measured<'_>, pictures: &Pictures) -> anyhow::Result<String> {
    if measured.cases(Section::Scaling, "").next().is_none() {
        return Ok(String::new());
    }
    let mut text = INTRODUCTION.to_owned();
    for dimension in &DIMENSIONS {
        text += &dimension.part(measured, pictures)?;
    }
    text += &roll(measured, pictures)?;
    Ok(text)
}

/// The cases of a dimension, with the number in their names.
fn numbered<'m, 'a>(measured: &'m Measured<'a>, name: &str) -> Vec<(f64, &'m Case<'a>)> {
    let cases = measured.cases(Section::Scaling, &format!("{name} "));
    cases.filter_map(|case| Some((case.name.rsplit(' ').next()?.parse().ok()?, case))).collect()
}

/// The points of a figure.
fn line(name: &str, cases: &[(f64, &Case<'_>)], figure: &str) -> Line {
    let points = cases.iter().filter_map(|(at, case)| Some((*at, case.spread(figure)?)));
    Line { name: name.to_owned(), points: points.collect() }
}

impl Dimension {
    fn part(&self, measured: &Measured<'_>, pictures: &Pictures) -> anyhow::Result<String> {
        let Self { name, title, axis, words } = self;
        let cases = numbered(measured, name);
        let mut text = format!("### {title}\n\n{words}\n\n");
        let worked_off = line("worked off", &cases, figures::WORKED_OFF_RATE);
        let has_queue = !worked_off.points.is_empty();
        let rate = if has_queue { "mean" } else { "stored" };
        let drawn = [
            line(rate, &cases, figures::RATE),
            line("answered", &cases, figures::ACCEPTED_RATE),
            worked_off,
        ];
        let drawn: Vec<Line> = drawn.into_iter().filter(|line| !line.points.is_empty()).collect();
        let axes = Axes { x: axis, y: "records/s" };
        let picture = lines::draw(&format!("Records a second, by {axis}"), axes, &drawn);
        text += &pictures.show(name, title, picture)?;
        let mut heads = vec![*axis, "records/s", "answered/s"];
        if has_queue {
            heads.push("worked off/s");
        }
        heads.extend(["all, µs a record", "in the roll after, s"]);
        let mut table = Table::new(&heads);
        for (at, case) in cases {
            let mut row = vec![
                grouped(at),
                spread(case.spread(figures::RATE)),
                maybe(case.median(figures::ACCEPTED_RATE)),
            ];
            if has_queue {
                row.push(maybe(case.median(figures::WORKED_OFF_RATE)));
            }
            let cpu = PARTS.iter().filter_map(|part| case.median(&figures::cpu(part)));
            row.push(maybe(Some(cpu.sum())));
            row.push(maybe(case.median(figures::ROLL_SECONDS)));
            table.row(&row);
        }
        text += &table.finish();
        Ok(text)
    }
}

fn roll(measured: &Measured<'_>, pictures: &Pictures) -> anyhow::Result<String> {
    let cases = numbered(measured, "roll");
    let mut text =
        "### Length of the roll\n\nHow long it takes, after its last answer, until a batch \
                    of 10,000 records is in a roll of so many.\n\n"
            .to_owned();
    let drawn = line("in the roll", &cases, figures::ROLL_SECONDS);
    let axes = Axes { x: "records in the roll", y: "seconds" };
    let picture = lines::draw("Until a batch is in the roll, by its length", axes, &[drawn]);
    text += &pictures.show("roll", "Until a batch is in the roll", picture)?;
    let mut table = Table::new(&[axes.x, "in the roll after, s", "workers, µs a record"]);
    for (at, case) in cases {
        table.row(&[
            grouped(at),
            spread(case.spread(figures::ROLL_SECONDS)),
            maybe(case.median(&figures::cpu("workers"))),
        ]);
    }
    text += &table.finish();
    Ok(text)
}
