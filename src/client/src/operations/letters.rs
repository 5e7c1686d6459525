//! Operations on dead letters.

use bytes::Bytes;
use muster_proto::v1::dead_letter_selector::Which;
use muster_proto::v1::list_dead_letters_request::Of;
use muster_proto::v1::{
    DeadLetter, DeadLetterGroup, DeadLetterId, DeadLetterSelector, DropDeadLettersRequest,
    ListDeadLetterGroupsRequest, ListDeadLettersRequest, ListDeadLettersResponse,
    ReplayDeadLettersRequest, ReplayDeadLettersResponse,
};

use super::{Error, Missing, Operations};

/// How many dead letters are asked for at once.
const PAGE_SIZE: u32 = 100;

impl Operations {
    /// The groups of dead letters.
    pub(crate) async fn groups(&self) -> Result<Vec<DeadLetterGroup>, Error> {
        let list = async || {
            let request = ListDeadLetterGroupsRequest {};
            self.server.dead_letters().list_dead_letter_groups(request).await
        };
        Ok(self.ask(list).await?.groups)
    }

    /// A page of dead letters: the first for an empty token.
    pub(crate) async fn letters(
        &self,
        of: &Of,
        page_token: String,
    ) -> Result<ListDeadLettersResponse, Error> {
        let missing = match of {
            Of::Batch(id) => Missing::Batch(id.clone()),
            Of::Group(name) => Missing::Group(name.clone()),
        };
        let request =
            ListDeadLettersRequest { of: Some(of.clone()), page_token, page_size: PAGE_SIZE };
        let list = async || self.server.dead_letters().list_dead_letters(request.clone()).await;
        self.find(missing, list).await
    }

    /// One dead letter.
    pub(crate) async fn letter(&self, id: DeadLetterId) -> Result<DeadLetter, Error> {
        let get = async || self.server.dead_letters().get_dead_letter(id.clone()).await;
        self.find(Missing::Letter(id.clone()), get).await
    }

    /// Lets dead letters be processed anew; one of them with another record, if there is one.
    pub(crate) async fn replay(
        &self,
        which: Which,
        record: Option<Bytes>,
    ) -> Result<ReplayDeadLettersResponse, Error> {
        let missing = Missing::of(&which);
        let request = ReplayDeadLettersRequest { selector: Some(selector(which)), record };
        let replay = async || self.server.dead_letters().replay_dead_letters(request.clone()).await;
        self.find(missing, replay).await
    }

    /// Drops dead letters. Returns how many.
    pub(crate) async fn drop(&self, which: Which) -> Result<u64, Error> {
        let missing = Missing::of(&which);
        let request = DropDeadLettersRequest { selector: Some(selector(which)) };
        let drop = async || self.server.dead_letters().drop_dead_letters(request.clone()).await;
        Ok(self.find(missing, drop).await?.letters)
    }
}

fn selector(which: Which) -> DeadLetterSelector {
    DeadLetterSelector { which: Some(which) }
}
