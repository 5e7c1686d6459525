//! What one side has more often than the other: how much of it there is, and where the first is.

use std::fmt;

use muster_proto::users::UserRequest;
use serde::Serialize;

use super::changed::Changed;
use super::tally::{Comparison, Digest, Times};

/// How many differences of a kind are shown one by one.
const SHOWN_MAX: usize = 20;
/// How many places of a record are shown on each side.
const PLACES_MAX: usize = 4;

/// All differences, by kind.
#[derive(Debug, Default, Serialize)]
pub(super) struct Differences {
    pub(super) missing: Section,
    pub(super) doubled: Section,
    pub(super) foreign: Section,
    /// Of those that are shown, which are missing and foreign because a field differs.
    pub(super) changed: Vec<Changed>,
}

/// How a record differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It is in the inputs more often than it was found.
    Missing,
    /// It was found more often than it is in the inputs.
    Doubled,
    /// It is not in the inputs at all.
    Foreign,
}

/// A side of the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// The inputs.
    Inputs,
    /// The roll and the dead letters.
    Found,
}

/// All differences of one kind.
#[derive(Debug, Default, Serialize)]
pub(super) struct Section {
    /// How many records there are too few, or too many.
    pub(super) records: u64,
    /// The same with equal records counted once.
    pub(super) distinct: u64,
    /// The first of these, in the order in which they are read.
    pub(super) first: Vec<Difference>,
}

/// A record that is not as often on one side as on the other.
#[derive(Debug, Serialize)]
pub(super) struct Difference {
    #[serde(skip)]
    digest: Digest,
    #[serde(skip)]
    record: UserRequest,
    inputs: Places,
    found: Places,
}

/// Where a record is on one side.
#[derive(Debug, Serialize)]
struct Places {
    /// How many there are.
    times: u64,
    /// The first of them.
    first: Vec<String>,
}

impl Differences {
    /// Whether both sides have the same records.
    pub(super) fn are_none(&self) -> bool {
        [&self.missing, &self.doubled, &self.foreign].iter().all(|section| section.records == 0)
    }

    /// The differences of this kind.
    pub(super) fn section(&mut self, kind: Kind) -> &mut Section {
        match kind {
            Kind::Missing => &mut self.missing,
            Kind::Doubled => &mut self.doubled,
            Kind::Foreign => &mut self.foreign,
        }
    }

    /// Pairs what is missing with what is foreign, once all places are known.
    pub(super) fn pair(&mut self) {
        self.changed = Changed::among(&self.missing.first, &self.foreign.first);
    }

    /// Notes the place of a record, if it is one of those that are shown.
    pub(super) fn locate(
        &mut self,
        comparison: &Comparison,
        record: &UserRequest,
        side: Side,
        place: &dyn fmt::Display,
    ) {
        let digest = Digest::of(record);
        let times = comparison.times(digest);
        if let Some(kind) = Kind::of(times)
            && let Some(difference) = self.section(kind).shown(digest, record, times)
        {
            difference.places(side).add(place);
        }
    }
}

impl Kind {
    /// How a record differs that is so often on each side, if it does.
    pub(super) fn of(Times { inputs, found }: Times) -> Option<Self> {
        match (inputs, found) {
            (inputs, found) if inputs == found => None,
            (inputs, found) if inputs > found => Some(Self::Missing),
            (0, _) => Some(Self::Foreign),
            _ => Some(Self::Doubled),
        }
    }
}

impl Section {
    /// Counts a record.
    pub(super) fn add(&mut self, Times { inputs, found }: Times) {
        self.records += inputs.abs_diff(found);
        self.distinct += 1;
    }

    /// The difference that shows this record, if there is room for it.
    fn shown(
        &mut self,
        digest: Digest,
        record: &UserRequest,
        times: Times,
    ) -> Option<&mut Difference> {
        let known = self.first.iter().position(|difference| difference.digest == digest);
        let index = known.unwrap_or(self.first.len());
        if known.is_none() && index < SHOWN_MAX {
            self.first.push(Difference::new(digest, record, times));
        }
        self.first.get_mut(index)
    }
}

impl Difference {
    fn new(digest: Digest, record: &UserRequest, Times { inputs, found }: Times) -> Self {
        let places = |times| Places { times, first: Vec::new() };
        Self { digest, record: record.clone(), inputs: places(inputs), found: places(found) }
    }

    pub(super) fn record(&self) -> &UserRequest {
        &self.record
    }

    fn places(&mut self, side: Side) -> &mut Places {
        match side {
            Side::Inputs => &mut self.inputs,
            Side::Found => &mut self.found,
        }
    }
}

impl Places {
    fn add(&mut self, place: &dyn fmt::Display) {
        if self.first.len() < PLACES_MAX {
            self.first.push(place.to_string());
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { inputs, found, .. } = self;
        match (inputs.times, found.times) {
            (0, _) => found.fmt(f),
            (_, 0) => inputs.fmt(f),
            _ => write!(f, "{inputs}; found at {found}"),
        }
    }
}

impl fmt::Display for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.first.join(", "))?;
        match self.times.saturating_sub(self.first.len() as u64) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tally::Tally;
    use super::*;

    fn user(id: i32) -> UserRequest {
        UserRequest { id, ..UserRequest::default() }
    }

    /// The differences of these ids, each located by its index on its side.
    fn located(inputs: &[i32], found: &[i32]) -> Differences {
        let mut tally = Tally::default();
        inputs.iter().for_each(|id| tally.expect(&user(*id)));
        found.iter().for_each(|id| tally.find(&user(*id)));
        let comparison = tally.compare();
        let mut differences = comparison.differences();
        for (ids, side, name) in [(inputs, Side::Inputs, "in"), (found, Side::Found, "roll")] {
            for (id, line) in ids.iter().zip(1..) {
                let place = format_args!("{name}:{line}");
                differences.locate(&comparison, &user(*id), side, &place);
            }
        }
        differences
    }

    fn shown(section: &Section) -> Vec<String> {
        section.first.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_difference_has_its_places_on_both_sides() {
        let differences = located(&[1, 2, 3, 3, 4], &[1, 2, 2, 9, 3]);
        assert_eq!(shown(&differences.missing), ["in:3, in:4; found at roll:5", "in:5"]);
        assert_eq!(shown(&differences.doubled), ["in:2; found at roll:2, roll:3"]);
        assert_eq!(shown(&differences.foreign), ["roll:4"]);
    }

    #[test]
    fn changed_record_is_named_with_its_fields() {
        let sent = UserRequest { email: "a".to_owned(), ..user(1) };
        let found = UserRequest { agent: "x".to_owned(), ..sent.clone() };
        let mut tally = Tally::default();
        tally.expect(&sent);
        tally.find(&found);
        let comparison = tally.compare();
        let mut differences = comparison.differences();
        differences.locate(&comparison, &sent, Side::Inputs, &"in:1");
        differences.locate(&comparison, &found, Side::Found, &"roll:2");
        differences.pair();
        let changed = differences.changed.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(changed, ["in:1 was found as roll:2 with another `agent`"]);
    }

    #[test]
    fn what_is_equal_is_not_shown() {
        let differences = located(&[1, 2, 2], &[2, 1, 2]);
        assert!(differences.are_none());
        assert!(shown(&differences.missing).is_empty());
    }

    #[test]
    fn the_first_differences_are_shown_and_all_are_counted() {
        let inputs: Vec<i32> = (1..=50).collect();
        let differences = located(&inputs, &[]);
        assert_eq!(differences.missing.records, 50);
        assert_eq!(differences.missing.first.len(), SHOWN_MAX);
        assert_eq!(differences.missing.first[19].to_string(), "in:20");
    }

    #[test]
    fn the_first_places_of_a_record_are_shown_and_all_are_counted() {
        let differences = located(&[], &[7; 9]);
        assert_eq!((differences.foreign.records, differences.foreign.distinct), (9, 1));
        assert_eq!(shown(&differences.foreign), ["roll:1, roll:2, roll:3, roll:4 and 5 more"]);
    }
}
