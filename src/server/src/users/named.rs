//! Unary calls that name their batch: each record has its place, so a repeated call counts once.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use muster_queue::{Appended, BatchId, BatchOptions, Error, NewChunk, Queue};
use tracing::Instrument as _;

use super::chunk;
use super::filling::Filling;
use super::unary::{Call, common_trace};
use crate::status;

/// How many calls are answered before these answers go out: whoever waits for them goes on while the
/// others are answered. All at once, sender and server would take turns.
const ANSWERED_AT_ONCE: usize = 32;

/// Appends the records of these calls to the batch, and answers each.
pub(super) async fn append(
    queue: &dyn Queue,
    batch: &BatchId,
    options: &BatchOptions,
    mut calls: Vec<Call>,
) {
    while !calls.is_empty() {
        let (first, later) = first_of_each_place(calls);
        append_in_chunks(queue, batch, options, first).await;
        calls = later;
    }
}

/// The first call for each place, with those for the same record; and the calls that are left. Only one of
/// several records for a place can be the one that is stored.
fn first_of_each_place(calls: Vec<Call>) -> (Vec<Call>, Vec<Call>) {
    let (mut first, mut later) = (Vec::<Call>::with_capacity(calls.len()), Vec::new());
    let mut by_place = HashMap::with_capacity(calls.len());
    for call in calls {
        match by_place.entry(call.place) {
            Entry::Vacant(new) => {
                new.insert(first.len());
                first.push(call);
            }
            Entry::Occupied(index) => {
                let same = &mut first[*index.get()];
                if same.record.wire() == call.record.wire() {
                    same.others.push(call.answer);
                } else {
                    later.push(call);
                }
            }
        }
    }
    (first, later)
}

async fn append_in_chunks(
    queue: &dyn Queue,
    batch: &BatchId,
    options: &BatchOptions,
    mut calls: Vec<Call>,
) {
    while !calls.is_empty() {
        let mut filling = Filling::default();
        let mut len = 0;
        while len < calls.len() && !filling.is_full() {
            filling.push(calls[len].record.wire());
            len += 1;
        }
        let later = calls.split_off(len);
        let first = calls.first().map_or(0, |call| call.place);
        let (span, trace) = chunk::begin(batch, first, common_trace(&calls));
        let mut places = calls.iter().map(|call| call.place);
        let new = filling
            .take()
            .into_iter()
            .map(|chunk| chunk.each(places.by_ref().take(chunk.count as usize), trace.clone()));
        let new: Vec<NewChunk> = new.collect();
        let left = match append_opened(queue, batch, options, &new).instrument(span).await {
            Ok(Appended::Taken { same, different }) => {
                answer_taken(calls, batch, &same, &different).await
            }
            Ok(Appended::Accepted | Appended::Behind { .. }) => {
                answer(calls, || Ok(())).await;
                Vec::new()
            }
            Err(
                error @ (Error::Unavailable { .. }
                | Error::Full { .. }
                | Error::OutOfMemory { .. }
                | Error::TooLarge { .. }),
            ) => {
                answer(calls, || Err(status::of(&error))).await;
                Vec::new()
            }
            // One record that the batch refuses says nothing of the others: each for itself.
            Err(_) if calls.len() > 1 => {
                for call in calls {
                    Box::pin(append_in_chunks(queue, batch, options, vec![call])).await;
                }
                Vec::new()
            }
            Err(error) => {
                answer(calls, || Err(status::of(&error))).await;
                Vec::new()
            }
        };
        calls = left;
        calls.extend(later);
    }
}

/// Appends, and opens the batch if it is new.
async fn append_opened(
    queue: &dyn Queue,
    batch: &BatchId,
    options: &BatchOptions,
    new: &[NewChunk],
) -> Result<Appended, Error> {
    match chunk::append(queue, batch, new).await {
        Err(Error::UnknownBatch(_)) => {
            queue.open(batch, options).await?;
            chunk::append(queue, batch, new).await
        }
        Err(error) => Err(chunk::or_too_large(queue, batch, error).await),
        appended => appended,
    }
}

/// Answers the calls at whose indices the batch has a record already: the same, or a different one.
/// Gives back the others.
async fn answer_taken(
    calls: Vec<Call>,
    batch: &BatchId,
    same: &[u64],
    different: &[u64],
) -> Vec<Call> {
    let is_in = |indices: &[u64]| {
        let indices: HashSet<u64> = indices.iter().copied().collect();
        move |call: &Call| indices.contains(&call.place)
    };
    let (taken, left): (Vec<_>, Vec<_>) = calls.into_iter().partition(is_in(same));
    answer(taken, || Ok(())).await;
    let (different, left): (Vec<_>, Vec<_>) = left.into_iter().partition(is_in(different));
    for call in different {
        let (from, to) = (call.place, call.place);
        let error = Error::Different { batch: batch.clone(), from, to };
        answer(vec![call], || Err(status::of(&error))).await;
    }
    left
}

/// Answers calls.
pub(super) async fn answer(calls: Vec<Call>, with: impl Fn() -> Result<(), tonic::Status>) {
    for (number, call) in calls.into_iter().enumerate() {
        if number > 0 && number % ANSWERED_AT_ONCE == 0 {
            tokio::task::yield_now().await;
        }
        for answer in call.others.into_iter().chain([call.answer]) {
            // A caller who has gone away needs no answer.
            let _ = answer.send(with());
        }
    }
}
