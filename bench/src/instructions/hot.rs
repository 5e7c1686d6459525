//! The hot functions, each on the same records again and again.

use std::hint::black_box;

use anyhow::ensure;
use bytes::Bytes;
use clap::{Args, ValueEnum};
use muster_client::input::{Item, Reader, Sources};
use muster_proto::chunk::Encoder;
use muster_proto::user::User;
use muster_queue::{BatchId, Chunk, History, Kept, Lease, ResultChunk, WorkerId};
use muster_worker::processor::{Rules, Validate};
use muster_worker::roll::lines;
use muster_worker::{Retries, outcome};

use crate::records::{self, Records};

/// How many records each repetition has: those of one chunk.
pub(super) const RECORDS: usize = 256;

/// Repeats a hot function, for someone who counts what it does.
#[derive(Clone, Debug, Args)]
pub struct Hot {
    case: Case,
    /// How many times
    times: usize,
}

/// A hot function, on the way of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Case {
    /// The client: from a JSON file to the wire
    ReadJson,
    /// The server: from the wire to a chunk
    FillChunk,
    /// The worker: a chunk through the validation
    ProcessChunk,
    /// The roll: from a chunk to lines
    LayOut,
}

impl Case {
    pub(super) const ALL: [Self; 4] =
        [Self::ReadJson, Self::FillChunk, Self::ProcessChunk, Self::LayOut];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ReadJson => "read-json",
            Self::FillChunk => "fill-chunk",
            Self::ProcessChunk => "process-chunk",
            Self::LayOut => "lay-out",
        }
    }
}

impl Hot {
    /// Does it.
    ///
    /// # Errors
    ///
    /// The file system fails, or the function has not done what it is for.
    pub fn run(&self) -> anyhow::Result<()> {
        let records = Records::new(RECORDS, None);
        let wires: Vec<Bytes> = (0..RECORDS).map(|number| records.get(number)).collect();
        match self.case {
            Case::ReadJson => self.read_json(),
            Case::FillChunk => self.repeat(|| Ok(fill_chunk(&wires)?.len())),
            Case::ProcessChunk => self.process_chunk(fill_chunk(&wires)?),
            Case::LayOut => self.lay_out(&fill_chunk(&wires)?),
        }
    }

    /// Each repetition must have done something.
    fn repeat(&self, mut once: impl FnMut() -> anyhow::Result<usize>) -> anyhow::Result<()> {
        for _ in 0..self.times {
            ensure!(black_box(once()?) > 0, "nothing was done");
        }
        Ok(())
    }

    fn read_json(&self) -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("users.json");
        records::write_json(&path, RECORDS)?;
        let sources = Sources::from_arguments(&[&path])?;
        self.repeat(|| {
            let (mut reader, mut wire) = (Reader::new(sources.clone()), Vec::new());
            while let Some(Item::Record { record, .. }) = reader.next_item() {
                record.user().write(&mut wire);
            }
            ensure!(reader.counts()[0].records == RECORDS as u64, "not all was read");
            Ok(wire.len())
        })
    }

    fn process_chunk(&self, payload: Bytes) -> anyhow::Result<()> {
        let (validate, retries) = (Validate::new(Rules::default()), Retries::default());
        let chunk = Chunk {
            lease: Lease::new(WorkerId::random("bench"), String::new()),
            batch: BatchId::random("bench"),
            first: 0,
            count: u32::try_from(RECORDS)?,
            payload,
            trace: None,
            lost: 0,
            history: History::default(),
        };
        self.repeat(|| {
            let outcome = outcome::of(&chunk, &validate, &retries);
            ensure!(outcome.kept == Kept::AsSent, "not all was kept");
            Ok(RECORDS)
        })
    }

    fn lay_out(&self, payload: &Bytes) -> anyhow::Result<()> {
        self.repeat(|| {
            let (payload, mut done) = (payload.clone(), 0);
            let result = ResultChunk { first: 0, count: u32::try_from(RECORDS)?, payload };
            lines::lay_out(vec![result], |block| {
                done += block.following().len();
                Ok(())
            })?;
            Ok(done)
        })
    }
}

/// As the server does it: each record is looked at, and goes as it is.
fn fill_chunk(wires: &[Bytes]) -> anyhow::Result<Bytes> {
    let mut chunk = Encoder::default();
    for wire in wires {
        User::read(wire)?;
        chunk.push_raw(wire);
    }
    Ok(chunk.take())
}
