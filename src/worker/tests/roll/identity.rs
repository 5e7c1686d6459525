//! The store and the folder mean the same roll, or nothing is written.

use std::fs;
use std::time::SystemTime;

use muster_queue::{BatchState, Queue as _};
use muster_worker::roll::{Accepted, Error, Manifest};

use crate::desk::{Desk, content, put_back};

/// A desk with a roll of two batches.
async fn two_batches() -> Desk {
    let desk = Desk::new();
    for (batch, ids) in [("first", 0..25), ("second", 25..50)] {
        desk.complete(batch, ids).await;
        desk.write().await.unwrap();
    }
    desk
}

/// The third batch is not written, to whatever is in the folder, and the error says why.
async fn assert_refused(desk: &Desk, expected: &str) {
    desk.complete("third", 50..75).await;
    let paths = [desk.roll_file(), desk.manifest_file()];
    let before = paths.clone().map(|path| content(&path));
    for result in [desk.check().await, desk.write().await] {
        let error = result.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(error.contains("accept this one with `muster-worker roll accept`"), "{error}");
    }
    assert_eq!(paths.map(|path| content(&path)), before);
    assert_eq!(desk.batch("third").await.0, BatchState::Complete);
}

#[tokio::test]
async fn store_and_manifest_know_the_same_roll() {
    let desk = two_batches().await;
    let Manifest { format, id, batches, sha256, recent, .. } = desk.manifest();
    assert_eq!((format, id.len(), batches), (1, 32, 2));
    assert_eq!(recent.back().map(|entry| &entry.roll_sha256), Some(&sha256));
    let known = desk.open().roll().await.unwrap().unwrap();
    assert_eq!((known.id, known.batches, known.sha256), (id, 2, sha256));
}

#[tokio::test]
async fn folder_that_was_moved_away_is_not_followed_by_a_new_roll() {
    let desk = two_batches().await;
    let aside = desk.folder().with_extension("aside");
    fs::rename(desk.folder(), &aside).unwrap();
    let known = desk.manifest_of(&aside);
    assert_refused(
        &desk,
        &format!(
            "the store knows roll {:.8} with 2 batches, and this folder has no roll: it is not mounted",
            known.id
        ),
    )
    .await;
    assert!(!desk.folder().exists(), "an empty folder would hide the mistake");

    fs::rename(aside, desk.folder()).unwrap();
    desk.write().await.unwrap();
    assert_eq!(desk.ids(), Vec::from_iter(0..75));
}

#[tokio::test]
async fn second_folder_is_refused_before_anything_is_written() {
    let desk = Desk::new();
    desk.check().await.unwrap();
    let aside = desk.folder().with_extension("aside");
    fs::rename(desk.folder(), &aside).unwrap();
    assert_refused(&desk, "with 0 batches, and this folder has no roll").await;
}

#[tokio::test]
async fn roll_of_another_store_is_refused() {
    let (desk, other) = (two_batches().await, two_batches().await);
    for path in [Desk::roll_file, Desk::manifest_file] {
        fs::copy(path(&other), path(&desk)).unwrap();
    }
    let expected = format!(
        "this folder has roll {:.8} with 2 batches: the folder or the",
        other.manifest().id
    );
    assert_refused(&desk, &expected).await;
}

#[tokio::test]
async fn older_roll_is_refused_and_what_it_lacks_is_named() {
    let desk = two_batches().await;
    let paths = [desk.roll_file(), desk.manifest_file()];
    let before = paths.clone().map(|path| content(&path));
    desk.complete("lacking", 100..110).await;
    desk.write().await.unwrap();
    for (path, content) in paths.iter().zip(before) {
        put_back(path, content);
    }
    let expected = "with 3 batches, and this folder has roll";
    assert_refused(&desk, expected).await;
    assert_refused_with_missing(&desk).await;
}

async fn assert_refused_with_missing(desk: &Desk) {
    let error = desk.check().await.unwrap_err();
    let Error::Differs { missing, .. } = &error else { panic!("{error}") };
    assert_eq!(missing.iter().map(|batch| batch.as_str()).collect::<Vec<_>>(), ["lacking"]);
    assert!(
        error.to_string().contains("older copy; it lacks, among others, lacking. Put"),
        "{error}"
    );
}

#[tokio::test]
async fn store_that_was_emptied_is_refused() {
    let desk = Desk::new();
    let empty = content(&desk.store_file());
    desk.complete("first", 0..50).await;
    desk.write().await.unwrap();
    put_back(&desk.store_file(), empty);
    assert_refused(&desk, "with 1 batch, and the store knows no roll: the store was emptied").await;

    let accepted = desk.accept().await.unwrap();
    assert!(matches!(accepted, Accepted::AsDescribed(_)), "{accepted:?}");
    desk.write().await.unwrap();
    assert_eq!(desk.ids(), Vec::from_iter(0..75));
}

/// A store that answers when it has synced loses one publication at most, and here it has lost two.
#[tokio::test]
async fn older_store_is_refused() {
    let desk = Desk::new();
    desk.check().await.unwrap();
    let before = content(&desk.store_file());
    for (batch, ids) in [("first", 0..25), ("second", 25..50)] {
        desk.complete(batch, ids).await;
        desk.write().await.unwrap();
        // The next publication begins at another millisecond.
        let written_ms = desk.manifest().recent.back().unwrap().written_ms;
        while SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis() <= u128::from(written_ms) {
            std::thread::yield_now();
        }
    }
    put_back(&desk.store_file(), before);
    assert_refused(&desk, "with 0 batches: the store is an older copy").await;
}

#[tokio::test]
async fn roll_and_store_that_went_on_separately_are_refused() {
    let desk = Desk::new();
    desk.check().await.unwrap();
    let files = [desk.roll_file(), desk.manifest_file(), desk.store_file()];
    let begun = files.clone().map(|path| content(&path));
    desk.complete("here", 0..25).await;
    desk.write().await.unwrap();
    let here = files.clone().map(|path| content(&path));
    for (path, content) in files.iter().zip(begun) {
        put_back(path, content);
    }
    desk.complete("there", 30..50).await;
    desk.write().await.unwrap();
    for (path, content) in files.iter().zip(here).take(2) {
        put_back(path, content);
    }
    assert_refused(&desk, "but they are not the same batches").await;
}

#[tokio::test]
async fn manifest_of_an_earlier_version_gets_an_id() {
    let desk = Desk::new();
    let empty = content(&desk.store_file());
    desk.complete("first", 0..25).await;
    desk.write().await.unwrap();
    // As an earlier version left it: neither the manifest nor the store has an id.
    let mut manifest = serde_json::to_value(desk.manifest()).unwrap();
    let fields = manifest.as_object_mut().unwrap();
    fields.remove("format").unwrap();
    fields.remove("id").unwrap();
    for entry in fields["recent"].as_array_mut().unwrap() {
        entry.as_object_mut().unwrap().remove("roll_sha256").unwrap();
    }
    fs::write(desk.manifest_file(), serde_json::to_vec(&manifest).unwrap()).unwrap();
    put_back(&desk.store_file(), empty);

    desk.check().await.unwrap();
    let (known, manifest) = (desk.open().roll().await.unwrap().unwrap(), desk.manifest());
    assert_eq!((known.id, known.batches), (manifest.id, 1));
    desk.complete("second", 25..50).await;
    desk.write().await.unwrap();
    assert_eq!(desk.ids(), Vec::from_iter(0..50));
}

#[tokio::test]
async fn edited_roll_can_be_accepted() {
    let desk = two_batches().await;
    let edited = fs::read_to_string(desk.roll_file()).unwrap().replace("\"id\":7,", "\"id\":8,");
    fs::write(desk.roll_file(), edited).unwrap();
    let error = desk.check().await.unwrap_err();
    assert!(matches!(error, Error::Changed { problem: "its SHA-256 differs", .. }), "{error}");

    let accepted = desk.accept().await.unwrap();
    assert!(matches!(accepted, Accepted::AsFound(_)), "{accepted:?}");
    desk.complete("third", 50..75).await;
    desk.write().await.unwrap();
    let ids = (0..75).map(|id| if id == 7 { 8 } else { id });
    assert_eq!(desk.ids(), Vec::from_iter(ids));
}

#[tokio::test]
async fn roll_whose_manifest_is_gone_can_be_accepted() {
    let desk = two_batches().await;
    fs::remove_file(desk.manifest_file()).unwrap();
    let accepted = desk.accept().await.unwrap();
    assert!(matches!(accepted, Accepted::AsFound(_)), "{accepted:?}");
    desk.complete("third", 50..75).await;
    desk.write().await.unwrap();
    assert_eq!(desk.ids(), Vec::from_iter(0..75));
}

#[tokio::test]
async fn file_that_is_not_a_whole_roll_is_not_accepted() {
    let desk = two_batches().await;
    let whole = fs::read_to_string(desk.roll_file()).unwrap();
    let cut = |len: usize| whole[..len].to_owned();
    for (text, expected) in [
        (cut(whole.len() / 2), "it is cut off"),
        (cut(whole.len() - 2), "line 52: the array does not end"),
        (whole.replacen("},\n", "}\n", 1), "line 3: a comma is missing before it"),
        (whole.replacen("{\"id\":3,", "{id:3,", 1), "line 5: key must be a string"),
        (whole.replacen("}\n]", "},\n]", 1), "line 52: expected value"),
        (format!("{whole}{{}}\n"), "line 53: it follows the end of the array"),
        (whole.replacen("[\n", "", 1), "line 1: it is not `[`"),
        (String::new(), "line 1: the array does not end"),
    ] {
        fs::write(desk.roll_file(), &text).unwrap();
        let before = content(&desk.manifest_file());
        let error = desk.accept().await.unwrap_err().to_string();
        assert!(
            error.contains("all_users.json is not a whole roll") && error.contains(expected),
            "{error}"
        );
        assert_eq!(content(&desk.manifest_file()), before);
    }
}

#[tokio::test]
async fn empty_roll_can_be_accepted() {
    let desk = Desk::new();
    fs::create_dir(desk.folder()).unwrap();
    fs::write(desk.roll_file(), "[\n]\n").unwrap();
    let error = desk.check().await.unwrap_err();
    assert!(matches!(error, Error::Changed { problem: "the manifest is missing", .. }), "{error}");
    desk.accept().await.unwrap();
    desk.complete("first", 0..25).await;
    desk.write().await.unwrap();
    assert_eq!(desk.ids(), Vec::from_iter(0..25));
}

/// The roll lost its last growth, and the manifest did not: the batch must not be taken for written.
#[tokio::test]
async fn batch_that_an_accepted_roll_lacks_is_written_if_the_store_has_it() {
    let desk = Desk::new();
    desk.complete("first", 0..25).await;
    desk.write().await.unwrap();
    let roll = content(&desk.roll_file());
    desk.complete("second", 25..50).await;
    let store = content(&desk.store_file());
    desk.write().await.unwrap();
    put_back(&desk.roll_file(), roll);
    put_back(&desk.store_file(), store);
    let error = desk.check().await.unwrap_err();
    assert!(matches!(error, Error::Changed { problem: "it is shorter", .. }), "{error}");
    desk.accept().await.unwrap();
    desk.write().await.unwrap();
    assert_eq!(desk.ids(), Vec::from_iter(0..50));
}

/// A writer was lost before it published the manifest, and the store is an older copy.
#[tokio::test]
async fn accepting_finishes_what_a_lost_writer_began() {
    let desk = Desk::new();
    let empty = content(&desk.store_file());
    desk.complete("first", 0..25).await;
    desk.write().await.unwrap();
    let manifest = content(&desk.manifest_file());
    desk.complete("second", 25..50).await;
    desk.write().await.unwrap();
    put_back(&desk.manifest_file().with_added_extension("tmp"), content(&desk.manifest_file()));
    put_back(&desk.manifest_file(), manifest);
    put_back(&desk.store_file(), empty);
    desk.check().await.unwrap_err();
    desk.accept().await.unwrap();
    assert_eq!(desk.manifest().batches, 2);
    desk.complete("second", 25..50).await;
    desk.write().await.unwrap();
    assert_eq!(desk.ids(), Vec::from_iter(0..50));
}

#[tokio::test]
async fn roll_that_is_put_next_to_an_empty_one_is_not_overwritten() {
    let desk = Desk::new();
    desk.check().await.unwrap();
    let other = two_batches().await;
    fs::copy(other.roll_file(), desk.roll_file()).unwrap();
    let error = desk.check().await.unwrap_err();
    assert!(
        matches!(error, Error::Changed { problem: "something else put it there", .. }),
        "{error}"
    );
    desk.complete("third", 50..75).await;
    desk.write().await.unwrap_err();
    assert!(matches!(desk.accept().await.unwrap(), Accepted::AsFound(_)));
    desk.write().await.unwrap();
    assert_eq!(desk.ids(), Vec::from_iter(0..75));
}

/// The store was copied when it had a part of the batch, and its deadline has sealed that part.
#[tokio::test]
async fn batch_of_an_older_store_is_not_written_again() {
    let desk = Desk::new();
    desk.check().await.unwrap();
    let empty = content(&desk.store_file());
    desk.append("first", 0..10).await;
    let older = content(&desk.store_file());
    desk.complete("first", 0..25).await;
    desk.write().await.unwrap();
    put_back(&desk.store_file(), older);
    desk.accept().await.unwrap();
    desk.complete("first", 0..10).await;
    desk.write().await.unwrap();
    assert_eq!(desk.ids(), Vec::from_iter(0..25));
    assert_eq!(desk.batch("first").await.0, BatchState::Written);

    // An emptied store can use the name again for other records.
    put_back(&desk.store_file(), empty);
    desk.accept().await.unwrap();
    desk.complete("first", 100..110).await;
    desk.write().await.unwrap();
    assert_eq!(desk.ids(), Vec::from_iter((0..25).chain(100..110)));
}

/// Its records were processed a second time, and fewer of them failed.
#[tokio::test]
async fn batch_of_an_older_store_is_not_written_again_with_more_records() {
    let desk = Desk::new();
    desk.check().await.unwrap();
    desk.append("first", 0..10).await;
    let older = content(&desk.store_file());
    desk.complete_but("first", 0..10, &[3]).await;
    desk.write().await.unwrap();
    put_back(&desk.store_file(), older);
    desk.accept().await.unwrap();
    desk.complete("first", 0..10).await;
    desk.write().await.unwrap();
    assert_eq!(desk.ids(), [0, 1, 2, 4, 5, 6, 7, 8, 9]);
    assert_eq!(desk.batch("first").await.0, BatchState::Written);
}

/// The store lost its data, and the same records are sent again. Another one of them fails.
#[tokio::test]
async fn records_that_are_sent_again_count_once_whatever_becomes_of_them() {
    let desk = Desk::new();
    desk.check().await.unwrap();
    let empty = content(&desk.store_file());
    desk.complete_but("first", 0..10, &[3]).await;
    desk.write().await.unwrap();
    put_back(&desk.store_file(), empty);
    desk.accept().await.unwrap();
    desk.complete_but("first", 0..10, &[4]).await;
    desk.write().await.unwrap();
    assert_eq!(desk.ids(), [0, 1, 2, 4, 5, 6, 7, 8, 9]);
}

/// The same with records that each have their own index: they come in another order.
#[tokio::test]
async fn records_with_indices_that_are_sent_again_count_once_in_any_order() {
    let desk = Desk::new();
    desk.check().await.unwrap();
    let empty = content(&desk.store_file());
    desk.complete_each("first", 0..25).await;
    desk.write().await.unwrap();
    put_back(&desk.store_file(), empty.clone());
    desk.accept().await.unwrap();
    desk.complete_each("first", (0..25).rev()).await;
    desk.write().await.unwrap();
    assert_eq!(desk.ids(), Vec::from_iter(0..25));
    assert_eq!(desk.batch("first").await.0, BatchState::Written);

    // Others under its name are another batch.
    put_back(&desk.store_file(), empty);
    desk.accept().await.unwrap();
    desk.complete_each("first", 0..24).await;
    desk.write().await.unwrap();
    assert_eq!(desk.ids(), Vec::from_iter((0..25).chain(0..24)));
}

/// The store has a batch that the roll has as well, and the manifest no longer names.
#[tokio::test]
async fn store_that_is_too_old_is_accepted_only_if_batches_may_be_duplicated() {
    let desk = Desk::new();
    desk.check().await.unwrap();
    desk.complete("first", 0..10).await;
    let older = content(&desk.store_file());
    for (batch, ids) in [("second", 10..20), ("third", 20..30)] {
        desk.complete(batch, ids).await;
        desk.write().await.unwrap();
    }
    let mut manifest = desk.manifest();
    manifest.recent.drain(..2);
    fs::write(desk.manifest_file(), serde_json::to_vec(&manifest).unwrap()).unwrap();
    put_back(&desk.store_file(), older);

    let error = desk.accept().await.unwrap_err().to_string();
    assert!(
        error.contains("with 0 batches") && error.contains("names the last 1 of 3 batches"),
        "{error}"
    );
    desk.write().await.unwrap_err();
    assert_eq!(desk.ids(), Vec::from_iter(0..30));

    desk.roll().accept(&desk.open(), true).await.unwrap();
    desk.write().await.unwrap();
    assert_eq!(desk.ids(), Vec::from_iter((0..30).chain(0..10)));
}
