//! A writer that is lost between its steps: the next one writes every record once.
//!
//! What a lost writer leaves behind is made by writing, and by putting back what it had not come
//! to: the store and, if it was lost earlier, the manifest and the roll.

use std::fs;

use muster_queue::{BatchState, Queue as _};

use crate::desk::{Desk, content, put_back};

/// Which step of its write the writer did last.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Last {
    /// A part of the new roll lies beside the old one.
    Copied,
    /// The new roll is in its place, the manifest is the old one.
    Renamed,
    /// The manifest names the batch, the store does not know.
    Described,
}

const ALL: [Last; 3] = [Last::Copied, Last::Renamed, Last::Described];

/// Writes what is complete, and leaves behind what a writer would that was lost after `last`.
async fn write_and_be_lost(desk: &Desk, last: Last) {
    let paths = [desk.store_file(), desk.manifest_file(), desk.roll_file()];
    // The first writer begins with the manifest of an empty roll.
    desk.check().await.unwrap();
    let before = paths.clone().map(|path| content(&path));
    desk.write().await.unwrap();
    let published = content(&desk.manifest_file());
    let undone = match last {
        Last::Described => 1,
        Last::Renamed => 2,
        Last::Copied => 3,
    };
    for (path, content) in paths.iter().zip(before).take(undone) {
        put_back(path, content);
    }
    if last == Last::Renamed {
        put_back(&desk.manifest_file().with_added_extension("tmp"), published);
    }
    if last == Last::Copied {
        for path in [desk.manifest_file(), desk.roll_file()] {
            fs::write(path.with_added_extension("tmp"), "[\n{\"id\":1,\"user_na").unwrap();
        }
    }
}

/// The next writer goes on, also with a batch that is completed later.
async fn assert_goes_on(desk: &Desk, ids: i32, lost: &str) {
    assert_eq!(desk.batch(lost).await.0, BatchState::Complete, "the store was not told");
    desk.complete("later", [ids]).await;
    desk.write().await.unwrap();
    assert_eq!(desk.ids(), Vec::from_iter(0..=ids));
    assert_eq!(desk.batch(lost).await.0, BatchState::Written);
    assert_eq!(desk.batch("later").await.0, BatchState::Written);
    let leftovers = fs::read_dir(desk.roll_file().parent().unwrap()).unwrap().count();
    assert_eq!(leftovers, 3, "the roll, its manifest and the lock alone");
}

#[tokio::test]
async fn while_it_writes_the_first_batch() {
    for last in ALL {
        let desk = Desk::new();
        desk.complete("lost", 0..25).await;
        write_and_be_lost(&desk, last).await;
        assert_goes_on(&desk, 25, "lost").await;
        assert_eq!(desk.manifest().batches, 2, "{last:?}");
    }
}

#[tokio::test]
async fn while_it_writes_another_batch() {
    for last in ALL {
        let desk = Desk::new();
        desk.complete("before", 0..25).await;
        desk.write().await.unwrap();
        desk.complete("lost", 25..50).await;
        write_and_be_lost(&desk, last).await;
        assert_goes_on(&desk, 50, "lost").await;
        assert_eq!(desk.manifest().batches, 3, "{last:?}");
    }
}

#[tokio::test]
async fn again_and_again() {
    let desk = Desk::new();
    desk.complete("before", 0..25).await;
    desk.write().await.unwrap();
    desk.complete("lost", 25..50).await;
    let [copied, renamed, described] = ALL;
    for last in [renamed, copied, renamed, renamed, described, described] {
        write_and_be_lost(&desk, last).await;
    }
    assert_goes_on(&desk, 50, "lost").await;
}

#[tokio::test]
async fn while_it_writes_a_batch_without_records() {
    for last in ALL {
        let desk = Desk::new();
        desk.complete("lost", []).await;
        write_and_be_lost(&desk, last).await;
        assert_goes_on(&desk, 0, "lost").await;
    }
}

#[tokio::test]
async fn while_the_store_forgets_that_several_batches_were_written() {
    let desk = Desk::new();
    for batch in 0..3 {
        desk.complete(&format!("batch-{batch}"), batch * 25..(batch + 1) * 25).await;
    }
    desk.check().await.unwrap();
    let before = content(&desk.store_file());
    desk.write().await.unwrap();
    put_back(&desk.store_file(), before);
    desk.write().await.unwrap();
    assert_eq!(desk.ids(), Vec::from_iter(0..75));
    assert_eq!(desk.batch("batch-0").await.0, BatchState::Written);
}

#[tokio::test]
async fn a_batch_of_the_same_name_and_other_records_is_another_batch() {
    let desk = Desk::new();
    let empty = content(&desk.store_file());
    desk.complete("monday", 0..25).await;
    desk.write().await.unwrap();
    // The store is emptied, and the name is given again.
    put_back(&desk.store_file(), empty);
    desk.complete("monday", 25..50).await;
    desk.accept().await.unwrap();
    desk.write().await.unwrap();
    assert_eq!(desk.ids(), Vec::from_iter(0..50));
}

/// All are in the manifest, and the store was told of none, of the first, or of all but the last.
#[tokio::test]
async fn amid_telling_the_store_of_several_batches() {
    let batches = ["one", "two", "three"];
    for told in 0..batches.len() {
        let desk = Desk::new();
        for (number, batch) in (0..).zip(batches) {
            desk.complete(batch, number * 10..(number + 1) * 10).await;
        }
        write_and_be_lost(&desk, Last::Described).await;
        let sha256 = desk.manifest().sha256;
        for batch in &batches[..told] {
            desk.open().mark_written(&batch.parse().unwrap(), &sha256).await.unwrap();
        }
        desk.complete("later", [30]).await;
        desk.write().await.unwrap();
        assert_eq!(desk.ids(), Vec::from_iter(0..=30));
        for batch in batches {
            assert_eq!(desk.batch(batch).await.0, BatchState::Written, "{batch} after {told}");
        }
    }
}
