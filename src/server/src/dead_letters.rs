//! The service `muster.v1.DeadLetters`: what an operator needs to look at dead letters, and to
//! resolve them.

mod selection;

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use muster_access::{Principal, Role};
use muster_proto::chunk::Encoder;
use muster_proto::user::User;
use muster_proto::v1;
use muster_queue::{BatchId, DeadLetter, Error, LetterId, Queue, Replay, Replayed};
use tonic::{Request, Response, Status};

use crate::batches::{bad_token, batch_id};
use crate::caller::Caller;
use crate::status;
use crate::users::Lengths;
use selection::{Selection, Selector};

/// How many dead letters a page has when the caller does not say.
const PAGE_SIZE_DEFAULT: u32 = 100;
/// How many it has at most.
const PAGE_SIZE_MAX: u32 = 1000;

/// The service.
#[derive(Debug)]
pub(crate) struct DeadLetters {
    queue: Arc<dyn Queue>,
    /// Those of a mended record.
    lengths: Lengths,
}

impl DeadLetters {
    pub(crate) fn new(queue: Arc<dyn Queue>, lengths: Lengths) -> Self {
        Self { queue, lengths }
    }

    /// A page of a batch's letters, and the token of the next one.
    async fn page_of_batch(
        &self,
        batch: BatchId,
        token: &str,
        size: usize,
    ) -> Result<v1::ListDeadLettersResponse, Status> {
        let from_place =
            if token.is_empty() { 0 } else { token.parse().map_err(|_| bad_token())? };
        let letters = told(self.queue.dead_letters(&batch, from_place, size).await)?;
        let next = match letters.last() {
            Some(last) => told(self.queue.dead_letters(&batch, last.place + 1, 1).await)?.pop(),
            None if told(self.queue.batch(&batch).await)?.is_none() => {
                return Err(status::of(&Error::UnknownBatch(batch)));
            }
            None => None,
        };
        let dead_letters = letters.into_iter().map(|letter| to_proto(&batch, letter)).collect();
        let next_page_token = next.map(|next| next.place.to_string()).unwrap_or_default();
        Ok(v1::ListDeadLettersResponse { dead_letters, next_page_token })
    }

    /// A page of a group's letters, and the token of the next one: the last letter of this one.
    async fn page_of_group(
        &self,
        group: &str,
        token: &str,
        size: usize,
    ) -> Result<v1::ListDeadLettersResponse, Status> {
        let after = if token.is_empty() { None } else { Some(letter_of(token)?) };
        let letters = told(self.queue.dead_in_group(group, after.as_ref(), size).await)?;
        let mut next_page_token = String::new();
        if let Some((batch, letter)) = letters.last() {
            let last = LetterId { batch: batch.clone(), place: letter.place };
            if !told(self.queue.dead_in_group(group, Some(&last), 1).await)?.is_empty() {
                next_page_token = format!("{batch}/{}", letter.place);
            }
        }
        let dead_letters =
            letters.into_iter().map(|(batch, letter)| to_proto(&batch, letter)).collect();
        Ok(v1::ListDeadLettersResponse { dead_letters, next_page_token })
    }
}

#[tonic::async_trait]
impl v1::dead_letters_server::DeadLetters for DeadLetters {
    async fn list_dead_letter_groups(
        &self,
        _request: Request<v1::ListDeadLetterGroupsRequest>,
    ) -> Result<Response<v1::ListDeadLetterGroupsResponse>, Status> {
        let groups = told(self.queue.dead_groups().await)?.into_iter();
        let to_proto = |group: muster_queue::DeadGroup| v1::DeadLetterGroup {
            name: group.name,
            letters: group.letters,
        };
        Ok(Response::new(v1::ListDeadLetterGroupsResponse {
            groups: groups.map(to_proto).collect(),
        }))
    }

    async fn list_dead_letters(
        &self,
        request: Request<v1::ListDeadLettersRequest>,
    ) -> Result<Response<v1::ListDeadLettersResponse>, Status> {
        use v1::list_dead_letters_request::Of;
        let sees_all = request
            .extensions()
            .get::<Arc<Principal>>()
            .is_none_or(|principal| principal.may(Role::Read));
        let v1::ListDeadLettersRequest { of, page_token, page_size } = request.into_inner();
        let size = match page_size {
            0 => PAGE_SIZE_DEFAULT,
            size => size.min(PAGE_SIZE_MAX),
        } as usize;
        let page = match of {
            Some(Of::Batch(batch)) => {
                self.page_of_batch(batch_id("batch", &batch)?, &page_token, size).await?
            }
            Some(Of::Group(_)) if !sees_all => {
                return Err(Status::permission_denied(
                    "a sender sees the letters of its batch alone: a group asks for the role read",
                ));
            }
            Some(Of::Group(group)) => self.page_of_group(&group, &page_token, size).await?,
            None => return Err(Status::invalid_argument("name a `batch` or a `group`")),
        };
        Ok(Response::new(page))
    }

    async fn get_dead_letter(
        &self,
        request: Request<v1::DeadLetterId>,
    ) -> Result<Response<v1::DeadLetter>, Status> {
        let id = selection::letter_id(request.into_inner())?;
        let letter = selection::find(self.queue.as_ref(), &id).await?;
        Ok(Response::new(to_proto(&id.batch, letter)))
    }

    async fn replay_dead_letters(
        &self,
        request: Request<v1::ReplayDeadLettersRequest>,
    ) -> Result<Response<v1::ReplayDeadLettersResponse>, Status> {
        let by = Caller::of(&request);
        let v1::ReplayDeadLettersRequest { selector, record } = request.into_inner();
        let selector = Selector::read(selector)?;
        if let Some(record) = &record {
            check_record(self.lengths, &selector, record)?;
        }
        let mut letters_replayed = 0;
        let mut batches: Vec<BatchId> = Vec::new();
        let mut made = HashSet::new();
        let mut selection = Selection::of(self.queue.as_ref(), selector);
        while let Some((batch, letters)) = selection.next().await? {
            // A letter in a batch that this call has made died again.
            if made.contains(&batch) {
                continue;
            }
            let letters: Vec<Replay> =
                letters.into_iter().map(|letter| replay(letter, record.as_ref())).collect();
            let Replayed { into, letters } = told(self.queue.replay(&batch, &letters).await)?;
            tracing::info!(%batch, letters, %into, %by, "dead letters are replayed");
            letters_replayed += letters;
            if into != batch {
                made.insert(into.clone());
            }
            if letters > 0 && batches.last() != Some(&into) {
                batches.push(into);
            }
        }
        let batches = batches.iter().map(ToString::to_string).collect();
        let answer = v1::ReplayDeadLettersResponse { letters: letters_replayed, batches };
        Ok(Response::new(answer))
    }

    async fn drop_dead_letters(
        &self,
        request: Request<v1::DropDeadLettersRequest>,
    ) -> Result<Response<v1::DropDeadLettersResponse>, Status> {
        let by = Caller::of(&request);
        let selector = Selector::read(request.into_inner().selector)?;
        let mut dropped = 0;
        let mut selection = Selection::of(self.queue.as_ref(), selector);
        while let Some((batch, letters)) = selection.next().await? {
            let places: Vec<u64> = letters.iter().map(|letter| letter.place).collect();
            let letters = told(self.queue.drop_letters(&batch, &places).await)?;
            tracing::warn!(%batch, letters, %by, "dead letters are dropped");
            dropped += letters;
        }
        Ok(Response::new(v1::DropDeadLettersResponse { letters: dropped }))
    }
}

/// What the caller is told of a store that failed.
fn told<T>(answer: muster_queue::Result<T>) -> Result<T, Status> {
    answer.map_err(|error| status::of(&error))
}

fn letter_of(token: &str) -> Result<LetterId, Status> {
    let (batch, place) = token.split_once('/').ok_or_else(bad_token)?;
    Ok(LetterId {
        batch: batch.parse().map_err(|_| bad_token())?,
        place: place.parse().map_err(|_| bad_token())?,
    })
}

/// Refuses a mended record that cannot be one, or that is meant for several letters.
fn check_record(lengths: Lengths, selector: &Selector, record: &Bytes) -> Result<(), Status> {
    if !matches!(selector, Selector::Letter(_)) {
        return Err(Status::invalid_argument("`record` goes with one letter alone"));
    }
    User::read(record).map_err(|reason| {
        Status::invalid_argument(format!("`record` is no UserRequest: {reason}"))
    })?;
    lengths.check(record).map_err(|error| Status::invalid_argument(error.to_string()))
}

/// The letter's record, or the mended one, to be tried again.
fn replay(letter: DeadLetter, mended: Option<&Bytes>) -> Replay {
    let mut payload = Encoder::default();
    payload.push_raw(mended.unwrap_or(&letter.record));
    Replay { place: letter.place, payload: payload.take() }
}

fn to_proto(batch: &BatchId, letter: DeadLetter) -> v1::DeadLetter {
    v1::DeadLetter {
        batch: batch.to_string(),
        place: letter.place,
        record_id: letter.record_id,
        group: letter.group(),
        reason: letter.reason,
        attempts: letter.attempts,
        crashes: letter.crashes,
        first: Some(letter.first.into()),
        last: Some(letter.last.into()),
        trace: letter.trace.unwrap_or_default(),
        record: letter.record,
    }
}
