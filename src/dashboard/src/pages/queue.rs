//! What is done to the queue as a whole: it is paused, and goes on; what is logged of it.

use axum::extract::Form;
use axum::extract::rejection::FormRejection;
use axum::response::Response;
use serde::Deserialize;

use crate::caller::Caller;
use crate::confirm::{Answer, Done, Question};
use crate::error::Failure;
use crate::frame::{Frame, Section};
use crate::human::counted;
use crate::links;

pub(super) async fn pause(
    caller: Caller,
    answer: Result<Form<Answer>, FormRejection>,
) -> Result<Response, Failure> {
    if answer?.is_yes() {
        caller.acting().pause().await?;
        return Ok(Done::Paused.lead_to(links::OVERVIEW, 0));
    }
    let leased = counted(caller.stats().await?.leased, "chunk");
    ask(
        links::PAUSE,
        "Pause the queue?",
        "Pause",
        [
            format!("Workers finish the {leased} that they have in hand, and take nothing more."),
            "Senders are not stopped: what they send waits. Rolls are written.".to_owned(),
        ],
        Vec::new(),
    )
}

pub(super) async fn resume(
    caller: Caller,
    answer: Result<Form<Answer>, FormRejection>,
) -> Result<Response, Failure> {
    if answer?.is_yes() {
        caller.acting().resume().await?;
        return Ok(Done::Resumed.lead_to(links::OVERVIEW, 0));
    }
    let lines = caller.stats().await?.lines;
    let waiting = lines.iter().map(|line| line.records).fold(0, u64::saturating_add);
    let waiting = counted(waiting, "record");
    ask(
        links::RESUME,
        "Resume the queue?",
        "Resume",
        [format!("Workers take again; {waiting} are not committed.")],
        Vec::new(),
    )
}

/// The form of the log's filter.
#[derive(Debug, Deserialize)]
pub(super) struct LogForm {
    #[serde(flatten)]
    answer: Answer,
    #[serde(default)]
    filter: String,
}

pub(super) async fn set_log_filter(
    caller: Caller,
    form: Result<Form<LogForm>, FormRejection>,
) -> Result<Response, Failure> {
    let Form(LogForm { answer, filter }) = form?;
    if answer.is_yes() {
        caller.acting().set_log_filter(filter).await?;
        return Ok(Done::Logged.lead_to(links::OVERVIEW, 0));
    }
    let what = match filter.as_str() {
        "" => "Every server and worker of this store goes back to the filter of its own settings.",
        _ => "Every server and worker of this store logs by this filter, until it is set anew.",
    };
    let fields = vec![("filter", filter)];
    ask(links::LOG, "Set the filter of the log?", "Set", [what.to_owned()], fields)
}

fn ask(
    action: &str,
    title: &str,
    button: &'static str,
    what: impl Into<Vec<String>>,
    fields: Vec<(&'static str, String)>,
) -> Result<Response, Failure> {
    let question = Question {
        frame: Frame::bare(Section::Overview),
        title: title.to_owned(),
        what: what.into(),
        action: action.to_owned(),
        fields,
        button,
        harmful: false,
        back: links::OVERVIEW.to_owned(),
    };
    question.ask()
}
