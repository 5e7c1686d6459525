//! What is done to dead letters: they are replayed, or dropped; one, a batch's, a group's, or all.

use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Query};
use axum::response::Response;
use muster_proto::v1::DeadLetterId;
use muster_proto::v1::dead_letter_selector::Which;
use serde::Deserialize;

use crate::caller::Caller;
use crate::confirm::{Answer, Done, Question};
use crate::error::Failure;
use crate::frame::{Frame, Section};
use crate::human::{counted, grouped};
use crate::links;

/// Which letters are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Selection {
    Letter { batch: String, place: u64 },
    Batch(String),
    Group(String),
    All,
}

/// A selection as it stands in an address.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    batch: Option<String>,
    place: Option<u64>,
    group: Option<String>,
    all: Option<String>,
}

pub(super) async fn replay(
    caller: Caller,
    asked: Result<Query<Asked>, QueryRejection>,
    answer: Result<Form<Answer>, FormRejection>,
) -> Result<Response, Failure> {
    let selection = Selection::read(asked?.0)?;
    if answer?.is_yes() {
        let replayed = caller.acting().replay(selection.which(), None).await?;
        return Ok(Done::Replayed.lead_to(&selection.page_after(), replayed.letters));
    }
    let what = selection.meant(&caller).await?;
    let question = Question {
        title: format!("Replay {what}?"),
        what: vec![
            "They are processed anew, and go into the roll or are dead letters again.".to_owned(),
            "Those whose batch is not complete go back to their places in it; others into a batch \
             of their own."
                .to_owned(),
        ],
        action: selection.link(links::REPLAY),
        button: "Replay",
        ..selection.question()
    };
    question.ask()
}

pub(super) async fn drop_letters(
    caller: Caller,
    asked: Result<Query<Asked>, QueryRejection>,
    answer: Result<Form<Answer>, FormRejection>,
) -> Result<Response, Failure> {
    let selection = Selection::read(asked?.0)?;
    if answer?.is_yes() {
        let dropped = caller.acting().drop_letters(selection.which()).await?;
        return Ok(Done::Dropped.lead_to(&selection.page_after(), dropped.letters));
    }
    let what = selection.meant(&caller).await?;
    let question = Question {
        title: format!("Drop {what}?"),
        what: vec![
            "They will never be in the roll. This cannot be undone.".to_owned(),
            "No copy is kept here: muster-client dead drop --export FILE makes one first, which muster \
             verify counts."
                .to_owned(),
        ],
        action: selection.link(links::DROP),
        button: "Drop",
        harmful: true,
        ..selection.question()
    };
    question.ask()
}

impl Selection {
    fn read(asked: Asked) -> Result<Self, Failure> {
        match asked {
            Asked { batch: Some(batch), place: Some(place), group: None, all: None } => {
                Ok(Self::Letter { batch, place })
            }
            Asked { batch: Some(batch), place: None, group: None, all: None } => {
                Ok(Self::Batch(batch))
            }
            Asked { batch: None, place: None, group: Some(group), all: None } => {
                Ok(Self::Group(group))
            }
            Asked { batch: None, place: None, group: None, all: Some(all) } if all == "yes" => {
                Ok(Self::All)
            }
            _ => Err(Failure::Unreadable(
                "The address must name a letter, a batch, a group, or all.".to_owned(),
            )),
        }
    }

    /// The address of what is done to these letters.
    pub(super) fn link(&self, action: &str) -> String {
        match self {
            Self::Letter { batch, place } => {
                links::with_query(action, &[("batch", batch), ("place", &place.to_string())])
            }
            Self::Batch(batch) => links::with_query(action, &[("batch", batch)]),
            // A group's name may be empty, and is said even so.
            Self::Group(name) if name.is_empty() => format!("{action}?group="),
            Self::Group(name) => links::with_query(action, &[("group", name)]),
            Self::All => links::with_query(action, &[("all", "yes")]),
        }
    }

    /// The page that shows them.
    pub(super) fn page(&self) -> String {
        match self {
            Self::Letter { batch, place } => links::letter(batch, *place),
            Self::Batch(batch) => links::dead_of_batch(batch),
            Self::Group(name) => links::group(name),
            Self::All => links::DEAD.to_owned(),
        }
    }

    /// The page that is there when they are not there any more.
    pub(super) fn page_after(&self) -> String {
        match self {
            Self::Letter { batch, .. } | Self::Batch(batch) => links::dead_of_batch(batch),
            Self::Group(_) | Self::All => links::DEAD.to_owned(),
        }
    }

    /// What they are the letters of.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Letter { batch, place } => format!("place {} of batch {batch}", grouped(*place)),
            Self::Batch(batch) => format!("batch {batch}"),
            Self::Group(name) => format!("group “{name}”"),
            Self::All => "all batches".to_owned(),
        }
    }

    /// The batch, if they are of one.
    pub(super) fn batch(&self) -> Option<&str> {
        match self {
            Self::Letter { batch, .. } | Self::Batch(batch) => Some(batch),
            Self::Group(_) | Self::All => None,
        }
    }

    fn which(&self) -> Which {
        match self {
            Self::Letter { batch, place } => {
                Which::Letter(DeadLetterId { batch: batch.clone(), place: *place })
            }
            Self::Batch(batch) => Which::Batch(batch.clone()),
            Self::Group(name) => Which::Group(name.clone()),
            Self::All => Which::All(true),
        }
    }

    /// The letters that are meant, with their number now.
    async fn meant(&self, caller: &Caller) -> Result<String, Failure> {
        let letters = match self {
            Self::Letter { batch, place } => {
                caller.letter(DeadLetterId { batch: batch.clone(), place: *place }).await?;
                1
            }
            Self::Batch(batch) => caller.batch(batch).await?.dead,
            Self::Group(name) => letters_in(caller, |group| group == name).await?,
            // The statistics are as old as the server's last look.
            Self::All => letters_in(caller, |_| true).await?,
        };
        if letters == 0 {
            return Err(Failure::Gone("There are no such dead letters any more."));
        }
        let letters = match self {
            Self::Letter { .. } => "the dead letter at".to_owned(),
            _ => format!("{} of", counted(letters, "dead letter")),
        };
        Ok(format!("{letters} {}", self.words()))
    }

    /// What all questions about them have in common.
    fn question(&self) -> Question {
        Question {
            frame: Frame::bare(Section::Dead),
            title: String::new(),
            what: Vec::new(),
            action: String::new(),
            fields: Vec::new(),
            button: "",
            harmful: false,
            back: self.page(),
        }
    }
}

/// How many letters there are in these groups.
async fn letters_in(caller: &Caller, is_meant: impl Fn(&str) -> bool) -> Result<u64, Failure> {
    let groups = caller.groups().await?.into_iter().filter(|group| is_meant(&group.name));
    Ok(groups.map(|group| group.letters).fold(0, u64::saturating_add))
}

#[cfg(test)]
mod tests {
    use axum::http::Uri;

    use super::*;

    fn read(link: &str) -> Result<Selection, Failure> {
        let uri: Uri = link.parse().unwrap();
        Selection::read(Query::try_from_uri(&uri)?.0)
    }

    #[test]
    fn a_selection_comes_back_from_its_address() {
        let selections = [
            Selection::Letter { batch: "b-1".to_owned(), place: u64::MAX },
            Selection::Batch("b-1".to_owned()),
            Selection::Group("a&b=\"c\" \u{202e}\n%41+".to_owned()),
            Selection::Group(String::new()),
            Selection::All,
        ];
        for selection in selections {
            assert_eq!(read(&selection.link(links::DROP)).unwrap(), selection);
        }
    }

    #[test]
    fn what_names_no_letters_or_too_many_is_refused() {
        for query in ["", "?all=no", "?place=1", "?batch=b&all=yes", "?batch=b&group=g"] {
            let refused = read(&format!("/dead/drop{query}"));
            assert!(matches!(refused, Err(Failure::Unreadable(_))), "{query}");
        }
    }
}
