//! Whether the roll has every record exactly once: `muster verify` decides, and the suite looks at
//! the order by itself.

use std::fs;
use std::iter::Take;
use std::path::{Path, PathBuf};
use std::process::Output;

use anyhow::{Context, ensure};
use muster_integration::programs;
use muster_integration::roll::record;
use muster_integration::users::Users;
use serde::Deserialize;

/// The exit codes of `muster verify`: proven, and not proven.
const DECIDED: [Option<i32>; 2] = [Some(0), Some(3)];

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
    /// Records that were never sent.
    pub foreign: u64,
    /// What is wrong, in words; empty when the roll is as it must be.
    pub problems: Vec<String>,
}

/// What `muster verify --json` prints, as far as it is wanted.
#[derive(Deserialize)]
struct Report {
    missing: Section,
    doubled: Section,
    foreign: Section,
}

#[derive(Deserialize)]
struct Section {
    records: u64,
}

impl Input {
    /// The records.
    pub fn users(&self) -> Take<Users> {
        Users::of_seed(self.seed).take(self.records)
    }

    /// The records, as the roll has them.
    fn lines(&self) -> String {
        self.users().map(|user| record(&user)).collect::<Vec<_>>().join(",\n")
    }
}

/// Compares a roll with what was sent: every record once, nothing else, and each ordered input in
/// one piece.
///
/// # Errors
///
/// `muster verify` could not do it; the roll cannot be read.
pub fn of(inputs: &[Input], roll: &Path) -> anyhow::Result<Verdict> {
    let proof = verify(inputs, roll, &["--json"])?;
    let Report { missing, doubled, foreign } =
        serde_json::from_slice(&proof.stdout).context("what muster verify printed")?;
    let problems = if proof.status.success() {
        disordered(inputs, &fs::read_to_string(roll)?)
    } else {
        vec![String::from_utf8_lossy(&verify(inputs, roll, &[])?.stdout).trim_end().to_owned()]
    };
    Ok(Verdict {
        lost: missing.records,
        doubled: doubled.records,
        foreign: foreign.records,
        problems,
    })
}

fn verify(inputs: &[Input], roll: &Path, arguments: &[&str]) -> anyhow::Result<Output> {
    let mut command = programs::command("muster");
    command.arg("verify").args(inputs.iter().map(|input| &input.path));
    let output = command.arg("--roll").arg(roll).args(arguments).output()?;
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(DECIDED.contains(&output.status.code()), "muster verify: {}: {words}", output.status);
    Ok(output)
}

/// A batch is in the roll in one piece: an ordered one is found there as it was sent.
fn disordered(inputs: &[Input], roll: &str) -> Vec<String> {
    let broken = inputs.iter().filter(|input| input.is_ordered && !roll.contains(&input.lines()));
    broken.map(|input| format!("{} is not in order in the roll", input.path.display())).collect()
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use muster_integration::roll::lines;
    use muster_integration::users::write_json;

    use super::*;

    const RECORDS: usize = 5;

    /// What is said of the roll of two inputs, the first of them ordered, when its lines are
    /// changed so.
    fn judge(change: impl FnOnce(&mut Vec<String>)) -> Verdict {
        let folder = tempfile::tempdir().unwrap();
        let inputs = [(1, true), (2, false)].map(|(seed, is_ordered)| {
            let path = folder.path().join(format!("{seed}.json"));
            write_json(File::create(&path).unwrap(), Users::of_seed(seed).take(RECORDS)).unwrap();
            Input { path, seed, records: RECORDS, is_ordered }
        });
        let mut roll: Vec<String> = lines(inputs.iter().flat_map(Input::users)).collect();
        change(&mut roll);
        let path = folder.path().join("all_users.json");
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
        let counts = |verdict: &Verdict| (verdict.lost, verdict.doubled, verdict.foreign);
        let lost = judge(|roll| drop(roll.remove(3)));
        assert_eq!(counts(&lost), (1, 0, 0));
        assert!(lost.problems[0].contains("1.json:3"), "{lost:?}");
        let doubled = judge(|roll| roll.insert(8, roll[2].clone()));
        assert_eq!(counts(&doubled), (0, 1, 0));
        let foreign = judge(|roll| roll[3] = roll[3].replace("@", "-at-"));
        assert_eq!(counts(&foreign), (1, 0, 1));
        let disordered = judge(|roll| roll.swap(2, 3));
        assert_eq!(counts(&disordered), (0, 0, 0));
        assert!(disordered.problems[0].ends_with("1.json is not in order in the roll"));
    }

    #[test]
    fn what_is_no_roll_cannot_be_judged() {
        let folder = tempfile::tempdir().unwrap();
        let error = of(&[], &folder.path().join("all_users.json")).unwrap_err().to_string();
        assert!(error.starts_with("muster verify: exit status: "), "{error}");
    }
}
