//! `/dead/letter/{batch}/{place}`: one dead letter whole, and its replay with another record.

use askama::Template;
use axum::extract::rejection::{FormRejection, PathRejection};
use axum::extract::{Form, Path};
use axum::response::Response;
use muster_proto::users::UserRequest;
use muster_proto::v1::dead_letter_selector::Which;
use muster_proto::v1::{DeadLetter, DeadLetterId};
use prost::Message as _;
use serde::Deserialize;

use super::resolve::Selection;
use crate::caller::Caller;
use crate::confirm::{Answer, Done, Notice, Question};
use crate::error::Failure;
use crate::frame::{Frame, Section, page};
use crate::human::{self, Value};
use crate::links;
use crate::record::RecordForm;

#[derive(Debug, Template)]
#[template(path = "letter.html")]
struct Page {
    frame: Frame,
    may_act: bool,
    batch: String,
    batch_link: String,
    place: Value,
    reason: String,
    group: String,
    group_link: String,
    attempts: u32,
    crashes: u32,
    first: Option<Value>,
    last: Option<Value>,
    trace: String,
    /// Whether what was sent is a record.
    is_readable: bool,
    record: RecordForm,
    replay: String,
    drop: String,
    replay_edited: String,
}

/// A record that was edited, and whether that is meant.
#[derive(Debug, Deserialize)]
pub(super) struct Edited {
    #[serde(flatten)]
    record: RecordForm,
    #[serde(flatten)]
    answer: Answer,
}

pub(super) async fn show(
    caller: Caller,
    notice: Notice,
    id: Result<Path<(String, u64)>, PathRejection>,
) -> Result<Response, Failure> {
    let Path((batch, place)) = id?;
    let letter = caller.letter(DeadLetterId { batch, place }).await?;
    let frame = Frame::new(Section::Dead, &caller, notice);
    page(&Page::new(frame, &caller, letter))
}

pub(super) async fn replay_edited(
    caller: Caller,
    id: Result<Path<(String, u64)>, PathRejection>,
    edited: Result<Form<Edited>, FormRejection>,
) -> Result<Response, Failure> {
    let Path((batch, place)) = id?;
    let Form(Edited { record, answer }) = edited?;
    let encoded = record.read()?;
    let letter = DeadLetterId { batch, place };
    let selection = Selection::Letter { batch: letter.batch.clone(), place };
    if answer.is_yes() {
        let replayed = caller.acting().replay(Which::Letter(letter), Some(encoded)).await?;
        return Ok(Done::Replayed.lead_to(&selection.page_after(), replayed.letters));
    }
    let action = links::replay_edited(&letter.batch, place);
    caller.letter(letter).await?;
    let question = Question {
        frame: Frame::bare(Section::Dead),
        title: format!("Replay {} with another record?", selection.words()),
        what: vec!["This record is processed in its stead:".to_owned()],
        action,
        fields: record.fields().map(|(name, typed)| (name, typed.to_owned())).into(),
        button: "Replay",
        harmful: false,
        back: selection.page(),
    };
    question.ask()
}

impl Page {
    fn new(frame: Frame, caller: &Caller, letter: DeadLetter) -> Self {
        let record = UserRequest::decode(letter.record).ok();
        let empty = UserRequest { id: letter.record_id, ..UserRequest::default() };
        let selection = Selection::Letter { batch: letter.batch.clone(), place: letter.place };
        Self {
            frame,
            may_act: caller.may_act(),
            batch_link: links::batch(&letter.batch),
            place: human::count(letter.place),
            reason: letter.reason,
            group_link: links::group(&letter.group),
            group: letter.group,
            attempts: letter.attempts,
            crashes: letter.crashes,
            first: human::moment(letter.first, caller.now()),
            last: human::moment(letter.last, caller.now()),
            trace: letter.trace,
            is_readable: record.is_some(),
            record: record.as_ref().unwrap_or(&empty).into(),
            replay: selection.link(links::REPLAY),
            drop: selection.link(links::DROP),
            replay_edited: links::replay_edited(&letter.batch, letter.place),
            batch: letter.batch,
        }
    }
}
