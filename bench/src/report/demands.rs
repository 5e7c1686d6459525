//! What is demanded of Muster, and whether it was reached.

use super::measured::{Case, Measured};
use super::table::Table;
use crate::figures;
use crate::number::{figure, spread};
use crate::section::Section::{Latency, Rest, Scaling, Throughput};
use crate::spread::Spread;

use Bound::{AtLeast, AtMost};

/// What is demanded of one figure.
#[derive(Clone)]
struct Demand {
    what: &'static str,
    bound: Bound,
    found: Option<Spread>,
}

/// How much it may be.
#[derive(Clone, Copy)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl From<(&'static str, Bound, Option<Spread>)> for Demand {
    fn from((what, bound, found): (&'static str, Bound, Option<Spread>)) -> Self {
        Self { what, bound, found }
    }
}

impl Bound {
    fn holds(self, figure: f64) -> bool {
        match self {
            Self::AtLeast(least) => figure >= least,
            Self::AtMost(most) => figure <= most,
        }
    }

    fn words(self) -> String {
        match self {
            Self::AtLeast(least) => format!("at least {}", figure(least)),
            Self::AtMost(most) => format!("at most {}", figure(most)),
        }
    }
}

/// The table of all demands.
pub(super) fn section(measured: &Measured<'_>) -> String {
    let mut table = Table::new(&["what", "demanded", "measured", "reached"]);
    for Demand { what, bound, found } in demands(measured) {
        let reached = match found {
            None => "not measured",
            Some(found) if bound.holds(found.median) => "reached",
            Some(_) => "**not reached**",
        };
        table.row(&[what.to_owned(), bound.words(), spread(found), reached.to_owned()]);
    }
    format!("## What is demanded, and what is reached\n\n{}", table.finish())
}

fn demands(measured: &Measured<'_>) -> Vec<Demand> {
    [throughput(measured), scaling_and_latency(measured), rest(measured)].concat()
}

fn throughput(measured: &Measured<'_>) -> Vec<Demand> {
    let rate = |name: &str, other: &str| rates(measured, name, other);
    let peer = |beginning: &str| beside_peer(measured, beginning);
    let memory = measured
        .case(Throughput, "muster accepted stream")
        .and_then(|case| case.beside(figures::REDIS_MEMORY_BYTES, case, figures::RECORD_BYTES));
    [
        (
            "end to end by stream, beside the bare path with one entry a record",
            AtLeast(1.8),
            rate("muster stream off", "bare stream off"),
        ),
        (
            "the same beside the bare path with 64 records an entry",
            AtLeast(0.9),
            rate("muster stream off", "bare 64 stream off"),
        ),
        (
            "end to end by stream, AOF everysec, beside the bare path without AOF",
            AtLeast(1.0),
            rate("muster stream everysec", "bare stream off"),
        ),
        (
            "end to end by stream, AOF always, answered when synced, beside the bare path without AOF",
            AtLeast(0.6),
            rate("muster stream always", "bare stream off"),
        ),
        (
            "accepted by stream, beside tonic's echo by stream",
            AtLeast(0.6),
            rate("muster accepted stream", "echo stream"),
        ),
        (
            "unary, 256 in flight, end to end, beside the bare path",
            AtLeast(1.0),
            rate("muster unary 256 off", "bare unary 256 off"),
        ),
        (
            "unary, 256 in flight, end to end, beside tonic's echo",
            AtLeast(0.6),
            rate("muster unary 256 off", "echo unary 256"),
        ),
        (
            "`muster run` (all in one, embedded, synced), beside the bare path",
            AtLeast(1.5),
            rate("muster run", "bare stream off"),
        ),
        (
            "end to end, beside apalis-redis with its defaults",
            AtLeast(25.0),
            peer("peer apalis defaults"),
        ),
        ("end to end, beside apalis-redis, tuned", AtLeast(7.0), peer("peer apalis tuned")),
        ("end to end, beside BullMQ", AtLeast(40.0), peer("peer bullmq")),
        ("end to end, beside Sidekiq", AtLeast(40.0), peer("peer sidekiq")),
        ("end to end, beside RQ as the seed runs it", AtLeast(3000.0), peer("peer rq seed")),
        (
            "Redis memory a waiting record, beside the record's size on the wire",
            AtMost(0.6),
            memory,
        ),
    ]
    .map(Demand::from)
    .into()
}

fn scaling_and_latency(measured: &Measured<'_>) -> Vec<Demand> {
    let backlog = |waiting: &str| measured.case(Scaling, &format!("backlog {waiting}"));
    let flat = backlog("10000000").zip(backlog("1000"));
    let paced = |system: &str| measured.case(Latency, &format!("paced {system} 50"));
    let calls = paced("muster").zip(paced("bare"));
    let start = measured.case(Latency, "server start");
    let start = start.and_then(|case| case.spread(figures::SECONDS));
    [
        (
            "rate with 10,000,000 records waiting, beside 1,000 waiting",
            AtLeast(0.9),
            flat.and_then(|(much, little)| much.beside(figures::RATE, little, figures::RATE)),
        ),
        (
            "unary p99 at half load, beside the bare path",
            AtMost(1.2),
            calls.and_then(|(muster, bare)| muster.beside(figures::P99, bare, figures::P99)),
        ),
        (
            "server, from its start until it is ready, in ms",
            AtMost(50.0),
            start.map(|seconds| seconds.times(1e3)),
        ),
    ]
    .map(Demand::from)
    .into()
}

fn rest(measured: &Measured<'_>) -> Vec<Demand> {
    let idle = |figure: String| measured.case(Rest, "idle")?.spread(&figure);
    let share = |part| idle(figures::share(part)).map(|share| share.times(100.0));
    let resident = |part| idle(figures::resident(part)).map(mebibytes);
    let peak =
        |part| measured.case(Rest, "many 10000000")?.spread(&figures::peak(part)).map(mebibytes);
    [
        ("server at rest, % of a core", AtMost(0.5), share("server")),
        ("worker at rest, % of a core", AtMost(0.5), share("workers")),
        ("server at rest, MiB", AtMost(20.0), resident("server")),
        ("worker at rest, MiB", AtMost(20.0), resident("workers")),
        ("ten million records: the client's peak, MiB", AtMost(100.0), peak("client")),
        ("ten million records: the server's peak, MiB", AtMost(100.0), peak("server")),
        ("ten million records: a worker's peak, MiB", AtMost(100.0), peak("workers")),
    ]
    .map(Demand::from)
    .into()
}

fn mebibytes(bytes: Spread) -> Spread {
    bytes.times(1.0 / f64::from(1 << 20))
}

/// The rate of a case beside that of another one.
fn rates(measured: &Measured<'_>, name: &str, other: &str) -> Option<Spread> {
    let case = |name| measured.case(Throughput, name);
    case(name)?.beside(figures::RATE, case(other)?, figures::RATE)
}

/// The rate beside that of a peer; if it has several variants, of the fastest.
fn beside_peer(measured: &Measured<'_>, beginning: &str) -> Option<Spread> {
    let rate = |case: &&Case<'_>| case.median(figures::RATE).unwrap_or(0.0);
    let variants = measured.cases(Throughput, beginning);
    let fastest = variants.max_by(|one, other| rate(one).total_cmp(&rate(other)))?;
    rates(measured, "muster stream off", fastest.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Row;

    fn row(name: &str, rate: f64) -> Row {
        let figures = crate::figures::Figures::from([(figures::RATE.to_owned(), rate)]);
        let (name, title) = (name.to_owned(), name.to_owned());
        Row::Measured { section: Throughput, name, title, round: 1, figures }
    }

    #[test]
    fn what_is_demanded_is_reached_or_not_or_unknown() {
        let rows = [
            row("muster stream off", 400.0),
            row("bare stream off", 200.0),
            row("bare 64 stream off", 500.0),
            row("peer bullmq 5x1", 4.0),
            row("peer bullmq 5x50", 8.0),
        ];
        let text = section(&Measured::of(&rows));
        for line in [
            "beside the bare path with one entry a record | at least 1.80 | 2.00 | reached |",
            "with 64 records an entry | at least 0.900 | 0.800 | **not reached** |",
            "beside BullMQ | at least 40.0 | 50.0 | reached |",
            "beside Sidekiq | at least 40.0 | – | not measured |",
        ] {
            assert!(text.contains(line), "{line:?} is not in\n{text}");
        }
    }
}
