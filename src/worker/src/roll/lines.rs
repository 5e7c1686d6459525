//! The records of a batch as they stand in the roll: a line each, with a comma in between.

use std::path::Path;

use muster_proto::chunk::{Decoder, Unreadable};
use muster_proto::user::User;
use muster_queue::ResultChunk;
use ring::digest::{Context, SHA256};

use super::{Error, FILE_NAME};

/// What stands between two records.
const SEPARATOR: &[u8] = b",\n";

/// The length at which a block ends, in bytes. The record that reaches it is still part of the block.
const BLOCK_BYTES: usize = 1 << 17;
/// The initial capacity of a block, in bytes. It is enough unless the last record is long.
const BLOCK_ROOM: usize = BLOCK_BYTES + (2 << 10);

/// Records as they stand in the roll.
#[derive(Debug)]
pub struct Block {
    /// Their lines, each behind a separator.
    text: Vec<u8>,
    records: u64,
}

impl Block {
    fn empty() -> Self {
        Self { text: Vec::with_capacity(BLOCK_ROOM), records: 0 }
    }

    /// The lines, behind the record before them.
    pub fn following(&self) -> &[u8] {
        &self.text
    }

    /// The lines, where no record is before them.
    pub fn leading(&self) -> &[u8] {
        self.text.strip_prefix(SEPARATOR).unwrap_or_default()
    }

    /// How many records there are.
    pub fn records(&self) -> u64 {
        self.records
    }
}

/// Lays out the records of these results, block by block.
///
/// # Errors
///
/// A result is no chunk, or what it is passed on to fails.
pub fn lay_out(
    results: Vec<ResultChunk>,
    mut pass_on: impl FnMut(Block) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut block = Block::empty();
    for chunk in results {
        for record in Decoder::new(chunk.payload) {
            let record = record?;
            let user = User::read(&record).map_err(Unreadable::from)?;
            block.text.extend_from_slice(SEPARATOR);
            push(&mut block.text, &user)
                .map_err(|error| Error::io("write", Path::new(FILE_NAME), error.into()))?;
            block.records += 1;
            if block.text.len() >= BLOCK_BYTES {
                pass_on(std::mem::replace(&mut block, Block::empty()))?;
            }
        }
    }
    if block.records == 0 { Ok(()) } else { pass_on(block) }
}

/// Writes a record as JSON, with the same result as its `Serialize`. The names are copied, because they
/// need no escapes.
fn push(text: &mut Vec<u8>, user: &User<'_>) -> serde_json::Result<()> {
    text.extend_from_slice(b"{\"id\":");
    serde_json::to_writer(&mut *text, &user.id)?;
    for (name, value) in user.named_texts() {
        text.extend_from_slice(b",\"");
        text.extend_from_slice(name.as_bytes());
        text.extend_from_slice(b"\":");
        serde_json::to_writer(&mut *text, value)?;
    }
    text.push(b'}');
    Ok(())
}

/// The records of a batch, counted and digested: all of what is between its first and its last
/// byte in the roll.
///
/// By ring: where a processor has no instructions for it, that is faster than sha2, with which the
/// roll itself is digested, since its state can be kept.
pub(super) struct BatchDigest {
    pub(super) records: u64,
    digest: Context,
}

impl Default for BatchDigest {
    fn default() -> Self {
        Self { records: 0, digest: Context::new(&SHA256) }
    }
}

impl BatchDigest {
    /// Adds records.
    pub(super) fn add(&mut self, block: &Block) {
        let lines = if self.records == 0 { block.leading() } else { block.following() };
        self.digest.update(lines);
        self.records += block.records;
    }

    /// Their SHA-256, in hexadecimal.
    pub(super) fn sha256(self) -> String {
        hex(self.digest.finish().as_ref())
    }
}

/// A digest in hexadecimal.
pub(super) fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_is_written_as_it_is_serialized() {
        let users = [
            User::default(),
            User { id: i32::MIN, user_name: "\"\\\n\u{0}", email: "ä🙂", ..User::default() },
            User { id: i32::MAX, gender: "</script>", agent: "\u{2028}\u{7f}", ..User::default() },
        ];
        for user in users {
            let mut text = Vec::new();
            push(&mut text, &user).unwrap();
            assert_eq!(String::from_utf8(text).unwrap(), serde_json::to_string(&user).unwrap());
        }
    }
}
