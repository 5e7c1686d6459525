//! The dead letters that a caller means, page by page.

use std::collections::VecDeque;

use muster_proto::v1;
use muster_proto::v1::dead_letter_selector::Which;
use muster_queue::{BatchId, DeadLetter, Error, LetterId, Queue};
use tonic::{Code, Status};

use super::told;
use crate::batches::batch_id;
use crate::status;

/// How many letters one step of the store resolves: as many as a chunk has records.
const PAGE_LETTERS: usize = 256;

/// How many letters a caller may name.
const LETTERS_MAX: usize = 1000;

/// Which letters are meant.
pub(super) enum Selector {
    Letter(LetterId),
    Letters(Vec<LetterId>),
    Batch(BatchId),
    Group(String),
    All,
}

impl Selector {
    pub(super) fn read(selector: Option<v1::DeadLetterSelector>) -> Result<Self, Status> {
        match selector.and_then(|selector| selector.which) {
            Some(Which::Letter(id)) => Ok(Self::Letter(letter_id(id)?)),
            Some(Which::Letters(ids)) if ids.letters.len() > LETTERS_MAX => {
                Err(Status::invalid_argument(format!(
                    "`selector.letters` may name {LETTERS_MAX} letters"
                )))
            }
            Some(Which::Letters(ids)) => {
                let ids = ids.letters.into_iter().map(letter_id);
                Ok(Self::Letters(ids.collect::<Result<_, _>>()?))
            }
            Some(Which::Batch(batch)) => Ok(Self::Batch(batch_id("selector.batch", &batch)?)),
            Some(Which::Group(group)) => Ok(Self::Group(group)),
            Some(Which::All(true)) => Ok(Self::All),
            Some(Which::All(false)) | None => Err(Status::invalid_argument(
                "`selector` must name letters, a batch, a group, or all",
            )),
        }
    }
}

/// Reads the name of a letter.
pub(super) fn letter_id(id: v1::DeadLetterId) -> Result<LetterId, Status> {
    Ok(LetterId { batch: batch_id("batch", &id.batch)?, place: id.place })
}

/// The letter at this place.
///
/// # Errors
///
/// `NOT_FOUND` when there is none.
pub(super) async fn find(queue: &dyn Queue, id: &LetterId) -> Result<DeadLetter, Status> {
    let LetterId { batch, place } = id;
    let found = told(queue.dead_letters(batch, *place, 1).await)?.pop();
    match found.filter(|letter| letter.place == *place) {
        Some(letter) => Ok(letter),
        None => Err(Status::not_found(format!(
            "no dead letter at place {place} of batch {batch}: there was none, or it was replayed \
             or dropped"
        ))),
    }
}

/// Goes through the letters that are meant. Each page is of one batch, and each letter comes once,
/// also when it dies again in its place meanwhile.
pub(super) struct Selection<'a> {
    queue: &'a dyn Queue,
    /// What is still to be gone through, and from where.
    parts: VecDeque<Part>,
    /// Pages that were read and are still to be given.
    pages: VecDeque<(BatchId, Vec<DeadLetter>)>,
}

enum Part {
    Letter(LetterId),
    Letters(Vec<LetterId>),
    Batch { id: BatchId, from_place: u64 },
    Group { name: String, after: Option<LetterId> },
    AllGroups,
}

impl<'a> Selection<'a> {
    pub(super) fn of(queue: &'a dyn Queue, selector: Selector) -> Self {
        let part = match selector {
            Selector::Letter(id) => Part::Letter(id),
            Selector::Letters(ids) => Part::Letters(ids),
            Selector::Batch(id) => Part::Batch { id, from_place: 0 },
            Selector::Group(name) => Part::Group { name, after: None },
            Selector::All => Part::AllGroups,
        };
        Self { queue, parts: VecDeque::from([part]), pages: VecDeque::new() }
    }

    /// The next page: a batch, and some of its letters.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND` when the one letter, or the batch, is not there; what the store says.
    pub(super) async fn next(&mut self) -> Result<Option<(BatchId, Vec<DeadLetter>)>, Status> {
        while self.pages.is_empty() {
            let Some(part) = self.parts.pop_front() else {
                return Ok(None);
            };
            self.read(part).await?;
        }
        Ok(self.pages.pop_front())
    }

    /// Adds a letter to the last page, if that is of the same batch, or to a new one.
    fn add(&mut self, batch: BatchId, letter: DeadLetter) {
        match self.pages.back_mut() {
            Some((last, page)) if *last == batch => page.push(letter),
            _ => self.pages.push_back((batch, vec![letter])),
        }
    }

    /// Reads the next pages of a part, and keeps the rest of it.
    async fn read(&mut self, part: Part) -> Result<(), Status> {
        match part {
            Part::Letter(id) => {
                let letter = find(self.queue, &id).await?;
                self.pages.push_back((id.batch, vec![letter]));
            }
            Part::Letters(mut ids) => {
                let later = ids.split_off(ids.len().min(PAGE_LETTERS));
                if !later.is_empty() {
                    self.parts.push_front(Part::Letters(later));
                }
                for id in ids {
                    match find(self.queue, &id).await {
                        Ok(letter) => self.add(id.batch, letter),
                        Err(status) if status.code() == Code::NotFound => {}
                        Err(status) => return Err(status),
                    }
                }
            }
            Part::Batch { id, from_place } => {
                let letters = told(self.queue.dead_letters(&id, from_place, PAGE_LETTERS).await)?;
                if let Some(last) = letters.last() {
                    let from_place = last.place + 1;
                    self.parts.push_front(Part::Batch { id: id.clone(), from_place });
                    self.pages.push_back((id, letters));
                } else if from_place == 0 && told(self.queue.batch(&id).await)?.is_none() {
                    return Err(status::of(&Error::UnknownBatch(id)));
                }
            }
            Part::Group { name, after } => {
                let found = self.queue.dead_in_group(&name, after.as_ref(), PAGE_LETTERS).await;
                let letters = told(found)?;
                if let Some((batch, last)) = letters.last() {
                    let after = LetterId { batch: batch.clone(), place: last.place };
                    self.parts.push_front(Part::Group { name, after: Some(after) });
                }
                letters.into_iter().for_each(|(batch, letter)| self.add(batch, letter));
            }
            Part::AllGroups => {
                let groups = told(self.queue.dead_groups().await)?.into_iter();
                self.parts
                    .extend(groups.map(|group| Part::Group { name: group.name, after: None }));
            }
        }
        Ok(())
    }
}
