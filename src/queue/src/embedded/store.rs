//! The file, opened, and what the writer and the readers share of it.

use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use redb::{
    Database, DatabaseError, ReadTransaction, ReadableDatabase, ReadableTable as _,
    ReadableTableMetadata as _, RepairSession, WriteTransaction,
};
use tokio::sync::Notify;

use super::careful;
use super::fault::{Fault, StoreFault};
use super::leases::Leases;
use super::reports::Reports;
use super::tables::{CHUNKS, Entry, FORMAT, HASHES, ISOLATED_RANK, Tables};
use crate::{Error, Result, metrics};

/// How much of the file is kept in memory.
const CACHE_BYTES: usize = 32 * 1024 * 1024;

/// A file of this size, in bytes, is made smaller when it has no records.
const SHRINK_BYTES: u64 = 64 << 20;
/// What is kept of each record of unary calls after the record itself, in bytes, pages included.
const HASH_BYTES: u64 = 64;

/// What the writer and the readers share.
pub(super) struct Store {
    /// `file:PATH`.
    pub(super) name: String,
    path: PathBuf,
    /// `None` while it is repaired; and after a write that failed, until the file can be opened again.
    database: RwLock<Option<Database>>,
    /// Why the file cannot be used yet, or at all, after a crash.
    unrepaired: RwLock<Option<StoreFault>>,
    /// Whether the repair is to end early.
    gives_up: AtomicBool,
    leases: Mutex<Leases>,
    /// Entries below this number are written down when they are leased.
    careful_below: AtomicU64,
    /// The size of the file, in bytes, from which on [`Store::shrink`] makes it smaller.
    shrink_from: AtomicU64,
    /// Rings after every change that may have made an entry free to lease.
    pub(super) changed: Notify,
    pub(super) reports: Reports,
    /// Why the last write failed, if it did.
    write_failure: Mutex<Option<StoreFault>>,
}

impl Store {
    /// Opens the file, and creates it if it is missing. After a crash it stays closed until
    /// [`Store::repair`] has repaired it.
    pub(super) fn open(name: &str, path: &Path) -> Result<Self, Fault> {
        let store = Self {
            name: name.to_owned(),
            path: path.to_owned(),
            database: RwLock::new(None),
            unrepaired: RwLock::default(),
            gives_up: AtomicBool::new(false),
            leases: Mutex::default(),
            careful_below: AtomicU64::new(0),
            shrink_from: AtomicU64::new(SHRINK_BYTES),
            changed: Notify::new(),
            reports: Reports::default(),
            write_failure: Mutex::default(),
        };
        match open_file(path, RepairSession::abort)? {
            Some(database) => store.start(database)?,
            None => store.set_unrepaired(Some(repairing(0.0))),
        }
        Ok(store)
    }

    /// Repairs a file that must be, which reads all of it, and opens it. Blocks until then.
    pub(super) fn repair(self: &Arc<Self>) -> Result<(), Fault> {
        if self.unrepaired().is_none() {
            return Ok(());
        }
        tracing::warn!(store = self.name, "not closed well: the file is checked as a whole");
        let store = Arc::clone(self);
        let opened = open_file(&self.path, move |session| {
            store.set_unrepaired(Some(repairing(session.progress())));
            if store.gives_up.load(Ordering::Relaxed) {
                session.abort();
            }
        });
        let started = match opened {
            Ok(Some(database)) => self.start(database),
            // It was given up.
            Ok(None) => return Ok(()),
            Err(fault) => Err(fault.into()),
        };
        match &started {
            Ok(()) => {
                self.set_unrepaired(None);
                self.changed.notify_waiters();
                tracing::info!(store = self.name, "the file is repaired");
            }
            Err(Fault::Store(fault)) => self.set_unrepaired(Some(fault.clone())),
            Err(Fault::Refused(error)) => {
                self.set_unrepaired(Some(StoreFault::Unavailable(error.to_string())));
            }
        }
        started
    }

    /// Ends a repair early.
    pub(super) fn give_up_repair(&self) {
        self.gives_up.store(true, Ordering::Relaxed);
    }

    /// Why the file cannot be used yet, or at all, after a crash.
    pub(super) fn unrepaired(&self) -> Option<StoreFault> {
        self.unrepaired.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_unrepaired(&self, fault: Option<StoreFault>) {
        *self.unrepaired.write().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    /// Uses the file from now on.
    fn start(&self, database: Database) -> Result<(), Fault> {
        guarded(|| self.check_format(database.begin_write()?))?;
        let careful_below = guarded(|| take(database.begin_write()?, careful::start))?;
        self.careful_below.store(careful_below, Ordering::Relaxed);
        *self.database.write().unwrap_or_else(PoisonError::into_inner) = Some(database);
        Ok(())
    }

    /// Checks that this version reads what is in the file, and marks a file that has none or an earlier one.
    fn check_format(&self, transaction: WriteTransaction) -> Result<(), Fault> {
        let mut table = transaction.open_table(FORMAT)?;
        let found = table.get(())?.map(|format| format.value());
        match found {
            Some(format) if format > crate::FORMAT => {
                let (store, problem) = (self.name.clone(), crate::later_format(format));
                return Err(Error::Misconfigured { store, problem }.into());
            }
            Some(crate::FORMAT) => {}
            _ => drop(table.insert((), crate::FORMAT)?),
        }
        drop(table);
        transaction.commit()?;
        Ok(())
    }

    /// The leases, locked. Never held across an await.
    pub(super) fn leases(&self) -> MutexGuard<'_, Leases> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those of the entries that are written down when they are leased: suspects always.
    pub(super) fn to_write_down(&self, mut entries: Vec<Entry>) -> Vec<Entry> {
        let careful_below = self.careful_below.load(Ordering::Relaxed);
        entries.retain(|(rank, number)| *rank == ISOLATED_RANK || *number < careful_below);
        entries
    }

    /// Reads what was committed up to now.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&ReadTransaction) -> Result<T, Fault>,
    ) -> Result<T> {
        metrics::counted(self.reading(read).map_err(|fault| fault.into_error(&self.name)))
    }

    /// The same, with a fault that does not name the store yet.
    pub(super) fn reading<T>(
        &self,
        read: impl FnOnce(&ReadTransaction) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let database = database.as_ref().ok_or_else(|| self.closed())?;
        guarded(|| read(&database.begin_read()?))
    }

    /// The size of the file, in bytes.
    pub(super) fn size(&self) -> Result<u64> {
        let unavailable =
            |error: io::Error| Fault::from(StoreFault::Unavailable(error.to_string()));
        let file = std::fs::metadata(&self.path).map_err(unavailable);
        file.map(|file| file.len()).map_err(|fault| fault.into_error(&self.name))
    }

    /// Takes one step in a transaction of its own.
    pub(super) fn write<T>(
        &self,
        step: impl FnOnce(&mut Tables<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        guarded(|| take(self.begin_write()?, step))
    }

    /// Takes steps in one transaction, and returns the entries that they end.
    pub(super) fn write_all(
        &self,
        steps: impl FnOnce(&mut Tables<'_>) -> Result<(), StoreFault>,
    ) -> Result<Vec<Entry>, StoreFault> {
        guarded(|| {
            let transaction = self.begin_write()?;
            let mut tables = Tables::open(&transaction)?;
            steps(&mut tables)?;
            let ended = tables.into_ended();
            // Durable at once: this is redb's default.
            transaction.commit()?;
            Ok(ended)
        })
    }

    /// After a failed write the file is opened anew: redb takes nothing more before that.
    pub(super) fn begin_write(&self) -> Result<WriteTransaction, StoreFault> {
        if self.last_write().is_err() {
            self.reopen()?;
        }
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        Ok(database.as_ref().ok_or_else(|| self.closed())?.begin_write()?)
    }

    /// Closes the file and opens it again. What was committed is there; leases stay as they are.
    fn reopen(&self) -> Result<(), StoreFault> {
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        // The old one has to let go of the file first.
        *database = None;
        *database = open_file(&self.path, |_| {})?;
        Ok(())
    }

    /// Makes the file smaller when it has grown and has no records any more: redb keeps the space of what
    /// was removed for what comes. Nothing is read or written meanwhile; what is left to move is little.
    pub(super) fn shrink(&self) -> Result<(), StoreFault> {
        let size = || std::fs::metadata(&self.path).map_or(0, |file| file.len());
        let before = size();
        if before < self.shrink_from.load(Ordering::Relaxed) || !self.has_little(before)? {
            return Ok(());
        }
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(database) = database.as_mut() {
            guarded(|| {
                database.compact().map_err(|error| StoreFault::from(redb::Error::from(error)))
            })?;
        }
        drop(database);
        let after = size();
        self.shrink_from.store(SHRINK_BYTES.max(2 * after), Ordering::Relaxed);
        tracing::info!(store = self.name, before, after, "disk space was given back, in bytes");
        Ok(())
    }

    /// Whether the file has no records, and little else for its size in bytes.
    fn has_little(&self, size: u64) -> Result<bool, StoreFault> {
        let left = self.reading(|transaction| {
            let chunks = transaction.open_table(CHUNKS)?.len()?;
            Ok((chunks, transaction.open_table(HASHES)?.len()?))
        });
        match left {
            Ok((chunks, hashes)) => Ok(chunks == 0 && hashes.saturating_mul(4 * HASH_BYTES) < size),
            Err(Fault::Store(fault)) => Err(fault),
            Err(Fault::Refused(_)) => Ok(false),
        }
    }

    /// Why the file is not open.
    fn closed(&self) -> StoreFault {
        self.unrepaired().unwrap_or_else(|| {
            StoreFault::Unavailable(
                "an earlier write failed, and the file cannot be opened again yet".to_owned(),
            )
        })
    }

    /// Remembers how the last write went.
    pub(super) fn note_write(&self, committed: &Result<(), StoreFault>) {
        let mut failure = self.write_failure.lock().unwrap_or_else(PoisonError::into_inner);
        match committed {
            Ok(()) => {
                if failure.take().is_some() {
                    tracing::info!(store = self.name, "writing works again");
                }
            }
            Err(fault) if failure.is_none() => {
                tracing::error!(store = self.name, %fault, "a write failed; the next one tries again");
                *failure = Some(fault.clone());
            }
            Err(_) => {}
        }
    }

    /// How the last write went: an error until one succeeds again.
    pub(super) fn last_write(&self) -> Result<(), StoreFault> {
        let failure = self.write_failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.clone().map_or(Ok(()), Err)
    }
}

/// Opens the file. `None` if `on_repair`, which is called before and during a repair, ends the repair.
fn open_file(
    path: &Path,
    on_repair: impl Fn(&mut RepairSession) + 'static,
) -> Result<Option<Database>, StoreFault> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let in_folder = |error: io::Error| {
        StoreFault::Unavailable(format!("its folder {}: {error}", folder.display()))
    };
    let folder_file = File::open(folder).map_err(in_folder)?;
    // redb would make a new queue of an empty file, as if there had never been one.
    if std::fs::metadata(path).is_ok_and(|found| found.len() == 0) {
        return Err(StoreFault::Corrupt(
            "the file is empty: restore it from a backup, or remove it to begin with an empty queue"
                .to_owned(),
        ));
    }
    let database = guarded(|| {
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES).set_repair_callback(on_repair);
        let database = match builder.create(path) {
            Err(DatabaseError::RepairAborted) => return Ok(None),
            opened => opened?,
        };
        // A table that is damaged is found here, where nothing else is open: redb would panic again
        // while it closes the others, and end the process.
        let transaction = database.begin_read()?;
        for table in transaction.list_tables()? {
            transaction.open_untyped_table(table)?;
        }
        drop(transaction);
        Ok::<_, StoreFault>(Some(database))
    })?;
    // A file is on disk for good when its name is, too.
    folder_file.sync_all().map_err(in_folder)?;
    Ok(database)
}

/// Takes steps in the file. Where its pages are damaged, redb panics.
fn guarded<T, E: From<StoreFault>>(steps: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    // After a panic, the file is opened again, or not used any more.
    catch_unwind(AssertUnwindSafe(steps)).unwrap_or_else(|_| {
        Err(E::from(StoreFault::Corrupt(
            "the file is damaged: restore it from a backup (docs/backup.md)".to_owned(),
        )))
    })
}

/// Takes one step in this transaction.
fn take<T>(
    transaction: WriteTransaction,
    step: impl FnOnce(&mut Tables<'_>) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let mut tables = Tables::open(&transaction)?;
    let done = step(&mut tables)?;
    drop(tables);
    transaction.commit()?;
    Ok(done)
}

fn repairing(progress: f64) -> StoreFault {
    StoreFault::Unavailable(format!(
        "the program before was not stopped properly: the file is being checked, {:.0} % done",
        progress * 100.0
    ))
}
