//! A chunk through the processor: what goes into the roll, and what is dead.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use muster_proto::chunk::{Decoder, Encoder};
use muster_proto::users::UserRequest;
use muster_queue::{DeadLetter, Outcome, Output};

use crate::processor::{Processor, Verdict};

/// Processes every record of a chunk: `count` records in `payload`, the first at place `first`.
pub(crate) fn of(first: u64, count: u32, payload: &Bytes, processor: &dyn Processor) -> Outcome {
    let mut rewritten = Encoder::default();
    let mut dead = Vec::new();
    let mut as_sent = true;
    let mut records = Decoder::new(payload.clone());
    for place in (first..).take(count as usize) {
        let (raw, decoded) = next(&mut records);
        let verdict = match &decoded {
            Ok(record) => process(processor, record),
            Err(reason) => Verdict::Reject(reason.clone()),
        };
        let record = decoded.unwrap_or_default();
        if as_sent && verdict != Verdict::Keep {
            as_sent = false;
            rewritten = records_before(place, first, payload);
        }
        match verdict {
            Verdict::Keep if as_sent => {}
            Verdict::Keep => rewritten.push(&record),
            Verdict::Replace(record) => rewritten.push(&record),
            Verdict::Reject(reason) => {
                dead.push(DeadLetter { place, record_id: record.id, reason, record: raw });
            }
        }
    }
    let output = if as_sent { Output::AsSent } else { Output::Rewritten(rewritten.take()) };
    Outcome { output, dead }
}

/// The next record, as its bytes and decoded, or why it cannot be.
fn next(records: &mut Decoder) -> (Bytes, Result<UserRequest, String>) {
    match records.next_raw() {
        Some(Ok(raw)) => {
            let decoded = muster_proto::chunk::decode(raw.clone());
            (raw, decoded.map_err(|error| error.to_string()))
        }
        Some(Err(error)) => (Bytes::new(), Err(error.to_string())),
        None => (Bytes::new(), Err("the chunk holds fewer records than it says".to_owned())),
    }
}

/// The records from `first` on and before `end`, which were all kept as sent.
fn records_before(end: u64, first: u64, payload: &Bytes) -> Encoder {
    let mut encoder = Encoder::default();
    let records = Decoder::new(payload.clone()).map_while(Result::ok);
    for (_, record) in (first..end).zip(records) {
        encoder.push(&record);
    }
    encoder
}

fn process(processor: &dyn Processor, record: &UserRequest) -> Verdict {
    // The processor sees one record at a time and keeps nothing of it: after a panic the next
    // record is processed as if nothing had been.
    catch_unwind(AssertUnwindSafe(|| processor.process(record))).unwrap_or_else(|panic| {
        Verdict::Reject(format!("the processor panicked: {}", message(panic.as_ref())))
    })
}

fn message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("it gave no message")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rejects 13, replaces 7 by 8, panics at 99.
    #[derive(Debug)]
    struct Picky;

    impl Processor for Picky {
        fn process(&self, record: &UserRequest) -> Verdict {
            match record.id {
                13 => Verdict::Reject("unlucky".to_owned()),
                7 => Verdict::Replace(Box::new(UserRequest { id: 8, ..record.clone() })),
                99 => panic!("ninety-nine"),
                _ => Verdict::Keep,
            }
        }
    }

    fn payload(ids: &[i32]) -> Bytes {
        let mut encoder = Encoder::default();
        for &id in ids {
            encoder.push(&UserRequest { id, ..UserRequest::default() });
        }
        encoder.take()
    }

    fn ids(output: &Output) -> Vec<i32> {
        let Output::Rewritten(payload) = output else { panic!("as sent") };
        Decoder::new(payload.clone()).map(|record| record.unwrap().id).collect()
    }

    #[test]
    fn a_chunk_of_which_all_is_kept_stays_as_sent() {
        let outcome = of(10, 3, &payload(&[1, 2, 3]), &Picky);
        assert_eq!(outcome, Outcome { output: Output::AsSent, dead: Vec::new() });
    }

    #[test]
    fn a_replaced_record_takes_the_place_of_what_was_sent() {
        let outcome = of(0, 3, &payload(&[1, 7, 3]), &Picky);
        assert_eq!(ids(&outcome.output), [1, 8, 3]);
        assert!(outcome.dead.is_empty());
    }

    #[test]
    fn a_rejected_record_is_dead_and_its_neighbours_are_kept() {
        let outcome = of(10, 3, &payload(&[1, 13, 3]), &Picky);
        assert_eq!(ids(&outcome.output), [1, 3]);
        let [letter] = outcome.dead.as_slice() else { panic!("{:?}", outcome.dead) };
        assert_eq!((letter.place, letter.record_id, letter.reason.as_str()), (11, 13, "unlucky"));
        assert_eq!(muster_proto::chunk::decode(letter.record.clone()).unwrap().id, 13);
    }

    #[test]
    fn a_record_that_makes_the_processor_panic_is_dead_and_its_neighbours_are_kept() {
        let outcome = of(0, 3, &payload(&[1, 99, 3]), &Picky);
        assert_eq!(ids(&outcome.output), [1, 3]);
        assert_eq!(outcome.dead[0].reason, "the processor panicked: ninety-nine");
    }

    #[test]
    fn what_a_chunk_lacks_is_dead_with_its_reason() {
        let whole = payload(&[1, 2]);
        let outcome = of(0, 3, &whole, &Picky);
        assert_eq!(ids(&outcome.output), [1, 2]);
        assert_eq!(outcome.dead[0].reason, "the chunk holds fewer records than it says");
        let outcome = of(0, 2, &whole.slice(..whole.len() - 1), &Picky);
        assert_eq!(ids(&outcome.output), [1]);
        assert_eq!(outcome.dead[0].reason, "the chunk is cut short");
    }
}
