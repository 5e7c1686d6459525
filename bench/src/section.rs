//! The parts of the report.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A part of the report, that can be measured by itself.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Section {
    /// How many records a second, beside the limits of the machine, and beside others
    Throughput,
    /// The same against how many workers, how long batches, records, queues and rolls are
    Scaling,
    /// How long one has to wait
    Latency,
    /// What it costs to have it, and what ten million records need
    Rest,
}

impl Section {
    /// All of them, in the order of the report.
    pub const ALL: [Self; 4] = [Self::Throughput, Self::Scaling, Self::Latency, Self::Rest];
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Throughput => "throughput",
            Self::Scaling => "scaling",
            Self::Latency => "latency",
            Self::Rest => "rest",
        })
    }
}
