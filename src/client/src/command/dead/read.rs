//! `dead list`, `dead show`, `dead export`.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use muster_program::exit;
use muster_proto::v1::list_dead_letters_request::Of;
use muster_proto::v1::{DeadLetter, DeadLetterId};

use crate::command::flags::OperationFlags;
use crate::command::{Ended, batch_id, failed, print, usage};
use crate::operations::Operations;
use crate::report::counted;
use crate::view;
use crate::view::letter::{GroupView, LetterList, LetterView, groups};

#[derive(Debug, clap::Args)]
pub struct List {
    #[command(flatten)]
    of: OfFlags,
    /// Print JSON, one object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: OperationFlags,
}

#[derive(Debug, clap::Args)]
pub struct Show {
    /// The batch
    #[arg(value_parser = batch_id)]
    batch: String,
    /// The record's place in the batch, from 0
    place: u64,
    /// Print JSON, one object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: OperationFlags,
}

#[derive(Debug, clap::Args)]
pub struct Export {
    #[command(flatten)]
    of: OfFlags,
    /// The file to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    flags: OperationFlags,
}

#[derive(Debug, clap::Args)]
struct OfFlags {
    /// Those of this batch
    #[arg(long, value_name = "ID", value_parser = batch_id, conflicts_with = "group")]
    batch: Option<String>,
    /// Those of this group
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
}

impl OfFlags {
    fn of(&self) -> Option<Of> {
        let batch = self.batch.clone().map(Of::Batch);
        batch.or_else(|| self.group.clone().map(Of::Group))
    }
}

pub(super) fn list(List { of, json, flags }: &List) -> Result<u8, Ended> {
    flags.run(async |operations| {
        let Some(of) = of.of() else { return list_groups(&operations, *json).await };
        let mut list = LetterList::new();
        let listed = each_page(&operations, &of, |letters| {
            print(&if *json { ndjson(letters) } else { list.page(letters) })
        });
        if listed.await? == 0 && !*json {
            print("no dead letters\n")?;
        }
        Ok(exit::OK)
    })
}

async fn list_groups(operations: &Operations, as_json: bool) -> Result<u8, Ended> {
    let all = operations.groups().await.map_err(failed)?;
    print(&if as_json {
        all.iter().map(|group| view::json(&GroupView::from(group))).collect()
    } else if all.is_empty() {
        "no dead letters\n".to_owned()
    } else {
        groups(&all)
    })?;
    Ok(exit::OK)
}

pub(super) fn show(Show { batch, place, json, flags }: &Show) -> Result<u8, Ended> {
    let id = DeadLetterId { batch: batch.clone(), place: *place };
    flags.run(async |operations| {
        let letter = operations.letter(id).await.map_err(failed)?;
        let letter = LetterView::from(&letter);
        print(&if *json { view::json(&letter) } else { letter.to_string() })?;
        Ok(exit::OK)
    })
}

pub(super) fn export(Export { of, output, flags }: &Export) -> Result<u8, Ended> {
    let mut output = Output::open(output.as_deref())?;
    flags.run(async |operations| {
        let selected = match of.of() {
            Some(of) => vec![of],
            None => all(&operations).await?,
        };
        let mut exported = 0;
        for of in selected {
            exported +=
                each_page(&operations, &of, |letters| output.write(&ndjson(letters))).await?;
        }
        if let Output::File(path, _) = output {
            let letters = counted(exported, "dead letter");
            print(&format!("exported  {letters} to {}\n", path.display()))?;
        }
        Ok(exit::OK)
    })
}

/// Where an export goes.
enum Output<'a> {
    Stdout,
    File(&'a Path, File),
}

impl<'a> Output<'a> {
    fn open(path: Option<&'a Path>) -> Result<Self, Ended> {
        let Some(path) = path else { return Ok(Self::Stdout) };
        let file = File::create(path).map_err(|error| usage(unwritable(path, &error)))?;
        Ok(Self::File(path, file))
    }

    fn write(&mut self, text: &str) -> Result<(), Ended> {
        match self {
            Self::Stdout => print(text),
            Self::File(path, file) => {
                file.write_all(text.as_bytes()).map_err(|error| failed(unwritable(path, &error)))
            }
        }
    }
}

fn unwritable(path: &Path, error: &io::Error) -> String {
    format!("{} cannot be written: {error}", path.display())
}

/// All there are, by groups: each letter is in one.
async fn all(operations: &Operations) -> Result<Vec<Of>, Ended> {
    let groups = operations.groups().await.map_err(failed)?;
    Ok(groups.into_iter().map(|group| Of::Group(group.name)).collect())
}

/// Hands the letters over, a page at a time. Returns how many there were.
async fn each_page(
    operations: &Operations,
    of: &Of,
    mut page: impl FnMut(&[DeadLetter]) -> Result<(), Ended>,
) -> Result<u64, Ended> {
    let mut letters = 0;
    let mut token = String::new();
    loop {
        let found = operations.letters(of, token).await.map_err(failed)?;
        if !found.dead_letters.is_empty() {
            letters += found.dead_letters.len() as u64;
            page(&found.dead_letters)?;
        }
        if found.next_page_token.is_empty() {
            return Ok(letters);
        }
        token = found.next_page_token;
    }
}

fn ndjson(letters: &[DeadLetter]) -> String {
    letters.iter().map(|letter| view::json(&LetterView::from(letter))).collect()
}
