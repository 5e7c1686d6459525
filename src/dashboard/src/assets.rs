//! The style sheet, the script, the icon: within the program, so that it needs no folder of files.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::Dashboard;

const STYLE: &str = include_str!("../assets/style.css");
const SCRIPT: &str = include_str!("../assets/live.js");
const ICON: &str = include_str!("../assets/icon.svg");

/// Kept by the browser, which asks each time whether it is still the same: so a new server is never
/// seen with an old style sheet.
const ASK_EACH_TIME: &str = "no-cache";

pub(crate) fn routes() -> Router<Arc<Dashboard>> {
    let asset = |kind, text| get(async move |headers: HeaderMap| serve(&headers, kind, text));
    Router::new()
        .route("/assets/style.css", asset("text/css; charset=utf-8", STYLE))
        .route("/assets/live.js", asset("text/javascript; charset=utf-8", SCRIPT))
        .route("/assets/icon.svg", asset("image/svg+xml", ICON))
}

fn serve(asked: &HeaderMap, kind: &'static str, text: &'static str) -> Response {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let tag = format!("\"{:016x}\"", hasher.finish());
    let headers = [(CONTENT_TYPE, kind), (CACHE_CONTROL, ASK_EACH_TIME), (ETAG, tag.as_str())];
    if has(asked, &tag) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, text).into_response()
}

/// Whether the browser has what this tag names.
pub(crate) fn has(asked: &HeaderMap, tag: &str) -> bool {
    asked.get(IF_NONE_MATCH).is_some_and(|asked| asked == tag)
}

#[cfg(test)]
mod contrast;
