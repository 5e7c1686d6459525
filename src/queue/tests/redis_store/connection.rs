//! Servers that are away, silent, flushed, or ask for a password.

use std::slice;
use std::time::{Duration, Instant};

use muster_queue::{BatchState, Committed, Error, Priority, Queue, WorkerId};

use super::given::{
    AS_SENT, LONG_WAIT, NO_WAIT, ask, chunk, connect, connect_to_silent, id, lease_chunk,
    one_chunk, open, queue, sealed_batch, unavailable_soon, until_blocked,
};
use crate::redis_server::RedisServer;

#[tokio::test]
async fn a_store_that_is_away_is_unavailable_and_works_when_it_is_back() {
    let mut server = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let batch = sealed_batch(&queue, "b").await;
    // Leaves an idle connection of the kind that waits.
    assert_eq!(queue.lease(&worker, 1, NO_WAIT).await.unwrap().len(), 1);
    let wait = Duration::from_millis(1);
    assert_eq!(queue.lease(&worker, 1, wait).await.unwrap(), []);

    server.kill();
    for _ in 0..2 {
        unavailable_soon(queue.ping()).await;
        unavailable_soon(queue.batch(&batch)).await;
        unavailable_soon(queue.lease(&worker, 1, LONG_WAIT)).await;
    }
    server.start_again();
    let other = WorkerId::random("other");
    let chunk = one_chunk(queue.take_over(&other, NO_WAIT, 1).await.unwrap());
    assert_eq!(queue.commit(&chunk, &AS_SENT).await.unwrap(), Committed::Taken);
    assert_eq!(queue.batch(&batch).await.unwrap().unwrap().state, BatchState::Complete);
}

#[tokio::test]
async fn a_lease_that_waits_ends_when_the_store_goes() {
    let mut server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let kill = async {
        until_blocked(&server, 1).await;
        server.kill();
    };
    let lease = queue.lease(&worker, 1, LONG_WAIT);
    let (work, ()) = tokio::join!(async { unavailable_soon(lease).await }, kill);
    assert!(work.contains("127.0.0.1"), "{work}");
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_unavailable() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://:s3cret@{}", silent.local_addr().unwrap());
    let queue = connect_to_silent(&url).await.unwrap();
    let b = id("b");
    let (ping, batch) =
        tokio::join!(unavailable_soon(queue.ping()), unavailable_soon(queue.batch(&b)));
    for message in [ping, batch, format!("{queue:?}")] {
        assert!(!message.contains("s3cret"), "{message}");
    }
}

#[tokio::test]
async fn a_password_and_a_database_number_are_used() {
    let server = RedisServer::start_with(&["--requirepass", "s3cret"]);
    let at = |login: &str| server.url().replace("//", &format!("//{login}")) + "/3";
    for login in ["", ":wrong@"] {
        let queue = connect(&at(login)).await.unwrap();
        let message = unavailable_soon(queue.batch(&id("b"))).await;
        assert!(message.to_lowercase().contains("auth"), "{message}");
    }
    let right = connect(&at(":s3cret@")).await.unwrap();
    let batch = open(&right, "b", Priority::Normal).await;
    let other = at(":s3cret@").replace("/3", "/4");
    let other = connect(&other).await.unwrap();
    assert!(right.batch(&batch).await.unwrap().is_some());
    assert_eq!(other.batch(&batch).await.unwrap(), None);
}

#[tokio::test]
async fn a_password_that_becomes_right_is_right() {
    let server = RedisServer::start_with(&["--requirepass", "old"]);
    let url = |password: &str| server.url().replace("//", &format!("//:{password}@"));
    let queue = connect(&url("new")).await.unwrap();
    unavailable_soon(queue.ping()).await;

    let client = redis::Client::open(url("old")).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut change = redis::cmd("CONFIG");
    change.arg("SET").arg("requirepass").arg("new");
    change.query_async::<()>(&mut connection).await.unwrap();
    queue.ping().await.unwrap();
}

#[tokio::test]
async fn tls_to_a_server_without_it_is_unavailable() {
    let server = RedisServer::start();
    let url = server.url().replace("redis:", "rediss:");
    let queue = connect_to_silent(&url).await.unwrap();
    unavailable_soon(queue.ping()).await;
}

#[tokio::test]
async fn a_url_that_names_no_server_is_refused() {
    for url in ["redis://", "redis://host:port", "redis://:s3cret@host/db"] {
        let message = unavailable_soon(connect(url)).await;
        assert!(!message.contains("s3cret"), "{message}");
    }
}

#[tokio::test]
async fn a_server_that_lacks_a_command_is_misconfigured() {
    for command in ["INFO", "EVAL", "EVALSHA", "XCLAIM"] {
        let server = RedisServer::start_with(&["--rename-command", command, ""]);
        let queue = queue(&server).await;
        let error = queue.ping().await.unwrap_err();
        assert!(matches!(error, Error::Misconfigured { .. }), "{error}");
        let lacks = format!("it cannot be Muster's store: it lacks {command}; use Redis 6.2");
        assert!(error.to_string().contains(&lacks), "{error}");
    }
}

/// What a user may do can change while a program waits.
#[tokio::test]
async fn a_user_who_may_not_run_scripts_is_told_so_and_waited_for() {
    let server = RedisServer::start();
    ask::<()>(&server, "ACL SETUSER limited on >pw ~* +@all -evalsha").await;
    let queue = connect(&server.url().replace("//", "//limited:pw@")).await.unwrap();
    let message = unavailable_soon(queue.ping()).await;
    assert!(message.contains("has no permissions to run the 'evalsha' command"), "{message}");
    ask::<()>(&server, "ACL SETUSER limited +evalsha").await;
    queue.ping().await.unwrap();
}

#[tokio::test]
async fn scripts_run_on_a_server_without_script_load() {
    let server = RedisServer::start_with(&["--rename-command", "SCRIPT", ""]);
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let batch = sealed_batch(&queue, "b").await;
    let leased = lease_chunk(&queue, &worker).await;
    assert_eq!(queue.commit(&leased, &AS_SENT).await.unwrap(), Committed::Taken);
    assert_eq!(queue.batch(&batch).await.unwrap().unwrap().state, BatchState::Complete);
}

#[tokio::test]
async fn a_flush_in_mid_life_is_survived() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let batch = sealed_batch(&queue, "b").await;
    let lost = lease_chunk(&queue, &worker).await;

    ask::<()>(&server, "FLUSHALL").await;
    assert_eq!(queue.commit(&lost, &AS_SENT).await.unwrap(), Committed::Refused);
    queue.extend(slice::from_ref(&lost.lease)).await.unwrap();
    queue.release(&[lost.lease]).await.unwrap();
    queue.forget(&worker).await.unwrap();
    assert_eq!(queue.take_over(&worker, NO_WAIT, 9).await.unwrap(), []);
    assert_eq!(queue.batch(&batch).await.unwrap(), None);
    let error = queue.append(&batch, &[chunk(2, 1)]).await.unwrap_err();
    assert!(matches!(error, Error::UnknownBatch(_)), "{error}");

    let batch = sealed_batch(&queue, "b").await;
    assert_eq!(lease_chunk(&queue, &worker).await.batch, batch);
}

#[tokio::test]
async fn a_lease_that_waits_survives_a_flush() {
    let server = RedisServer::start();
    let queue = queue(&server).await;
    let worker = WorkerId::random("w");
    let flush_and_append = async {
        until_blocked(&server, 1).await;
        ask::<()>(&server, "FLUSHALL").await;
        sealed_batch(&queue, "b").await;
    };
    let asked = Instant::now();
    let (work, ()) = tokio::join!(queue.lease(&worker, 1, LONG_WAIT), flush_and_append);
    one_chunk(work.unwrap());
    assert!(asked.elapsed() < LONG_WAIT / 2, "took {:?}", asked.elapsed());
}
