//! The end of a sequence: all that is left is done, and every record is there exactly once.

use muster_queue::{DeadLetter, Result, Work, WorkerId};

use super::desk::At;
use super::model::id;
use super::run::Run;

/// Pieces of work in one step.
const PAGE: usize = 2;

/// Bytes of results in one page.
const PAGE_BYTES: usize = 40;

impl Run {
    /// Takes over and commits all that is left, seals all batches, and reads them back.
    pub(crate) async fn drain(&mut self) -> Result<()> {
        let worker = WorkerId::random("drain");
        let rolls = self.take_all(&worker).await?;
        assert_eq!(rolls, self.desk.complete.len(), "a roll for each complete batch");
        for claim in self.desk.claims.clone() {
            if claim.work.lease().worker == worker {
                self.commit(&claim, &[], false).await?;
            }
        }
        let batches: Vec<usize> = self.model.batches.keys().copied().collect();
        for batch in &batches {
            self.seal(*batch, None).await?;
        }
        let rolls = self.take_all(&worker).await?;
        assert_eq!(rolls, self.desk.complete.len(), "a roll for each complete batch");
        self.compare().await?;
        for batch in self.desk.complete.clone() {
            self.read_back(batch).await?;
        }
        self.write_all().await?;
        for batch in &batches {
            self.read_dead_letters(*batch).await?;
        }
        assert_eq!(self.take_all(&WorkerId::random("late")).await?, 0);
        self.compare().await
    }

    /// Takes over what is held, leases the rest, and says how many rolls were there.
    async fn take_all(&mut self, worker: &WorkerId) -> Result<usize> {
        let there = self.desk.pieces.len() + self.desk.complete.len();
        let mut all = self.take_over(worker, there.max(1)).await?;
        loop {
            let leased = self.lease(worker, PAGE).await?;
            if leased.is_empty() {
                break;
            }
            all.extend(leased);
            assert!(all.len() <= there, "the same work again: {all:?}");
        }
        Ok(all.iter().filter(|work| matches!(work, Work::Roll(_))).count())
    }

    /// Asserts that a complete batch has every record once, in order, as it was committed.
    async fn read_back(&self, batch: usize) -> Result<()> {
        let queue = self.queue();
        let mut place = 0;
        let mut read = Vec::new();
        loop {
            let page = queue.results(&id(batch), place, PAGE_BYTES).await?;
            let Some(last) = page.last() else { break };
            place = last.first + u64::from(last.count);
            read.extend(page.into_iter().map(|chunk| (chunk.first, chunk.count, chunk.payload)));
        }
        let expected = self.desk.of(batch).map(|(first, piece)| {
            let At::Done { output, .. } = &piece.at else { panic!("{piece:?} is left") };
            (first, piece.count, output.clone())
        });
        assert_eq!(read, expected.collect::<Vec<_>>());
        assert_eq!(place, self.model.received(batch));
        Ok(())
    }

    async fn write_all(&mut self) -> Result<()> {
        while let Some(next) = self.desk.complete.first().copied() {
            self.mark_written(next).await?;
            self.compare().await?;
            assert_eq!(self.queue().results(&id(next), 0, PAGE_BYTES).await?, []);
        }
        Ok(())
    }

    async fn read_dead_letters(&self, batch: usize) -> Result<()> {
        let queue = self.queue();
        let mut read: Vec<DeadLetter> = Vec::new();
        loop {
            let from_place = read.last().map_or(0, |letter| letter.place + 1);
            let page = queue.dead_letters(&id(batch), from_place, PAGE).await?;
            if page.is_empty() {
                break;
            }
            read.extend(page);
        }
        let mut expected = Vec::new();
        for (_, piece) in self.desk.of(batch) {
            if let At::Done { dead, .. } = &piece.at {
                expected.extend(dead.iter().cloned());
            }
        }
        assert_eq!(read, expected);
        Ok(())
    }
}
