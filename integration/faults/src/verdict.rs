//! Whether the roll has every record exactly once.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::iter::Take;
use std::path::{Path, PathBuf};

use muster_integration::roll::record;
use muster_integration::users::Users;

/// How many records of each kind are shown.
const SHOWN_MAX: usize = 3;

/// What was sent as one batch: made-up users, and the file with them.
#[derive(Clone, Debug)]
pub struct Input {
    /// The file that the client reads.
    pub path: PathBuf,
    /// The users' seed, and how many there are.
    pub seed: u64,
    /// How many records it has.
    pub records: usize,
    /// Whether the roll must have them in their order.
    pub is_ordered: bool,
}

/// What is wrong with a roll.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Records that are not in it.
    pub lost: u64,
    /// Records that are in it once more than they were sent.
    pub doubled: u64,
    /// What is wrong, in words; empty when the roll is as it must be.
    pub problems: Vec<String>,
}

impl Input {
    /// The records.
    pub fn users(&self) -> Take<Users> {
        Users::of_seed(self.seed).take(self.records)
    }
}

/// A record that must be in the roll.
struct Expected {
    input: usize,
    place: usize,
    is_seen: bool,
}

/// Compares a roll with what was sent: every record once, nothing else, and each ordered input in
/// its order.
///
/// # Errors
///
/// The roll cannot be read.
///
/// # Panics
///
/// When two of the records are equal: then nothing could be said.
pub fn of(inputs: &[Input], roll: &Path) -> io::Result<Verdict> {
    let mut expected = HashMap::new();
    for (number, input) in inputs.iter().enumerate() {
        for (place, user) in input.users().enumerate() {
            let one = Expected { input: number, place, is_seen: false };
            assert!(expected.insert(record(&user), one).is_none(), "two records are equal");
        }
    }

    let (mut doubled, mut foreign, mut disordered) = (Vec::new(), Vec::new(), Vec::new());
    let mut next = vec![0; inputs.len()];
    for line in BufReader::new(File::open(roll)?).lines() {
        let line = line?;
        let line = line.strip_suffix(',').unwrap_or(&line);
        match expected.get_mut(line) {
            _ if line == "[" || line == "]" => {}
            None => foreign.push(line.to_owned()),
            Some(Expected { is_seen: true, .. }) => doubled.push(line.to_owned()),
            Some(Expected { input, place, is_seen }) => {
                *is_seen = true;
                if inputs[*input].is_ordered && *place < next[*input] {
                    disordered.push(line.to_owned());
                }
                next[*input] = *place + 1;
            }
        }
    }
    let mut lost: Vec<_> = expected.iter().filter(|(_, expected)| !expected.is_seen).collect();
    lost.sort_unstable_by_key(|(_, expected)| (expected.input, expected.place));
    let lost: Vec<String> = lost.into_iter().map(|(line, _)| line.clone()).collect();

    let kinds = [
        ("lost", &lost),
        ("doubled", &doubled),
        ("never sent", &foreign),
        ("behind a later one", &disordered),
    ];
    Ok(Verdict {
        lost: lost.len() as u64,
        doubled: doubled.len() as u64,
        problems: kinds.iter().filter_map(|(what, lines)| describe(what, lines)).collect(),
    })
}

fn describe(what: &str, lines: &[String]) -> Option<String> {
    let shown = lines.iter().take(SHOWN_MAX).map(|line| format!("\n    {line}"));
    (!lines.is_empty()).then(|| {
        let more = if lines.len() > SHOWN_MAX { "\n    …" } else { "" };
        format!("{} records are {what}:{}{more}", lines.len(), shown.collect::<String>())
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use muster_integration::roll::lines;

    use super::*;

    /// Two inputs of five records, the first of them ordered, and the lines of their roll.
    fn inputs() -> (Vec<Input>, Vec<String>) {
        let input = |seed, is_ordered| Input { path: PathBuf::new(), seed, records: 5, is_ordered };
        let inputs = vec![input(1, true), input(2, false)];
        let roll = lines(inputs.iter().flat_map(Input::users)).collect();
        (inputs, roll)
    }

    fn judge(change: impl FnOnce(&mut Vec<String>)) -> Verdict {
        let (inputs, mut roll) = inputs();
        change(&mut roll);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("roll");
        fs::write(&path, roll.concat()).unwrap();
        of(&inputs, &path).unwrap()
    }

    #[test]
    fn the_roll_that_must_be_is_accepted_and_a_disordered_unary_batch_too() {
        assert_eq!(judge(|_| ()), Verdict::default());
        assert_eq!(judge(|roll| roll.swap(7, 8)), Verdict::default());
    }

    #[test]
    fn what_is_lost_doubled_foreign_or_disordered_is_said() {
        let lost = judge(|roll| drop(roll.remove(3)));
        assert_eq!((lost.lost, lost.doubled, lost.problems.len()), (1, 0, 1));
        let doubled = judge(|roll| roll.insert(8, roll[2].clone()));
        assert_eq!((doubled.lost, doubled.doubled, doubled.problems.len()), (0, 1, 1));
        let foreign = judge(|roll| roll.insert(8, "{}\n".to_owned()));
        assert!(foreign.problems[0].contains("never sent"), "{foreign:?}");
        let disordered = judge(|roll| roll.swap(2, 3));
        assert!(disordered.problems[0].contains("behind a later one"), "{disordered:?}");
    }
}
