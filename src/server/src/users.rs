//! The service `Users`: one record, or a stream of them.

mod abandoned;
mod chunk;
mod filling;
mod named;
mod pace;
mod record;
mod resent;
mod run;
mod stream;
mod unary;

use std::sync::Arc;

use muster_access::{Principal, Seats};
use muster_program::shutdown::Shutdown;
use muster_proto::metadata::BATCH;
use muster_proto::users::UserResponse;
use muster_queue::{BatchId, BatchOptions, Deadline, Ending, Queue};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use crate::admission;
use crate::config::Config;
use crate::metadata::Sent;
use crate::status;
use abandoned::AbortUnlessEnded;
pub(crate) use chunk::Lengths;
pub(crate) use generated::users_server::UsersServer;
pub(crate) use record::{Record, RecordCodec};
use resent::Resent;
use unary::Grouper;

/// The service as the build script makes it.
#[expect(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::default_constructed_unit_structs,
    clippy::too_many_lines,
    unreachable_pub,
    reason = "generated"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/.Users.rs"));
}

/// The service.
#[derive(Debug)]
pub(crate) struct Users {
    queue: Arc<dyn Queue>,
    /// When the batch of a stream ends by itself, and how.
    deadline: Deadline,
    grouper: Grouper,
    lengths: Lengths,
    streams: Seats,
    limits: stream::Limits,
    break_off: CancellationToken,
    shutdown: Shutdown,
}

impl Users {
    /// The service. `break_off` ends streams that are under way, and refuses calls.
    pub(crate) fn start(
        queue: Arc<dyn Queue>,
        config: &Config,
        streams: Seats,
        break_off: CancellationToken,
        shutdown: &Shutdown,
    ) -> Self {
        let deadline = Deadline { after: config.deadline, then: config.at_deadline };
        // Each of its records was answered "ok": they are kept.
        let of_calls = Deadline { then: Ending::Seal, ..deadline };
        let grouper = Grouper::new(Arc::clone(&queue), of_calls, break_off.clone(), shutdown);
        let limits = stream::Limits {
            records_max: config.records_per_stream_max.get(),
            idle_max: config.stream_idle_max,
        };
        let (lengths, shutdown) = (config.lengths(), shutdown.clone());
        Self { queue, deadline, grouper, lengths, streams, limits, break_off, shutdown }
    }
}

#[tonic::async_trait]
impl generated::users_server::Users for Users {
    async fn send_user_info(
        &self,
        request: Request<Record>,
    ) -> Result<Response<UserResponse>, Status> {
        let sent = Sent::read(request.metadata())?;
        if let Some(rate) = principal(&request).and_then(|principal| principal.rate()) {
            rate.take(1).map_err(status::too_fast)?;
        }
        let record = request.into_inner();
        if let Err(refusal) = self.lengths.check(record.wire()) {
            return Ok(Response::new(UserResponse { status: false, message: refusal.to_string() }));
        }
        self.grouper.accept(sent, record).await?;
        Ok(Response::new(ok()))
    }

    async fn send_user_info_client_stream(
        &self,
        request: Request<Streaming<Record>>,
    ) -> Result<Response<UserResponse>, Status> {
        let Sent { batch, place, digest, priority, policy, trace } =
            Sent::read(request.metadata())?;
        let _seat = admission::stream_seat(&self.streams, &request)?;
        let is_named = batch.is_some();
        let batch = batch.unwrap_or_else(|| BatchId::random("stream"));
        let options = BatchOptions { priority, policy, deadline: Some(self.deadline) };
        tracing::Span::current().record("batch", tracing::field::display(&batch));
        let opened = self.queue.open(&batch, &options).await.map_err(|e| status::of(&e))?;
        // A sender that has not named its batch cannot come back to it.
        let unless_ended = (!is_named)
            .then(|| AbortUnlessEnded::new(Arc::clone(&self.queue), batch.clone(), &self.shutdown));
        let sender = principal(&request).cloned();
        let stream = stream::Stream {
            queue: self.queue.as_ref(),
            options,
            trace,
            principal: sender.clone(),
            lengths: self.lengths,
            limits: self.limits,
        };
        let resent = Resent::new(stream.queue, &opened, place.unwrap_or(0), digest).await;
        let resent = resent.map_err(|error| status::of(&error))?;
        let receiver = stream::Receiver::new(stream, opened, resent);
        let refused = tokio::select! {
            refused = receiver.receive(request.into_inner()) => refused?,
            // What was received and not yet appended is dropped: nobody was told "ok" for it.
            () = revoked(sender.as_deref()) => {
                return Err(Status::unavailable("the access list has changed; resume the batch"));
            }
            () = self.break_off.cancelled() => {
                return Err(Status::unavailable("the server is shutting down; resume the batch"));
            }
        };
        if let Some(unless_ended) = unless_ended {
            unless_ended.ended();
        }
        let message = match refused {
            None => ok(),
            Some(refused) => UserResponse { status: false, message: refused.to_string() },
        };
        let mut response = Response::new(message);
        if let Ok(value) = batch.as_str().parse() {
            response.metadata_mut().insert(BATCH, value);
        }
        Ok(response)
    }
}

/// Who sends, if there is an access list.
fn principal<T>(request: &Request<T>) -> Option<&Arc<Principal>> {
    request.extensions().get()
}

/// Waits until who sends may not, or has other roles or another rate; for ever without an access
/// list.
async fn revoked(sender: Option<&Principal>) {
    match sender {
        Some(sender) => sender.revoked().await,
        None => std::future::pending().await,
    }
}

fn ok() -> UserResponse {
    UserResponse { status: true, message: "ok".to_owned() }
}
