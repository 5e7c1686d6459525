//! Records in memory, encoded once: made up, of the shape and size of real ones.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use bytes::Bytes;
use muster_integration::users::{User, Users};
use muster_proto::users::UserRequest;
use prost::Message as _;

use crate::digest::Digest;

const SEED: u64 = 6;
/// How many records differ; more are these again. Each record is a record, whatever is in it.
const DISTINCT_MAX: usize = 100_000;
/// The same of long ones, in bytes of all together.
const DISTINCT_BYTES_MAX: usize = 64 << 20;

/// Records without end, by their number.
#[derive(Clone, Debug)]
pub(crate) struct Records {
    distinct: Vec<Bytes>,
}

impl Records {
    /// The first `count` records; with a size, each as near to that many bytes as its fields let it.
    pub(crate) fn new(count: usize, size: Option<usize>) -> Self {
        let encoded = messages(count, size).map(|record| record.encode_to_vec().into());
        Self { distinct: encoded.collect() }
    }

    /// The record of this number.
    pub(crate) fn get(&self, number: usize) -> Bytes {
        self.distinct[number % self.distinct.len()].clone()
    }

    /// How long a record is on the wire, on average, in bytes.
    pub(crate) fn mean_bytes(&self) -> f64 {
        let bytes: usize = self.distinct.iter().map(Bytes::len).sum();
        bytes as f64 / self.distinct.len() as f64
    }
}

/// What a roll of the first `count` records has in it; of this size, if they have one.
pub(crate) fn digest(count: usize, size: Option<usize>) -> Digest {
    let line = |record| serde_json::to_vec(&record).expect("a record is JSON");
    let lines: Vec<Digest> =
        messages(count, size).map(|record| Digest::of_line(&line(record))).collect();
    let mut all = Digest::default();
    for number in 0..count {
        all.add(lines[number % lines.len()]);
    }
    all
}

/// Writes the first `count` records as a JSON array, a record a line.
///
/// # Errors
///
/// Those of the file system.
pub(crate) fn write_json(path: &Path, count: usize) -> io::Result<()> {
    let lines = lines(count);
    let mut file = BufWriter::new(File::create(path)?);
    let mut before: &[u8] = b"[";
    for number in 0..count {
        file.write_all(before)?;
        file.write_all(&lines[number % lines.len()])?;
        before = b",\n";
    }
    file.write_all(b"]\n")?;
    file.flush()
}

/// Writes the first `count` records to `out`, each as a line of JSON.
///
/// # Errors
///
/// Those of `out`.
pub(crate) fn write_ndjson(out: impl Write, count: usize) -> io::Result<()> {
    let lines = lines(count);
    let mut out = BufWriter::with_capacity(1 << 16, out);
    for number in 0..count {
        out.write_all(&lines[number % lines.len()])?;
        out.write_all(b"\n")?;
    }
    out.flush()
}

/// The records that differ, as a real file has them.
fn lines(count: usize) -> Vec<Vec<u8>> {
    users(count).map(|user| serde_json::to_vec(&user).expect("a user is JSON")).collect()
}

fn users(count: usize) -> impl Iterator<Item = User> {
    Users::of_seed(SEED).take(count.clamp(1, DISTINCT_MAX))
}

fn messages(count: usize, size: Option<usize>) -> impl Iterator<Item = UserRequest> {
    let distinct = DISTINCT_BYTES_MAX / size.unwrap_or(1);
    let messages = users(count.min(distinct)).map(|user| UserRequest {
        id: user.id,
        user_name: user.user_name,
        email: user.email,
        first_name: user.first_name.to_owned(),
        last_name: user.last_name.to_owned(),
        ip_address: user.ip_address,
        gender: user.gender.to_owned(),
        country: user.country.to_owned(),
        agent: user.agent.to_owned(),
    });
    messages.map(move |record| match size {
        Some(size) => sized(record, size),
        None => record,
    })
}

/// The record with an `agent` of another length, so that it has `size` bytes on the wire, or a few
/// more or less.
fn sized(mut record: UserRequest, size: usize) -> UserRequest {
    let others = record.encoded_len() - record.agent.len();
    let length = size.saturating_sub(others);
    let text: Vec<char> = record.agent.chars().collect();
    // Each time from another place in the text: what repeats is not all there is.
    let step = usize::try_from(record.id).unwrap_or(1) % 7 + 1;
    record.agent = (0..length).map(|at| text[(at + at / text.len() * step) % text.len()]).collect();
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_about_two_hundred_bytes() {
        let mean = Records::new(1000, None).mean_bytes();
        assert!((180.0..230.0).contains(&mean), "{mean}");
    }

    #[test]
    fn a_record_can_be_made_of_another_size() {
        for size in [100, 1000, 65_536] {
            let records = Records::new(100, Some(size));
            let mean = records.mean_bytes() / size as f64;
            assert!((0.9..1.1).contains(&mean), "{mean} of {size}");
        }
    }

    #[test]
    fn every_form_has_the_same_records() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.json");
        write_json(&path, 30).unwrap();
        let array: Vec<serde_json::Value> =
            serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let mut lines = Vec::new();
        write_ndjson(&mut lines, 30).unwrap();
        let lines: Vec<serde_json::Value> = serde_json::Deserializer::from_slice(&lines)
            .into_iter()
            .collect::<Result<_, _>>()
            .unwrap();
        let records = Records::new(30, None);
        let sent: Vec<serde_json::Value> = (0..30)
            .map(|number| UserRequest::decode(records.get(number)).unwrap())
            .map(|record| serde_json::to_value(&record).unwrap())
            .collect();
        assert_eq!(array, lines);
        assert_eq!(array, sent);
    }
}
