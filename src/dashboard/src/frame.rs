//! What stands around every page.

use askama::Template;
use axum::response::{Html, IntoResponse, Response};

use crate::caller::Caller;
use crate::confirm::Notice;
use crate::error::Failure;
use crate::links;

/// Where a page belongs in the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Overview,
    Batches,
    Workers,
    Dead,
    Roll,
    None,
}

/// What the base template needs.
#[derive(Debug)]
pub(crate) struct Frame {
    section: Section,
    pub(crate) read_only: bool,
    /// Who has signed in.
    pub(crate) name: Option<String>,
    /// What was done, in words.
    pub(crate) notice: Option<String>,
}

impl Frame {
    /// Around a page that somebody asks for, after something was done or not.
    pub(crate) fn new(section: Section, caller: &Caller, notice: Notice) -> Self {
        Self {
            section,
            read_only: !caller.may_act(),
            name: caller.name().map(str::to_owned),
            notice: notice.words(),
        }
    }

    /// Around a page that knows of nobody.
    pub(crate) fn bare(section: Section) -> Self {
        Self { section, read_only: false, name: None, notice: None }
    }

    /// The navigation: the name of each section, its address, and whether the page is of it.
    pub(crate) fn sections(&self) -> [(&'static str, &'static str, bool); 5] {
        let section = |name, link, section| (name, link, self.section == section);
        [
            section("Overview", links::OVERVIEW, Section::Overview),
            section("Batches", links::BATCHES, Section::Batches),
            section("Workers", links::WORKERS, Section::Workers),
            section("Dead letters", links::DEAD, Section::Dead),
            section("Roll", links::ROLL, Section::Roll),
        ]
    }
}

/// Writes a page.
pub(crate) fn page(template: &impl Template) -> Result<Response, Failure> {
    Ok(Html(template.render()?).into_response())
}
