//! The results, by case.

use std::collections::BTreeMap;

use crate::figures::Figures;
use crate::results::Row;
use crate::section::Section;
use crate::spread::Spread;

/// What was measured, with the runs of each case together.
#[derive(Debug, Default)]
pub(super) struct Measured<'a> {
    /// In the order in which they were first run.
    cases: Vec<Case<'a>>,
}

/// A case, with its runs by their round.
#[derive(Debug)]
pub(super) struct Case<'a> {
    pub(super) section: Section,
    pub(super) name: &'a str,
    pub(super) title: &'a str,
    runs: BTreeMap<u32, &'a Figures>,
}

impl<'a> Measured<'a> {
    pub(super) fn of(rows: &'a [Row]) -> Self {
        let mut measured = Self::default();
        for row in rows {
            let Row::Measured { section, name, title, round, figures } = row else { continue };
            let known = measured
                .cases
                .iter()
                .position(|case| (case.section, case.name) == (*section, name));
            let place = known.unwrap_or_else(|| {
                let runs = BTreeMap::new();
                measured.cases.push(Case { section: *section, name, title, runs });
                measured.cases.len() - 1
            });
            measured.cases[place].runs.insert(*round, figures);
        }
        measured
    }

    /// The cases of a section whose names begin like this.
    pub(super) fn cases(
        &self,
        section: Section,
        beginning: &str,
    ) -> impl Iterator<Item = &Case<'a>> + use<'_, 'a> {
        let beginning = beginning.to_owned();
        let cases = self.cases.iter().filter(move |case| case.section == section);
        cases.filter(move |case| case.name.starts_with(&beginning))
    }

    /// The case of this name.
    pub(super) fn case(&self, section: Section, name: &str) -> Option<&Case<'a>> {
        self.cases(section, name).find(|case| case.name == name)
    }
}

impl Case<'_> {
    /// A figure over all runs.
    pub(super) fn spread(&self, figure: &str) -> Option<Spread> {
        Spread::of(self.runs.values().filter_map(|run| run.get(figure).copied()))
    }

    /// The median of a figure over all runs.
    pub(super) fn median(&self, figure: &str) -> Option<f64> {
        self.spread(figure).map(|spread| spread.median)
    }

    /// A figure beside that of another case, round by round: both ran within minutes of each other.
    pub(super) fn beside(&self, figure: &str, other: &Self, other_figure: &str) -> Option<Spread> {
        Spread::of(self.runs.iter().filter_map(|(round, run)| {
            let other = other.runs.get(round)?.get(other_figure)?;
            Some(run.get(figure)? / other)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, round: u32, rate: f64) -> Row {
        let figures = Figures::from([("rate".to_owned(), rate)]);
        let (name, title) = (name.to_owned(), name.to_uppercase());
        Row::Measured { section: Section::Throughput, name, title, round, figures }
    }

    #[test]
    fn ratios_are_those_of_one_round() {
        let rows = [
            row("a", 1, 10.0),
            row("b", 1, 5.0),
            row("a", 2, 100.0),
            row("b", 2, 25.0),
            row("a", 3, 8.0),
        ];
        let measured = Measured::of(&rows);
        let case = |name| measured.case(Section::Throughput, name).unwrap();
        let ratio = case("a").beside("rate", case("b"), "rate").unwrap();
        assert_eq!(ratio, Spread { median: 3.0, min: 2.0, max: 4.0, count: 2 });
        assert_eq!(case("a").median("rate"), Some(10.0));
        assert_eq!(case("b").title, "B");
        assert_eq!(measured.cases(Section::Throughput, "").count(), 2);
        assert!(measured.case(Section::Rest, "a").is_none());
        assert!(case("a").spread("none").is_none());
    }
}
