//! `/workers`: the processes that run workers, and what they have in hand.

use std::time::SystemTime;

use askama::Template;
use axum::response::Response;
use muster_proto::v1::{ChunkInHand, Worker, WorkerState};

use crate::caller::Caller;
use crate::confirm::Notice;
use crate::error::Failure;
use crate::frame::{Frame, Section, page};
use crate::human::{self, Value, counted};
use crate::links;
use crate::live::LivePage;

/// How much of what a process has in hand is shown.
const CHUNKS_SHOWN: usize = 4;

#[derive(Debug, Template)]
#[template(path = "workers.html", blocks = ["live"])]
struct Page {
    frame: Frame,
    events: String,
    workers: Vec<WorkerView>,
}

#[derive(Debug)]
struct WorkerView {
    id: Value,
    host: String,
    pid: u32,
    version: String,
    workers: u32,
    state: &'static str,
    since: Option<Value>,
    last_heartbeat: Option<Value>,
    processed: Value,
    failed: Value,
    in_hand: Vec<ChunkView>,
    in_hand_count: usize,
    /// Why it cannot write the roll; empty if it can.
    roll_problem: String,
}

#[derive(Debug)]
struct ChunkView {
    batch: String,
    link: String,
    /// Which records of it.
    records: String,
}

pub(super) async fn show(caller: Caller, notice: Notice) -> Result<Response, Failure> {
    page(&load(&caller, Frame::new(Section::Workers, &caller, notice)).await?)
}

pub(crate) async fn fragment(caller: &Caller) -> Result<String, Failure> {
    Ok(load(caller, Frame::bare(Section::Workers)).await?.as_live().render()?)
}

async fn load(caller: &Caller, frame: Frame) -> Result<Page, Failure> {
    let workers = caller.workers().await?.into_iter();
    Ok(Page {
        frame,
        events: LivePage::Workers.events(),
        workers: workers.map(|worker| WorkerView::new(worker, caller.now())).collect(),
    })
}

impl WorkerView {
    fn new(worker: Worker, now: SystemTime) -> Self {
        Self {
            state: match worker.state() {
                WorkerState::Running => "running",
                WorkerState::Draining => "draining",
                WorkerState::Lost => "lost",
                WorkerState::Unspecified => "unknown",
            },
            id: human::identity(&worker.id),
            host: worker.host,
            pid: worker.pid,
            version: worker.version,
            workers: worker.workers,
            since: human::moment(worker.since, now),
            last_heartbeat: human::moment(worker.last_heartbeat, now),
            processed: human::count(worker.processed),
            failed: human::count(worker.failed),
            in_hand_count: worker.in_hand.len(),
            roll_problem: worker.roll_problem,
            in_hand: worker.in_hand.into_iter().take(CHUNKS_SHOWN).map(Into::into).collect(),
        }
    }
}

impl From<ChunkInHand> for ChunkView {
    fn from(chunk: ChunkInHand) -> Self {
        let records = counted(chunk.records.into(), "record");
        Self {
            link: links::batch(&chunk.batch),
            batch: chunk.batch,
            records: format!("{records} from {}", human::grouped(chunk.first)),
        }
    }
}
