//! `muster verify`: proves that a roll has every record of its inputs once, and nothing else.
//!
//! | module | what is in it |
//! | --- | --- |
//! | `inputs` | the records that were sent, as the workers leave them |
//! | `roll` | the records of the roll, with their lines; its SHA-256 |
//! | `letters` | the records that are dead letters, in files and in the store |
//! | `store` | which store that is, by flags |
//! | `record` | one record of either, read strictly |
//! | `manifest` | what the manifest says, and whether it is so |
//! | `tally` | both sides as multisets of digests |
//! | `difference` | what one side has more often than the other, and where |
//! | `changed` | records that are there, but with other fields |
//! | `unread` | what of the inputs could not be read, or is passed over |
//! | `report` | the proof, for a person or a program |
//!
//! Records may be equal to each other, so multisets are compared: the inputs on one side, the roll
//! and the dead letters on the other. Each record is 16 bytes on its side. Where these differ,
//! everything is read a second time, to say where. Neither the roll's writer nor the client's reader
//! has a part in this.

mod changed;
mod difference;
mod inputs;
mod letters;
mod manifest;
mod record;
mod report;
mod roll;
mod store;
mod tally;
mod unread;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Instant;

use muster_program::daemon::Failure;
use muster_program::exit;
use muster_proof::Pointer;

use difference::{Differences, Side};
use inputs::{Inputs, Options};
use letters::Letter;
use letters::stored::Stored;
use manifest::Manifest;
use report::{Order, Report, Verdict};
use store::StoreFlags;
use tally::{Comparison, Tally};
use unread::{Skipped, Stretches};

#[derive(clap::Args)]
#[command(after_help = "Exit codes: 0 proven, 1 could not be done, 2 wrong usage, 3 not proven: \
    something is missing, doubled, foreign, out of order, unread or doubtful, or the manifest \
    disagrees")]
pub(crate) struct Verify {
    /// What was sent: files, and folders (their JSON, NDJSON, CSV and TSV files, also compressed)
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<OsString>,
    /// Read the folders inside folders as well
    #[arg(long)]
    recursive: bool,
    /// Where the records are in each file: a JSON Pointer, with * for each element, such as
    /// '/users/*' [default: no wrapper]
    #[arg(long, value_name = "POINTER")]
    records: Option<Pointer>,
    /// The roll; its manifest is looked for beside it
    #[arg(long, value_name = "FILE", default_value = "all_users.json")]
    roll: PathBuf,
    /// Dead letters, one JSON object a line; may be given several times
    #[arg(long, value_name = "FILE")]
    dead: Vec<PathBuf>,
    #[command(flatten)]
    store: StoreFlags,
    /// The workers tidied the records up (their setting `normalise`)
    #[arg(long)]
    normalise: bool,
    /// Count fields that are ignored, and texts such as "null", as intended
    #[arg(long)]
    accept_doubts: bool,
    /// Prove as well that the roll has the records in the order of the inputs
    #[arg(long)]
    in_order: bool,
    /// Print one JSON object instead of a summary
    #[arg(long)]
    json: bool,
}

/// Does the job.
pub(crate) fn run(command: &Verify) -> Result<u8, (u8, Failure)> {
    let usage = |error| (exit::USAGE, error);
    let store = command.store.url().map_err(usage)?;
    let options = Options { recursive: command.recursive, pointer: command.records.clone() };
    let inputs = Inputs::from_arguments(&command.inputs, &command.roll, options, command.normalise)
        .map_err(usage)?;
    let failure = |error| (exit::FAILURE, error);
    let open = |store: &_| Stored::open(store, command.store.key_prefix, &command.store.batch);
    let stored = store.as_ref().map(open).transpose().map_err(failure)?;
    let report = Proof { command, inputs, stored }.report().map_err(failure)?;
    report.print(command.json).map_err(|error| failure(error.into()))?;
    Ok(if report.proven { exit::OK } else { exit::INCOMPLETE })
}

/// A proof under way.
struct Proof<'a> {
    command: &'a Verify,
    inputs: Inputs,
    stored: Option<Stored>,
}

impl Proof<'_> {
    fn report(&self) -> Result<Report, Failure> {
        let begun = Instant::now();
        let roll = &self.command.roll;
        let manifest = Manifest::beside(roll)?;
        let mut tally = Tally::default();
        let mut unread = Stretches::default();
        let files =
            self.inputs.read(|record, _| tally.expect(record), |stretch| unread.add(stretch))?;
        let found = roll::read(roll, |record, _| tally.find(record))?;
        let mut dead = 0;
        self.letters(|letter| {
            tally.find(&letter.record);
            dead += 1;
        })?;
        let comparison = tally.compare();
        let mut differences = comparison.differences();
        if !differences.are_none() {
            self.locate(&comparison, &mut differences)?;
        }
        let order = self.order(&differences)?;
        let mut report = Report {
            proven: false,
            inputs: files,
            unread,
            skipped: Skipped::of(self.inputs.skipped()),
            doubts_accepted: self.command.accept_doubts,
            disagreements: manifest.as_ref().map(|manifest| manifest.disagreements(&found)),
            roll: found,
            dead,
            digests: comparison.digests(),
            letters_wanted: manifest
                .and_then(|manifest| self.letters_wanted(&manifest, &differences)),
            differences,
            order,
            seconds: begun.elapsed().as_secs_f64(),
        };
        report.proven = report.verdict() == Verdict::Yes;
        Ok(report)
    }

    /// How many dead letters would explain what is missing, if they have not been given.
    fn letters_wanted(&self, manifest: &Manifest, differences: &Differences) -> Option<u64> {
        let missing = differences.missing.records;
        let none_given = self.command.dead.is_empty() && self.stored.is_none();
        let explained = missing > 0 && manifest.dead == missing && none_given;
        explained.then_some(missing)
    }

    /// Goes through all dead letters.
    fn letters(&self, mut each: impl FnMut(Letter)) -> Result<(), Failure> {
        let mut each = |mut letter: Letter| {
            letter.record = self.inputs.as_processed(letter.record);
            each(letter);
        };
        for path in &self.command.dead {
            letters::read(path, &mut each)?;
        }
        self.stored.as_ref().map_or(Ok(()), |stored| stored.read(each))
    }

    /// Reads everything again, and says where the records that differ are.
    fn locate(
        &self,
        comparison: &Comparison,
        differences: &mut Differences,
    ) -> Result<(), Failure> {
        self.inputs.read(
            |record, place| differences.locate(comparison, record, Side::Inputs, place),
            |_| (),
        )?;
        let roll = &self.command.roll;
        roll::read(roll, |record, line| {
            let place = format_args!("{}:{line}", roll.display());
            differences.locate(comparison, record, Side::Found, &place);
        })?;
        self.letters(|letter| {
            differences.locate(comparison, &letter.record, Side::Found, &letter);
        })?;
        differences.pair();
        Ok(())
    }

    /// Whether the roll's records come in the order of the inputs.
    ///
    /// Both have the same records, but for the dead letters: so the roll is in order if its records
    /// can be found in the inputs one after another, with the dead ones passed over.
    fn order(&self, differences: &Differences) -> Result<Option<Order>, Failure> {
        if !self.command.in_order {
            return Ok(None);
        }
        if !differences.are_none() {
            return Ok(Some(Order::Unknown));
        }
        let mut inputs = self.inputs.records();
        let mut broken_at = None;
        roll::read(&self.command.roll, |record, line| {
            if broken_at.is_none() && !inputs.any(|input| input == *record) {
                broken_at = Some(line);
            }
        })?;
        Ok(Some(broken_at.map_or(Order::Kept, Order::BrokenAt)))
    }
}

/// Says of a file that it cannot be opened or read.
fn unreadable(path: &Path, error: impl Into<std::io::Error>) -> Failure {
    format!("{} cannot be read: {}", path.display(), error.into()).into()
}
