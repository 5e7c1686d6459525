//! `dead replay`, `dead drop`.

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::ArgGroup;
use muster_program::exit;
use muster_proto::v1::dead_letter_selector::Which;
use muster_proto::v1::list_dead_letters_request::Of;
use muster_proto::v1::{DeadLetter, DeadLetterId, DeadLetterIds, ReplayDeadLettersResponse};
use prost::Message as _;
use serde::Serialize;

use super::export::LettersFile;
use super::pages::{all, each_page};
use crate::command::consent::Consent;
use crate::command::flags::OperationFlags;
use crate::command::{Ended, batch_id, failed, print, usage};
use crate::input;
use crate::operations::Operations;
use crate::printable;
use crate::report::counted;
use crate::view::{self, batch::BatchView};

#[derive(Debug, clap::Args)]
pub struct Replay {
    #[command(flatten)]
    which: WhichFlags,
    /// Process this record in the letter's stead: a file with one JSON object, or - for standard
    /// input
    #[arg(long, value_name = "FILE", requires = "letter")]
    record: Option<OsString>,
    /// Wait until the batches that have the records now are in the roll
    #[arg(long)]
    wait: bool,
    /// Print JSON, one object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: OperationFlags,
}

#[derive(Debug, clap::Args)]
pub struct Drop {
    #[command(flatten)]
    which: WhichFlags,
    /// Write the letters with their records to this new file before they are dropped, as NDJSON.
    /// `muster verify --dead FILE` counts them
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Print JSON, one object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: OperationFlags,
}

/// Which letters: exactly one of these.
#[derive(Debug, clap::Args)]
#[command(group = ArgGroup::new("which").args(["letter", "batch", "group", "all"]).required(true))]
struct WhichFlags {
    /// The batch of one letter
    #[arg(value_name = "BATCH", value_parser = batch_id, requires = "place")]
    letter: Option<String>,
    /// The place of that letter in its batch
    #[arg(value_name = "PLACE")]
    place: Option<u64>,
    /// All of this batch
    #[arg(long, value_name = "ID", value_parser = batch_id)]
    batch: Option<String>,
    /// All of this group
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// All there are
    #[arg(long)]
    all: bool,
}

impl WhichFlags {
    fn which(&self) -> Which {
        let Self { letter, place, batch, group, .. } = self;
        match (letter, place, batch, group) {
            (Some(batch), Some(place), ..) => {
                Which::Letter(DeadLetterId { batch: batch.clone(), place: *place })
            }
            (_, _, Some(batch), _) => Which::Batch(batch.clone()),
            (_, _, _, Some(group)) => Which::Group(group.clone()),
            _ => Which::All(true),
        }
    }
}

/// What a replay prints for a program.
#[derive(Serialize)]
struct Replayed<'a> {
    replayed: u64,
    batches: &'a [String],
}

/// What a drop prints for a program.
#[derive(Serialize)]
struct Dropped<'a> {
    dropped: u64,
    export: Option<Cow<'a, str>>,
}

pub(super) fn replay(Replay { which, record, wait, json, flags }: &Replay) -> Result<u8, Ended> {
    let record = record.as_deref().map(input::read_one).transpose().map_err(usage)?;
    let record = record.map(|record| record.encode_to_vec().into());
    flags.run(async |operations| {
        let ReplayDeadLettersResponse { letters, batches } =
            operations.replay(which.which(), record).await.map_err(failed)?;
        // Before it is waited for: whatever happens then, it is known where the records are.
        print(&if *json {
            view::json(&Replayed { replayed: letters, batches: &batches })
        } else {
            replayed(letters, &batches)
        })?;
        let mut dead = 0;
        for id in batches.iter().filter(|_| *wait) {
            let batch = operations.settled(id).await.map_err(failed)?;
            let view = BatchView::from(&batch);
            print(&if *json { view::json(&view) } else { view.outcome() })?;
            dead += batch.dead;
        }
        Ok(if dead == 0 { exit::OK } else { exit::INCOMPLETE })
    })
}

fn replayed(letters: u64, batches: &[String]) -> String {
    let mut text = format!("replayed  {}\n", counted(letters, "dead letter"));
    for id in batches {
        text.push_str(&format!("in batch  {}\n", printable::text(id)));
    }
    text
}

pub(super) fn drop(Drop { which, export, yes, json, flags }: &Drop) -> Result<u8, Ended> {
    let consent = Consent::of(*yes)?;
    let which = which.which();
    flags.run(async |operations| {
        consent.ask(&question(&which, export.as_deref()))?;
        let dropped = match export {
            Some(path) => {
                let mut file = LettersFile::create_new(path)?;
                let mut exported = Exported::default();
                let ended = export_and_drop(&operations, which, &mut file, &mut exported).await;
                if exported.letters == 0 {
                    file.remove();
                } else if !*json {
                    print(&file.exported(exported.letters))?;
                }
                ended?;
                exported.dropped
            }
            None => operations.drop(which).await.map_err(failed)?,
        };
        print(&if *json {
            let export = export.as_deref().map(|path| path.to_string_lossy());
            view::json(&Dropped { dropped, export })
        } else {
            format!("dropped   {}\n", counted(dropped, "dead letter"))
        })?;
        Ok(exit::OK)
    })
}

/// How many letters are in the file, and how many were dropped: fewer, if some were resolved meanwhile.
#[derive(Default)]
struct Exported {
    letters: u64,
    dropped: u64,
}

/// Drops letters, each after it is in the file.
async fn export_and_drop(
    operations: &Operations,
    which: Which,
    file: &mut LettersFile<'_>,
    exported: &mut Exported,
) -> Result<(), Ended> {
    let mut page = async |letters: &[DeadLetter]| {
        file.write_synced(letters)?;
        exported.letters += letters.len() as u64;
        let id =
            |letter: &DeadLetter| DeadLetterId { batch: letter.batch.clone(), place: letter.place };
        let these = DeadLetterIds { letters: letters.iter().map(id).collect() };
        exported.dropped += operations.drop(Which::Letters(these)).await.map_err(failed)?;
        Ok(())
    };
    let selected = match which {
        Which::Letter(id) => {
            return page(&[operations.letter(id).await.map_err(failed)?]).await;
        }
        Which::Batch(id) => vec![Of::Batch(id)],
        Which::Group(name) => vec![Of::Group(name)],
        Which::All(_) | Which::Letters(_) => all(operations).await?,
    };
    for of in selected {
        each_page(operations, &of, &mut page).await?;
    }
    Ok(())
}

fn question(which: &Which, export: Option<&Path>) -> String {
    let letters = match which {
        Which::Letter(DeadLetterId { batch, place }) => {
            format!("the dead letter at place {place} of batch {batch}")
        }
        Which::Batch(id) => format!("all dead letters of batch {id}"),
        Which::Group(name) => format!("all dead letters of the group `{}`", printable::text(name)),
        Which::All(_) | Which::Letters(_) => "all dead letters that there are".to_owned(),
    };
    match export {
        Some(path) => format!("Write {letters} to {}, and drop them for good?", path.display()),
        None => format!("Drop {letters} for good, without a copy (--export FILE makes one)?"),
    }
}
