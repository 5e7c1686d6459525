//! A roll that was changed by hand is refused and left alone.

use std::fs;

use muster_queue::BatchState;
use muster_worker::roll::{Accepted, Error, Resume};

use crate::desk::{Desk, content, put_back};

/// A roll that has one batch, while the next is waiting.
async fn grown() -> Desk {
    let desk = Desk::new();
    desk.complete("first", 0..25).await;
    desk.write().await.unwrap();
    desk.complete("second", 25..50).await;
    desk
}

/// The write is refused, changes nothing, and is made up for when the files are back.
async fn assert_refused(desk: &Desk, change: impl FnOnce(&Desk)) -> Error {
    let paths = [desk.roll_file(), desk.manifest_file()];
    let before = paths.clone().map(|path| content(&path));
    change(desk);
    let changed = paths.clone().map(|path| content(&path));
    let error = desk.write().await.unwrap_err();
    assert_eq!(paths.clone().map(|path| content(&path)), changed, "{error}");
    assert_eq!(desk.batch("second").await.0, BatchState::Complete);

    for (path, content) in paths.iter().zip(before) {
        put_back(path, content);
    }
    desk.write().await.unwrap();
    assert_eq!(desk.ids(), Vec::from_iter(0..50));
    error
}

#[tokio::test]
async fn a_roll_in_which_a_record_was_changed() {
    let error = assert_refused(&grown().await, |desk| {
        let roll = fs::read_to_string(desk.roll_file()).unwrap();
        fs::write(desk.roll_file(), roll.replace("\"id\":7,", "\"id\":8,")).unwrap();
    })
    .await;
    assert!(matches!(error, Error::Changed { .. }), "{error}");
    assert!(error.to_string().contains("all_users.json is not what its manifest says"), "{error}");
}

/// What a copy of the roll has is the same, its time is another.
#[tokio::test]
async fn a_roll_that_was_copied_back_is_read_and_goes_on() {
    let desk = grown().await;
    let roll = fs::read(desk.roll_file()).unwrap();
    fs::write(desk.roll_file(), roll).unwrap();
    desk.write().await.unwrap();
    assert_eq!(desk.ids(), Vec::from_iter(0..50));
}

#[tokio::test]
async fn a_manifest_that_does_not_say_how_to_resume_is_enough() {
    for resume in [None, Some("no state")] {
        let desk = grown().await;
        let mut manifest = desk.manifest();
        let said = manifest.resume.take().unwrap();
        manifest.resume = resume.map(|state| Resume { sha256_state: state.to_owned(), ..said });
        fs::write(desk.manifest_file(), serde_json::to_vec(&manifest).unwrap()).unwrap();
        desk.write().await.unwrap();
        assert_eq!(desk.ids(), Vec::from_iter(0..50));
    }
}

#[tokio::test]
async fn a_roll_to_which_a_record_was_added() {
    let error = assert_refused(&grown().await, |desk| {
        let roll = fs::read_to_string(desk.roll_file()).unwrap();
        fs::write(desk.roll_file(), roll.replace("}\n]", "},\n{\"id\":7}\n]")).unwrap();
    })
    .await;
    assert!(
        matches!(error, Error::Changed { problem: "something was added to it", .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_roll_that_was_cut() {
    let error = assert_refused(&grown().await, |desk| {
        let file = fs::File::options().write(true).open(desk.roll_file()).unwrap();
        file.set_len(100).unwrap();
    })
    .await;
    assert!(matches!(error, Error::Changed { problem: "it is shorter", .. }), "{error}");
}

#[tokio::test]
async fn a_roll_whose_manifest_is_gone() {
    let error = assert_refused(&grown().await, |desk| {
        fs::remove_file(desk.manifest_file()).unwrap();
    })
    .await;
    let expected =
        "and this folder has no roll: it is not mounted, was moved, or is the wrong folder";
    assert!(error.to_string().contains(expected), "{error}");
}

#[tokio::test]
async fn a_manifest_whose_roll_is_gone() {
    let error = assert_refused(&grown().await, |desk| {
        fs::remove_file(desk.roll_file()).unwrap();
    })
    .await;
    assert!(matches!(error, Error::Changed { .. }), "{error}");
}

#[tokio::test]
async fn a_manifest_that_is_none() {
    let error = assert_refused(&grown().await, |desk| {
        fs::write(desk.manifest_file(), "{\"records\": 25").unwrap();
    })
    .await;
    assert!(matches!(error, Error::Manifest(_)), "{error}");
}

#[tokio::test]
async fn a_manifest_that_contradicts_itself() {
    let error = assert_refused(&grown().await, |desk| {
        let mut manifest = desk.manifest();
        manifest.bytes = 1;
        fs::write(desk.manifest_file(), serde_json::to_vec(&manifest).unwrap()).unwrap();
    })
    .await;
    assert!(matches!(error, Error::Changed { .. }), "{error}");
}

#[tokio::test]
async fn moved_roll_is_followed_by_a_new_one_only_when_that_is_accepted() {
    let desk = grown().await;
    fs::remove_file(desk.roll_file()).unwrap();
    fs::remove_file(desk.manifest_file()).unwrap();
    let error = desk.write().await.unwrap_err();
    assert!(matches!(error, Error::Differs { .. }), "{error}");
    assert!(matches!(desk.accept().await.unwrap(), Accepted::New(_)));
    desk.write().await.unwrap();
    assert_eq!(desk.ids(), Vec::from_iter(25..50));
}
