//! The roll as a file.

use axum::body::Body;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{Request, StatusCode};
use tonic::Status;
use tower::ServiceExt as _;

use crate::asked::{dashboard, get, page, send};
use crate::double::Double;

const FILE: &str = "/roll/all_users.json";

#[tokio::test]
async fn the_roll_is_downloaded_as_it_is() {
    let double = Double::new();
    let file = page(&double, FILE).await;
    assert_eq!(file.body, "[\n]\n");
    assert_eq!(file.header(CONTENT_TYPE), "application/json");
    assert_eq!(file.header(CONTENT_LENGTH), "4");
    assert_eq!(file.header(ETAG), "\"5ba93c9db0cf\"");
    assert_eq!(file.header(CONTENT_DISPOSITION), "attachment; filename=\"all_users.json\"");
}

#[tokio::test]
async fn a_roll_that_the_browser_has_is_not_sent() {
    let double = Double::new();
    let asked =
        |tag: &str| Request::get(FILE).header(IF_NONE_MATCH, tag).body(Body::empty()).unwrap();
    let same = send(dashboard(&double), asked("\"5ba93c9db0cf\"")).await;
    assert_eq!((same.status, same.body.as_str()), (StatusCode::NOT_MODIFIED, ""));
    assert_eq!(send(dashboard(&double), asked("\"older\"")).await.body, "[\n]\n");
}

#[tokio::test]
async fn a_download_that_breaks_off_does_not_look_whole() {
    let double = Double::new();
    double.world().roll.push(Err(Status::data_loss("the disk failed")));
    let request = Request::get(FILE).body(Body::empty()).unwrap();
    let response = dashboard(&double).oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let read = axum::body::to_bytes(response.into_body(), 1 << 20).await;
    assert!(read.unwrap_err().to_string().contains("the disk failed"));
}

#[tokio::test]
async fn what_is_not_written_is_not_downloaded() {
    let double = Double::new();
    double.world().manifest = Err(Status::not_found("no roll is written yet"));
    let answered = get(&double, FILE).await;
    assert_eq!(answered.status, StatusCode::NOT_FOUND);
    assert!(answered.text().contains("no roll is written yet"));
    double.world().manifest = Err(Status::failed_precondition("set `server.roll`"));
    assert_eq!(get(&double, FILE).await.status, StatusCode::CONFLICT);
}
