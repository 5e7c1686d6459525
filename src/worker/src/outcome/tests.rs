use muster_queue::{Lease, WorkerId};

use super::*;

/// Rejects 13, replaces 7 by 8, panics at 99, and fails at 50.
#[derive(Debug)]
struct Picky;

impl Processor for Picky {
    fn process(&self, record: &User<'_>) -> Verdict {
        match record.id {
            13 => Verdict::Reject("unlucky".to_owned()),
            7 => Verdict::Replace(Box::new(User { id: 8, ..*record }.into())),
            99 => panic!("ninety-nine"),
            50 => Verdict::Fail("not now".to_owned()),
            _ => Verdict::Keep,
        }
    }
}

fn payload(ids: &[i32]) -> Bytes {
    let mut encoder = Encoder::default();
    for &id in ids {
        encoder.push(&User { id, ..User::default() });
    }
    encoder.take()
}

/// A chunk of records with these ids, the first at place 10.
fn chunk(ids: &[i32]) -> Chunk {
    Chunk {
        lease: Lease::new(WorkerId::random("test"), "1".to_owned()),
        batch: "batch".parse().unwrap(),
        first: 10,
        count: u32::try_from(ids.len()).unwrap(),
        payload: payload(ids),
        trace: None,
        lost: 0,
        history: History::default(),
    }
}

fn outcome(chunk: &Chunk) -> Outcome {
    of(chunk, &Picky, &Retries::default())
}

/// The runs of an outcome, each as its first place and its ids.
fn runs(outcome: &Outcome) -> Vec<(u64, Vec<i32>)> {
    let Kept::Runs(runs) = &outcome.kept else { panic!("as sent") };
    let ids = |run: &ResultChunk| {
        let records = Decoder::new(run.payload.clone());
        let ids: Vec<i32> = records.map(|raw| User::read(&raw.unwrap()).unwrap().id).collect();
        assert_eq!(ids.len(), run.count as usize);
        (run.first, ids)
    };
    runs.iter().map(ids).collect()
}

fn only<T>(list: &[T]) -> &T {
    let [one] = list else { panic!("{} of them", list.len()) };
    one
}

#[test]
fn a_chunk_of_which_all_is_kept_stays_as_sent() {
    let outcome = outcome(&chunk(&[1, 2, 3]));
    assert_eq!(outcome, Outcome { kept: Kept::AsSent, dead: Vec::new(), retry: Vec::new() });
}

#[test]
fn a_replaced_record_takes_the_place_of_what_was_sent() {
    let outcome = outcome(&chunk(&[1, 7, 3]));
    assert_eq!(runs(&outcome), [(10, vec![1, 8, 3])]);
    assert!(outcome.dead.is_empty() && outcome.retry.is_empty());
}

#[test]
fn a_rejected_record_is_dead_and_its_neighbours_are_kept() {
    let outcome = outcome(&chunk(&[1, 13, 3]));
    assert_eq!(runs(&outcome), [(10, vec![1]), (12, vec![3])]);
    let letter = only(&outcome.dead);
    assert_eq!((letter.place, letter.record_id, letter.reason.as_str()), (11, 13, "unlucky"));
    assert_eq!((letter.attempts, letter.crashes), (1, 0));
    assert_eq!(User::read(&letter.record).unwrap().id, 13);
}

#[test]
fn a_record_that_fails_or_panics_is_tried_again_alone() {
    for id in [50, 99] {
        let outcome = outcome(&chunk(&[id, 2, 3]));
        assert_eq!(runs(&outcome), [(11, vec![2, 3])]);
        let retry = only(&outcome.retry);
        assert_eq!((retry.place, &retry.payload), (10, &payload(&[id])));
        assert_eq!((retry.history.failures, retry.history.isolated), (1, false));
        assert!(retry.after <= Retries::default().delay);
        assert!(outcome.dead.is_empty());
    }
}

#[test]
fn the_last_attempt_that_fails_makes_a_dead_letter() {
    let failed_first = Some(SystemTime::UNIX_EPOCH);
    let mut chunk = chunk(&[99]);
    chunk.history = History { failures: 3, failed_first, isolated: false };
    let fourth = outcome(&chunk);
    let retry = only(&fourth.retry);
    assert_eq!((retry.history.failures, retry.history.failed_first), (4, failed_first));

    chunk.history.failures = 4;
    chunk.trace = Some("trace".to_owned());
    let fifth = outcome(&chunk);
    assert!(fifth.retry.is_empty());
    let letter = only(&fifth.dead);
    assert_eq!(letter.reason, "the processor panicked: ninety-nine");
    assert_eq!((letter.attempts, letter.crashes), (5, 0));
    assert_eq!(letter.first, SystemTime::UNIX_EPOCH);
    assert!(letter.last > letter.first);
    assert_eq!(letter.trace.as_deref(), Some("trace"));
}

#[test]
fn a_chunk_that_was_lost_once_is_processed_as_ever() {
    let chunk = Chunk { lost: LOST_MAX - 1, ..chunk(&[1, 2]) };
    assert_eq!(outcome(&chunk).kept, Kept::AsSent);
}

#[test]
fn a_chunk_that_is_lost_again_is_split_into_its_records() {
    let chunk = Chunk { lost: LOST_MAX, ..chunk(&[1, 99, 3]) };
    let outcome = outcome(&chunk);
    assert_eq!(runs(&outcome), []);
    let places: Vec<u64> = outcome.retry.iter().map(|retry| retry.place).collect();
    assert_eq!(places, [10, 11, 12]);
    assert_eq!(outcome.retry[2].payload, payload(&[3]));
    assert!(outcome.retry.iter().all(|retry| retry.history.isolated));
    assert!(outcome.retry.iter().all(|retry| retry.history.failures == 0));
}

#[test]
fn a_record_that_is_lost_alone_is_processed_until_it_is_given_up() {
    let isolated = History { isolated: true, ..History::default() };
    let once = Chunk { lost: 1, history: isolated, ..chunk(&[1]) };
    assert_eq!(outcome(&once).kept, Kept::AsSent);

    let outcome = outcome(&Chunk { lost: 2, ..once });
    let letter = only(&outcome.dead);
    assert_eq!(
        letter.reason,
        "2 workers were lost with this record alone in hand: processing it ends them"
    );
    assert_eq!((letter.place, letter.record_id), (10, 1));
    assert_eq!((letter.attempts, letter.crashes), (0, 2));
}

#[test]
fn what_a_chunk_lacks_is_dead_with_its_reason() {
    let whole = payload(&[1, 2]);
    let fewer = Chunk { count: 3, ..chunk(&[1, 2]) };
    let fewer = outcome(&fewer);
    assert_eq!(runs(&fewer), [(10, vec![1, 2])]);
    assert_eq!(only(&fewer.dead).reason, "the chunk holds fewer records than it says");

    // A frame of an earlier version, which has no checksum: of it the last record is cut. The first byte is
    // the form, and the second the length.
    let mut cut = whole[..whole.len() - 5].to_vec();
    cut[0] = 0;
    cut[1] -= 1;
    let cut = Chunk { payload: cut.into(), ..chunk(&[1, 2]) };
    let cut = outcome(&cut);
    assert_eq!(runs(&cut), [(10, vec![1])]);
    assert_eq!(only(&cut.dead).reason, "the chunk is cut short");
}

#[test]
fn no_record_of_a_damaged_chunk_is_kept() {
    let mut damaged = payload(&[1, 2]).to_vec();
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    let damaged = outcome(&Chunk { payload: damaged.into(), ..chunk(&[1, 2]) });
    assert_eq!(runs(&damaged), []);
    let reason = "the chunk was damaged in the store: its checksum does not match";
    let reasons: Vec<_> = damaged.dead.iter().map(|letter| letter.reason.as_str()).collect();
    assert_eq!(reasons, [reason, reason]);
}
