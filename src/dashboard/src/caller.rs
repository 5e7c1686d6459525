//! The calls of the services: on behalf of whom, and for how long.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use muster_access::{Peer, Principal, Role};
use muster_proto::v1;
use muster_proto::v1::dead_letter_selector::Which;
use muster_proto::v1::list_dead_letters_request::Of;
use tokio::time::Instant;
use tonic::metadata::MetadataValue;
use tonic::{Request, Response, Status};

use crate::error::Failure;
use crate::{Dashboard, RollStream, Services};

/// How long a page waits for all its calls together.
const PAGE_LIMIT: Duration = Duration::from_secs(4);
/// How long it waits when something is done: dead letters are replayed by thousands a second.
const ACTION_LIMIT: Duration = Duration::from_secs(60);
/// How many batches or letters a page has.
const PAGE_ROWS: u32 = 50;

/// Who asks for a page, and until when it must be there.
#[derive(Debug)]
pub(crate) struct Caller {
    dashboard: Arc<Dashboard>,
    peer: Option<Peer>,
    principal: Option<Arc<Principal>>,
    until: Instant,
}

impl Caller {
    /// Nobody in particular.
    pub(crate) fn nobody(dashboard: Arc<Dashboard>) -> Self {
        Self { dashboard, peer: None, principal: None, until: Instant::now() + PAGE_LIMIT }
    }

    /// The same caller, who wants something done.
    pub(crate) fn acting(self) -> Self {
        Self { until: Instant::now() + ACTION_LIMIT, ..self }
    }

    pub(crate) fn now(&self) -> SystemTime {
        (self.dashboard.options.now)()
    }

    /// Whether the page may offer to do something.
    pub(crate) fn may_act(&self) -> bool {
        let may = |principal: &Arc<Principal>| principal.may(Role::Operate);
        !self.dashboard.options.read_only && self.principal.as_ref().is_none_or(may)
    }

    /// The name of who has signed in.
    pub(crate) fn name(&self) -> Option<&str> {
        self.principal.as_ref().map(|principal| principal.name())
    }

    pub(crate) async fn stats(&self) -> Result<v1::Stats, Failure> {
        let request = self.request(v1::GetStatsRequest {});
        self.answer(self.services().queue.get_stats(request)).await
    }

    pub(crate) async fn pause(&self) -> Result<v1::Stats, Failure> {
        let request = self.request(v1::PauseQueueRequest {});
        self.answer(self.services().queue.pause_queue(request)).await
    }

    pub(crate) async fn resume(&self) -> Result<v1::Stats, Failure> {
        let request = self.request(v1::ResumeQueueRequest {});
        self.answer(self.services().queue.resume_queue(request)).await
    }

    /// Sets the filter of the log of all programs; an empty one gives each its own back.
    pub(crate) async fn set_log_filter(&self, filter: String) -> Result<v1::Stats, Failure> {
        let request = self.request(v1::SetLogFilterRequest { filter });
        self.answer(self.services().queue.set_log_filter(request)).await
    }

    pub(crate) async fn batch(&self, id: &str) -> Result<v1::Batch, Failure> {
        let request = self.request(v1::GetBatchRequest { id: id.to_owned() });
        self.answer(self.services().batches.get_batch(request)).await
    }

    pub(crate) async fn batches(
        &self,
        state: v1::BatchState,
        page_token: &str,
    ) -> Result<v1::ListBatchesResponse, Failure> {
        let request = self.request(v1::ListBatchesRequest {
            state: state.into(),
            page_token: page_token.to_owned(),
            page_size: PAGE_ROWS,
        });
        self.answer(self.services().batches.list_batches(request)).await
    }

    pub(crate) async fn abort(&self, id: &str) -> Result<v1::Batch, Failure> {
        let request = self.request(v1::AbortBatchRequest { id: id.to_owned() });
        self.answer(self.services().batches.abort_batch(request)).await
    }

    pub(crate) async fn workers(&self) -> Result<Vec<v1::Worker>, Failure> {
        let request = self.request(v1::ListWorkersRequest {});
        Ok(self.answer(self.services().workers.list_workers(request)).await?.workers)
    }

    pub(crate) async fn groups(&self) -> Result<Vec<v1::DeadLetterGroup>, Failure> {
        let request = self.request(v1::ListDeadLetterGroupsRequest {});
        Ok(self.answer(self.services().dead_letters.list_dead_letter_groups(request)).await?.groups)
    }

    pub(crate) async fn letters(
        &self,
        of: Of,
        page_token: &str,
    ) -> Result<v1::ListDeadLettersResponse, Failure> {
        let request = self.request(v1::ListDeadLettersRequest {
            of: Some(of),
            page_token: page_token.to_owned(),
            page_size: PAGE_ROWS,
        });
        self.answer(self.services().dead_letters.list_dead_letters(request)).await
    }

    pub(crate) async fn letter(&self, id: v1::DeadLetterId) -> Result<v1::DeadLetter, Failure> {
        let request = self.request(id);
        self.answer(self.services().dead_letters.get_dead_letter(request)).await
    }

    /// Replays letters; one alone may be replayed with another record, an encoded one.
    pub(crate) async fn replay(
        &self,
        which: Which,
        record: Option<Vec<u8>>,
    ) -> Result<v1::ReplayDeadLettersResponse, Failure> {
        let selector = Some(v1::DeadLetterSelector { which: Some(which) });
        let record = record.map(Into::into);
        let request = self.request(v1::ReplayDeadLettersRequest { selector, record });
        self.answer(self.services().dead_letters.replay_dead_letters(request)).await
    }

    pub(crate) async fn drop_letters(
        &self,
        which: Which,
    ) -> Result<v1::DropDeadLettersResponse, Failure> {
        let selector = Some(v1::DeadLetterSelector { which: Some(which) });
        let request = self.request(v1::DropDeadLettersRequest { selector });
        self.answer(self.services().dead_letters.drop_dead_letters(request)).await
    }

    pub(crate) async fn roll(&self) -> Result<v1::RollManifest, Failure> {
        let request = self.request(v1::GetRollRequest {});
        self.answer(self.services().roll.get_roll(request)).await
    }

    /// The roll's file, with its metadata. The limit is for its beginning alone.
    pub(crate) async fn download(&self) -> Result<Response<RollStream>, Failure> {
        let request = self.request(v1::DownloadRollRequest {});
        self.in_time(self.services().roll.download_roll(request)).await
    }

    fn services(&self) -> &Services {
        &self.dashboard.services
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(peer) = &self.peer {
            request.extensions_mut().insert(peer.clone());
        }
        if let Some(principal) = &self.principal {
            request.extensions_mut().insert(Arc::clone(principal));
        }
        request.metadata_mut().insert("user-agent", MetadataValue::from_static("dashboard"));
        request
    }

    async fn answer<T>(
        &self,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<T, Failure> {
        Ok(self.in_time(call).await?.into_inner())
    }

    async fn in_time<T>(
        &self,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<Response<T>, Failure> {
        match tokio::time::timeout_at(self.until, call).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(Failure::Late),
        }
    }
}

impl FromRequestParts<Arc<Dashboard>> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        dashboard: &Arc<Dashboard>,
    ) -> Result<Self, Infallible> {
        Ok(Self {
            peer: parts.extensions.get::<Peer>().cloned(),
            principal: parts.extensions.get::<Arc<Principal>>().cloned(),
            ..Self::nobody(Arc::clone(dashboard))
        })
    }
}
