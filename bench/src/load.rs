//! The load generator: sends records that are in memory, encoded, and says how fast they were
//! answered. It sends the same to everything that speaks `proto/users.proto`.
//!
//! It says "ready" when it is connected and warm, and waits for a line on its standard input; then
//! it sends, and prints an [`Answer`]. It ends when its standard input does: until then, what it
//! cost can be read.

mod codec;
mod pace;
mod sender;

use std::io::{self, BufRead as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::records::Records;
use crate::{clock, runtime};
use sender::Sender;

/// By how many calls at once paced ones are warmed up.
const PACED_WARM_UP_IN_FLIGHT: usize = 32;

/// What is sent, and how.
#[derive(Clone, Debug, PartialEq, clap::Args)]
pub struct Plan {
    /// Where to: http://HOST:PORT
    #[arg(long, value_name = "URL")]
    pub server: String,
    /// How many records are sent
    #[arg(long, value_name = "N")]
    pub records: usize,
    /// By how many unary calls under way at once [default: by one client stream]
    #[arg(long, value_name = "N")]
    pub in_flight: Option<usize>,
    /// How many unary calls a second, at times that are fixed beforehand, however long each takes
    #[arg(long, value_name = "N", conflicts_with_all = ["in_flight", "batch"])]
    pub rate: Option<u32>,
    /// How many records a stream has, one stream after another [default: all]
    #[arg(long, value_name = "N", conflicts_with = "in_flight")]
    pub batch: Option<usize>,
    /// How long a record is, in bytes on the wire [default: as it comes]
    #[arg(long, value_name = "BYTES")]
    pub size: Option<usize>,
    /// How many records are sent before, in the same way
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub warm_up: usize,
    /// How many batches of one record are begun before, and left open
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub open_batches: usize,
}

impl Plan {
    /// All of these records by one stream, to wherever is said later.
    pub fn stream(records: usize) -> Self {
        Self {
            server: String::new(),
            records,
            in_flight: None,
            rate: None,
            batch: None,
            size: None,
            warm_up: 0,
            open_batches: 0,
        }
    }

    /// The same by unary calls.
    pub fn unary(records: usize, in_flight: usize) -> Self {
        Self { in_flight: Some(in_flight), ..Self::stream(records) }
    }

    /// The same by unary calls, so many a second.
    pub fn paced(records: usize, rate: u32) -> Self {
        Self { rate: Some(rate), ..Self::stream(records) }
    }

    /// How many records are sent in all.
    pub fn total(&self) -> usize {
        self.open_batches + self.warm_up + self.records
    }

    /// What is sent before.
    fn warm_up_plan(&self) -> Self {
        let in_flight = self.in_flight.or(self.rate.map(|_| PACED_WARM_UP_IN_FLIGHT));
        Self { records: self.warm_up, in_flight, rate: None, ..self.clone() }
    }

    /// The arguments that say so.
    pub fn arguments(&self) -> Vec<String> {
        let numbers = [
            ("--records", Some(self.records)),
            ("--in-flight", self.in_flight),
            ("--rate", self.rate.map(|rate| rate as usize)),
            ("--batch", self.batch),
            ("--size", self.size),
            ("--warm-up", Some(self.warm_up)),
            ("--open-batches", Some(self.open_batches)),
        ];
        let said = numbers.into_iter().filter_map(|(name, number)| Some((name, number?)));
        let numbers = said.flat_map(|(name, number)| [name.to_owned(), number.to_string()]);
        ["--server".to_owned(), self.server.clone()].into_iter().chain(numbers).collect()
    }
}

/// What came of it. Times are those of the system's clock, in seconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// When the first record was sent.
    pub began: f64,
    /// When the last answer was there.
    pub ended: f64,
    /// How long a record is on the wire, on average, in bytes.
    pub record_bytes: f64,
    /// How long unary calls took. Of paced ones, from the time at which each was to be sent.
    pub latency: Option<Latency>,
}

/// How long calls took, in microseconds: half of them no longer than `p50`, and so on.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the usual ones")]
pub struct Latency {
    pub p50: f64,
    pub p99: f64,
    pub p999: f64,
    pub max: f64,
}

impl Latency {
    fn of(histogram: &Histogram<u64>) -> Self {
        let quantile = |quantile| histogram.value_at_quantile(quantile) as f64 / 1e3;
        let [p50, p99, p999, max] = [0.5, 0.99, 0.999, 1.0].map(quantile);
        Self { p50, p99, p999, max }
    }
}

/// Carries out the plan.
///
/// # Errors
///
/// The server cannot be reached, or does not take a record.
pub fn run(plan: &Plan) -> anyhow::Result<()> {
    let records = Records::new(plan.records.max(plan.warm_up), plan.size);
    let record_bytes = records.mean_bytes();
    runtime::of(1)?.block_on(async {
        let sender = Sender::connect(&plan.server, Arc::new(records)).await?;
        sender.open_batches(plan.open_batches).await?;
        if plan.warm_up > 0 {
            sender.carry_out(&plan.warm_up_plan()).await?;
        }
        say("ready")?;
        // Nothing else runs in the meantime.
        io::stdin().lock().read_line(&mut String::new())?;
        let began = clock::now();
        let histogram = sender.carry_out(plan).await?;
        let ended = clock::now();
        let latency = histogram.map(|histogram| Latency::of(&histogram));
        say(&serde_json::to_string(&Answer { began, ended, record_bytes, latency })?)?;
        io::stdin().lock().read_line(&mut String::new())?;
        Ok(())
    })
}

fn say(line: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()
}

/// A histogram of nanoseconds, up to a minute.
fn histogram() -> Histogram<u64> {
    let highest = Duration::from_secs(60).as_nanos();
    Histogram::new_with_max(u64::try_from(highest).unwrap_or(u64::MAX), 3).expect("bounds are fine")
}
