//! The section on latency.

use super::measured::{Case, Measured};
use super::page::Pictures;
use super::table::Table;
use crate::figures;
use crate::number::{figure, maybe, spread};
use crate::plot::lines::{self, Axes, Line};
use crate::section::Section::Latency;

const INTRODUCTION: &str = "\
## Latency

Unary calls at times that are fixed beforehand, each measured from the time at which it was to be
made: a server that stops for a moment is seen with all the calls that it kept waiting. Both systems
are asked at the same rates, which are parts of what the slower of them can do with 256 calls in
flight.

";

const SYSTEMS: [(&str, &str); 2] = [("muster", "Muster"), ("bare", "bare path")];
const QUANTILES: [(&str, &str); 3] =
    [("p50", figures::P50), ("p99", figures::P99), ("p99.9", figures::P999)];

/// The section; nothing if it was not measured.
pub(super) fn section(measured: &Measured<'_>, pictures: &Pictures) -> anyhow::Result<String> {
    if measured.cases(Latency, "").next().is_none() {
        return Ok(String::new());
    }
    let mut text = INTRODUCTION.to_owned();
    if let Some(highest) = measured.case(Latency, "highest") {
        let rate = |system| maybe(highest.median(system));
        text += &format!(
            "With 256 in flight Muster stores {} records a second, and the bare path {}.\n\n",
            rate("muster"),
            rate("bare")
        );
    }
    let axes = Axes { x: "calls a second", y: "ms" };
    let lines = SYSTEMS.iter().flat_map(|(name, title)| {
        let cases: Vec<&Case<'_>> = paced(measured, name);
        [QUANTILES[0], QUANTILES[1]].map(|(quantile, figure)| {
            let point = |case: &&Case<'_>| {
                Some((case.median(figures::OFFERED_RATE)?, case.spread(figure)?.times(1e-3)))
            };
            let points = cases.iter().filter_map(point).collect();
            Line { name: format!("{title}, {quantile}"), points }
        })
    });
    let lines: Vec<Line> = lines.collect();
    let picture = lines::draw("How long a call takes, by the rate", axes, &lines);
    text += &pictures.show("latency", "How long a call takes", picture)?;

    let mut table = Table::new(&["system", "calls/s", "p50, ms", "p99, ms", "p99.9, ms"]);
    for (name, title) in SYSTEMS {
        for case in paced(measured, name) {
            let mut row = vec![title.to_owned(), maybe(case.median(figures::OFFERED_RATE))];
            row.extend(
                QUANTILES.map(|(_, figure)| {
                    spread(case.spread(figure).map(|micros| micros.times(1e-3)))
                }),
            );
            table.row(&row);
        }
    }
    text += &table.finish();
    text += &once(measured);
    Ok(text)
}

fn paced<'m, 'a>(measured: &'m Measured<'a>, system: &str) -> Vec<&'m Case<'a>> {
    measured.cases(Latency, &format!("paced {system} ")).collect()
}

/// What happens once.
fn once(measured: &Measured<'_>) -> String {
    let mut table = Table::new(&["from … to …", "ms", "longest, ms"]);
    for name in ["roll stream", "roll unary", "worker start", "server start"] {
        let Some(case) = measured.case(Latency, name) else { continue };
        let milliseconds = |figure| case.spread(figure).map(|seconds| seconds.times(1e3));
        let longest = milliseconds(figures::LONGEST_SECONDS).or(milliseconds(figures::SECONDS));
        table.row(&[
            case.title.to_owned(),
            spread(milliseconds(figures::SECONDS)),
            longest.map_or("–".to_owned(), |longest| figure(longest.max)),
        ]);
    }
    format!("### From one thing to another\n\n{}", table.finish())
}
