//! The roll, fetched from a server and held against what the server said of it.

use std::io;

use muster_proto::metadata::{ROLL_BATCHES, ROLL_BYTES, ROLL_DEAD, ROLL_RECORDS, ROLL_SHA256};
use muster_roll::Manifest;
use sha2::{Digest as _, Sha256};
use tonic::metadata::MetadataMap;

use crate::operations::{self, Operations};
use crate::printable;

/// Why the roll was not fetched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The server did not give it, or not to its end.
    #[error(transparent)]
    Operation(#[from] operations::Error),
    /// The server did not send the manifest.
    #[error("{server} does not send the manifest of the roll")]
    Unlabelled {
        /// The server's URL.
        server: String,
    },
    /// What came is not what the server said.
    #[error(
        "what came from {server} is not the roll: {} bytes with the SHA-256 {}, not {} bytes with \
         {}; fetch it again",
        got.bytes, got.sha256, expected.bytes, printable::text(&expected.sha256)
    )]
    Differs {
        /// The server's URL.
        server: String,
        /// What came.
        got: Box<Manifest>,
        /// What the server said.
        expected: Box<Manifest>,
    },
    /// It cannot be written.
    #[error("the roll cannot be written: {0}")]
    Write(#[from] io::Error),
}

/// Fetches the roll, and hands it to `write` part by part, until that returns `false`: nobody
/// reads it any more. Returns its manifest, without the batches that were added last.
pub(crate) async fn fetch(
    operations: &Operations,
    mut write: impl FnMut(&[u8]) -> io::Result<bool>,
) -> Result<Manifest, Error> {
    let server = || operations.url().to_owned();
    let answer = operations.download().await?;
    let expected =
        expected(answer.metadata()).ok_or_else(|| Error::Unlabelled { server: server() })?;
    let mut parts = answer.into_inner();
    let (mut bytes, mut digest) = (0, Sha256::new());
    while let Some(part) = operations.next_part(&mut parts).await? {
        bytes += part.data.len() as u64;
        digest.update(&part.data);
        if !write(&part.data)? {
            return Ok(expected);
        }
    }
    let sha256 = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let got = Manifest { bytes, sha256, ..expected.clone() };
    if got == expected {
        return Ok(got);
    }
    Err(Error::Differs { server: server(), got: Box::new(got), expected: Box::new(expected) })
}

fn expected(metadata: &MetadataMap) -> Option<Manifest> {
    let text = |key| metadata.get(key)?.to_str().ok();
    let number = |key| text(key)?.parse().ok();
    Some(Manifest {
        records: number(ROLL_RECORDS)?,
        batches: number(ROLL_BATCHES)?,
        dead: number(ROLL_DEAD)?,
        bytes: number(ROLL_BYTES)?,
        sha256: text(ROLL_SHA256)?.to_owned(),
        ..Manifest::default()
    })
}
