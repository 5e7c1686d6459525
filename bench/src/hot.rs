//! The hot functions, on the way of a record, each to be called on the same records again and again.

use std::hint::black_box;

use anyhow::ensure;
use bytes::Bytes;
use clap::ValueEnum;
use muster_client::input::{Item, Reader, Sources};
use muster_proto::chunk::Encoder;
use muster_proto::user::User;
use muster_queue::{BatchId, Chunk, History, Kept, Lease, ResultChunk, WorkerId};
use muster_worker::processor::{Rules, Validate};
use muster_worker::roll::lines;
use muster_worker::{Retries, outcome};

use crate::records::{self, Records};

/// How many records a call has: those of one chunk.
pub const RECORDS: usize = 256;

/// A hot function, on the way of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Case {
    /// The client: from a JSON file to the wire
    ReadJson,
    /// The server: from the wire to a chunk
    FillChunk,
    /// The worker: a chunk through the validation
    ProcessChunk,
    /// The roll: from a chunk to lines
    LayOut,
}

/// One call of a hot function. An error says that it has not done what it is for.
pub type Call = Box<dyn FnMut() -> anyhow::Result<()>>;

impl Case {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::ReadJson, Self::FillChunk, Self::ProcessChunk, Self::LayOut];

    /// Its name, as the command line has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadJson => "read-json",
            Self::FillChunk => "fill-chunk",
            Self::ProcessChunk => "process-chunk",
            Self::LayOut => "lay-out",
        }
    }

    /// Prepares it: what is returned is to be called.
    ///
    /// # Errors
    ///
    /// The file system fails.
    pub fn prepare(self) -> anyhow::Result<Call> {
        let records = Records::new(RECORDS, None);
        let wires: Vec<Bytes> = (0..RECORDS).map(|number| records.get(number)).collect();
        Ok(match self {
            Self::ReadJson => read_json()?,
            Self::FillChunk => Box::new(move || did_something(fill_chunk(&wires)?.len())),
            Self::ProcessChunk => process_chunk(fill_chunk(&wires)?)?,
            Self::LayOut => lay_out(fill_chunk(&wires)?),
        })
    }
}

fn did_something(bytes: usize) -> anyhow::Result<()> {
    ensure!(black_box(bytes) > 0, "nothing was done");
    Ok(())
}

fn read_json() -> anyhow::Result<Call> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("users.json");
    records::write_json(&path, RECORDS)?;
    let sources = Sources::from_arguments(&[&path], false)?;
    Ok(Box::new(move || {
        // It goes with the call that reads from it.
        let _ = &folder;
        let (mut reader, mut wire) = (Reader::new(sources.clone(), None), Vec::new());
        while let Some(Item::Record { record, .. }) = reader.next_item() {
            record.user().write(&mut wire);
        }
        ensure!(reader.counts()[0].records == RECORDS as u64, "not all was read");
        did_something(wire.len())
    }))
}

fn process_chunk(payload: Bytes) -> anyhow::Result<Call> {
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
    Ok(Box::new(move || {
        let outcome = black_box(outcome::of(&chunk, &validate, &retries));
        ensure!(outcome.kept == Kept::AsSent, "not all was kept");
        Ok(())
    }))
}

fn lay_out(payload: Bytes) -> Call {
    Box::new(move || {
        let (payload, mut done) = (payload.clone(), 0);
        let result = ResultChunk { first: 0, count: u32::try_from(RECORDS)?, payload };
        lines::lay_out(vec![result], |block| {
            done += block.following().len();
            Ok(())
        })?;
        did_something(done)
    })
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
