//! Where in the input the dead letters came from.

use std::collections::BTreeMap;

use muster_proto::v1::list_dead_letters_request::Of;
use muster_proto::v1::{DeadLetter, ListDeadLettersRequest};
use tonic::Status;

use super::Sender;
use crate::config::Mode;
use crate::input::{InputFlags, Item, Reader, Source};

/// How many dead letters are shown one by one.
const SHOWN_MAX: usize = 1000;

/// Shows the dead letters of the batch: each with its file and line, if these can be told.
pub(super) async fn complain(
    sender: &Sender,
    mode: Mode,
    input: &InputFlags,
) -> Result<(), Status> {
    let letters = dead_letters(sender).await?;
    let places = letters.iter().map(|letter| letter.place).collect::<Vec<_>>();
    // Unary calls overtake each other: the place of a record is not its place in the input.
    let lines = match mode {
        Mode::Stream => lines(input, places).await,
        Mode::Unary => BTreeMap::new(),
    };
    for DeadLetter { place, record_id, reason, .. } in &letters {
        match lines.get(place) {
            Some(line) => sender.progress.complain(&format_args!("{line}: dead letter: {reason}")),
            None => sender.progress.complain(&format_args!(
                "record {place} of the batch (id {record_id}): dead letter: {reason}"
            )),
        }
    }
    if letters.len() == SHOWN_MAX {
        sender.progress.complain(&"these are the first dead letters; there may be more");
    }
    Ok(())
}

async fn dead_letters(sender: &Sender) -> Result<Vec<DeadLetter>, Status> {
    let Sender { server, labels, retry, .. } = sender;
    let mut letters = Vec::new();
    let mut request = ListDeadLettersRequest {
        of: Some(Of::Batch(labels.batch.clone())),
        ..ListDeadLettersRequest::default()
    };
    while letters.len() < SHOWN_MAX {
        let list = async || server.dead_letters().list_dead_letters(request.clone()).await;
        let page = retry.call(list).await?.into_inner();
        letters.extend(page.dead_letters);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    letters.truncate(SHOWN_MAX);
    Ok(letters)
}

/// Reads the input again, up to the last of these places (which are in order), and says on which
/// line of which file each is. What cannot be read twice is left out.
async fn lines(input: &InputFlags, places: Vec<u64>) -> BTreeMap<u64, String> {
    let Ok(sources) = input.sources() else { return BTreeMap::new() };
    if sources.list.iter().any(|source| **source == Source::Stdin) {
        return BTreeMap::new();
    }
    let pointer = input.records.clone();
    let find = move || {
        let mut reader = Reader::new(sources, pointer);
        let mut lines = BTreeMap::new();
        let mut wanted = places.into_iter().peekable();
        let mut place = 0;
        while let (Some(next), Some(item)) = (wanted.peek(), reader.next_item()) {
            let Item::Record { position, .. } = item else { continue };
            if place == *next {
                wanted.next();
                if let Some(source) = reader.source_of(place) {
                    lines.insert(place, format!("{source}:{}", position.line));
                }
            }
            place += 1;
        }
        lines
    };
    tokio::task::spawn_blocking(find).await.unwrap_or_default()
}
