//! Dead letters, a page at a time.

use muster_proto::v1::DeadLetter;
use muster_proto::v1::list_dead_letters_request::Of;

use crate::command::{Ended, failed};
use crate::operations::Operations;
use crate::view;
use crate::view::letter::LetterView;

/// All dead letters that there are, by groups: each is in one.
pub(super) async fn all(operations: &Operations) -> Result<Vec<Of>, Ended> {
    let groups = operations.groups().await.map_err(failed)?;
    Ok(groups.into_iter().map(|group| Of::Group(group.name)).collect())
}

/// Hands the letters over, a page at a time. Returns how many there were.
pub(super) async fn each_page(
    operations: &Operations,
    of: &Of,
    mut page: impl AsyncFnMut(&[DeadLetter]) -> Result<(), Ended>,
) -> Result<u64, Ended> {
    let mut letters = 0;
    let mut token = String::new();
    loop {
        let found = operations.letters(of, token).await.map_err(failed)?;
        if !found.dead_letters.is_empty() {
            letters += found.dead_letters.len() as u64;
            page(&found.dead_letters).await?;
        }
        if found.next_page_token.is_empty() {
            return Ok(letters);
        }
        token = found.next_page_token;
    }
}

/// The letters as JSON, one object a line.
pub(super) fn ndjson(letters: &[DeadLetter]) -> String {
    letters.iter().map(|letter| view::json(&LetterView::from(letter))).collect()
}
