//! The end of a sequence: nothing is stuck, and every record is somewhere exactly once.

use std::time::{Duration, Instant};

use muster_queue::{BatchId, BatchState, Deadline, Result, Work, WorkerId};

use super::desk::At;
use super::run::Run;
use super::step::{COUNT_MAX, Due, Fate, SOON};

/// More pieces of work than there are.
const ALL: usize = 1000;

/// How long to wait for what must come.
const LONG: Duration = Duration::from_secs(20);

const KEEP: [Fate; COUNT_MAX] = [Fate::Keep; COUNT_MAX];

impl Run {
    /// Does all work, ends all batches, resolves all dead letters, and writes the roll.
    pub(crate) async fn drain(&mut self) -> Result<()> {
        self.read_letters().await?;
        self.pause(false).await?;
        let worker = WorkerId::random("drain");
        self.take_over(&worker, Duration::ZERO, ALL).await?;
        self.commit_all_of(&worker).await?;
        self.work_off(&worker).await?;
        self.end_all().await?;
        self.write_all().await?;
        while self.replay_all().await? {
            self.work_off(&worker).await?;
            self.write_all().await?;
        }
        self.compare().await?;
        for state in [None].into_iter().chain(BatchState::ALL.map(Some)) {
            self.list(state, 2).await?;
        }
        let ended = [BatchState::Written, BatchState::Aborted];
        for (id, sent) in &self.model.batches {
            assert!(ended.contains(&sent.state), "{id} is stuck: {sent:?}");
        }
        assert_eq!(self.model.dead_groups(), []);
        assert_eq!(self.lease(&worker, ALL).await?, [], "there is no work left");
        Ok(())
    }

    /// Leases and keeps all that waits, also what is to be retried soon.
    async fn work_off(&mut self, worker: &WorkerId) -> Result<()> {
        let limit = Instant::now() + LONG;
        while self.is_work_left() {
            assert!(Instant::now() < limit, "nobody gets what is left: {:?}", self.desk.pieces);
            self.lease(worker, ALL).await?;
            self.commit_all_of(worker).await?;
            if self.lease_isolated(worker, Duration::ZERO).await?.is_some() {
                self.commit_all_of(worker).await?;
            } else {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        self.compare().await
    }

    fn is_work_left(&self) -> bool {
        self.desk
            .pieces
            .values()
            .any(|piece| piece.history.isolated || piece.at != At::Waiting(Due::Late))
    }

    async fn commit_all_of(&mut self, worker: &WorkerId) -> Result<()> {
        for claim in std::mem::take(&mut self.desk.claims) {
            if claim.work.lease().worker == *worker {
                self.commit(&claim, &KEEP, false).await?;
            }
        }
        Ok(())
    }

    /// Seals or aborts all batches: those with a deadline by that, those whose records will not
    /// be retried in time by hand.
    async fn end_all(&mut self) -> Result<()> {
        let limit = Instant::now() + LONG;
        let is_soon = |deadline: Option<Deadline>| deadline.is_some_and(|it| it.after == SOON);
        while self
            .model
            .batches
            .values()
            .any(|sent| sent.state == BatchState::Open && is_soon(sent.options.deadline))
        {
            assert!(Instant::now() < limit, "no end of {:?}", self.model.batches);
            self.end_overdue(ALL).await?;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        for id in self.ids_in(BatchState::Open) {
            self.seal(&id, None, None).await?;
        }
        for id in self.ids_in(BatchState::Sealed) {
            let sent = &self.model.batches[&id];
            let dead: Vec<u64> = sent.dead().map(|letter| letter.place).collect();
            if sent.shown(&id).is_held() {
                self.drop_letters(&id, &dead).await?;
            } else {
                self.abort(&id).await?;
            }
        }
        self.compare().await
    }

    fn ids_in(&self, state: BatchState) -> Vec<BatchId> {
        let of_state = self.model.batches.iter().filter(|(_, sent)| sent.state == state);
        of_state.map(|(id, _)| id.clone()).collect()
    }

    /// Writes all batches to the roll. There is one piece of work for each.
    async fn write_all(&mut self) -> Result<()> {
        let worker = WorkerId::random("roll");
        let mut rolls = self.take_over(&worker, Duration::ZERO, ALL).await?;
        rolls.extend(self.lease(&worker, ALL).await?);
        assert!(rolls.iter().all(|work| matches!(work, Work::Roll(_))), "{rolls:?}");
        assert_eq!(rolls.len(), self.model.complete.len(), "a roll for each complete batch");
        while let Some(next) = self.model.complete.first().cloned() {
            self.mark_written(&next).await?;
            self.compare().await?;
        }
        Ok(())
    }

    /// Replays the dead letters of all written batches, and says whether there were any.
    async fn replay_all(&mut self) -> Result<bool> {
        let mut is_any = false;
        for id in self.ids_in(BatchState::Written) {
            let dead = self.model.batches[&id].dead().map(|letter| letter.place);
            let dead: Vec<u64> = dead.collect();
            is_any |= !dead.is_empty();
            self.replay(&id, &dead, true).await?;
        }
        Ok(is_any)
    }
}
