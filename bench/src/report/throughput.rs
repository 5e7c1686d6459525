//! The section on throughput.

use super::measured::{Case, Measured};
use super::page::Pictures;
use super::table::Table;
use crate::figures;
use crate::number::{maybe, spread};
use crate::plot::bars::{self, Bar};
use crate::section::Section;

const MEBIBYTE: f64 = (1 << 20) as f64;
const PARTS: [&str; 4] = ["client", "server", "workers", "redis"];

const INTRODUCTION: &str = "\
## Throughput

Records of about 200 bytes on the wire, from one connection to five workers. The rate is that of all
records from the sending of the first until every one is stored; where nothing is stored, until
every one is answered. In Muster stored means that the batch is complete; in the bare path and the
peers that each result is in a list of Redis, and nothing is promised of it.

";

const COST: &str = "\
### What a record costs

Processor time in microseconds a record, of all processes of a part; the memory of the largest
process of it, at its peak; and what Redis was sent.

";

/// The section; nothing if it was not measured.
pub(super) fn section(measured: &Measured<'_>, pictures: &Pictures) -> anyhow::Result<String> {
    let cases: Vec<&Case<'_>> = measured.cases(Section::Throughput, "").collect();
    if cases.is_empty() {
        return Ok(String::new());
    }
    let mut text = INTRODUCTION.to_owned();
    let picture = bars::draw("Records a second, until all are stored", &all_bars(&cases));
    text += &pictures.show("throughput", "Records a second of every case", picture)?;
    text += &rates(&cases);
    text += COST;
    text += &costs(&cases);
    Ok(text)
}

fn all_bars(cases: &[&Case<'_>]) -> Vec<Bar> {
    let bar = |case: &&Case<'_>| {
        let label = case.title.replace('`', "");
        Some(Bar { label, spread: case.spread(figures::RATE)?, group: group(case.name) })
    };
    let mut bars: Vec<Bar> = cases.iter().filter_map(bar).collect();
    bars.sort_by(|one, other| other.spread.median.total_cmp(&one.spread.median));
    bars
}

/// Muster, the limits, the peers: each has a colour.
fn group(name: &str) -> usize {
    match name.split(' ').next() {
        Some("muster") => 0,
        Some("peer") => 1,
        _ => 5,
    }
}

fn rates(cases: &[&Case<'_>]) -> String {
    let heads = [
        "case",
        "records",
        "records/s",
        "answered/s",
        "in the roll after, s",
        "p50, ms",
        "p99, ms",
    ];
    let mut table = Table::new(&heads);
    for case in cases {
        let milliseconds = |figure| maybe(case.median(figure).map(|micros| micros / 1e3));
        table.row(&[
            case.title.to_owned(),
            maybe(case.median(figures::RECORDS)),
            spread(case.spread(figures::RATE)),
            maybe(case.median(figures::ACCEPTED_RATE)),
            maybe(case.median(figures::ROLL_SECONDS)),
            milliseconds(figures::P50),
            milliseconds(figures::P99),
        ]);
    }
    table.finish()
}

fn costs(cases: &[&Case<'_>]) -> String {
    let mut heads = vec!["case".to_owned()];
    heads.extend(PARTS.iter().map(|part| format!("{part}, µs")));
    heads.push("all, µs".to_owned());
    heads.extend(PARTS.iter().map(|part| format!("{part}, MiB")));
    heads.push("to Redis, B".to_owned());
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let mut table = Table::new(&heads);
    for case in cases {
        let mut row = vec![case.title.to_owned()];
        let cpu = PARTS.map(|part| case.median(&figures::cpu(part)));
        row.extend(cpu.map(maybe));
        row.push(maybe(cpu.iter().copied().flatten().reduce(|all, part| all + part)));
        row.extend(
            PARTS
                .map(|part| maybe(case.median(&figures::peak(part)).map(|bytes| bytes / MEBIBYTE))),
        );
        row.push(maybe(case.median(figures::REDIS_INPUT_BYTES)));
        table.row(&row);
    }
    table.finish()
}
