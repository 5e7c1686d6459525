//! Dead letters, all of batch `b-1`.

use muster_proto::users::UserRequest;
use muster_proto::v1::dead_letter_selector::Which;
use muster_proto::v1::dead_letters_server::DeadLetters;
use muster_proto::v1::list_dead_letters_request::Of;
use muster_proto::v1::*;
use prost::Message as _;
use prost_types::Timestamp;
use tonic::{Request, Response, Status};

use super::{PAGE, State, lock};

/// A letter at this place, with a group that is also the reason.
pub(super) fn letter(place: u64, group: &str) -> DeadLetter {
    let id = i32::try_from(place).unwrap() + 100;
    let record = UserRequest { id, email: "a\u{202e}b".to_owned(), ..UserRequest::default() };
    let time = |seconds| Some(Timestamp { seconds, nanos: 250_000_000 });
    DeadLetter {
        batch: "b-1".to_owned(),
        place,
        record_id: id,
        reason: group.to_owned(),
        group: group.to_owned(),
        attempts: 3,
        crashes: 0,
        first: time(1_700_000_000),
        last: time(1_700_000_060),
        trace: String::new(),
        record: record.encode_to_vec().into(),
    }
}

impl State {
    /// How many letters are selected.
    fn count(&self, which: &Which) -> Result<u64, Status> {
        let letters = lock(&self.letters);
        let selected = letters.iter().filter(|letter| match which {
            Which::Letter(id) => (&letter.batch, letter.place) == (&id.batch, id.place),
            Which::Batch(id) => letter.batch == *id,
            Which::Group(name) => letter.group == *name,
            Which::All(_) => true,
            Which::Letters(ids) => {
                ids.letters.iter().any(|id| (&letter.batch, letter.place) == (&id.batch, id.place))
            }
        });
        match selected.count() as u64 {
            0 => Err(Status::not_found("no such dead letter")),
            count => Ok(count),
        }
    }
}

fn shown(which: &Which) -> String {
    match which {
        Which::Letter(DeadLetterId { batch, place }) => format!("letter {batch} {place}"),
        Which::Batch(id) => format!("batch {id}"),
        Which::Group(name) => format!("group {name}"),
        Which::All(_) => "all".to_owned(),
        Which::Letters(ids) => {
            let ids = ids.letters.iter().map(|id| format!(" {} {}", id.batch, id.place));
            format!("letters{}", ids.collect::<String>())
        }
    }
}

fn which(selector: Option<DeadLetterSelector>) -> Which {
    selector.unwrap().which.unwrap()
}

#[tonic::async_trait]
impl DeadLetters for State {
    async fn list_dead_letter_groups(
        &self,
        _: Request<ListDeadLetterGroupsRequest>,
    ) -> Result<Response<ListDeadLetterGroupsResponse>, Status> {
        let mut groups: Vec<DeadLetterGroup> = Vec::new();
        for letter in lock(&self.letters).iter() {
            match groups.iter_mut().find(|group| group.name == letter.group) {
                Some(group) => group.letters += 1,
                None => groups.push(DeadLetterGroup { name: letter.group.clone(), letters: 1 }),
            }
        }
        Ok(Response::new(ListDeadLetterGroupsResponse { groups }))
    }

    async fn list_dead_letters(
        &self,
        request: Request<ListDeadLettersRequest>,
    ) -> Result<Response<ListDeadLettersResponse>, Status> {
        let ListDeadLettersRequest { of, page_token, .. } = request.into_inner();
        let of = of.ok_or_else(|| Status::invalid_argument("of what?"))?;
        if let Of::Batch(id) = &of {
            self.look(id)?;
        }
        let from: usize = if page_token.is_empty() { 0 } else { page_token.parse().unwrap() };
        let letters = lock(&self.letters);
        let mut left = letters.iter().skip(from).filter(|letter| match &of {
            Of::Batch(id) => letter.batch == *id,
            Of::Group(name) => letter.group == *name,
        });
        let dead_letters: Vec<_> = left.by_ref().take(PAGE).cloned().collect();
        let next_page_token = match (left.next(), dead_letters.last()) {
            (Some(_), Some(last)) => {
                let at = letters.iter().position(|letter| letter.place == last.place);
                (at.unwrap() + 1).to_string()
            }
            _ => String::new(),
        };
        Ok(Response::new(ListDeadLettersResponse { dead_letters, next_page_token }))
    }

    async fn get_dead_letter(
        &self,
        request: Request<DeadLetterId>,
    ) -> Result<Response<DeadLetter>, Status> {
        let id = request.into_inner();
        let letters = lock(&self.letters);
        let found =
            letters.iter().find(|letter| (&letter.batch, letter.place) == (&id.batch, id.place));
        found.cloned().map(Response::new).ok_or_else(|| Status::not_found("no such dead letter"))
    }

    async fn replay_dead_letters(
        &self,
        request: Request<ReplayDeadLettersRequest>,
    ) -> Result<Response<ReplayDeadLettersResponse>, Status> {
        let ReplayDeadLettersRequest { selector, record } = request.into_inner();
        let which = which(selector);
        let letters = self.count(&which)?;
        let record = record.map(|record| UserRequest::decode(record).unwrap().email);
        self.change(format!("replay {}, email {record:?}", shown(&which)));
        Ok(Response::new(ReplayDeadLettersResponse { letters, batches: vec!["b-1".to_owned()] }))
    }

    async fn drop_dead_letters(
        &self,
        request: Request<DropDeadLettersRequest>,
    ) -> Result<Response<DropDeadLettersResponse>, Status> {
        let which = which(request.into_inner().selector);
        let letters = self.count(&which)?;
        self.change(format!("drop {}", shown(&which)));
        Ok(Response::new(DropDeadLettersResponse { letters }))
    }
}
