//! Operations on batches and dead letters: calls that are made again until the server answers.
//!
//! A call that changes something may be made twice when its first answer is lost. Nothing is then
//! done twice, but the second answer knows only of what was left.

use std::fmt;

use bytes::Bytes;
use muster_proto::v1::dead_letter_selector::Which;
use muster_proto::v1::list_dead_letters_request::Of;
use muster_proto::v1::{
    AbortBatchRequest, Batch, BatchState, DeadLetter, DeadLetterGroup, DeadLetterId,
    DeadLetterSelector, DropDeadLettersRequest, GetBatchRequest, ListDeadLetterGroupsRequest,
    ListDeadLettersRequest, ListDeadLettersResponse, ReplayDeadLettersRequest,
    ReplayDeadLettersResponse,
};
use tonic::{Code, Response, Status};

use crate::config::Config;
use crate::printable;
use crate::retry::Retry;
use crate::wait;
use crate::wire::{BadUrl, Server, reason};

/// How many dead letters are asked for at once.
const PAGE_SIZE: u32 = 100;

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
    /// The server refused, or could not be reached for too long.
    #[error("{server}: {} ({:?})", reason(.status), .status.code())]
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
    Any,
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
            Self::Any => f.write_str("dead letters"),
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
            Which::All(_) => Self::Any,
        }
    }
}

impl Operations {
    /// Operates the server of these settings.
    ///
    /// # Errors
    ///
    /// Its URL is none.
    pub(crate) fn new(config: &Config) -> Result<Self, BadUrl> {
        let Config { server: url, retry_for, .. } = config;
        Ok(Self { url: url.clone(), server: Server::new(url)?, retry: Retry::new(*retry_for) })
    }

    /// Shows a batch.
    pub(crate) async fn batch(&self, id: &str) -> Result<Batch, Error> {
        let request = GetBatchRequest { id: id.to_owned() };
        let get = async || self.server.batches().get_batch(request.clone()).await;
        self.call(Missing::Batch(id.to_owned()), get).await
    }

    /// Discards a batch.
    pub(crate) async fn abort(&self, id: &str) -> Result<Batch, Error> {
        let request = AbortBatchRequest { id: id.to_owned() };
        let abort = async || self.server.batches().abort_batch(request.clone()).await;
        self.call(Missing::Batch(id.to_owned()), abort).await
    }

    /// Waits until the batch is written or held.
    ///
    /// # Errors
    ///
    /// Also [`Error::Aborted`].
    pub(crate) async fn settled(&self, id: &str) -> Result<Batch, Error> {
        let batch = wait::until_settled(&self.server, &self.retry, id).await;
        let batch = batch.map_err(|status| self.error(status, Missing::Batch(id.to_owned())))?;
        if batch.state() == BatchState::Aborted {
            return Err(Error::Aborted { server: self.url.clone(), batch: Box::new(batch) });
        }
        Ok(batch)
    }

    /// The groups of dead letters.
    pub(crate) async fn groups(&self) -> Result<Vec<DeadLetterGroup>, Error> {
        let list = async || {
            let request = ListDeadLetterGroupsRequest {};
            self.server.dead_letters().list_dead_letter_groups(request).await
        };
        Ok(self.call(Missing::Any, list).await?.groups)
    }

    /// A page of dead letters: the first for an empty token.
    pub(crate) async fn letters(
        &self,
        of: &Of,
        page_token: String,
    ) -> Result<ListDeadLettersResponse, Error> {
        let missing = match of {
            Of::Batch(id) => Missing::Batch(id.clone()),
            Of::Group(name) => Missing::Group(name.clone()),
        };
        let request =
            ListDeadLettersRequest { of: Some(of.clone()), page_token, page_size: PAGE_SIZE };
        let list = async || self.server.dead_letters().list_dead_letters(request.clone()).await;
        self.call(missing, list).await
    }

    /// One dead letter.
    pub(crate) async fn letter(&self, id: DeadLetterId) -> Result<DeadLetter, Error> {
        let get = async || self.server.dead_letters().get_dead_letter(id.clone()).await;
        self.call(Missing::Letter(id.clone()), get).await
    }

    /// Lets dead letters be processed anew; one of them with another record, if there is one.
    pub(crate) async fn replay(
        &self,
        which: Which,
        record: Option<Bytes>,
    ) -> Result<ReplayDeadLettersResponse, Error> {
        let missing = Missing::of(&which);
        let request = ReplayDeadLettersRequest { selector: Some(selector(which)), record };
        let replay = async || self.server.dead_letters().replay_dead_letters(request.clone()).await;
        self.call(missing, replay).await
    }

    /// Drops dead letters. Returns how many.
    pub(crate) async fn drop(&self, which: Which) -> Result<u64, Error> {
        let missing = Missing::of(&which);
        let request = DropDeadLettersRequest { selector: Some(selector(which)) };
        let drop = async || self.server.dead_letters().drop_dead_letters(request.clone()).await;
        Ok(self.call(missing, drop).await?.letters)
    }

    async fn call<T>(
        &self,
        missing: Missing,
        call: impl AsyncFnMut() -> Result<Response<T>, Status>,
    ) -> Result<T, Error> {
        let answer = self.retry.call(call).await;
        Ok(answer.map_err(|status| self.error(status, missing))?.into_inner())
    }

    fn error(&self, status: Status, missing: Missing) -> Error {
        let server = self.url.clone();
        match status.code() {
            Code::NotFound => Error::Missing { server, missing },
            _ => Error::Call { server, status: Box::new(status) },
        }
    }
}

fn selector(which: Which) -> DeadLetterSelector {
    DeadLetterSelector { which: Some(which) }
}
