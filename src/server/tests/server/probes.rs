//! gRPC health, `/livez` and `/readyz`.

use std::time::Duration;

use muster_server::config::Config;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::desk::{Desk, until};

const SERVICES: [&str; 3] = ["", "Users", "muster.v1.Batches"];

async fn health(desk: &Desk, service: &str) -> Result<ServingStatus, tonic::Status> {
    let mut client = HealthClient::new(desk.channel.clone());
    let request = HealthCheckRequest { service: service.to_owned() };
    Ok(client.check(request).await?.into_inner().status())
}

/// The status code and the body of what a GET is answered.
async fn get(desk: &Desk, path: &str) -> (u16, String) {
    let mut connection = TcpStream::connect(desk.http).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

async fn all_are(desk: &Desk, status: ServingStatus) -> bool {
    for service in SERVICES {
        if health(desk, service).await.ok() != Some(status) {
            return false;
        }
    }
    true
}

async fn until_ready(desk: &Desk) {
    until("the server is ready", async || get(desk, "/readyz").await.0 == 200).await;
}

#[tokio::test]
async fn every_service_is_serving_once_the_store_answers() {
    let desk = Desk::open().await;
    until("all services serve", async || all_are(&desk, ServingStatus::Serving).await).await;
}

#[tokio::test]
async fn the_health_of_a_service_that_is_not_there_is_not_known() {
    let desk = Desk::open().await;
    assert_eq!(health(&desk, "Nobody").await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn the_server_is_alive_and_ready() {
    let desk = Desk::open().await;
    until_ready(&desk).await;
    assert_eq!(get(&desk, "/livez").await, (200, "alive\n".to_owned()));
    assert_eq!(get(&desk, "/readyz").await, (200, "ready\n".to_owned()));
    assert_eq!(get(&desk, "/nothing").await.0, 404);
}

#[tokio::test]
async fn readiness_follows_the_store_and_life_does_not() {
    let desk = Desk::open().await;
    until_ready(&desk).await;

    desk.store.set_away(true);
    until("no service serves", async || all_are(&desk, ServingStatus::NotServing).await).await;
    let (code, reason) = get(&desk, "/readyz").await;
    assert_eq!(code, 503);
    assert!(reason.contains("connection refused"), "{reason}");
    assert_eq!(get(&desk, "/livez").await.0, 200);

    desk.store.set_away(false);
    until_ready(&desk).await;
    until("all services serve", async || all_are(&desk, ServingStatus::Serving).await).await;
}

#[tokio::test]
async fn connection_that_only_watches_health_is_kept() {
    let config = Config { arrival_max: Duration::from_secs(1), ..Config::default() };
    let desk = Desk::open_with(config).await;
    until("all services serve", async || all_are(&desk, ServingStatus::Serving).await).await;
    let mut client = HealthClient::new(desk.connect().await);
    let mut watch = client.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::Serving);

    // It came later, and is closed `arrival_max` after it came.
    let mut silent = TcpStream::connect(desk.grpc).await.unwrap();
    let mut bytes = [0; 64];
    while silent.read(&mut bytes).await.is_ok_and(|count| count > 0) {}

    desk.store.set_away(true);
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
}
