//! Who has signed in, and the page to do so.
//!
//! A token is given once, in a form; from then on the browser has a cookie that no script can read
//! and that no other site's page sends along. Programs may give their token with each request, as
//! `Authorization: Bearer TOKEN`, or a certificate with their connection.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Query, Request, State};
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use muster_access::{Access, Peer, Principal, Role, Sessions, bearer};
use serde::Deserialize;

use crate::error::Failure;
use crate::frame::{Frame, Section, page};
use crate::guard::is_safe;
use crate::{Dashboard, DashboardUrl, links};

/// How long a browser keeps the cookie. The server forgets it no later.
const COOKIE_MAX: Duration = Duration::from_secs(12 * 60 * 60);

/// What asks people who they are.
#[derive(Debug)]
pub struct SignIn {
    access: Arc<Access>,
    sessions: Sessions,
    /// Whether browsers speak TLS: then the cookie goes nowhere else.
    is_secure: bool,
    /// The path below which the dashboard is: empty, or `/…` without a `/` at its end.
    path: String,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Page {
    frame: Frame,
    /// Where to go then.
    to: String,
    wrong: bool,
    told: &'static str,
}

#[derive(Debug, Deserialize)]
struct Asked {
    #[serde(default)]
    to: String,
}

#[derive(Deserialize)]
struct Given {
    token: String,
    #[serde(default)]
    to: String,
}

impl SignIn {
    /// Knows those of this access list. `is_secure`: whether the server speaks TLS itself. `url`: the
    /// dashboard's address in browsers, if a proxy stands before it.
    pub fn new(access: Arc<Access>, is_secure: bool, url: Option<&DashboardUrl>) -> Self {
        Self {
            access,
            sessions: Sessions::default(),
            is_secure: url.map_or(is_secure, DashboardUrl::is_https),
            path: url.map_or_else(String::new, |url| url.path().to_owned()),
        }
    }

    /// Who makes a request, if that can be known.
    fn who(&self, headers: &HeaderMap, peer: Option<&Peer>) -> Option<Arc<Principal>> {
        let session = self.session(headers);
        if let Some(known) = session.and_then(|text| self.sessions.find(&self.access, text)) {
            return Some(known);
        }
        self.access.identify(bearer(headers).ok()?, peer?).ok()
    }

    /// The text of the cookie.
    fn session<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|text| text.split("; "));
        pairs.find_map(|pair| pair.strip_prefix(self.cookie())?.strip_prefix('='))
    }

    /// The cookie's name. A browser takes one that begins with `__Host-` over TLS alone, and for
    /// this very host, and all of it; one that begins with `__Secure-` over TLS alone.
    fn cookie(&self) -> &'static str {
        match (self.is_secure, self.path.is_empty()) {
            (true, true) => "__Host-muster",
            (true, false) => "__Secure-muster",
            (false, _) => "muster",
        }
    }

    fn set_cookie(&self, value: &str, age: Duration) -> String {
        let secure = if self.is_secure { "; Secure" } else { "" };
        let (name, age) = (self.cookie(), age.as_secs());
        let path = if self.path.is_empty() { "/" } else { &self.path };
        format!("{name}={value}; Path={path}; Max-Age={age}; HttpOnly; SameSite=Strict{secure}")
    }
}

pub(crate) fn routes() -> Router<Arc<Dashboard>> {
    Router::new()
        .route(links::SIGN_IN, get(show).post(sign_in))
        .route(links::SIGN_OUT, post(sign_out))
}

/// Lets in who may see the page or do what is asked; others are led to sign in.
pub(crate) async fn admit(
    State(dashboard): State<Arc<Dashboard>>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = request.extensions().get::<Peer>().cloned();
    let path = request.uri().path();
    let is_open = path == links::SIGN_IN || path.starts_with(links::ASSETS);
    let known = || peer.iter().for_each(Peer::is_known);
    let Some(sign_in) = dashboard.options.sign_in.as_ref() else {
        known();
        return next.run(request).await;
    };
    if is_open {
        return next.run(request).await;
    }
    let Some(principal) = sign_in.who(request.headers(), peer.as_ref()) else {
        if is_safe(request.method()) && path != links::EVENTS {
            let to = request.uri().path_and_query().map_or("", |to| to.as_str());
            return Redirect::to(&links::with_query(links::SIGN_IN, &[("to", to)])).into_response();
        }
        return Failure::NotSignedIn.into_response();
    };
    known();
    let role = if is_safe(request.method()) { Role::Read } else { Role::Operate };
    if path != links::SIGN_OUT && !principal.may(role) {
        return Failure::NotAllowed.into_response();
    }
    request.extensions_mut().insert(principal);
    next.run(request).await
}

async fn show(Query(Asked { to }): Query<Asked>) -> Result<Response, Failure> {
    page(&Page { frame: Frame::bare(Section::None), to: own_page(to), wrong: false, told: "" })
}

async fn sign_in(
    State(dashboard): State<Arc<Dashboard>>,
    peer: Option<Extension<Peer>>,
    given: Result<Form<Given>, FormRejection>,
) -> Result<Response, Failure> {
    let Form(Given { token, to }) = given?;
    let to = own_page(to);
    let Some(sign_in) = &dashboard.options.sign_in else {
        return Ok(Redirect::to(&to).into_response());
    };
    let refused = |told, to| {
        let page = page(&Page { frame: Frame::bare(Section::None), to, wrong: true, told })?;
        Ok((StatusCode::UNAUTHORIZED, page).into_response())
    };
    let from = peer.map(|peer| peer.0.address().to_string()).unwrap_or_default();
    let Some((session, principal)) = sign_in.sessions.sign_in(&sign_in.access, token.trim()) else {
        tracing::debug!(from, "somebody could not sign in");
        return refused("This token is not known: it may have been revoked.", to);
    };
    if !principal.may(Role::Read) {
        sign_in.sessions.sign_out(session.reveal());
        return refused("This token may send records, and not see this dashboard.", to);
    }
    tracing::info!(%principal, from, "signed in");
    let cookie = sign_in.set_cookie(session.reveal(), COOKIE_MAX);
    Ok(([(SET_COOKIE, cookie)], Redirect::to(&to)).into_response())
}

async fn sign_out(State(dashboard): State<Arc<Dashboard>>, headers: HeaderMap) -> Response {
    let to = Redirect::to(links::SIGN_IN);
    let Some(sign_in) = &dashboard.options.sign_in else { return to.into_response() };
    if let Some(session) = sign_in.session(&headers) {
        sign_in.sessions.sign_out(session);
    }
    ([(SET_COOKIE, sign_in.set_cookie("", Duration::ZERO))], to).into_response()
}

/// The page of this very site that somebody wants to see; or the overview, if it is none.
fn own_page(to: String) -> String {
    let is_own = to.starts_with('/')
        && !to.starts_with("//")
        && to.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_own { to } else { links::OVERVIEW.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_to_another_site() {
        for own in ["/", "/batches?state=open", "/batches/b-1%2F.."] {
            assert_eq!(own_page(own.to_owned()), own);
        }
        for other in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/\r\nx",
            "javascript:1",
        ] {
            assert_eq!(own_page(other.to_owned()), "/", "{other}");
        }
    }
}
