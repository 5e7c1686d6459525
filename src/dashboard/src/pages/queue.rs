//! What is done to the queue as a whole: it is paused, and goes on.

use axum::extract::Form;
use axum::extract::rejection::FormRejection;
use axum::response::Response;

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
    )
}

fn ask(
    action: &str,
    title: &str,
    button: &'static str,
    what: impl Into<Vec<String>>,
) -> Result<Response, Failure> {
    let question = Question {
        frame: Frame::bare(Section::Overview),
        title: title.to_owned(),
        what: what.into(),
        action: action.to_owned(),
        fields: Vec::new(),
        button,
        harmful: false,
        back: links::OVERVIEW.to_owned(),
    };
    question.ask()
}
