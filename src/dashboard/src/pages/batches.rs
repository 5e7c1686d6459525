//! `/batches`: the batches, the one that was opened last first, a page at a time.

use std::time::{Duration, SystemTime};

use askama::Template;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::response::Response;
use muster_proto::v1::{Batch, BatchState};
use serde::Deserialize;

use crate::caller::Caller;
use crate::confirm::Notice;
use crate::error::Failure;
use crate::frame::{Frame, Section, page};
use crate::human::{self, Value};
use crate::links;
use crate::live::LivePage;

/// The states, by their names here.
const STATES: [(&str, BatchState); 5] = [
    ("open", BatchState::Open),
    ("sealed", BatchState::Sealed),
    ("complete", BatchState::Complete),
    ("written", BatchState::Written),
    ("aborted", BatchState::Aborted),
];

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    state: String,
    #[serde(default)]
    page: String,
}

#[derive(Debug, Template)]
#[template(path = "batches.html", blocks = ["live"])]
struct Page {
    frame: Frame,
    events: String,
    filters: Vec<Filter>,
    batches: Vec<BatchView>,
    /// The first page, if this is another one.
    first: Option<String>,
    next: Option<String>,
}

#[derive(Debug)]
struct Filter {
    name: &'static str,
    link: String,
    chosen: bool,
}

/// What is shown of a batch.
#[derive(Debug)]
pub(super) struct BatchView {
    pub(super) id: String,
    pub(super) link: String,
    pub(super) state: &'static str,
    pub(super) held: bool,
    pub(super) overdue: bool,
    pub(super) received: Value,
    /// Records that will not be processed in this batch any more, and how many hundredths of all.
    pub(super) done: Value,
    pub(super) percent: u64,
    pub(super) dead: Value,
    pub(super) has_dead: bool,
    pub(super) dead_link: String,
    pub(super) retrying: Value,
    /// Records done in each second, until all were.
    pub(super) rate: Option<Value>,
    /// How long the rest takes at that rate.
    pub(super) left: Option<Value>,
    pub(super) sha256: Option<Value>,
    pub(super) opened: Option<Value>,
}

pub(super) async fn show(
    caller: Caller,
    notice: Notice,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Failure> {
    let Query(Asked { state, page: token }) = asked?;
    page(&load(&caller, Frame::new(Section::Batches, &caller, notice), &state, &token).await?)
}

pub(crate) async fn fragment(caller: &Caller, state: &str, token: &str) -> Result<String, Failure> {
    let page = load(caller, Frame::bare(Section::Batches), state, token).await?;
    Ok(page.as_live().render()?)
}

async fn load(caller: &Caller, frame: Frame, state: &str, token: &str) -> Result<Page, Failure> {
    let list = caller.batches(state_of(state)?, token).await?;
    let link = |state: &str, token: &str| {
        links::with_query(links::BATCHES, &[("state", state), ("page", token)])
    };
    let filter = |name, value: &str| Filter { name, link: link(value, ""), chosen: state == value };
    let next = list.next_page_token;
    Ok(Page {
        frame,
        events: LivePage::Batches { state: state.to_owned(), token: token.to_owned() }.events(),
        filters: std::iter::once(filter("all", ""))
            .chain(STATES.iter().map(|(name, _)| filter(name, name)))
            .collect(),
        batches: list.batches.iter().map(|batch| BatchView::new(batch, caller.now())).collect(),
        first: (!token.is_empty()).then(|| link(state, "")),
        next: (!next.is_empty()).then(|| link(state, &next)),
    })
}

fn state_of(name: &str) -> Result<BatchState, Failure> {
    if name.is_empty() {
        return Ok(BatchState::Unspecified);
    }
    let state = STATES.iter().find(|(state, _)| *state == name);
    let (_, state) = state.ok_or_else(|| {
        Failure::Unreadable(format!("No batch has the state \"{}\".", human::beginning(name, 40)))
    })?;
    Ok(*state)
}

impl BatchView {
    pub(super) fn new(batch: &Batch, now: SystemTime) -> Self {
        let done = [batch.kept, batch.dead, batch.dropped, batch.replayed]
            .into_iter()
            .fold(0, u64::saturating_add);
        let time = time_taken(batch, now);
        let digest = &batch.roll_sha256;
        Self {
            id: batch.id.clone(),
            link: links::batch(&batch.id),
            state: state_name(batch.state()),
            held: batch.held,
            overdue: batch.overdue,
            received: human::count(batch.received),
            done: human::count(done),
            percent: hundredths(done, batch.received),
            dead: human::count(batch.dead),
            has_dead: batch.dead > 0,
            dead_link: links::dead_of_batch(&batch.id),
            retrying: human::count(batch.retrying),
            rate: time.and_then(|time| human::rate(done, time)),
            // One that is held waits for a person, who has no rate.
            left: time.filter(|_| is_under_way(batch) && !batch.held).and_then(|time| {
                time_left(batch.received.saturating_sub(done), done, time).map(human::span)
            }),
            sha256: (!digest.is_empty()).then(|| human::identity(digest)),
            opened: human::moment(batch.opened_at, now),
        }
    }
}

/// Whether records of the batch may still come, or be processed.
pub(super) fn is_under_way(batch: &Batch) -> bool {
    matches!(batch.state(), BatchState::Open | BatchState::Sealed)
}

pub(super) fn state_name(state: BatchState) -> &'static str {
    STATES.iter().find(|(_, of)| *of == state).map_or("unknown", |(name, _)| name)
}

/// How long the batch was open to be processed: until it was complete or aborted, or until now.
fn time_taken(batch: &Batch, now: SystemTime) -> Option<Duration> {
    let opened = human::time(batch.opened_at)?;
    let end = human::time(batch.completed_at.or(batch.ended_at)).unwrap_or(now);
    end.duration_since(opened).ok()
}

fn time_left(records: u64, done: u64, time: Duration) -> Option<Duration> {
    // Of one that has nothing to do nobody knows when its sender goes on.
    if done == 0 || records == 0 {
        return None;
    }
    let millis = time.as_millis() * u128::from(records) / u128::from(done);
    u64::try_from(millis).ok().map(Duration::from_millis)
}

fn hundredths(part: u64, whole: u64) -> u64 {
    let hundredths = u128::from(part) * 100 / u128::from(whole.max(1));
    u64::try_from(hundredths).unwrap_or(100).min(100)
}

#[cfg(test)]
mod tests {
    use prost_types::Timestamp;

    use super::*;

    fn at(seconds: i64) -> Option<Timestamp> {
        Some(Timestamp { seconds, nanos: 0 })
    }

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1100)
    }

    fn batch(state: BatchState) -> Batch {
        Batch {
            state: state.into(),
            received: 4000,
            kept: 900,
            dead: 50,
            dropped: 30,
            replayed: 20,
            opened_at: at(1000),
            ..Batch::default()
        }
    }

    fn text(value: Option<Value>) -> Option<String> {
        value.map(|value| value.text)
    }

    #[test]
    fn a_batch_under_way_has_a_rate_and_time_left() {
        for state in [BatchState::Open, BatchState::Sealed] {
            let view = BatchView::new(&batch(state), now());
            assert_eq!((view.done.text.as_str(), view.percent), ("1,000", 25));
            assert_eq!(text(view.rate).as_deref(), Some("10/s"));
            assert_eq!(text(view.left).as_deref(), Some("5 min 0 s"));
        }
    }

    #[test]
    fn a_batch_that_is_held_has_no_time_left() {
        let held = Batch { held: true, ..batch(BatchState::Sealed) };
        assert_eq!(BatchView::new(&held, now()).left, None);
    }

    #[test]
    fn an_open_batch_with_nothing_to_do_has_no_time_left() {
        let idle = Batch { received: 1000, ..batch(BatchState::Open) };
        let view = BatchView::new(&idle, now());
        assert_eq!((view.percent, view.left), (100, None));
    }

    #[test]
    fn a_batch_that_ended_has_the_rate_that_it_had() {
        let ended =
            Batch { completed_at: at(1010), ended_at: at(1050), ..batch(BatchState::Written) };
        let view = BatchView::new(&ended, now());
        assert_eq!(text(view.rate).as_deref(), Some("100/s"));
        assert_eq!(view.left, None);
        let aborted = Batch { ended_at: at(1050), ..batch(BatchState::Aborted) };
        assert_eq!(text(BatchView::new(&aborted, now()).rate).as_deref(), Some("20/s"));
    }

    #[test]
    fn what_is_not_known_is_not_reckoned() {
        let begun = Batch { opened_at: at(1000), received: 10, ..Batch::default() };
        let view = BatchView::new(&Batch { state: BatchState::Open.into(), ..begun }, now());
        assert_eq!((view.percent, view.left), (0, None));
        let old = Batch { opened_at: None, ..batch(BatchState::Open) };
        let view = BatchView::new(&old, now());
        assert_eq!((view.rate, view.left, view.opened), (None, None, None));
        assert_eq!(hundredths(0, 0), 0);
        assert_eq!(hundredths(3, 2), 100);
    }

    #[test]
    fn states_have_names() {
        for (name, state) in STATES {
            assert_eq!(state_of(name).unwrap(), state);
            assert_eq!(state_name(state), name);
        }
        assert_eq!(state_of("").unwrap(), BatchState::Unspecified);
        assert!(matches!(state_of("Open"), Err(Failure::Unreadable(_))));
    }
}
