//! `dead list`, `dead show`.

use muster_program::exit;
use muster_proto::v1::DeadLetterId;
use muster_proto::v1::list_dead_letters_request::Of;

use super::pages::{each_page, ndjson};
use crate::command::flags::OperationFlags;
use crate::command::{Ended, batch_id, failed, print};
use crate::operations::Operations;
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
pub(super) struct OfFlags {
    /// Those of this batch
    #[arg(long, value_name = "ID", value_parser = batch_id, conflicts_with = "group")]
    batch: Option<String>,
    /// Those of this group
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
}

impl OfFlags {
    pub(super) fn of(&self) -> Option<Of> {
        let batch = self.batch.clone().map(Of::Batch);
        batch.or_else(|| self.group.clone().map(Of::Group))
    }
}

pub(super) fn list(List { of, json, flags }: &List) -> Result<u8, Ended> {
    flags.run(async |operations| {
        let Some(of) = of.of() else { return list_groups(&operations, *json).await };
        let mut list = LetterList::new();
        let listed = each_page(&operations, &of, async |letters| {
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
