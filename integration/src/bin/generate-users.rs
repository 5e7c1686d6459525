//! Writes made-up user records, or the sample folder, for a seed.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use muster_integration::examples;
use muster_integration::users::{Users, write_json, write_ndjson};

/// Write made-up user records to standard output, or the sample folder.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many records to write.
    #[arg(long, value_name = "N", required_unless_present = "examples")]
    records: Option<usize>,

    /// The same seed gives the same records on every machine.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,

    /// One array, or one object a line.
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,

    /// Write the sample files into this folder, and nothing else.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["records", "seed", "format"])]
    examples: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Json,
    Ndjson,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if let Some(folder) = arguments.examples {
        return Ok(examples::write_to(&folder)?);
    }
    let users = Users::of_seed(arguments.seed).take(arguments.records.unwrap_or_default());
    match write_users(users, arguments.format) {
        // Whoever reads has seen enough, as `head` does.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

fn write_users(users: std::iter::Take<Users>, format: Format) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    match format {
        Format::Json => write_json(&mut out, users)?,
        Format::Ndjson => write_ndjson(&mut out, users)?,
    }
    out.flush()
}
