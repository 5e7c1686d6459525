//! `/dead/group`, `/dead/batch/{id}`: the dead letters of a group or of a batch, a page at a time.

use std::time::SystemTime;

use askama::Template;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query};
use axum::response::Response;
use muster_proto::v1::list_dead_letters_request::Of;
use muster_proto::v1::{DeadLetter, ListDeadLettersResponse};
use serde::Deserialize;

use super::resolve::Selection;
use crate::caller::Caller;
use crate::confirm::Notice;
use crate::error::Failure;
use crate::frame::{Frame, Section, page};
use crate::human::{self, Value};
use crate::links;

/// How much of a reason is shown in a row, in characters.
const REASON_CHARS: usize = 200;

#[derive(Debug, Deserialize)]
pub(super) struct AskedGroup {
    name: String,
    #[serde(default)]
    page: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct AskedPage {
    #[serde(default)]
    page: String,
}

#[derive(Debug, Template)]
#[template(path = "letters.html")]
struct Page {
    frame: Frame,
    may_act: bool,
    /// Of which group or batch.
    of: String,
    /// The batch's own page.
    batch: Option<String>,
    letters: Vec<LetterRow>,
    replay: String,
    drop: String,
    /// The first page, if this is another one.
    first: Option<String>,
    next: Option<String>,
}

#[derive(Debug)]
struct LetterRow {
    batch: String,
    batch_link: String,
    place: Value,
    link: String,
    record_id: i32,
    attempts: u32,
    crashes: u32,
    last: Option<Value>,
    reason: String,
}

pub(super) async fn of_group(
    caller: Caller,
    notice: Notice,
    asked: Result<Query<AskedGroup>, QueryRejection>,
) -> Result<Response, Failure> {
    let Query(AskedGroup { name, page: token }) = asked?;
    let list = caller.letters(Of::Group(name.clone()), &token).await?;
    let frame = Frame::new(Section::Dead, &caller, notice);
    page(&Page::new(frame, &caller, Selection::Group(name), list, &token))
}

pub(super) async fn of_batch(
    caller: Caller,
    notice: Notice,
    id: Result<Path<String>, PathRejection>,
    asked: Result<Query<AskedPage>, QueryRejection>,
) -> Result<Response, Failure> {
    let Path(id) = id?;
    let Query(AskedPage { page: token }) = asked?;
    let list = caller.letters(Of::Batch(id.clone()), &token).await?;
    let frame = Frame::new(Section::Dead, &caller, notice);
    page(&Page::new(frame, &caller, Selection::Batch(id), list, &token))
}

impl Page {
    fn new(
        frame: Frame,
        caller: &Caller,
        of: Selection,
        list: ListDeadLettersResponse,
        token: &str,
    ) -> Self {
        let (here, next) = (of.page(), list.next_page_token);
        let rows = list.dead_letters.into_iter();
        Self {
            frame,
            may_act: caller.may_act(),
            of: of.words(),
            batch: of.batch().map(links::batch),
            letters: rows.map(|letter| LetterRow::new(letter, caller.now())).collect(),
            replay: of.link(links::REPLAY),
            drop: of.link(links::DROP),
            next: (!next.is_empty()).then(|| links::with_query(&here, &[("page", &next)])),
            first: (!token.is_empty()).then_some(here),
        }
    }
}

impl LetterRow {
    fn new(letter: DeadLetter, now: SystemTime) -> Self {
        Self {
            batch_link: links::batch(&letter.batch),
            link: links::letter(&letter.batch, letter.place),
            batch: letter.batch,
            place: human::count(letter.place),
            record_id: letter.record_id,
            attempts: letter.attempts,
            crashes: letter.crashes,
            last: human::moment(letter.last, now),
            reason: human::beginning(&letter.reason, REASON_CHARS),
        }
    }
}
