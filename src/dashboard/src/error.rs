//! The one place where errors become pages.

use askama::Template;
use axum::extract::rejection::{FormRejection, PathRejection, QueryRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tonic::{Code, Status};

use crate::frame::{Frame, Section, page};

/// Why there is no page.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What a service answers.
    Service(Box<Status>),
    /// No service answered in time.
    Late,
    /// There is no page of this address.
    NoSuchPage,
    /// The page is there, but not to be sent to, or not to be read.
    NoSuchMethod,
    /// What was asked for is not there any more.
    Gone(&'static str),
    /// The address or the form is none that a page here makes.
    Unreadable(String),
    /// The form is larger than any that a page here makes.
    TooLarge,
    /// The dashboard does nothing.
    ReadOnly,
    /// Another site's page sent the form.
    OtherSite,
    /// It was asked for by a name that is not its own.
    OtherName,
    /// The form did not come in time.
    SlowForm,
    /// Nobody has signed in.
    NotSignedIn,
    /// Who has signed in may not do this.
    NotAllowed,
    /// There are as many viewers as there may be.
    TooManyViewers,
    /// A template failed.
    Unwritable(askama::Error),
}

/// What a person is told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) title: &'static str,
    pub(crate) what: String,
    pub(crate) advice: &'static str,
}

#[derive(Template)]
#[template(path = "error.html", blocks = ["problem"])]
struct Page {
    frame: Frame,
    told: Told,
}

impl Failure {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Service(status) => of_code(status.code()),
            Self::Late => StatusCode::GATEWAY_TIMEOUT,
            Self::NoSuchPage | Self::Gone(_) => StatusCode::NOT_FOUND,
            Self::NoSuchMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::Unreadable(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::ReadOnly | Self::OtherSite | Self::NotAllowed => StatusCode::FORBIDDEN,
            Self::OtherName => StatusCode::MISDIRECTED_REQUEST,
            Self::SlowForm => StatusCode::REQUEST_TIMEOUT,
            Self::NotSignedIn => StatusCode::UNAUTHORIZED,
            Self::TooManyViewers => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unwritable(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn told(&self) -> Told {
        let (title, what, advice) = match self {
            Self::Service(status) => return of_service(status),
            Self::Late => (
                "No answer in time",
                "The store or the server is too slow to answer.",
                "What was to be done may be done in part: look before you do it again.",
            ),
            Self::NoSuchPage => {
                ("No such page", "There is nothing at this address.", "Begin at the overview.")
            }
            Self::NoSuchMethod => (
                "Not to be opened like this",
                "This address takes what a button on another page sends.",
                "Go to that page and press the button.",
            ),
            Self::Gone(what) => ("Not there any more", *what, "Go back and load the page anew."),
            Self::Unreadable(what) => {
                let what = what.clone();
                return Told { title: "Not understood", what, advice: "Go back and mend it." };
            }
            Self::TooLarge => (
                "Too large",
                "The form has more than 64 KiB.",
                "Replay the record by `muster-client dead replay`, which has no such limit.",
            ),
            Self::ReadOnly => (
                "Read only",
                "This dashboard shows, and does nothing.",
                "Use `muster-client`, or ask who runs this server.",
            ),
            Self::OtherSite => (
                "Refused",
                "The form was not sent from a page of this dashboard.",
                "Open the dashboard itself. Behind a proxy, set `server.dashboard_url` to the \
                 dashboard's address in the browser.",
            ),
            Self::OtherName => (
                "Not this name",
                "This dashboard is not known by the name in the address.",
                "Ask for it by its IP address, or add the name to `server.hosts`. Behind a proxy, \
                 set `server.dashboard_url`.",
            ),
            Self::SlowForm => (
                "Too slow",
                "The form did not come in time.",
                "Nothing was done. Go back and send it again.",
            ),
            Self::NotSignedIn => {
                ("Not signed in", "This asks who you are.", "Load the page anew to sign in.")
            }
            Self::NotAllowed => (
                "Not allowed",
                "Your token lets you see this dashboard, and do nothing, or not even that.",
                "Sign in by a token with the role `operate`, or ask who runs this server.",
            ),
            Self::TooManyViewers => (
                "Too many viewers",
                "As many pages are live as may be.",
                "Reload the page to see what is new.",
            ),
            Self::Unwritable(_) => (
                "The page failed",
                "The page could not be written.",
                "This is a fault of the dashboard: report it.",
            ),
        };
        Told { title, what: what.to_owned(), advice }
    }

    /// The failure in place of what a live page shows.
    pub(crate) fn fragment(&self) -> String {
        let page = Page { frame: Frame::bare(Section::None), told: self.told() };
        page.as_problem().render().unwrap_or_default()
    }
}

/// What a person is told of a service's answer. The services' messages are meant for people.
fn of_service(status: &Status) -> Told {
    let (title, advice) = match status.code() {
        Code::InvalidArgument | Code::OutOfRange => ("Not understood", "Go back and mend it."),
        Code::NotFound => ("Not there", "It may have been there, and be done with."),
        Code::FailedPrecondition | Code::AlreadyExists | Code::Aborted => {
            ("Not possible now", "Look at its state, and load the page anew.")
        }
        Code::PermissionDenied | Code::Unauthenticated => {
            ("Not allowed", "Ask who runs this server.")
        }
        Code::ResourceExhausted => ("Too much at once", "Try again in a moment."),
        Code::Unavailable => ("The store is away", "The page works again when the store does."),
        Code::DeadlineExceeded | Code::Cancelled => {
            ("No answer in time", "Look what was done, and try again.")
        }
        Code::Unimplemented => ("Not there", "This server does not do it; a newer one may."),
        Code::Ok | Code::Unknown | Code::Internal | Code::DataLoss => {
            ("The server failed", "Its log says why.")
        }
    };
    Told { title, what: status.message().to_owned(), advice }
}

fn of_code(code: Code) -> StatusCode {
    match code {
        Code::InvalidArgument | Code::OutOfRange => StatusCode::BAD_REQUEST,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::FailedPrecondition | Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
        Code::PermissionDenied | Code::Unauthenticated => StatusCode::FORBIDDEN,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::DeadlineExceeded | Code::Cancelled => StatusCode::GATEWAY_TIMEOUT,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Ok | Code::Unknown | Code::Internal | Code::DataLoss => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        if let Self::Unwritable(error) = &self {
            tracing::error!(%error, "a page could not be written");
            // Not as a page: that may fail in the same way.
            return (self.status(), self.told().what).into_response();
        }
        let status = self.status();
        let page = page(&Page { frame: Frame::bare(Section::None), told: self.told() });
        (status, page).into_response()
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self::Service(Box::new(status))
    }
}

impl From<askama::Error> for Failure {
    fn from(error: askama::Error) -> Self {
        Self::Unwritable(error)
    }
}

impl From<QueryRejection> for Failure {
    fn from(rejection: QueryRejection) -> Self {
        Self::Unreadable(rejection.body_text())
    }
}

impl From<PathRejection> for Failure {
    fn from(_: PathRejection) -> Self {
        Self::NoSuchPage
    }
}

impl From<FormRejection> for Failure {
    fn from(rejection: FormRejection) -> Self {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            return Self::TooLarge;
        }
        Self::Unreadable(rejection.body_text())
    }
}
