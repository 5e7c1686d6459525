//! The question before something is done, and the word after it.
//!
//! A button sends a form without `confirmed`, and gets the question; the button there sends the
//! same form with it. What was done is said on the page that follows, by a code of a fixed list in
//! its address: no text of an address is ever shown.

use std::convert::Infallible;

use askama::Template;
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use crate::error::Failure;
use crate::frame::{Frame, page};
use crate::human::counted;
use crate::links;

/// The question.
#[derive(Debug, Template)]
#[template(path = "confirm.html")]
pub(crate) struct Question {
    pub(crate) frame: Frame,
    pub(crate) title: String,
    /// What will happen, a sentence each.
    pub(crate) what: Vec<String>,
    /// Where the form goes: here again.
    pub(crate) action: String,
    /// What it carries on, shown as well.
    pub(crate) fields: Vec<(&'static str, String)>,
    pub(crate) button: &'static str,
    /// Whether it cannot be undone.
    pub(crate) harmful: bool,
    /// Where a person goes who does not want it.
    pub(crate) back: String,
}

impl Question {
    pub(crate) fn ask(&self) -> Result<Response, Failure> {
        page(self)
    }
}

/// The form of a button.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    confirmed: Option<String>,
}

impl Answer {
    pub(crate) fn is_yes(&self) -> bool {
        self.confirmed.as_deref() == Some("yes")
    }
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Done {
    Paused,
    Resumed,
    Logged,
    Aborted,
    Replayed,
    Dropped,
}

impl Done {
    fn code(self) -> &'static str {
        match self {
            Self::Paused => "paused",
            Self::Resumed => "resumed",
            Self::Logged => "logged",
            Self::Aborted => "aborted",
            Self::Replayed => "replayed",
            Self::Dropped => "dropped",
        }
    }

    /// Leads to the page that says so. `n`: how many letters, where it is letters.
    pub(crate) fn lead_to(self, link: &str, n: u64) -> Response {
        let link = links::with_query(link, &[("done", self.code()), ("n", &n.to_string())]);
        Redirect::to(&link).into_response()
    }
}

/// What a page's address says that was done.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Notice {
    done: Option<Done>,
    #[serde(default)]
    n: u64,
}

impl Notice {
    pub(crate) fn words(&self) -> Option<String> {
        let letters = counted(self.n, "dead letter");
        Some(match self.done? {
            Done::Paused => "Paused: workers take nothing more.".to_owned(),
            Done::Resumed => "Resumed: workers take again.".to_owned(),
            Done::Logged => "Set: the log of every program follows within seconds.".to_owned(),
            Done::Aborted => "Aborted: none of the batch will be in the roll.".to_owned(),
            Done::Replayed => format!("Replayed: {letters}."),
            Done::Dropped => format!("Dropped: {letters}."),
        })
    }
}

impl<S: Sync> FromRequestParts<S> for Notice {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let notice = Query::<Self>::try_from_uri(&parts.uri);
        Ok(notice.map(|Query(notice)| notice).unwrap_or_default())
    }
}
