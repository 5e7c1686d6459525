//! The one place where errors become gRPC statuses.

use std::time::Duration;

use muster_proto::metadata::{RETRY_AFTER, STORE_LIMIT_BYTES, STORED_BYTES, STORED_RECORDS};
use muster_queue::Error;
use tonic::Status;

/// How long a caller is told to wait when the queue is full.
pub(crate) const FULL_PAUSE: Duration = Duration::from_millis(250);

/// What a caller is told. What the store itself said stays in the log.
pub(crate) fn of(error: &Error) -> Status {
    let message = error.to_string();
    match error {
        Error::Unavailable { .. } => {
            // A line for each call would flood the log; that the store is away is said once, by
            // `readiness`.
            tracing::debug!(%error, "the store is away");
            Status::unavailable("the store is unavailable; try again")
        }
        Error::Misconfigured { .. } => {
            tracing::debug!(%error, "the store must not be used as it is");
            Status::unavailable("the store is misconfigured; ask who runs this server")
        }
        Error::Corrupt { .. } => {
            tracing::error!(%error, "the store is damaged");
            Status::data_loss("the store is damaged; ask who runs this server")
        }
        Error::UnknownBatch(_) => Status::not_found(message),
        Error::Gap { .. } => Status::out_of_range(message),
        Error::Sealed { .. }
        | Error::Aborted(_)
        | Error::Complete(_)
        | Error::Miscounted { .. }
        | Error::Different { .. }
        | Error::MixedPlaces(_) => Status::failed_precondition(message),
        Error::OutOfMemory { .. } => {
            tracing::debug!(%error, "the store is full");
            exhausted("the store's memory is full; try again later", FULL_PAUSE)
        }
        Error::TooLarge { outgrown, .. } => {
            let mut status = Status::failed_precondition(message);
            status.metadata_mut().insert(STORED_BYTES, outgrown.stored_bytes.into());
            status.metadata_mut().insert(STORED_RECORDS, outgrown.records.into());
            status.metadata_mut().insert(STORE_LIMIT_BYTES, outgrown.limit_bytes.into());
            status
        }
        Error::Full { .. } => exhausted(&format!("{message}; try again later"), FULL_PAUSE),
        error => {
            tracing::error!(%error, "no status for this error");
            Status::internal("the server failed; its log says why")
        }
    }
}

/// What somebody is told who sends more records a second than they may.
pub(crate) fn too_fast(pause: Duration) -> Status {
    exhausted("too many records a second; try again", pause.max(Duration::from_millis(1)))
}

/// What somebody is told for whom there is no room now; and when there may be.
pub(crate) fn exhausted(message: &str, pause: Duration) -> Status {
    let mut status = Status::resource_exhausted(message);
    let pause = u32::try_from(pause.as_millis()).unwrap_or(u32::MAX);
    status.metadata_mut().insert(RETRY_AFTER, pause.into());
    status
}
