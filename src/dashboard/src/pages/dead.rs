//! `/dead`: what dead letters died of, and how many of each.

use askama::Template;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::response::Response;
use muster_proto::v1::DeadLetterGroup;
use serde::Deserialize;

use super::resolve::Selection;
use crate::caller::Caller;
use crate::confirm::Notice;
use crate::error::Failure;
use crate::frame::{Frame, Section, page};
use crate::human::{self, Value};
use crate::links;

/// How many groups are shown; more are searched.
const GROUPS_SHOWN: usize = 200;

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    q: String,
}

#[derive(Debug, Template)]
#[template(path = "dead.html")]
struct Page {
    frame: Frame,
    may_act: bool,
    /// What is searched for.
    sought: String,
    groups: Vec<GroupView>,
    /// How many groups were found, shown or not; and how many letters there are in all groups.
    found: Value,
    letters: Value,
    hidden: usize,
    replay_all: String,
    drop_all: String,
}

#[derive(Debug)]
struct GroupView {
    name: String,
    link: String,
    letters: Value,
    replay: String,
    drop: String,
}

pub(super) async fn show(
    caller: Caller,
    notice: Notice,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Failure> {
    let Query(Asked { q: sought }) = asked?;
    let mut groups = caller.groups().await?;
    let letters = groups.iter().map(|group| group.letters).fold(0, u64::saturating_add);
    groups.retain(|group| has(&group.name, &sought));
    // The one with the most letters first; those with equally many by name, as they come.
    groups.sort_by_key(|group| std::cmp::Reverse(group.letters));
    page(&Page {
        frame: Frame::new(Section::Dead, &caller, notice),
        may_act: caller.may_act(),
        sought,
        found: human::count(groups.len() as u64),
        letters: human::count(letters),
        hidden: groups.len().saturating_sub(GROUPS_SHOWN),
        groups: groups.into_iter().take(GROUPS_SHOWN).map(Into::into).collect(),
        replay_all: Selection::All.link(links::REPLAY),
        drop_all: Selection::All.link(links::DROP),
    })
}

/// Whether the name has the text in it, in capitals or not.
fn has(name: &str, text: &str) -> bool {
    name.to_lowercase().contains(&text.trim().to_lowercase())
}

impl From<DeadLetterGroup> for GroupView {
    fn from(group: DeadLetterGroup) -> Self {
        let selection = Selection::Group(group.name.clone());
        Self {
            link: links::group(&group.name),
            letters: human::count(group.letters),
            replay: selection.link(links::REPLAY),
            drop: selection.link(links::DROP),
            name: group.name,
        }
    }
}
