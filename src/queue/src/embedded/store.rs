//! The file, opened, and what the writer and the readers share of it.

use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use redb::{Database, ReadTransaction, ReadableDatabase, ReadableTable as _, WriteTransaction};
use tokio::sync::Notify;

use super::careful;
use super::fault::{Fault, StoreFault};
use super::leases::Leases;
use super::reports::Reports;
use super::tables::{Entry, FORMAT, ISOLATED_RANK, Tables};
use crate::{Error, Result, metrics};

/// How much of the file is kept in memory.
const CACHE_BYTES: usize = 32 * 1024 * 1024;

/// What the writer and the readers share.
pub(super) struct Store {
    /// `file:PATH`.
    pub(super) name: String,
    path: PathBuf,
    /// `None` after a write that failed, until the file can be opened again.
    database: RwLock<Option<Database>>,
    leases: Mutex<Leases>,
    /// Entries below this number are written down when they are leased.
    careful_below: u64,
    /// Rings after every change that may have made an entry free to lease.
    pub(super) changed: Notify,
    pub(super) reports: Reports,
    /// Why the last write failed, if it did.
    write_failure: Mutex<Option<StoreFault>>,
}

impl Store {
    pub(super) fn open(name: &str, path: &Path) -> Result<Self, Fault> {
        let database = open_file(path)?;
        let mut store = Self {
            name: name.to_owned(),
            path: path.to_owned(),
            database: RwLock::new(Some(database)),
            leases: Mutex::default(),
            careful_below: 0,
            changed: Notify::new(),
            reports: Reports::default(),
            write_failure: Mutex::default(),
        };
        guarded(|| store.check_format())?;
        store.careful_below = store.write(careful::start)?;
        Ok(store)
    }

    /// Checks that this version reads what is in the file, and marks a file that has none or an earlier one.
    fn check_format(&self) -> Result<(), Fault> {
        let transaction = self.begin_write()?;
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
        entries.retain(|(rank, number)| *rank == ISOLATED_RANK || *number < self.careful_below);
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
        let database = database.as_ref().ok_or_else(closed)?;
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
        guarded(|| {
            let transaction = self.begin_write()?;
            let mut tables = Tables::open(&transaction)?;
            let done = step(&mut tables)?;
            drop(tables);
            transaction.commit()?;
            Ok(done)
        })
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
        Ok(database.as_ref().ok_or_else(closed)?.begin_write()?)
    }

    /// Closes the file and opens it again. What was committed is there; leases stay as they are.
    fn reopen(&self) -> Result<(), StoreFault> {
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        // The old one has to let go of the file first.
        *database = None;
        *database = Some(open_file(&self.path)?);
        Ok(())
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

fn open_file(path: &Path) -> Result<Database, StoreFault> {
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
        let database = Database::builder().set_cache_size(CACHE_BYTES).create(path)?;
        // A table that is damaged is found here, where nothing else is open: redb would panic again
        // while it closes the others, and end the process.
        let transaction = database.begin_read()?;
        for table in transaction.list_tables()? {
            transaction.open_untyped_table(table)?;
        }
        drop(transaction);
        Ok::<_, StoreFault>(database)
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

fn closed() -> StoreFault {
    StoreFault::Unavailable(
        "an earlier write failed, and the file cannot be opened again yet".to_owned(),
    )
}
