//! The roll grows by the batches that are complete.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use muster_program::shutdown::Shutdown;
use muster_queue::{BatchState, Durability};
use muster_worker::roll::{Error, Manifest, Roll};

use crate::desk::{Desk, complete, complete_unreadable, content, digest};

#[tokio::test]
async fn batches_follow_one_another_in_order() {
    let desk = Desk::new();
    desk.complete("first", 0..25).await;
    desk.write().await.unwrap();
    assert_eq!(desk.ids(), Vec::from_iter(0..25));
    let first = desk.manifest().sha256;

    desk.complete("second", 25..40).await;
    desk.complete("third", 40..41).await;
    desk.write().await.unwrap();
    assert_eq!(desk.ids(), Vec::from_iter(0..41));
    assert_eq!(desk.batch("first").await, (BatchState::Written, Some(first)));
    assert_eq!(desk.batch("third").await, (BatchState::Written, Some(desk.manifest().sha256)));
}

#[tokio::test]
async fn one_writing_takes_all_that_are_complete() {
    let desk = Desk::new();
    desk.complete("first", 0..25).await;
    desk.complete("empty", []).await;
    desk.complete("third", 25..40).await;
    desk.write().await.unwrap();
    assert_eq!(desk.ids(), Vec::from_iter(0..40));
    let roll = desk.manifest().sha256;
    for batch in ["first", "empty", "third"] {
        assert_eq!(desk.batch(batch).await, (BatchState::Written, Some(roll.clone())), "{batch}");
    }
}

#[tokio::test]
async fn the_batch_digest_is_that_of_its_part_of_the_roll() {
    let desk = Desk::new();
    desk.complete("first", 0..25).await;
    desk.complete("second", 25..27).await;
    desk.write().await.unwrap();
    let roll = fs::read_to_string(desk.roll_file()).unwrap();
    let lines: Vec<&str> = roll.lines().collect();
    let parts = [lines[1..26].join("\n"), lines[26..28].join("\n")];
    let digests = parts.map(|part| digest(part.trim_end_matches(',').as_bytes()));
    let recent = desk.manifest().recent;
    assert_eq!(Vec::from_iter(recent.iter().map(|entry| entry.sha256.as_str())), digests);
}

#[tokio::test]
async fn a_batch_that_cannot_be_read_keeps_none_before_it_from_the_roll() {
    let desk = Desk::new();
    let queue = desk.open();
    complete(&queue, "first", 0..25).await;
    complete(&queue, "second", 25..30).await;
    complete_unreadable(&queue, "broken").await;
    let (roll, shutdown) = (desk.roll(), Shutdown::default());
    let error = roll.write(&queue, &shutdown).await.unwrap_err();
    assert!(matches!(error, Error::Unreadable(_)), "{error}");
    drop(queue);
    assert_eq!(desk.ids(), Vec::from_iter(0..30));
    assert_eq!(desk.batch("second").await.0, BatchState::Written);
    assert_eq!(desk.batch("broken").await.0, BatchState::Complete);
}

#[tokio::test]
async fn a_roll_has_each_record_on_a_line_with_all_its_fields() {
    let desk = Desk::new();
    desk.complete("b", [7]).await;
    desk.write().await.unwrap();
    let record = concat!(
        r#"{"id":7,"user_name":"","email":"","first_name":"","last_name":"","#,
        r#""ip_address":"","gender":"","country":"","agent":""}"#
    );
    assert_eq!(fs::read_to_string(desk.roll_file()).unwrap(), format!("[\n{record}\n]\n"));
}

#[tokio::test]
async fn the_manifest_says_what_the_roll_holds() {
    let desk = Desk::new();
    assert_eq!(desk.manifest(), Manifest::default());
    desk.complete("first", [1, -2, 3, -4]).await;
    desk.complete("second", [5, -6]).await;
    desk.write().await.unwrap();
    assert_eq!(desk.ids(), [1, 3, 5]);
    let Manifest { records, batches, dead, recent, .. } = desk.manifest();
    assert_eq!((records, batches, dead), (3, 2, 3));
    let recent: Vec<_> =
        recent.iter().map(|entry| (entry.batch.as_str(), entry.records, entry.dead)).collect();
    assert_eq!(recent, [("first", 2, 2), ("second", 1, 1)]);
}

#[tokio::test]
async fn an_empty_batch_makes_an_empty_roll_that_can_grow() {
    let desk = Desk::new();
    desk.complete("empty", []).await;
    desk.complete("dead", [-1]).await;
    desk.write().await.unwrap();
    assert_eq!(fs::read_to_string(desk.roll_file()).unwrap(), "[\n]\n");
    assert!(desk.ids().is_empty());

    desk.complete("full", [1, 2]).await;
    desk.write().await.unwrap();
    assert_eq!(desk.ids(), [1, 2]);
}

#[tokio::test]
async fn an_empty_batch_leaves_a_full_roll_as_it_is() {
    let desk = Desk::new();
    desk.complete("full", [1, 2]).await;
    desk.write().await.unwrap();
    let before = content(&desk.roll_file());

    desk.complete("empty", []).await;
    desk.write().await.unwrap();
    assert_eq!(content(&desk.roll_file()), before);
    assert_eq!(desk.ids(), [1, 2]);
    assert_eq!(desk.manifest().batches, 2);
    assert_eq!(desk.batch("empty").await.0, BatchState::Written);
}

#[tokio::test]
async fn without_a_complete_batch_nothing_is_written() {
    let desk = Desk::new();
    desk.write().await.unwrap();
    assert!(!desk.roll_file().exists() && !desk.manifest_file().exists());
}

#[tokio::test]
async fn a_shutdown_leaves_the_batches_for_later() {
    let desk = Desk::new();
    desk.complete("b", [1]).await;
    let shutdown = Shutdown::default();
    shutdown.begin();
    desk.roll().write(&desk.open(), &shutdown).await.unwrap();
    assert!(!desk.roll_file().exists());

    desk.write().await.unwrap();
    assert_eq!(desk.ids(), [1]);
}

#[tokio::test]
async fn files_keep_their_mode_or_get_the_one_that_is_set() {
    let desk = Desk::new();
    let queue = desk.open();
    let paths = [desk.roll_file(), desk.manifest_file()];
    let modes =
        || paths.clone().map(|path| fs::metadata(path).unwrap().permissions().mode() & 0o777);
    complete(&queue, "first", 0..25).await;
    desk.roll().write(&queue, &Shutdown::default()).await.unwrap();
    for path in &paths {
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    complete(&queue, "second", 25..50).await;
    desk.roll().write(&queue, &Shutdown::default()).await.unwrap();
    assert_eq!(modes(), [0o600; 2]);

    complete(&queue, "third", 50..75).await;
    let mode = Some("0640".parse().unwrap());
    let roll = Roll::in_folder(&desk.folder(), Durability::Synced, mode);
    roll.write(&queue, &Shutdown::default()).await.unwrap();
    assert_eq!(modes(), [0o640; 2]);
}
