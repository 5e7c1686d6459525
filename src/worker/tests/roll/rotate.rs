//! A roll is ended, and a new one begins: no batch is lost, and none is in both.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use muster_queue::BatchState;
use muster_roll::manifest_of;
use muster_worker::roll::{Manifest, Rotated};

use crate::desk::{Desk, content, put_back};

/// Rotates the roll. Returns where it is kept.
async fn rotate(desk: &Desk) -> PathBuf {
    match desk.roll().rotate(&desk.open()).await.unwrap() {
        Rotated::To { kept, .. } => kept,
        Rotated::Nothing => panic!("there is a roll"),
    }
}

fn ids_in(path: &PathBuf) -> Vec<i64> {
    let records: Vec<serde_json::Value> =
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    records.iter().map(|record| record["id"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn next_batch_begins_a_new_roll() {
    let desk = Desk::new();
    desk.complete("november", 0..25).await;
    desk.write().await.unwrap();
    let before = desk.manifest();
    let kept = rotate(&desk).await;
    assert!(!desk.roll_file().exists(), "there is no roll before the first batch");
    desk.complete("december", 25..50).await;
    desk.write().await.unwrap();
    assert_eq!(desk.ids(), Vec::from_iter(25..50));
    assert_ne!(desk.manifest().id, before.id);

    assert_eq!(ids_in(&kept), Vec::from_iter(0..25));
    let manifest: Manifest =
        serde_json::from_slice(&fs::read(manifest_of(&kept)).unwrap()).unwrap();
    assert_eq!(manifest, before);
    assert_eq!(desk.batch("november").await, (BatchState::Written, Some(before.sha256)));
}

#[tokio::test]
async fn rotations_within_a_second_keep_all_rolls() {
    let desk = Desk::new();
    let mut kept = Vec::new();
    for batch in 0..3 {
        desk.complete(&format!("batch-{batch}"), batch * 25..(batch + 1) * 25).await;
        desk.write().await.unwrap();
        kept.push(rotate(&desk).await);
    }
    for (path, batch) in kept.iter().zip(0_i64..) {
        assert_eq!(ids_in(path), Vec::from_iter(batch * 25..(batch + 1) * 25));
    }
}

/// An accepted roll has another time than its manifest says.
#[tokio::test]
async fn accepted_roll_can_be_rotated_and_the_mode_stays() {
    let desk = Desk::new();
    desk.complete("november", 0..25).await;
    desk.write().await.unwrap();
    fs::remove_file(desk.manifest_file()).unwrap();
    fs::set_permissions(desk.roll_file(), fs::Permissions::from_mode(0o600)).unwrap();
    desk.roll().accept(&desk.open(), false).await.unwrap();
    let kept = rotate(&desk).await;
    assert!(!desk.roll_file().exists());
    desk.check().await.unwrap();
    desk.complete("december", 25..50).await;
    desk.write().await.unwrap();
    assert_eq!((ids_in(&kept).len(), desk.ids()), (25, Vec::from_iter(25..50)));
    let mode = fs::metadata(desk.roll_file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// Somebody undoes a rotation by renaming the files back: the only copy must stay.
#[tokio::test]
async fn roll_that_is_renamed_back_is_not_removed() {
    let desk = Desk::new();
    desk.complete("november", 0..25).await;
    desk.write().await.unwrap();
    let kept = rotate(&desk).await;
    fs::rename(&kept, desk.roll_file()).unwrap();
    desk.check().await.unwrap_err();
    fs::rename(manifest_of(&kept), desk.manifest_file()).unwrap();
    desk.roll().accept(&desk.open(), false).await.unwrap();
    desk.check().await.unwrap();
    assert_eq!(desk.ids(), Vec::from_iter(0..25));
}

#[tokio::test]
async fn roll_without_batches_is_not_rotated() {
    let desk = Desk::new();
    for _ in 0..2 {
        let rotated = desk.roll().rotate(&desk.open()).await.unwrap();
        assert!(matches!(rotated, Rotated::Nothing), "{rotated:?}");
    }
    assert_eq!(fs::read_dir(desk.folder()).unwrap().count(), 2, "the manifest and the lock");
}

/// What was complete and is not written goes into the new roll.
#[tokio::test]
async fn complete_batch_is_in_one_of_the_two() {
    let desk = Desk::new();
    desk.complete("november", 0..25).await;
    desk.write().await.unwrap();
    desk.complete("between", 25..50).await;
    let kept = rotate(&desk).await;
    desk.write().await.unwrap();
    assert_eq!((ids_in(&kept).len(), desk.ids()), (25, Vec::from_iter(25..50)));
}

/// The store was not told that the last batch is written, nor that the roll was rotated.
#[tokio::test]
async fn batch_that_the_store_forgot_is_not_added_to_the_new_roll() {
    for told_of_rotation in [true, false] {
        let desk = Desk::new();
        desk.complete("november", 0..25).await;
        desk.check().await.unwrap();
        let store = content(&desk.store_file());
        desk.write().await.unwrap();
        if !told_of_rotation {
            let kept = rotate(&desk).await;
            put_back(&desk.store_file(), store);
            desk.complete("december", 25..50).await;
            desk.write().await.unwrap();
            assert_eq!((ids_in(&kept).len(), desk.ids()), (25, Vec::from_iter(25..50)));
        } else {
            put_back(&desk.store_file(), store);
            // The rotation finds out that the batch is in the roll.
            let kept = rotate(&desk).await;
            desk.complete("december", 25..50).await;
            desk.write().await.unwrap();
            assert_eq!((ids_in(&kept).len(), desk.ids()), (25, Vec::from_iter(25..50)));
        }
        assert_eq!(desk.batch("november").await.0, BatchState::Written);
    }
}

/// A rotation is interrupted after each of its steps.
#[tokio::test]
async fn interrupted_rotation_is_completed_or_never_was() {
    for steps in 0..3 {
        let desk = Desk::new();
        desk.complete("november", 0..25).await;
        desk.write().await.unwrap();
        let paths = [desk.store_file(), desk.roll_file(), desk.manifest_file()];
        let before = paths.clone().map(|path| content(&path));
        let kept = rotate(&desk).await;
        for (path, content) in paths.iter().zip(before).take(3 - steps) {
            put_back(path, content);
        }
        desk.check().await.unwrap();
        desk.complete("december", 25..50).await;
        desk.write().await.unwrap();
        let whole = if steps == 0 { 0..50 } else { 25..50 };
        assert_eq!(desk.ids(), Vec::from_iter(whole), "after {steps} steps");
        // What was kept of a roll that goes on is removed: a batch is in one roll.
        let again = rotate(&desk).await;
        let kept_before = if steps == 0 { 0 } else { 25 };
        assert_eq!(ids_in(&again).len() + kept_before, 50, "after {steps} steps");
        assert_eq!(kept != again && kept.exists(), steps > 0);
    }
}
