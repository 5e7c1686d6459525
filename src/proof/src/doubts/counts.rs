//! Counted sentences, bounded in number.

use serde::Serialize;

/// How many different sentences are counted.
const SENTENCES: usize = 20;

/// Something doubtful about the records of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Doubt {
    /// A sentence that names the field, to be followed by how many records it is about.
    pub what: String,
    /// How many records it is about.
    pub records: u64,
}

/// Sentences, and how many records each is about.
#[derive(Debug, Default)]
pub(super) struct Counts {
    list: Vec<Doubt>,
    others: u64,
}

impl Counts {
    pub(super) fn add(&mut self, what: &str) {
        if let Some(known) = self.list.iter_mut().find(|known| known.what == what) {
            known.records += 1;
        } else if self.list.len() < SENTENCES {
            self.list.push(Doubt { what: what.to_owned(), records: 1 });
        } else {
            self.others += 1;
        }
    }

    /// The sentences in the order in which they came up, and one for all others.
    pub(super) fn finish(mut self) -> Vec<Doubt> {
        if self.others > 0 {
            self.list.push(Doubt { what: "other fields".to_owned(), records: self.others });
        }
        self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_counted_up_to_a_number_of_them() {
        let mut counts = Counts::default();
        for round in 0..3 {
            (0..SENTENCES + round).for_each(|index| counts.add(&index.to_string()));
        }
        let list = counts.finish();
        assert_eq!(list.len(), SENTENCES + 1);
        assert_eq!(list[SENTENCES - 1], Doubt { what: "19".to_owned(), records: 3 });
        assert_eq!(list[SENTENCES], Doubt { what: "other fields".to_owned(), records: 3 });
    }
}
