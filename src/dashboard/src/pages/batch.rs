//! `/batches/{id}`: one batch whole, and its end by hand.

use std::time::SystemTime;

use askama::Template;
use axum::extract::rejection::{FormRejection, PathRejection};
use axum::extract::{Form, Path};
use axum::response::Response;
use muster_proto::v1::{Batch, BatchPolicy, BatchPriority, BatchState, Worker, WorkerState};

use super::batches::{BatchView, is_under_way};
use crate::caller::Caller;
use crate::confirm::{Answer, Done, Notice, Question};
use crate::error::Failure;
use crate::frame::{Frame, Section, page};
use crate::human::{self, Value, counted};
use crate::links;
use crate::live::LivePage;

/// How many of the chunks that are in hand are shown.
const CHUNKS_SHOWN: usize = 50;

#[derive(Debug, Template)]
#[template(path = "batch.html", blocks = ["live"])]
struct Page {
    frame: Frame,
    events: String,
    batch: BatchView,
    /// What keeps it from going on; empty if nothing is known.
    waiting_for: String,
    policy: &'static str,
    priority: &'static str,
    kept: Value,
    dropped: Value,
    replayed: Value,
    steps: Vec<Step>,
    chunks: Value,
    chunks_committed: Value,
    in_hand: Vec<InHand>,
    in_hand_count: usize,
    /// Where it is aborted, if it may be.
    abort: Option<String>,
}

/// A step on the batch's way.
#[derive(Debug)]
struct Step {
    name: &'static str,
    at: Option<Value>,
    /// How long after the step before.
    took: Option<Value>,
}

/// A chunk of the batch that a worker has in hand.
#[derive(Debug)]
struct InHand {
    worker: Value,
    host: String,
    first: Value,
    records: u32,
}

pub(super) async fn show(
    caller: Caller,
    notice: Notice,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Failure> {
    let frame = Frame::new(Section::Batches, &caller, notice);
    page(&load(&caller, frame, &id?).await?)
}

pub(crate) async fn fragment(caller: &Caller, id: &str) -> Result<String, Failure> {
    Ok(load(caller, Frame::bare(Section::Batches), id).await?.as_live().render()?)
}

pub(super) async fn abort(
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
    answer: Result<Form<Answer>, FormRejection>,
) -> Result<Response, Failure> {
    let Path(id) = id?;
    if answer?.is_yes() {
        caller.acting().abort(&id).await?;
        return Ok(Done::Aborted.lead_to(&links::batch(&id), 0));
    }
    let batch = caller.batch(&id).await?;
    let question = Question {
        frame: Frame::bare(Section::Batches),
        title: format!("Abort batch {id}?"),
        what: vec![
            format!(
                "{} of it were received, {} of them are dead letters: all are discarded.",
                counted(batch.received, "record"),
                human::grouped(batch.dead)
            ),
            "None of it will be in the roll. This cannot be undone.".to_owned(),
        ],
        action: links::abort(&id),
        fields: Vec::new(),
        button: "Abort the batch",
        harmful: true,
        back: links::batch(&id),
    };
    question.ask()
}

async fn load(caller: &Caller, frame: Frame, id: &str) -> Result<Page, Failure> {
    let (batch, workers) = tokio::try_join!(caller.batch(id), caller.workers())?;
    let in_hand: Vec<InHand> = workers.iter().flat_map(|worker| in_hand(worker, id)).collect();
    let may_abort = caller.may_act() && is_under_way(&batch);
    Ok(Page {
        frame,
        events: LivePage::Batch { id: id.to_owned() }.events(),
        waiting_for: batch.waiting_for.clone(),
        policy: match batch.policy() {
            BatchPolicy::Partial => "partial: it goes into the roll without its dead letters",
            BatchPolicy::Fail => "fail: it waits until its dead letters are replayed or dropped",
            BatchPolicy::Unspecified => "unknown",
        },
        priority: match batch.priority() {
            BatchPriority::High => "high",
            BatchPriority::Normal => "normal",
            BatchPriority::Low => "low",
            BatchPriority::Unspecified => "unknown",
        },
        kept: human::count(batch.kept),
        dropped: human::count(batch.dropped),
        replayed: human::count(batch.replayed),
        steps: steps(&batch, caller.now()),
        chunks: human::count(batch.chunks),
        chunks_committed: human::count(batch.chunks_committed),
        in_hand_count: in_hand.len(),
        in_hand: in_hand.into_iter().take(CHUNKS_SHOWN).collect(),
        abort: may_abort.then(|| links::abort(id)),
        batch: BatchView::new(&batch, caller.now()),
    })
}

/// What a worker has in hand of the batch. What a lost one had, others have.
fn in_hand<'a>(worker: &'a Worker, batch: &'a str) -> impl Iterator<Item = InHand> + 'a {
    let is_lost = worker.state() == WorkerState::Lost;
    let chunks = worker.in_hand.iter().filter(move |chunk| !is_lost && chunk.batch == batch);
    chunks.map(|chunk| InHand {
        worker: human::identity(&worker.id),
        host: worker.host.clone(),
        first: human::count(chunk.first),
        records: chunk.records,
    })
}

fn steps(batch: &Batch, now: SystemTime) -> Vec<Step> {
    let is_aborted = batch.state() == BatchState::Aborted;
    let times = [
        ("opened", batch.opened_at),
        ("sealed", batch.sealed_at),
        ("complete", batch.completed_at),
        (if is_aborted { "aborted" } else { "written" }, batch.ended_at),
    ];
    let mut before: Option<SystemTime> = None;
    let mut steps = Vec::new();
    for (name, at) in times {
        // A batch that is aborted skips what is between.
        if is_aborted && at.is_none() && name != "aborted" {
            continue;
        }
        let time = human::time(at);
        let took = before.zip(time).and_then(|(before, time)| time.duration_since(before).ok());
        steps.push(Step { name, at: human::moment(at, now), took: took.map(human::span) });
        before = time.or(before);
    }
    steps
}
