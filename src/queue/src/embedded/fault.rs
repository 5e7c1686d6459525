//! Why a step failed, before the store's name is added.

use std::io;

use redb::{CommitError, DatabaseError, StorageError, TableError, TransactionError};

use crate::Error;

/// Why a step failed.
#[derive(Debug)]
pub(super) enum Fault {
    /// The step may not be taken. It has changed nothing.
    Refused(Error),
    /// The store failed. The transaction must not be committed.
    Store(StoreFault),
}

/// What failed in the store. All who share a transaction share its fault.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum StoreFault {
    /// The file cannot be read or written now.
    #[error("{0}")]
    Unavailable(String),
    /// The file holds something unreadable.
    #[error("unreadable: {0}")]
    Corrupt(String),
}

impl Fault {
    /// A fault for something that the tables say exists, and that is missing or unreadable.
    pub(super) fn corrupt(what: impl Into<String>) -> Self {
        Self::Store(StoreFault::Corrupt(what.into()))
    }

    /// The fault as the caller of the queue sees it.
    pub(super) fn into_error(self, store: &str) -> Error {
        let store = store.to_owned();
        match self {
            Self::Refused(error) => error,
            Self::Store(StoreFault::Unavailable(reason)) => Error::Unavailable { store, reason },
            Self::Store(StoreFault::Corrupt(what)) => Error::Corrupt { store, what },
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl<E: Into<StoreFault>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self::Store(error.into())
    }
}

impl From<redb::Error> for StoreFault {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => {
                Self::Unavailable("the file is in use by another process".to_owned())
            }
            redb::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
                Self::Corrupt(format!("the file is no queue: {error}"))
            }
            redb::Error::PreviousIo => {
                Self::Unavailable("an earlier write failed; see to the disk".to_owned())
            }
            redb::Error::Corrupted(_)
            | redb::Error::UpgradeRequired(_)
            | redb::Error::TableTypeMismatch { .. }
            | redb::Error::TypeDefinitionChanged { .. } => Self::Corrupt(error.to_string()),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl From<StorageError> for StoreFault {
    fn from(error: StorageError) -> Self {
        redb::Error::from(error).into()
    }
}

impl From<TableError> for StoreFault {
    fn from(error: TableError) -> Self {
        redb::Error::from(error).into()
    }
}

impl From<TransactionError> for StoreFault {
    fn from(error: TransactionError) -> Self {
        redb::Error::from(error).into()
    }
}

impl From<CommitError> for StoreFault {
    fn from(error: CommitError) -> Self {
        redb::Error::from(error).into()
    }
}

impl From<DatabaseError> for StoreFault {
    fn from(error: DatabaseError) -> Self {
        redb::Error::from(error).into()
    }
}
