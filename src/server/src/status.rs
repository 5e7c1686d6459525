//! The one place where errors become gRPC statuses.

use muster_queue::Error;
use tonic::Status;

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
        Error::Corrupt { .. } => {
            tracing::error!(%error, "the store is damaged");
            Status::data_loss("the store is damaged; ask who runs this server")
        }
        Error::UnknownBatch(_) => Status::not_found(message),
        Error::Gap { .. } => Status::out_of_range(message),
        Error::Sealed { .. } | Error::Miscounted { .. } | Error::MixedPlaces(_) => {
            Status::failed_precondition(message)
        }
        error => {
            tracing::error!(%error, "no status for this error");
            Status::internal("the server failed; its log says why")
        }
    }
}
