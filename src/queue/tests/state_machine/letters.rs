//! What operators do in a run, and time itself.

use bytes::Bytes;
use muster_queue::{
    BatchId, BatchOptions, BatchState, DeadLetter, Ending, Error, LetterId, Replay, Replayed,
    Result,
};

use super::compare::without_times;
use super::desk::Piece;
use super::model::{Record, Sent};
use super::run::{DIGEST, Run, assert_same};
use super::step::SOON;

/// Letters of one page.
const PAGE: usize = 2;

impl Run {
    pub(crate) async fn pause(&mut self, paused: bool) -> Result<()> {
        self.queue().pause(paused).await?;
        self.model.controls.paused = paused;
        Ok(())
    }

    pub(crate) async fn end_overdue(&mut self, limit: usize) -> Result<()> {
        let ended = self.queue().end_overdue(limit).await?;
        assert!(ended.len() <= limit, "{} of at most {limit}", ended.len());
        for batch in ended {
            let sent = self.model.known(&batch.id)?;
            assert_eq!(sent.state, BatchState::Open, "{batch:?} had no end to come");
            let deadline = sent.options.deadline.expect("a deadline that ends it");
            assert_eq!(deadline.after, SOON, "the deadline of {batch:?} has not passed");
            sent.overdue = true;
            let expected = match deadline.then {
                Ending::Seal => self.model.seal(&batch.id, None, None)?,
                Ending::Abort => self.model.abort(&batch.id)?,
            };
            assert_eq!(without_times(batch), expected);
        }
        Ok(())
    }

    /// Marks a batch as written, and checks what is in the roll if it is complete.
    pub(crate) async fn mark_written(&mut self, id: &BatchId) -> Result<()> {
        let is_complete = self.model.complete.contains(id);
        if is_complete {
            self.read_results(id).await?;
        }
        let answer = self.queue().mark_written(id, DIGEST).await;
        let expected = self.model.known(id).map(|sent| {
            if is_complete {
                sent.state = BatchState::Written;
            }
            is_complete
        });
        assert_same(&answer, &expected);
        self.model.complete.retain(|complete| complete != id);
        if is_complete {
            assert_eq!(self.queue().results(id, 0, usize::MAX).await?, []);
        }
        Ok(())
    }

    pub(crate) async fn replay(
        &mut self,
        id: &BatchId,
        places: &[u64],
        is_edited: bool,
    ) -> Result<()> {
        let Ok(sent) = self.model.known(id) else {
            let answer = self.queue().replay(id, &[]).await;
            assert_same(&answer, &Err(Error::UnknownBatch(id.clone())));
            return Ok(());
        };
        let payload = |place: u64| -> Bytes {
            let record = sent.dead().find(|letter| letter.place == place);
            let record = record.map_or(Bytes::new(), |letter| letter.record.clone());
            if is_edited { [b"mended ", &record[..]].concat().into() } else { record }
        };
        let replays: Vec<Replay> =
            places.iter().map(|place| Replay { place: *place, payload: payload(*place) }).collect();
        let letters = self.resolve(id, places, Record::Retrying, Record::Replayed);
        let answer = self.queue().replay(id, &replays).await?;
        assert_eq!(answer.letters, letters.len() as u64, "{answer:?}");
        let is_here = letters.is_empty() || self.model.state(id) < Some(BatchState::Complete);
        assert_eq!(answer.into == *id, is_here, "{answer:?}");
        self.queue_replayed(id, &answer, letters, &replays);
        Ok(())
    }

    /// Queues what was replayed: each letter is a chunk.
    fn queue_replayed(
        &mut self,
        id: &BatchId,
        replayed: &Replayed,
        letters: Vec<DeadLetter>,
        replays: &[Replay],
    ) {
        let options = BatchOptions { deadline: None, ..self.model.batches[id].options };
        let into = &replayed.into;
        if into != id {
            let mut sent = Sent::new(options);
            sent.state = BatchState::Sealed;
            sent.records = vec![Record::Waiting; letters.len()];
            sent.chunks = letters.len() as u64;
            sent.trace = letters.iter().find_map(|letter| letter.trace.clone());
            assert!(self.model.batches.insert(into.clone(), sent).is_none(), "{into} is not new");
            self.ids.push(into.clone());
        }
        for (letter, number) in letters.into_iter().zip(0..) {
            let replay = replays.iter().find(|replay| replay.place == letter.place);
            let records = vec![replay.expect("it was replayed").payload.clone()];
            let first = if into == id { letter.place } else { number };
            let mut piece = Piece::new(into, first, records, options.priority);
            piece.trace = letter.trace;
            self.desk.add(piece);
        }
    }

    /// Takes the dead letters at `places` out of the model, in this order. They become `open` in a
    /// batch that is not complete, and `closed` in one that is.
    fn resolve(
        &mut self,
        id: &BatchId,
        places: &[u64],
        open: Record,
        closed: Record,
    ) -> Vec<DeadLetter> {
        let sent = self.model.batches.get_mut(id).expect("it is known");
        let becomes = if sent.state < BatchState::Complete { open } else { closed };
        let letters = places.iter().filter_map(|place| {
            let record = sent.records.get_mut(usize::try_from(*place).ok()?)?;
            let Record::Dead(letter) = record.clone() else { return None };
            *record = becomes.clone();
            Some(letter)
        });
        letters.collect()
    }

    pub(crate) async fn drop_letters(&mut self, id: &BatchId, places: &[u64]) -> Result<()> {
        let answer = self.queue().drop_letters(id, places).await;
        if self.model.known(id).is_err() {
            assert_same(&answer, &Err(Error::UnknownBatch(id.clone())));
            return Ok(());
        }
        let dropped = self.resolve(id, places, Record::Dropped, Record::Dropped);
        assert_eq!(answer?, dropped.len() as u64);
        self.model.complete_if_ready(id);
        Ok(())
    }

    /// Asserts that the store lists the dead letters of every batch and of every group.
    pub(crate) async fn read_letters(&self) -> Result<()> {
        for (id, sent) in &self.model.batches {
            let mut read: Vec<DeadLetter> = Vec::new();
            loop {
                let from_place = read.last().map_or(0, |letter| letter.place + 1);
                let page = self.queue().dead_letters(id, from_place, PAGE).await?;
                if page.is_empty() {
                    break;
                }
                read.extend(page);
            }
            assert_eq!(read, sent.dead().cloned().collect::<Vec<_>>());
        }
        for group in self.model.dead_groups() {
            self.read_group(&group.name).await?;
        }
        Ok(())
    }

    async fn read_group(&self, group: &str) -> Result<()> {
        let mut read: Vec<(LetterId, DeadLetter)> = Vec::new();
        loop {
            let after = read.last().map(|(id, _)| id);
            let page = self.queue().dead_in_group(group, after, PAGE).await?;
            if page.is_empty() {
                break;
            }
            read.extend(
                page.into_iter()
                    .map(|(batch, letter)| (LetterId { batch, place: letter.place }, letter)),
            );
            assert!(
                read.len() <= self.model.all_dead().count(),
                "the same letters again: {read:?}"
            );
        }
        read.sort_by(|(one, _), (other, _)| one.cmp(other));
        let expected = self.model.all_dead().filter(|(_, letter)| letter.group() == group);
        let expected = expected.map(|(id, letter)| (id, letter.clone()));
        assert_eq!(read, expected.collect::<Vec<_>>());
        Ok(())
    }
}
