//! `/roll`: what is in the roll; `/roll/all_users.json`: the roll itself.

use std::time::SystemTime;

use askama::Template;
use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue,
};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse as _, Response};
use futures::TryStreamExt as _;
use muster_proto::v1::{RollEntry, RollManifest};
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};

use crate::assets;
use crate::caller::Caller;
use crate::confirm::Notice;
use crate::error::Failure;
use crate::frame::{Frame, Section, page};
use crate::human::{self, Value};
use crate::links;

#[derive(Debug, Template)]
#[template(path = "roll.html")]
struct Page {
    frame: Frame,
    manifest: Result<Manifest, String>,
}

#[derive(Debug)]
struct Manifest {
    records: Value,
    batches: Value,
    dead: Value,
    bytes: Value,
    sha256: String,
    written: Option<Value>,
    recent: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    batch: String,
    link: String,
    records: Value,
    dead: Value,
    sha256: Value,
}

pub(super) async fn show(caller: Caller, notice: Notice) -> Result<Response, Failure> {
    let manifest = match caller.roll().await {
        Ok(manifest) => Ok(Manifest::new(manifest, caller.now())),
        Err(Failure::Service(status)) => Err(nothing_yet(*status)?),
        Err(failure) => return Err(failure),
    };
    page(&Page { frame: Frame::new(Section::Roll, &caller, notice), manifest })
}

/// Why there is no roll to be shown, if that is as it should be.
fn nothing_yet(status: Status) -> Result<String, Failure> {
    match status.code() {
        Code::NotFound => Ok("Nothing is written yet: the roll is written with the first batch \
                              that is complete."
            .to_owned()),
        Code::FailedPrecondition => Ok(status.message().to_owned()),
        _ => Err(status.into()),
    }
}

pub(super) async fn download(caller: Caller, asked: HeaderMap) -> Result<Response, Failure> {
    let (metadata, parts, _) = caller.download().await?.into_parts();
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    let disposition = HeaderValue::from_static("attachment; filename=\"all_users.json\"");
    headers.insert(CONTENT_DISPOSITION, disposition);
    if let Some(sha256) = said(&metadata, "muster-roll-sha256") {
        let tag = format!("\"{sha256}\"");
        headers.extend(header(ETAG, &tag));
        if assets::has(&asked, &tag) {
            return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
        }
    }
    if let Some(bytes) = said(&metadata, "muster-roll-bytes") {
        headers.extend(header(CONTENT_LENGTH, bytes));
    }
    let parts = parts.map_ok(|part| part.data).inspect_err(|status| {
        tracing::warn!(%status, "a download of the roll broke off");
    });
    Ok((headers, Body::from_stream(parts)).into_response())
}

fn said<'a>(metadata: &'a MetadataMap, key: &str) -> Option<&'a str> {
    metadata.get(key)?.to_str().ok()
}

fn header(name: HeaderName, value: &str) -> Option<(HeaderName, HeaderValue)> {
    Some((name, HeaderValue::from_str(value).ok()?))
}

impl Manifest {
    fn new(manifest: RollManifest, now: SystemTime) -> Self {
        Self {
            records: human::count(manifest.records),
            batches: human::count(manifest.batches),
            dead: human::count(manifest.dead),
            bytes: human::bytes(manifest.bytes),
            sha256: manifest.sha256,
            written: human::moment(manifest.written_at, now),
            recent: manifest.recent.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<RollEntry> for Entry {
    fn from(entry: RollEntry) -> Self {
        Self {
            link: links::batch(&entry.batch),
            batch: entry.batch,
            records: human::count(entry.records),
            dead: human::count(entry.dead),
            sha256: human::identity(&entry.sha256),
        }
    }
}
