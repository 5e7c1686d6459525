//! `/`: what waits, how fast it moves, and whether all is well.

use std::time::{Duration, SystemTime};

use askama::Template;
use axum::response::Response;
use muster_proto::v1::{Line, RollHealth, Stats, StoreHealth};

use crate::caller::Caller;
use crate::chart::{self, Chart};
use crate::confirm::Notice;
use crate::error::Failure;
use crate::frame::{Frame, Section, page};
use crate::human::{self, Value, counted};
use crate::live::LivePage;

#[derive(Debug, Template)]
#[template(path = "overview.html", blocks = ["live"])]
struct Page {
    frame: Frame,
    events: String,
    may_act: bool,
    /// When the server looked.
    at: Option<Value>,
    paused: bool,
    waiting: Value,
    waiting_bytes: Value,
    oldest: Option<Value>,
    leased: Value,
    workers: u32,
    workers_lost: u32,
    dead_letters: Value,
    held_batches: u64,
    lines: Vec<LineView>,
    accepted: Value,
    kept: Value,
    dead: Value,
    charts: [Chart; 2],
    store: StoreView,
    roll: RollView,
    log_filter: String,
}

#[derive(Debug)]
struct LineView {
    name: String,
    records: Value,
    bytes: Value,
    oldest: Option<Value>,
}

#[derive(Debug)]
struct StoreView {
    url: String,
    version: String,
    latency: Option<Value>,
    used: Value,
    /// How much it may use, and how much of that it does, in hundredths.
    limit: Option<(Value, u64)>,
    durability: String,
    persistence: String,
    /// Which accepted records may be lost, and when. Empty if none may, or if it is not known.
    may_lose: String,
    is_full: bool,
    problem: String,
}

/// How the writing of the roll goes.
#[derive(Debug)]
struct RollView {
    unwritten: Value,
    unwritten_for: Option<Value>,
    /// Why the worker on this host cannot write it; empty if all can.
    problem: String,
    host: String,
    /// How many others cannot, in words behind the host.
    others: String,
    since: Option<Value>,
}

pub(super) async fn show(caller: Caller, notice: Notice) -> Result<Response, Failure> {
    let frame = Frame::new(Section::Overview, &caller, notice);
    let stats = caller.stats().await?;
    page(&Page::new(frame, stats, caller.may_act(), caller.now()))
}

pub(crate) async fn fragment(caller: &Caller) -> Result<String, Failure> {
    let frame = Frame::bare(Section::Overview);
    let page = Page::new(frame, caller.stats().await?, caller.may_act(), caller.now());
    Ok(page.as_live().render()?)
}

impl Page {
    fn new(frame: Frame, stats: Stats, may_act: bool, now: SystemTime) -> Self {
        let sum = |of: fn(&Line) -> u64| stats.lines.iter().map(of).fold(0, u64::saturating_add);
        Self {
            frame,
            events: LivePage::Overview.events(),
            may_act,
            at: human::moment(stats.at, now),
            paused: stats.paused,
            waiting: human::count(sum(|line| line.records)),
            waiting_bytes: human::bytes(sum(|line| line.bytes)),
            oldest: stats.lines.iter().filter_map(oldest).max().map(human::span),
            leased: human::count(stats.leased),
            workers: stats.workers,
            workers_lost: stats.workers_lost,
            dead_letters: human::count(stats.dead_letters),
            held_batches: stats.held_batches,
            accepted: human::count(stats.accepted),
            kept: human::count(stats.kept),
            dead: human::count(stats.dead),
            charts: chart::of_flow(&stats.flow),
            lines: stats.lines.into_iter().map(Into::into).collect(),
            store: stats.store.unwrap_or_default().into(),
            roll: RollView::new(stats.roll.unwrap_or_default(), now),
            log_filter: stats.log_filter,
        }
    }
}

fn oldest(line: &Line) -> Option<Duration> {
    Duration::try_from(line.oldest?).ok()
}

impl From<Line> for LineView {
    fn from(line: Line) -> Self {
        Self {
            records: human::count(line.records),
            bytes: human::bytes(line.bytes),
            oldest: oldest(&line).map(human::span),
            name: line.name,
        }
    }
}

impl RollView {
    fn new(roll: RollHealth, now: SystemTime) -> Self {
        let oldest = roll.unwritten_for.and_then(|oldest| Duration::try_from(oldest).ok());
        Self {
            unwritten: human::count(roll.unwritten_batches),
            unwritten_for: oldest.map(human::span),
            others: match roll.processes_failing {
                0 | 1 => String::new(),
                failing => format!(" and {}", counted(u64::from(failing) - 1, "other")),
            },
            since: human::moment(roll.since, now),
            problem: roll.problem,
            host: roll.host,
        }
    }
}

impl From<StoreHealth> for StoreView {
    fn from(store: StoreHealth) -> Self {
        let used = |limit: u64| u128::from(store.used_bytes) * 100 / u128::from(limit);
        let limit = (store.limit_bytes > 0).then(|| {
            let hundredths = u64::try_from(used(store.limit_bytes)).unwrap_or(u64::MAX);
            (human::bytes(store.limit_bytes), hundredths)
        });
        let latency = store.latency.and_then(|latency| Duration::try_from(latency).ok());
        Self {
            url: store.url,
            version: store.version,
            latency: latency.map(human::span),
            used: human::bytes(store.used_bytes),
            limit,
            durability: store.durability,
            persistence: store.persistence,
            may_lose: store.may_lose,
            is_full: store.full,
            problem: store.problem,
        }
    }
}
