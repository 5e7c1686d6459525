//! What must be so after every step.

use muster_queue::{BatchId, BatchState, Priority, Result};

use super::model::Record;
use super::run::Run;

/// Bytes of results in one page.
const PAGE_BYTES: usize = 40;

impl Run {
    /// Asserts that the store shows what the model has, and that it adds up.
    pub(crate) async fn compare(&self) -> Result<()> {
        let queue = self.queue();
        let mut in_work = 0;
        for id in &self.ids {
            let batch = queue.batch(id).await?;
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
        let next = self.model.complete.first().and_then(|id| self.model.shown(id));
        assert_eq!(queue.next_complete().await?, next);
        let groups = self.model.dead_groups();
        self.compare_backlog(groups.iter().map(|group| group.letters).sum()).await?;
        assert_eq!(queue.dead_groups().await?, groups);
        Ok(())
    }

    async fn compare_backlog(&self, dead_letters: u64) -> Result<()> {
        let backlog = self.queue().backlog().await?;
        self.desk.check_line(Some(Priority::High), backlog.high);
        self.desk.check_line(Some(Priority::Normal), backlog.normal);
        self.desk.check_line(Some(Priority::Low), backlog.low);
        self.desk.check_line(None, backlog.isolated);
        assert_eq!(backlog.dead_letters, dead_letters);
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
