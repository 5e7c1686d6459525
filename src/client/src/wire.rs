//! A connection to a server: records go out as bytes that were encoded once.
//!
//! | module | what is in it |
//! | --- | --- |
//! | `connection`, `tls` | the way to the server, and in whose name |
//! | `messages` | records as the messages of a call |
//! | `call` | a call whose messages are encoded already |
//! | `proxy` | answers that are not gRPC: those of a proxy |
//! | `reason` | what a failed call means, in words |

mod call;
mod connection;
mod messages;
mod proxy;
mod reason;
mod tls;

use bytes::Bytes;
use muster_content::ContentDigest;
use muster_program::traces::Trace;
use muster_proto::metadata::{BATCH, DIGEST, PLACE, POLICY, PRIORITY, TRACE};
use muster_proto::users::UserResponse;
use muster_proto::v1;
use muster_proto::v1::batches_client::BatchesClient;
use muster_proto::v1::dead_letters_client::DeadLettersClient;
use muster_proto::v1::queue_client::QueueClient;
use muster_proto::v1::roll_client::RollClient;
use muster_proto::v1::workers_client::WorkersClient;
use tokio::sync::mpsc;
use tonic::metadata::{AsciiMetadataValue, MetadataMap};
use tonic::{Code, Extensions, Request, Status};

use self::call::{Outgoing, call};
pub(crate) use self::connection::BadServer;
use self::connection::Connection;
pub(crate) use self::messages::{Draft, Messages};
pub(crate) use self::proxy::is_of_proxy;
pub(crate) use self::reason::{obstacle, reason, reason_and_code};
use crate::config::Config;

/// The largest page of dead letters: a hundred, each with a record of the largest gRPC message.
const LETTERS_BYTES_MAX: usize = 512 << 20;
/// The longest list of workers: a thousand, each with a hundred chunks in hand.
const WORKERS_BYTES_MAX: usize = 64 << 20;

/// What every call says of its records.
#[derive(Clone, Debug)]
pub(crate) struct Labels {
    pub(crate) batch: String,
    metadata: MetadataMap,
}

impl Labels {
    /// Labels for a batch, with its priority, its policy, and the trace that the calls are part of.
    ///
    /// # Errors
    ///
    /// One of them cannot be sent; the message names it.
    pub(crate) fn new(
        batch: &str,
        priority: Option<&str>,
        policy: Option<&str>,
        trace: Option<Trace>,
    ) -> Result<Self, Status> {
        let mut metadata = MetadataMap::new();
        let trace = trace.map(|trace| trace.to_string());
        for (key, value) in [
            (BATCH, Some(batch)),
            (PRIORITY, priority),
            (POLICY, policy),
            (TRACE, trace.as_deref()),
        ] {
            let Some(value) = value else { continue };
            let parsed = value.parse().map_err(|_| {
                Status::invalid_argument(format!("metadata `{key}` cannot be `{value}`"))
            })?;
            metadata.insert(key, parsed);
        }
        Ok(Self { batch: batch.to_owned(), metadata })
    }

    fn label<T>(&self, message: T, place: u64) -> Request<T> {
        let mut metadata = self.metadata.clone();
        let mut place = AsciiMetadataValue::from(place);
        // It is another one in each call: HTTP/2 need not remember it for the next.
        place.set_sensitive(true);
        metadata.insert(PLACE, place);
        Request::from_parts(metadata, Extensions::default(), message)
    }
}

/// A connection to a server, made when it is first used and whenever it was lost. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    connection: Connection,
}

impl Server {
    /// A connection to the server of these settings, which is not made yet.
    ///
    /// # Errors
    ///
    /// The settings cannot be used.
    pub(crate) fn new(config: &Config) -> Result<Self, BadServer> {
        Ok(Self { connection: Connection::new(config)? })
    }

    /// Sends one record, which is at `place` of the batch.
    pub(crate) async fn send(
        &self,
        labels: &Labels,
        place: u64,
        message: Bytes,
    ) -> Result<UserResponse, Status> {
        let request = labels.label(Outgoing::One(Some(message)), place);
        call(self.connection.clone(), "/Users/SendUserInfo", request).await
    }

    /// Sends a stream of records, the first of which is at `place` of the batch. `before` is the digest
    /// of the records before it.
    pub(crate) async fn send_stream(
        &self,
        labels: &Labels,
        place: u64,
        before: ContentDigest,
        pages: mpsc::Receiver<Messages>,
    ) -> Result<UserResponse, Status> {
        let mut request = labels.label(Outgoing::Pages(pages), place);
        if let Ok(before) = before.to_string().parse() {
            request.metadata_mut().insert(DIGEST, before);
        }
        call(self.connection.clone(), "/Users/SendUserInfoClientStream", request).await
    }

    /// Shows the batch, or `None` if the server does not know it.
    pub(crate) async fn batch(&self, id: &str) -> Result<Option<v1::Batch>, Status> {
        let request = v1::GetBatchRequest { id: id.to_owned() };
        match self.batches().get_batch(request).await {
            Ok(batch) => Ok(Some(batch.into_inner())),
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(status),
        }
    }

    /// Says that the batch has this many records and no more will come.
    pub(crate) async fn seal(&self, id: &str, records: u64) -> Result<(), Status> {
        let request = v1::SealBatchRequest { id: id.to_owned(), records, ..Default::default() };
        self.batches().seal_batch(request).await?;
        Ok(())
    }

    /// The operations on batches.
    pub(crate) fn batches(&self) -> BatchesClient<Connection> {
        BatchesClient::new(self.connection.clone())
    }

    /// The operations on dead letters.
    pub(crate) fn dead_letters(&self) -> DeadLettersClient<Connection> {
        DeadLettersClient::new(self.connection.clone()).max_decoding_message_size(LETTERS_BYTES_MAX)
    }

    /// The operations on the queue.
    pub(crate) fn queue(&self) -> QueueClient<Connection> {
        QueueClient::new(self.connection.clone())
    }

    /// The operations on workers.
    pub(crate) fn workers(&self) -> WorkersClient<Connection> {
        WorkersClient::new(self.connection.clone()).max_decoding_message_size(WORKERS_BYTES_MAX)
    }

    /// The operations on the roll.
    pub(crate) fn roll(&self) -> RollClient<Connection> {
        RollClient::new(self.connection.clone())
    }
}
