//! Operations on a server: calls that are made again until it answers.
//!
//! A call that changes something may be made twice when its first answer is lost. Nothing is then
//! done twice, but the second answer knows only of what was left.

mod batches;
mod letters;
mod queue;
mod roll;

use std::fmt;
use std::time::Duration;

use muster_proto::v1::dead_letter_selector::Which;
use muster_proto::v1::{Batch, DeadLetterId};
use tonic::{Code, Response, Status};

use crate::config::Config;
use crate::printable;
use crate::retry::Retry;
use crate::wait;
use crate::wire::{BadServer, Server, is_of_proxy, reason_and_code};

/// A server to operate.
#[derive(Debug)]
pub(crate) struct Operations {
    url: String,
    server: Server,
    retry: Retry,
}

/// Why an operation was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// What it is about is not there.
    #[error("{server} has no {missing}")]
    Missing {
        /// The server's URL.
        server: String,
        /// What is missing, and why it may be.
        missing: Missing,
    },
    /// The server does not have the operation.
    #[error(
        "{server} does not know this operation: it is of an earlier version than this client, or a proxy has no route for it"
    )]
    Unknown {
        /// The server's URL.
        server: String,
    },
    /// The server refused, or could not be reached for too long.
    #[error("{server}: {}", reason_and_code(.status))]
    Call {
        /// The server's URL.
        server: String,
        /// What the server, or the connection, said last.
        status: Box<Status>,
    },
    /// Somebody discarded the batch that was waited for.
    #[error("{server}: {}", wait::aborted(batch))]
    Aborted {
        /// The server's URL.
        server: String,
        /// The batch.
        batch: Box<Batch>,
    },
}

/// What a server may not have.
#[derive(Clone, Debug)]
pub(crate) enum Missing {
    /// A batch of this id.
    Batch(String),
    /// This dead letter.
    Letter(DeadLetterId),
    /// Dead letters of this group.
    Group(String),
    /// Dead letters at all.
    Letters,
    /// A roll.
    Roll,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Batch(id) => write!(
                f,
                "batch {}: check its id; a written batch is forgotten after seven days",
                printable::text(id)
            ),
            Self::Letter(DeadLetterId { batch, place }) => write!(
                f,
                "dead letter at place {place} of batch {}: it may have been replayed or dropped",
                printable::text(batch)
            ),
            Self::Group(name) => write!(
                f,
                "dead letters of the group `{}`: see muster-client dead list",
                printable::text(name)
            ),
            Self::Letters => f.write_str("dead letters"),
            Self::Roll => f.write_str("roll yet: it is written when the first batch is complete"),
        }
    }
}

impl Missing {
    /// What is missing when a server does not find what is selected.
    fn of(which: &Which) -> Self {
        match which {
            Which::Letter(id) => Self::Letter(id.clone()),
            Which::Batch(id) => Self::Batch(id.clone()),
            Which::Group(name) => Self::Group(name.clone()),
            Which::All(_) | Which::Letters(_) => Self::Letters,
        }
    }
}

impl Operations {
    /// Operates the server of these settings.
    ///
    /// # Errors
    ///
    /// The settings of the connection cannot be used.
    pub(crate) fn new(config: &Config) -> Result<Self, BadServer> {
        let Config { server: url, retry_for, .. } = config;
        Ok(Self { url: url.clone(), server: Server::new(config)?, retry: Retry::new(*retry_for) })
    }

    /// The same server, with calls that are not made again: for whoever asks anew in a moment.
    pub(crate) fn without_retries(self) -> Self {
        Self { retry: Retry::new(Duration::ZERO), ..self }
    }

    /// The server's URL.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Calls about something that may be missing.
    async fn find<T>(
        &self,
        missing: Missing,
        call: impl AsyncFnMut() -> Result<Response<T>, Status>,
    ) -> Result<T, Error> {
        let answer = self.retry.call(call).await;
        Ok(answer.map_err(|status| self.not_found(status, missing))?.into_inner())
    }

    /// Calls about what is always there.
    async fn ask<T>(
        &self,
        call: impl AsyncFnMut() -> Result<Response<T>, Status>,
    ) -> Result<T, Error> {
        let answer = self.retry.call(call).await;
        Ok(answer.map_err(|status| self.error(status))?.into_inner())
    }

    fn not_found(&self, status: Status, missing: Missing) -> Error {
        match status.code() {
            Code::NotFound => Error::Missing { server: self.url.clone(), missing },
            _ => self.error(status),
        }
    }

    fn error(&self, status: Status) -> Error {
        let server = self.url.clone();
        match status.code() {
            Code::Unimplemented if !is_of_proxy(&status) => Error::Unknown { server },
            _ => Error::Call { server, status: Box::new(status) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_operation_that_an_older_server_does_not_have_is_told_from_one_that_failed() {
        let operations = Operations::new(&Config::default()).unwrap();
        let message = |status| operations.error(status).to_string();
        insta::assert_snapshot!(message(Status::unimplemented("")), @r"
        http://127.0.0.1:50051 does not know this operation: it is of an earlier version than this client, or a proxy has no route for it
        ");
        insta::assert_snapshot!(message(Status::internal("oh\x1b")), @r"
        http://127.0.0.1:50051: oh\u{1b} (Internal)
        ");
    }
}
