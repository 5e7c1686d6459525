//! What must be so after every step.

use std::time::SystemTime;

use muster_queue::{Batch, BatchId, BatchState, BatchTimes, Priority, Result};

use super::model::Record;
use super::run::Run;

/// Bytes of results in one page.
const PAGE_BYTES: usize = 40;
/// How many of the batches that are complete are compared.
const NEXT: usize = 3;

impl Run {
    /// Asserts that the store shows what the model has, and that it adds up.
    pub(crate) async fn compare(&self) -> Result<()> {
        let queue = self.queue();
        let mut in_work = 0;
        for id in &self.ids {
            let batch = queue.batch(id).await?.map(without_times);
            assert_eq!(batch, self.model.shown(id));
            if let Some(batch) = batch.filter(|batch| batch.state != BatchState::Aborted) {
                let ended = batch.kept + batch.dead + batch.dropped + batch.replayed;
                let left = batch.received.checked_sub(ended).expect("no more than was received");
                assert!(batch.retrying <= left, "{batch:?}");
                in_work += left;
            }
        }
        let depth = queue.depth().await?;
        assert_eq!(depth, self.desk.depth());
        assert_eq!(depth.records, in_work + self.void_in_queue(), "waiting and retrying records");
        let complete = self.model.complete.iter().filter_map(|id| self.model.shown(id));
        let complete: Vec<Batch> = complete.take(NEXT).collect();
        let next = queue.next_complete(NEXT).await?.into_iter().map(without_times);
        assert_eq!(Vec::from_iter(next), complete);
        let groups = self.model.dead_groups();
        self.compare_stats(groups.iter().map(|group| group.letters).sum()).await?;
        assert_eq!(queue.dead_groups().await?, groups);
        Ok(())
    }

    async fn compare_stats(&self, dead_letters: u64) -> Result<()> {
        let stats = self.queue().stats().await?;
        self.desk.check_line(Some(Priority::High), stats.high);
        self.desk.check_line(Some(Priority::Normal), stats.normal);
        self.desk.check_line(Some(Priority::Low), stats.low);
        self.desk.check_line(None, stats.isolated);
        assert_eq!(stats.dead_letters, dead_letters);
        let shown = self.model.batches.iter().map(|(id, sent)| sent.shown(id));
        assert_eq!(stats.held, shown.filter(Batch::is_held).count() as u64);
        assert_eq!(
            stats.leased,
            self.desk.pieces.values().filter(|piece| piece.is_held()).count() as u64
        );
        assert_eq!(
            (stats.totals, stats.controls),
            (self.model.totals, self.model.controls.clone())
        );
        Ok(())
    }

    /// Asserts that the store lists the batches, or those in a state, page by page.
    pub(crate) async fn list(&self, state: Option<BatchState>, page: usize) -> Result<()> {
        let mut all: Vec<Batch> = Vec::new();
        loop {
            let after = all.last().and_then(Batch::cursor);
            let batches = self.queue().batches(state, after.as_ref(), page).await?;
            let is_last = batches.len() < page;
            assert!(batches.len() <= page, "{} of at most {page}", batches.len());
            all.extend(batches);
            if is_last {
                break;
            }
        }
        assert!(all.is_sorted_by(|one, other| one.cursor() > other.cursor()), "{all:?}");
        let mut listed: Vec<Batch> = all.into_iter().map(without_times).collect();
        listed.sort_by(|one, other| one.id.cmp(&other.id));
        let batches = self.model.batches.iter().map(|(id, sent)| sent.shown(id));
        let expected = batches.filter(|batch| state.is_none_or(|state| batch.state == state));
        assert_eq!(listed, expected.collect::<Vec<_>>());
        Ok(())
    }

    /// The records of aborted batches that are still in the queue.
    fn void_in_queue(&self) -> u64 {
        let is_void = |id: &BatchId| self.model.state(id) == Some(BatchState::Aborted);
        let void = self.desk.pieces.values().filter(|piece| is_void(&piece.batch));
        void.map(|piece| piece.records.len() as u64).sum()
    }

    /// Asserts that the results of a complete batch are its kept records, in order, and that they
    /// cover every place once.
    pub(crate) async fn read_results(&self, id: &BatchId) -> Result<()> {
        let records = &self.model.batches[id].records;
        let mut place = 0;
        loop {
            let page = self.queue().results(id, place as u64, PAGE_BYTES).await?;
            if page.is_empty() {
                break;
            }
            for run in page {
                assert_eq!(run.first, place as u64);
                let end = place + run.count as usize;
                let kept: Vec<u8> = records[place..end].iter().flat_map(kept).copied().collect();
                assert_eq!(run.payload, kept, "from {place} on");
                place = end;
            }
        }
        assert_eq!(place, records.len());
        Ok(())
    }
}

/// A batch without its times, which are those that its state must have.
pub(crate) fn without_times(mut batch: Batch) -> Batch {
    let BatchTimes { opened, sealed, completed, ended } = batch.times;
    let is = |states: &[BatchState]| states.contains(&batch.state);
    let is_ended = is(&[BatchState::Written, BatchState::Aborted]);
    let is_complete = is(&[BatchState::Complete, BatchState::Written]);
    assert!(opened.is_some(), "{batch:?}");
    assert!(sealed.is_some() || !is_complete && batch.state != BatchState::Sealed, "{batch:?}");
    assert!(sealed.is_none() || batch.state != BatchState::Open, "{batch:?}");
    assert_eq!((completed.is_some(), ended.is_some()), (is_complete, is_ended), "{batch:?}");
    let times: Vec<SystemTime> = [opened, sealed, completed, ended].into_iter().flatten().collect();
    assert!(times.is_sorted(), "{batch:?}");
    batch.times = BatchTimes::default();
    batch
}

/// What the roll has of a record.
fn kept(record: &Record) -> &[u8] {
    match record {
        Record::Kept(bytes) => bytes,
        Record::Dead(_) | Record::Dropped | Record::Replayed => &[],
        Record::Waiting | Record::Retrying | Record::Void => {
            panic!("{record:?} in a complete batch")
        }
    }
}
