//! The queue as figures, for a person, and as JSON.

use std::fmt;
use std::time::Duration;

use muster_proto::v1::{Flow, Line, RollHealth, Stats, StoreHealth};
use serde::Serialize;

use super::figures::{NONE, duration, size, span, time};
use super::table::Columns;
use crate::printable;
use crate::report::counted;

/// A rate is the mean of so many seconds.
const RATE_SECONDS: usize = 10;

/// What is shown of the queue.
#[derive(Debug, Serialize)]
pub(crate) struct StatsView<'a> {
    at: Option<String>,
    paused: bool,
    lines: Vec<LineView<'a>>,
    in_hand: u64,
    dead_letters: u64,
    held_batches: u64,
    workers: u32,
    workers_lost: u32,
    accepted: u64,
    kept: u64,
    dead: u64,
    accepted_per_second: f64,
    processed_per_second: f64,
    store: Option<StoreView<'a>>,
    roll: Option<RollHealthView<'a>>,
    log_filter: Option<&'a str>,
}

/// Chunks that are leased in the order in which they came.
#[derive(Debug, Serialize)]
struct LineView<'a> {
    line: &'a str,
    records: u64,
    bytes: u64,
    oldest_seconds: Option<f64>,
}

/// The store that keeps the queue.
#[derive(Debug, Serialize)]
struct StoreView<'a> {
    url: &'a str,
    version: &'a str,
    latency_seconds: Option<f64>,
    used_bytes: u64,
    limit_bytes: Option<u64>,
    full: bool,
    durability: &'a str,
    persistence: Option<&'a str>,
    may_lose: Option<&'a str>,
    problem: Option<&'a str>,
}

impl<'a> From<&'a Stats> for StatsView<'a> {
    fn from(stats: &'a Stats) -> Self {
        let (accepted_per_second, processed_per_second) = rates(&stats.flow);
        Self {
            at: stats.at.and_then(time),
            paused: stats.paused,
            lines: stats.lines.iter().map(LineView::from).collect(),
            in_hand: stats.leased,
            dead_letters: stats.dead_letters,
            held_batches: stats.held_batches,
            workers: stats.workers,
            workers_lost: stats.workers_lost,
            accepted: stats.accepted,
            kept: stats.kept,
            dead: stats.dead,
            accepted_per_second,
            processed_per_second,
            store: stats.store.as_ref().map(StoreView::from),
            roll: stats.roll.as_ref().map(RollHealthView::from),
            log_filter: said(&stats.log_filter),
        }
    }
}

impl<'a> From<&'a Line> for LineView<'a> {
    fn from(line: &'a Line) -> Self {
        let Line { name, records, bytes, oldest } = line;
        let oldest_seconds = duration(*oldest).map(|oldest| oldest.as_secs_f64());
        Self { line: name, records: *records, bytes: *bytes, oldest_seconds }
    }
}

impl<'a> From<&'a StoreHealth> for StoreView<'a> {
    fn from(store: &'a StoreHealth) -> Self {
        Self {
            url: &store.url,
            version: &store.version,
            latency_seconds: duration(store.latency).map(|latency| latency.as_secs_f64()),
            used_bytes: store.used_bytes,
            limit_bytes: Some(store.limit_bytes).filter(|limit| *limit > 0),
            full: store.full,
            durability: &store.durability,
            persistence: said(&store.persistence),
            may_lose: said(&store.may_lose),
            problem: said(&store.problem),
        }
    }
}

/// How the writing of the roll goes.
#[derive(Debug, Serialize)]
struct RollHealthView<'a> {
    unwritten_batches: u64,
    unwritten_seconds: Option<f64>,
    processes_failing: u32,
    problem: Option<&'a str>,
    host: Option<&'a str>,
    since: Option<String>,
}

impl<'a> From<&'a RollHealth> for RollHealthView<'a> {
    fn from(roll: &'a RollHealth) -> Self {
        Self {
            unwritten_batches: roll.unwritten_batches,
            unwritten_seconds: duration(roll.unwritten_for).map(|time| time.as_secs_f64()),
            processes_failing: roll.processes_failing,
            problem: said(&roll.problem),
            host: said(&roll.host),
            since: roll.since.and_then(time),
        }
    }
}

fn said(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// How many records a second went in and out lately.
pub(crate) fn rates(flow: &[Flow]) -> (f64, f64) {
    let lately = &flow[flow.len().saturating_sub(RATE_SECONDS)..];
    #[expect(clippy::cast_precision_loss, reason = "a rate, of far fewer records than 2^53")]
    let mean = |of: fn(&Flow) -> u64| {
        lately.iter().map(of).sum::<u64>() as f64 / lately.len().max(1) as f64
    };
    (mean(|second| second.accepted), mean(|second| second.processed))
}

/// The names of the columns of the lines.
pub(crate) const LINE_COLUMNS: [&str; 4] = ["line", "records", "size", "oldest"];

/// What the columns say of a line.
pub(crate) fn line(line: &Line) -> [String; 4] {
    let oldest = duration(line.oldest).map_or_else(|| NONE.to_owned(), span);
    [printable::text(&line.name), line.records.to_string(), size(line.bytes), oldest]
}

/// What the store is and how it does, on one line.
pub(crate) fn store(store: &StoreHealth) -> String {
    let StoreHealth { version, used_bytes, limit_bytes, durability, full, .. } = store;
    let latency = duration(store.latency).map_or_else(|| NONE.to_owned(), latency);
    let limit = match limit_bytes {
        0 => String::new(),
        limit => format!(" of {}{}", size(*limit), if *full { ": full" } else { "" }),
    };
    let (version, durability) = (printable::text(version), printable::text(durability));
    format!("{version}, {durability}, answers in {latency}, uses {}{limit}", size(*used_bytes))
}

/// What the store writes to its disk, and what it may lose nevertheless.
pub(crate) fn keeps(store: &StoreHealth) -> Option<String> {
    let persistence = said(&store.persistence)?;
    Some(printable::text(&match said(&store.may_lose) {
        Some(may_lose) => format!("{persistence}; {may_lose}"),
        None => format!("{persistence}; accepted records are not lost"),
    }))
}

/// What is short, to a tenth of its unit.
fn latency(time: Duration) -> String {
    format!("{time:.1?}")
}

/// How many workers there are, and how many fell silent.
pub(crate) fn workers(stats: &Stats) -> String {
    match stats.workers_lost {
        0 => stats.workers.to_string(),
        lost => format!("{}, {lost} lost", stats.workers),
    }
}

/// How many batches wait for their dead letters, behind the number of these.
fn held(batches: u64) -> String {
    match batches {
        0 => String::new(),
        1 => "; 1 batch waits for its own to be replayed or dropped".to_owned(),
        batches => format!("; {batches} batches wait for theirs to be replayed or dropped"),
    }
}

/// How many batches wait to be written to the roll, and for how long.
pub(crate) fn roll(roll: &RollHealth) -> String {
    let batches = match roll.unwritten_batches {
        0 => return "every complete batch is written".to_owned(),
        1 => "1 complete batch is".to_owned(),
        batches => format!("{batches} complete batches are"),
    };
    let oldest = duration(roll.unwritten_for).map_or_else(|| NONE.to_owned(), span);
    format!("{batches} not written yet, the first for {oldest}")
}

/// Why a worker cannot write the roll, if that is so.
pub(crate) fn roll_problem(roll: &RollHealth) -> Option<String> {
    let problem = printable::text(said(&roll.problem)?);
    let others = match roll.processes_failing {
        0 | 1 => String::new(),
        2 => " and 1 other process".to_owned(),
        failing => format!(" and {} other processes", failing - 1),
    };
    Some(format!(
        "the worker on {}{others} cannot write it: {problem}",
        printable::text(&roll.host)
    ))
}

/// Whether workers take anything.
pub(crate) fn state(paused: bool) -> &'static str {
    if paused { "paused" } else { "running" }
}

/// The figures as lines.
pub(crate) fn text(stats: &Stats) -> String {
    let names = LINE_COLUMNS.map(str::to_owned);
    let rows: Vec<_> = std::iter::once(names).chain(stats.lines.iter().map(line)).collect();
    Columns::at_least([8, 8, 10, 0]).lines(&rows) + "\n" + &Facts(stats).to_string()
}

/// What is not of one line of the queue.
struct Facts<'a>(&'a Stats);

impl fmt::Display for Facts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(stats) = self;
        let Stats { accepted, kept, dead, leased, dead_letters, held_batches, paused, .. } = stats;
        let (rate_in, rate_out) = rates(&stats.flow);
        writeln!(f, "queue     {}", state(*paused))?;
        writeln!(f, "in        {rate_in:.0} a second, {} so far", counted(*accepted, "record"))?;
        writeln!(f, "out       {rate_out:.0} a second, {kept} kept and {dead} dead so far")?;
        writeln!(f, "in hand   {}", counted(*leased, "chunk"))?;
        writeln!(f, "dead      {}{}", counted(*dead_letters, "dead letter"), held(*held_batches))?;
        writeln!(f, "workers   {}", workers(stats))?;
        if let Some(health) = &stats.store {
            writeln!(f, "store     {}", printable::text(&health.url))?;
            writeln!(f, "          {}", store(health))?;
            if let Some(keeps) = keeps(health) {
                writeln!(f, "          {keeps}")?;
            }
            if let Some(problem) = said(&health.problem) {
                writeln!(f, "problem   {}", printable::text(problem))?;
            }
        }
        if let Some(health) = &stats.roll {
            writeln!(f, "roll      {}", roll(health))?;
            if let Some(problem) = roll_problem(health) {
                writeln!(f, "          {problem}")?;
            }
        }
        writeln!(f, "log       {}", log_filter(&stats.log_filter))
    }
}

/// What servers and workers log.
pub(crate) fn log_filter(filter: &str) -> String {
    said(filter).map_or_else(|| "as each program is set".to_owned(), printable::text)
}

#[cfg(test)]
pub(crate) mod tests {
    use prost_types::Timestamp;

    use super::*;

    /// A queue in which all that there is to say is so.
    pub(crate) fn stats() -> Stats {
        let duration = |millis: i32| {
            let (seconds, nanos) = (i64::from(millis / 1000), millis % 1000 * 1_000_000);
            Some(prost_types::Duration { seconds, nanos })
        };
        let line = |name: &str, records, oldest| Line {
            name: name.to_owned(),
            records,
            bytes: records * 300,
            oldest,
        };
        let flow = |second: u64| Flow { at: None, accepted: second * 100, processed: second * 10 };
        Stats {
            at: Some(Timestamp { seconds: 1_700_000_000, nanos: 0 }),
            paused: true,
            lines: vec![
                line("high", 0, None),
                line("normal", 12_034, duration(125_500)),
                line("low\x1b", 7, duration(400)),
            ],
            dead_letters: 3,
            held_batches: 2,
            leased: 1,
            accepted: 20_000,
            kept: 7_956,
            dead: 3,
            workers: 5,
            workers_lost: 1,
            flow: (0..20).map(flow).collect(),
            store: Some(StoreHealth {
                url: "redis://redis:6379".to_owned(),
                version: "redis 7.0.15".to_owned(),
                latency: Some(prost_types::Duration { seconds: 0, nanos: 310_400 }),
                used_bytes: 12 << 20,
                limit_bytes: 1 << 30,
                durability: "synced".to_owned(),
                problem: "the disk is full\n".to_owned(),
                persistence: "append-only file, synced each second".to_owned(),
                may_lose: String::new(),
                full: true,
            }),
            log_filter: "info,muster_queue=debug".to_owned(),
            roll: Some(RollHealth {
                unwritten_batches: 2,
                unwritten_for: duration(65_000),
                processes_failing: 2,
                problem: "no space left\n".to_owned(),
                host: "build".to_owned(),
                since: Some(Timestamp { seconds: 1_700_000_000, nanos: 0 }),
            }),
        }
    }

    #[test]
    fn a_person_sees_rounded_figures() {
        insta::assert_snapshot!(text(&stats()), @r"
        line       records   size        oldest
        high       0         0 B         -
        normal     12034     3.44 MiB    2m 5s
        low\u{1b}  7         2.05 KiB    0s

        queue     paused
        in        1450 a second, 20000 records so far
        out       145 a second, 7956 kept and 3 dead so far
        in hand   1 chunk
        dead      3 dead letters; 2 batches wait for theirs to be replayed or dropped
        workers   5, 1 lost
        store     redis://redis:6379
                  redis 7.0.15, synced, answers in 310.4µs, uses 12.00 MiB of 1.00 GiB: full
                  append-only file, synced each second; accepted records are not lost
        problem   the disk is full\n
        roll      2 complete batches are not written yet, the first for 1m 5s
                  the worker on build and 1 other process cannot write it: no space left\n
        log       info,muster_queue=debug
        ");
    }

    #[test]
    fn a_program_sees_exact_figures() {
        insta::assert_snapshot!(super::super::json(&StatsView::from(&stats())), @r#"
{"at":"2023-11-14T22:13:20.000Z","paused":true,"lines":[{"line":"high","records":0,"bytes":0,"oldest_seconds":null},{"line":"normal","records":12034,"bytes":3610200,"oldest_seconds":125.5},{"line":"low\u001b","records":7,"bytes":2100,"oldest_seconds":0.4}],"in_hand":1,"dead_letters":3,"held_batches":2,"workers":5,"workers_lost":1,"accepted":20000,"kept":7956,"dead":3,"accepted_per_second":1450.0,"processed_per_second":145.0,"store":{"url":"redis://redis:6379","version":"redis 7.0.15","latency_seconds":0.0003104,"used_bytes":12582912,"limit_bytes":1073741824,"full":true,"durability":"synced","persistence":"append-only file, synced each second","may_lose":null,"problem":"the disk is full\n"},"roll":{"unwritten_batches":2,"unwritten_seconds":65.0,"processes_failing":2,"problem":"no space left\n","host":"build","since":"2023-11-14T22:13:20.000Z"},"log_filter":"info,muster_queue=debug"}
        "#);
    }

    #[test]
    fn what_is_not_there_is_not_shown() {
        insta::assert_snapshot!(text(&Stats::default()), @r"
        line      records   size        oldest

        queue     running
        in        0 a second, 0 records so far
        out       0 a second, 0 kept and 0 dead so far
        in hand   0 chunks
        dead      0 dead letters
        workers   0
        log       as each program is set
        ");
    }

    #[test]
    fn a_rate_is_of_the_last_seconds_only() {
        assert_eq!(rates(&stats().flow), (1450.0, 145.0));
        assert_eq!(rates(&[]), (0.0, 0.0));
    }
}
