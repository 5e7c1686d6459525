//! The store in this process, on disk.
//!
//! | module | what is in it |
//! | --- | --- |
//! | `tables` | every table, and what one transaction does to them |
//! | `row` | a batch as its row holds it |
//! | `writer` | the one thread that writes: steps that arrive together share one fsync |
//! | `append`, `complete`, `written` | the steps: each checks first and writes after |
//! | `leases` | who holds which entry, in memory alone |
//! | `lease` | finding work for a worker |
//! | `read` | batches, results and dead letters, read without waiting for the writer |
//! | `fault` | why a step failed |

mod append;
mod clock;
mod complete;
mod fault;
mod lease;
mod leases;
mod read;
mod row;
mod tables;
mod writer;
mod written;

use std::fmt;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use redb::{Database, ReadTransaction, ReadableDatabase};
use tokio::sync::Notify;
use tokio::time::timeout;

use self::fault::{Fault, StoreFault};
use self::leases::Leases;
use self::tables::Tables;
use self::writer::Writer;
use crate::{
    Appended, Batch, BatchId, BatchOptions, Chunk, Committed, DeadLetter, Error, Lease, NewChunk,
    Outcome, Queue, Result, ResultChunk, Work, WorkerId,
};

/// How much of the file is kept in memory.
const CACHE_BYTES: usize = 32 * 1024 * 1024;

/// A queue in one file, for one process.
///
/// What a method has returned `Ok` for is on disk, synced. Leases alone are in memory: when the
/// file is opened again, whatever was not committed is waiting.
pub struct EmbeddedQueue {
    store: Arc<Store>,
    writer: Writer,
}

/// What the writer and the readers share.
struct Store {
    /// `file:PATH`.
    name: String,
    database: Database,
    leases: Mutex<Leases>,
    /// Rings after every change that may have made an entry free to lease.
    changed: Notify,
    /// Why nothing more can be written until the next start.
    write_failure: OnceLock<StoreFault>,
}

impl EmbeddedQueue {
    /// Opens the queue in this file, and creates it if there is none. Its folder must exist.
    ///
    /// After a crash, the file is checked as a whole first. Blocks until then.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] when the file cannot be opened, or another process has it open;
    /// [`Error::Corrupt`] when it holds no queue.
    pub fn open(path: &Path) -> Result<Self> {
        let name = format!("file:{}", path.display());
        let store = Store::open(&name, path).map_err(|fault| fault.into_error(&name))?;
        let store = Arc::new(store);
        let writer = Writer::start(Arc::clone(&store))
            .map_err(|error| Error::Unavailable { store: name, reason: error.to_string() })?;
        Ok(Self { store, writer })
    }

    /// Reads off the runtime: what is read may be large.
    async fn read_large<T: Send + 'static>(
        &self,
        read: impl FnOnce(&ReadTransaction) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T> {
        let store = Arc::clone(&self.store);
        let reading = tokio::task::spawn_blocking(move || store.read(read));
        reading.await.map_err(|error| Error::Unavailable {
            store: self.store.name.clone(),
            reason: format!("reading was broken off: {error}"),
        })?
    }
}

impl Store {
    fn open(name: &str, path: &Path) -> Result<Self, Fault> {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let in_folder = |error: io::Error| {
            StoreFault::Unavailable(format!("its folder {}: {error}", folder.display()))
        };
        let folder_file = File::open(folder).map_err(in_folder)?;
        let database = Database::builder().set_cache_size(CACHE_BYTES).create(path)?;
        // A file is on disk for good when its name is, too.
        folder_file.sync_all().map_err(in_folder)?;

        let transaction = database.begin_write()?;
        Tables::open(&transaction)?;
        transaction.commit()?;
        Ok(Self {
            name: name.to_owned(),
            database,
            leases: Mutex::default(),
            changed: Notify::new(),
            write_failure: OnceLock::new(),
        })
    }

    /// The leases, locked. Never held across an await.
    fn leases(&self) -> MutexGuard<'_, Leases> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what was committed up to now.
    fn read<T>(&self, read: impl FnOnce(&ReadTransaction) -> Result<T, Fault>) -> Result<T> {
        let transaction = self.database.begin_read().map_err(Fault::from);
        transaction
            .and_then(|transaction| read(&transaction))
            .map_err(|fault| fault.into_error(&self.name))
    }
}

impl fmt::Debug for EmbeddedQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EmbeddedQueue({})", self.store.name)
    }
}

#[async_trait]
impl Queue for EmbeddedQueue {
    async fn open(&self, id: &BatchId, options: &BatchOptions) -> Result<Batch> {
        let (id, options) = (id.clone(), *options);
        self.writer.write(move |tables| append::open(tables, &id, &options)).await
    }

    async fn append(&self, id: &BatchId, chunk: &NewChunk) -> Result<Appended> {
        let (id, chunk) = (id.clone(), chunk.clone());
        self.writer.write(move |tables| append::append(tables, &id, &chunk)).await
    }

    async fn seal(&self, id: &BatchId, records: Option<u64>) -> Result<Batch> {
        let id = id.clone();
        self.writer.write(move |tables| complete::seal(tables, &id, records)).await
    }

    async fn seal_overdue(&self, limit: usize) -> Result<usize> {
        // Asked every now and then, mostly for nothing: that must not cost a write.
        if !self.store.read(read::is_any_overdue)? {
            return Ok(0);
        }
        self.writer.write(move |tables| complete::seal_overdue(tables, limit)).await
    }

    async fn lease(&self, worker: &WorkerId, max: usize, wait: Duration) -> Result<Vec<Work>> {
        // Nothing is held while this waits: a dropped future leaves no lease behind.
        let found = async {
            loop {
                // Listens before it looks: what happens in between is not missed.
                let changed = self.store.changed.notified();
                let work = lease::lease(&self.store, worker, max)
                    .map_err(|fault| fault.into_error(&self.store.name))?;
                if !work.is_empty() {
                    return Ok(work);
                }
                changed.await;
            }
        };
        timeout(wait, found).await.unwrap_or_else(|_| Ok(Vec::new()))
    }

    async fn take_over(&self, worker: &WorkerId, idle: Duration, max: usize) -> Result<Vec<Work>> {
        lease::take_over(&self.store, worker, idle, max)
            .map_err(|fault| fault.into_error(&self.store.name))
    }

    async fn extend(&self, leases: &[Lease]) -> Result<()> {
        let mut held = self.store.leases();
        leases.iter().for_each(|lease| held.extend(lease));
        Ok(())
    }

    async fn release(&self, leases: &[Lease]) -> Result<()> {
        let mut held = self.store.leases();
        leases.iter().for_each(|lease| held.release(lease));
        drop(held);
        self.store.changed.notify_waiters();
        Ok(())
    }

    async fn commit(&self, chunk: &Chunk, outcome: &Outcome) -> Result<Committed> {
        let store = Arc::clone(&self.store);
        let (lease, outcome) = (chunk.lease.clone(), outcome.clone());
        self.writer.write(move |tables| complete::commit(tables, &store, &lease, &outcome)).await
    }

    async fn next_complete(&self) -> Result<Option<Batch>> {
        self.store.read(read::next_complete)
    }

    async fn results(
        &self,
        id: &BatchId,
        first: u64,
        bytes_max: usize,
    ) -> Result<Vec<ResultChunk>> {
        let id = id.clone();
        self.read_large(move |store| read::results(store, &id, first, bytes_max)).await
    }

    async fn mark_written(&self, id: &BatchId, roll_sha256: &str) -> Result<bool> {
        let (id, roll_sha256) = (id.clone(), roll_sha256.to_owned());
        self.writer.write(move |tables| written::mark_written(tables, &id, &roll_sha256)).await
    }

    async fn batch(&self, id: &BatchId) -> Result<Option<Batch>> {
        self.store.read(|store| read::batch(store, id))
    }

    async fn dead_letters(
        &self,
        id: &BatchId,
        from_place: u64,
        limit: usize,
    ) -> Result<Vec<DeadLetter>> {
        let id = id.clone();
        self.read_large(move |store| read::dead_letters(store, &id, from_place, limit)).await
    }

    async fn ping(&self) -> Result<()> {
        match self.store.write_failure.get() {
            Some(fault) => Err(Fault::from(fault.clone()).into_error(&self.store.name)),
            None => self.store.read(|_| Ok(())),
        }
    }

    async fn forget(&self, _worker: &WorkerId) -> Result<()> {
        // A worker is known by what it holds, and by nothing else.
        Ok(())
    }
}
