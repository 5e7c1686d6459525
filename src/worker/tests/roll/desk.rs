//! A folder with a store and a roll, both of which can be put back to an earlier state.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use muster_content::{ContentDigest, RecordHash};
use muster_program::shutdown::Shutdown;
use muster_proto::chunk::Encoder;
use muster_proto::user::User;
use muster_queue::embedded::EmbeddedQueue;
use muster_queue::{
    BatchId, BatchOptions, BatchState, DeadLetter, Durability, Kept, NewChunk, Outcome, Places,
    Queue, ResultChunk, StoreOptions, Work, WorkerId,
};
use muster_worker::roll::{Accepted, Error, FILE_NAME, MANIFEST_NAME, Manifest, Roll};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

/// More chunks than any test sends.
const ALL: usize = 100;
const CHUNK_RECORDS: usize = 10;

pub(crate) struct Desk {
    home: TempDir,
}

/// What was in a file; `None` if it was not there.
pub(crate) type Content = Option<Vec<u8>>;

impl Desk {
    pub(crate) fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn store_file(&self) -> PathBuf {
        self.home.path().join("queue.redb")
    }

    pub(crate) fn roll_file(&self) -> PathBuf {
        self.folder().join(FILE_NAME)
    }

    pub(crate) fn manifest_file(&self) -> PathBuf {
        self.folder().join(MANIFEST_NAME)
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.home.path().join("roll")
    }

    pub(crate) fn roll(&self) -> Roll {
        Roll::in_folder(&self.folder(), Durability::Synced, None)
    }

    pub(crate) fn open(&self) -> EmbeddedQueue {
        EmbeddedQueue::open(&self.store_file(), &StoreOptions::default()).unwrap()
    }

    /// Completes a batch of the records with these ids.
    pub(crate) async fn complete(&self, batch: &str, ids: impl IntoIterator<Item = i32>) {
        complete(&self.open(), batch, ids).await;
    }

    /// Completes a batch of the records with these ids, some of which become dead letters.
    pub(crate) async fn complete_but(
        &self,
        batch: &str,
        ids: impl IntoIterator<Item = i32>,
        dead: &[i32],
    ) {
        complete_but(&self.open(), batch, ids, |id| dead.contains(&id)).await;
    }

    /// Completes a batch of records that come one by one, each with its id as its index, in this order.
    pub(crate) async fn complete_each(&self, batch: &str, ids: impl IntoIterator<Item = i32>) {
        complete_each(&self.open(), &id(batch), &Vec::from_iter(ids)).await;
    }

    /// Appends records with these ids to a batch that stays open.
    pub(crate) async fn append(&self, batch: &str, ids: impl IntoIterator<Item = i32>) {
        append(&self.open(), &id(batch), &Vec::from_iter(ids)).await;
    }

    /// Writes the roll as a process would that begins and ends with it.
    pub(crate) async fn write(&self) -> Result<(), Error> {
        self.roll().write(&self.open(), &Shutdown::default()).await
    }

    /// Checks the roll as a process does that begins.
    pub(crate) async fn check(&self) -> Result<(), Error> {
        self.roll().check(&self.open()).await.map(drop)
    }

    /// Accepts the roll as an operator does.
    pub(crate) async fn accept(&self) -> Result<Accepted, Error> {
        self.roll().accept(&self.open(), false).await
    }

    /// The ids in the roll, which is laid out as it must be and described by its manifest.
    pub(crate) fn ids(&self) -> Vec<i32> {
        let roll = fs::read_to_string(self.roll_file()).unwrap();
        let records: Vec<serde_json::Value> = serde_json::from_str(&roll).unwrap();
        assert_eq!(roll.lines().count(), records.len() + 2, "a record a line: {roll}");
        let manifest = self.manifest();
        assert_eq!(manifest.records, records.len() as u64);
        assert_eq!(manifest.bytes, roll.len() as u64);
        assert_eq!(manifest.sha256, digest(roll.as_bytes()));
        records.iter().map(|record| id_of(&record["id"])).collect()
    }

    pub(crate) fn manifest_of(&self, folder: &Path) -> Manifest {
        Roll::in_folder(folder, Durability::Synced, None).manifest().unwrap()
    }

    pub(crate) fn manifest(&self) -> Manifest {
        self.roll().manifest().unwrap()
    }

    /// The state of a batch, and the digest of the roll that first held it.
    pub(crate) async fn batch(&self, batch: &str) -> (BatchState, Option<String>) {
        let batch = self.open().batch(&id(batch)).await.unwrap().unwrap();
        (batch.state, batch.roll_sha256)
    }
}

/// The SHA-256 of this, in hexadecimal.
pub(crate) fn digest(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn id_of(value: &serde_json::Value) -> i32 {
    i32::try_from(value.as_i64().unwrap()).unwrap()
}

/// Reads a file, for [`put_back`].
pub(crate) fn content(path: &PathBuf) -> Content {
    fs::read(path).ok()
}

/// Puts a file back to what was in it.
pub(crate) fn put_back(path: &PathBuf, content: Content) {
    match content {
        Some(content) => fs::write(path, content).unwrap(),
        None => fs::remove_file(path).unwrap(),
    }
}

/// Completes a batch: a record whose id is negative becomes a dead letter.
pub(crate) async fn complete(queue: &dyn Queue, batch: &str, ids: impl IntoIterator<Item = i32>) {
    complete_but(queue, batch, ids, |id| id < 0).await;
}

/// Completes a batch, which may be open and have some of its records. Some become dead letters.
async fn complete_but(
    queue: &dyn Queue,
    batch: &str,
    ids: impl IntoIterator<Item = i32>,
    is_dead: impl Fn(i32) -> bool,
) {
    let (batch, ids) = (id(batch), Vec::from_iter(ids));
    append(queue, &batch, &ids).await;
    process(queue, &batch, &ids, is_dead).await;
}

async fn complete_each(queue: &dyn Queue, batch: &BatchId, ids: &[i32]) {
    queue.open(batch, &BatchOptions::default()).await.unwrap();
    for ids in ids.chunks(CHUNK_RECORDS) {
        let indexed = |id: &i32| (u64::try_from(*id).unwrap(), RecordHash::of(&payload(&[*id])));
        let places = Places::Each(ids.iter().map(indexed).collect());
        let count = u32::try_from(ids.len()).unwrap();
        let chunk = NewChunk { places, count, payload: payload(ids), trace: None };
        queue.append(batch, &[chunk]).await.unwrap();
    }
    process(queue, batch, ids, |_| false).await;
}

/// Seals a batch, and processes its records, which are in this order.
async fn process(queue: &dyn Queue, batch: &BatchId, ids: &[i32], is_dead: impl Fn(i32) -> bool) {
    queue.seal(batch, Some(ids.len() as u64), None).await.unwrap();
    let worker = WorkerId::random("test");
    for work in queue.lease(&worker, ALL, Duration::ZERO).await.unwrap() {
        if let Work::Chunk(chunk) = work {
            queue.commit(&chunk, &outcome(chunk.first, ids, &is_dead)).await.unwrap();
        }
    }
}

/// Appends what an open batch does not have of these records.
async fn append(queue: &dyn Queue, batch: &BatchId, ids: &[i32]) {
    queue.open(batch, &BatchOptions::default()).await.unwrap();
    let (mut place, mut before) = (0, ContentDigest::EMPTY);
    for ids in ids.chunks(CHUNK_RECORDS) {
        let count = u32::try_from(ids.len()).unwrap();
        let payload = payload(ids);
        let after = before.then(RecordHash::of(&payload));
        let places = Places::From { first: place, before, after };
        let chunk = NewChunk { places, count, payload, trace: None };
        before = after;
        queue.append(batch, &[chunk]).await.unwrap();
        place += u64::from(count);
    }
}

/// Completes a batch of one chunk that is none.
pub(crate) async fn complete_unreadable(queue: &dyn Queue, batch: &str) {
    let batch = id(batch);
    queue.open(&batch, &BatchOptions::default()).await.unwrap();
    let payload = Bytes::from_static(b"no chunk");
    let (before, after) = Default::default();
    let places = Places::From { first: 0, before, after };
    let chunk = NewChunk { places, count: 1, payload, trace: None };
    queue.append(&batch, &[chunk]).await.unwrap();
    queue.seal(&batch, Some(1), None).await.unwrap();
    let work = queue.lease(&WorkerId::random("test"), ALL, Duration::ZERO).await.unwrap();
    let chunks = work.iter().filter_map(|work| match work {
        Work::Chunk(chunk) => Some(chunk),
        Work::Roll(_) => None,
    });
    let outcome = Outcome { kept: Kept::AsSent, dead: Vec::new(), retry: Vec::new() };
    for chunk in chunks {
        queue.commit(chunk, &outcome).await.unwrap();
    }
}

fn outcome(first: u64, ids: &[i32], is_dead: impl Fn(i32) -> bool) -> Outcome {
    let chunk = (0..).zip(ids.iter().copied()).skip_while(|(place, _)| *place < first);
    let mut outcome = Outcome { kept: Kept::AsSent, dead: Vec::new(), retry: Vec::new() };
    let mut kept = Vec::new();
    for (place, id) in chunk.take(CHUNK_RECORDS) {
        if is_dead(id) {
            outcome.dead.push(letter(place, id));
        } else {
            kept.push(ResultChunk { first: place, count: 1, payload: payload(&[id]) });
        }
    }
    outcome.kept = Kept::Runs(kept);
    outcome
}

fn letter(place: u64, record_id: i32) -> DeadLetter {
    DeadLetter {
        place,
        record_id,
        reason: "negative".to_owned(),
        attempts: 1,
        crashes: 0,
        first: SystemTime::UNIX_EPOCH,
        last: SystemTime::UNIX_EPOCH,
        trace: None,
        record: Bytes::new(),
    }
}

fn payload(ids: &[i32]) -> Bytes {
    let mut encoder = Encoder::default();
    for &id in ids {
        encoder.push(&User { id, ..User::default() });
    }
    encoder.take()
}

fn id(text: &str) -> BatchId {
    text.parse().unwrap()
}
