//! Batches as a list.

use std::time::SystemTime;

use muster_proto::v1::Batch;

use super::batch::state;
use super::figures::{NONE, ago};
use super::table::Columns;
use crate::printable;

/// The widths of the columns, in characters: most batches fit.
const WIDTHS: [usize; 8] = [8, 12, 8, 8, 4, 8, 10, 0];
/// How much of a digest is shown.
const DIGEST_SHOWN: usize = 12;

/// A list of batches, page by page.
#[derive(Debug)]
pub(crate) struct BatchList {
    columns: Columns<8>,
    begun: bool,
}

impl BatchList {
    pub(crate) fn new() -> Self {
        Self { columns: Columns::at_least(WIDTHS), begun: false }
    }

    /// The lines of the next batches; the first follow the names of the columns.
    pub(crate) fn page(&mut self, batches: &[Batch], now: SystemTime) -> String {
        let names = ["batch", "state", "received", "done", "dead", "retrying", "opened", "sha256"];
        let names = (!self.begun).then(|| names.map(str::to_owned));
        let rows = batches.iter().map(|batch| row(batch, now));
        let rows: Vec<_> = names.into_iter().chain(rows).collect();
        self.begun = true;
        self.columns.lines(&rows)
    }
}

fn row(batch: &Batch, now: SystemTime) -> [String; 8] {
    let held = if batch.held { ", held" } else { "" };
    // What needs nothing more: the rest is dead, to be retried, or waits.
    let done = batch.kept + batch.dropped + batch.replayed;
    let digest = match batch.roll_sha256.as_str() {
        "" => NONE.to_owned(),
        digest => printable::text(&digest.chars().take(DIGEST_SHOWN).collect::<String>()),
    };
    [
        printable::text(&batch.id),
        format!("{}{held}", state(batch)),
        batch.received.to_string(),
        done.to_string(),
        batch.dead.to_string(),
        batch.retrying.to_string(),
        ago(batch.opened_at, now),
        digest,
    ]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use muster_proto::v1::BatchState;
    use prost_types::Timestamp;

    use super::*;

    #[test]
    fn pages_of_a_list_stand_under_one_line_of_names() {
        let opened = |seconds| Some(Timestamp { seconds, nanos: 0 });
        let held = Batch {
            id: "monday".to_owned(),
            state: BatchState::Sealed.into(),
            received: 300,
            kept: 290,
            dead: 3,
            dropped: 2,
            retrying: 5,
            held: true,
            opened_at: opened(9_000),
            ..Batch::default()
        };
        let written = Batch {
            id: "sun\x1bday".to_owned(),
            state: BatchState::Written.into(),
            received: 7,
            kept: 7,
            roll_sha256: "405195b5944fd2713e9592f316fac020".to_owned(),
            ..Batch::default()
        };
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(10_000);
        let mut list = BatchList::new();
        let pages = list.page(&[held], now) + &list.page(&[written], now);
        insta::assert_snapshot!(pages, @r"
        batch     state         received  done      dead  retrying  opened       sha256
        monday    sealed, held  300       292       3     5         16m 40s ago  -
        sun\u{1b}day  written       7         7         0     0         -            405195b5944f
        ");
    }
}
