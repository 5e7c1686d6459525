//! A chunk through the processor: what goes into the roll, what is tried again, and what is dead.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use muster_proto::chunk::{Decoder, Encoder, Unreadable};
use muster_proto::user::User;
use muster_proto::users::UserRequest;
use muster_queue::{Chunk, DeadLetter, History, Kept, Outcome, ResultChunk, Retry};

use crate::processor::{Processor, Verdict};
use crate::retry::{LOST_MAX, Retries};

/// What comes of a chunk, whatever became of it before.
pub fn of(chunk: &Chunk, processor: &dyn Processor, retries: &Retries) -> Outcome {
    if chunk.history.isolated && chunk.lost >= retries.crashes_max {
        give_up(chunk)
    } else if !chunk.history.isolated && chunk.lost >= LOST_MAX {
        isolate(chunk)
    } else {
        process(chunk, processor, retries)
    }
}

/// Processes every record.
fn process(chunk: &Chunk, processor: &dyn Processor, retries: &Retries) -> Outcome {
    let mut results = Results::of(chunk);
    for (place, record) in records(chunk) {
        let verdict = verdict(&record, processor);
        // What cannot be read has no bytes.
        let record = record.unwrap_or_default();
        match verdict {
            Verdict::Keep => results.keep(place, &record),
            Verdict::Replace(replaced) => results.replace(place, &replaced),
            Verdict::Reject(reason) => results.bury(place, record, reason),
            Verdict::Fail(reason) => {
                let failures = chunk.history.failures + 1;
                if failures >= retries.attempts_max {
                    results.bury(place, record, reason);
                } else {
                    let failed_first = chunk.history.failed_first.or(Some(results.now));
                    let history = History { failures, failed_first, isolated: false };
                    results.retry(place, &record, history, retries.backoff(failures));
                }
            }
        }
    }
    results.finish()
}

/// Gives each record a chunk of its own, to find the one that ends workers.
fn isolate(chunk: &Chunk) -> Outcome {
    let mut results = Results::of(chunk);
    for (place, record) in records(chunk) {
        let history = History { isolated: true, ..chunk.history };
        results.retry(place, &record.unwrap_or_default(), history, Duration::ZERO);
    }
    results.finish()
}

/// Makes a dead letter of a record that was alone each time a worker was lost.
fn give_up(chunk: &Chunk) -> Outcome {
    let mut results = Results::of(chunk);
    for (place, record) in records(chunk) {
        let reason = format!(
            "{} workers were lost with this record alone in hand: processing it ends them",
            chunk.lost
        );
        results.bury(place, record.unwrap_or_default(), reason);
    }
    results.finish()
}

/// What the processor says of a record, or of why there is none.
fn verdict(record: &Result<Bytes, String>, processor: &dyn Processor) -> Verdict {
    let read = record.as_ref().map_err(String::clone);
    let user = read.and_then(|raw| {
        User::read(raw).map_err(|malformed| Unreadable::from(malformed).to_string())
    });
    let user = match user {
        Ok(user) => user,
        Err(reason) => return Verdict::Reject(reason),
    };
    // The processor sees one record at a time and keeps nothing of it: after a panic the next
    // record is processed as if nothing had been.
    catch_unwind(AssertUnwindSafe(|| processor.process(&user))).unwrap_or_else(|panic| {
        Verdict::Fail(format!("the processor panicked: {}", message(panic.as_ref())))
    })
}

/// The records of a chunk, each with its place: as many as the chunk says.
fn records(chunk: &Chunk) -> impl Iterator<Item = (u64, Result<Bytes, String>)> {
    let mut records = Decoder::new(chunk.payload.clone());
    let mut missing = "the chunk holds fewer records than it says".to_owned();
    (chunk.first..).take(chunk.count as usize).map(move |place| {
        let record = match records.next() {
            Some(Ok(record)) => Ok(record),
            // The records behind it cannot be read for the same reason.
            Some(Err(error)) => {
                missing = error.to_string();
                Err(missing.clone())
            }
            None => Err(missing.clone()),
        };
        (place, record)
    })
}

fn message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("it gave no message")
}

/// An outcome in the making. As long as every record is kept, nothing is copied.
struct Results<'a> {
    chunk: &'a Chunk,
    now: SystemTime,
    /// Whether a record was anything but kept.
    changed: bool,
    runs: Vec<ResultChunk>,
    /// The run that is not closed yet, and the place of its first record.
    run: Encoder,
    run_first: u64,
    dead: Vec<DeadLetter>,
    retry: Vec<Retry>,
}

impl<'a> Results<'a> {
    fn of(chunk: &'a Chunk) -> Self {
        Self {
            chunk,
            now: SystemTime::now(),
            changed: false,
            runs: Vec::new(),
            run: Encoder::default(),
            run_first: chunk.first,
            dead: Vec::new(),
            retry: Vec::new(),
        }
    }

    fn keep(&mut self, place: u64, raw: &[u8]) {
        if self.changed {
            self.begin_run(place);
            self.run.push_raw(raw);
        }
    }

    fn replace(&mut self, place: u64, record: &UserRequest) {
        self.change(place);
        self.begin_run(place);
        self.run.push(&User::from(record));
    }

    fn bury(&mut self, place: u64, record: Bytes, reason: String) {
        self.change(place);
        self.close_run();
        let Chunk { history, lost, trace, .. } = self.chunk;
        let crashes = if history.isolated { *lost } else { 0 };
        let given_up = history.isolated && crashes > 0;
        self.dead.push(DeadLetter {
            place,
            record_id: User::read(&record).map(|user| user.id).unwrap_or_default(),
            reason,
            attempts: history.failures + u32::from(!given_up),
            crashes,
            first: history.failed_first.unwrap_or(self.now),
            last: self.now,
            trace: trace.clone(),
            record,
        });
    }

    fn retry(&mut self, place: u64, record: &[u8], history: History, after: Duration) {
        self.change(place);
        self.close_run();
        let mut payload = Encoder::default();
        payload.push_raw(record);
        self.retry.push(Retry { place, payload: payload.take(), history, after });
    }

    /// Makes a run of the records before the first that is not kept as sent.
    fn change(&mut self, place: u64) {
        if self.changed {
            return;
        }
        self.changed = true;
        let mut records = Decoder::new(self.chunk.payload.clone());
        for _ in self.chunk.first..place {
            if let Some(Ok(raw)) = records.next() {
                self.run.push_raw(&raw);
            }
        }
    }

    fn begin_run(&mut self, place: u64) {
        if self.run.is_empty() {
            self.run_first = place;
        }
    }

    fn close_run(&mut self) {
        if !self.run.is_empty() {
            let (first, count) = (self.run_first, self.run.count());
            self.runs.push(ResultChunk { first, count, payload: self.run.take() });
        }
    }

    fn finish(mut self) -> Outcome {
        self.close_run();
        let kept = if self.changed { Kept::Runs(self.runs) } else { Kept::AsSent };
        Outcome { kept, dead: self.dead, retry: self.retry }
    }
}

#[cfg(test)]
mod tests;
