//! Records as the messages of a call, one behind another: encoded once, and sent as they are.

use bytes::{Buf as _, Bytes};
use muster_content::{ContentDigest, RecordHash};
use muster_proto::user::User;

/// What is before each message: a byte that says that it is not compressed, and its length.
const HEAD_BYTES: usize = 5;

/// Some messages. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Messages {
    bytes: Bytes,
    records: usize,
    /// The digests of all records before these, and up to the last of these.
    before: ContentDigest,
    after: ContentDigest,
}

impl Messages {
    /// How many records there are.
    pub(crate) fn records(&self) -> usize {
        self.records
    }

    /// What goes out.
    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The digest of all records before these.
    pub(crate) fn before(&self) -> ContentDigest {
        self.before
    }

    /// The digest of all records up to the last of these.
    pub(crate) fn after(&self) -> ContentDigest {
        self.after
    }

    /// What is left of them behind the first `records`.
    pub(crate) fn behind(mut self, records: usize) -> Self {
        let before = self.before;
        let skipped = self.by_ref().take(records);
        let hashes = skipped.map(|message| RecordHash::of(&message[HEAD_BYTES..]));
        self.before = hashes.fold(before, ContentDigest::then);
        self
    }
}

/// One message after another.
impl Iterator for Messages {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        self.records = self.records.checked_sub(1)?;
        let len = (&self.bytes[1..]).get_u32();
        Some(self.bytes.split_to(HEAD_BYTES + usize::try_from(len).ok()?))
    }
}

/// Messages that are being written.
#[derive(Debug)]
pub(crate) struct Draft {
    bytes: Vec<u8>,
    records: usize,
    room: usize,
    before: ContentDigest,
    after: ContentDigest,
}

impl Draft {
    /// Begins with room for so many bytes. There may be more of them.
    pub(crate) fn with_room(room: usize) -> Self {
        let (before, after) = (ContentDigest::EMPTY, ContentDigest::EMPTY);
        Self { bytes: Vec::with_capacity(room), records: 0, room, before, after }
    }

    /// Adds a record, which has less than 4 GiB.
    pub(crate) fn push(&mut self, record: &User<'_>) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; HEAD_BYTES]);
        record.write(&mut self.bytes);
        let len = self.bytes.len() - start - HEAD_BYTES;
        let len = u32::try_from(len).expect("a record that was read is shorter");
        self.bytes[start + 1..start + HEAD_BYTES].copy_from_slice(&len.to_be_bytes());
        self.after = self.after.then(RecordHash::of(&self.bytes[start + HEAD_BYTES..]));
        self.records += 1;
    }

    /// How many records there are.
    pub(crate) fn records(&self) -> usize {
        self.records
    }

    /// How long the messages are, in bytes.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Takes the messages. Those that are added then follow them.
    pub(crate) fn take(&mut self) -> Messages {
        let bytes = std::mem::replace(&mut self.bytes, Vec::with_capacity(self.room)).into();
        let records = std::mem::take(&mut self.records);
        let before = std::mem::replace(&mut self.before, self.after);
        Messages { bytes, records, before, after: self.after }
    }
}

#[cfg(test)]
mod tests {
    use muster_proto::users::UserRequest;
    use prost::Message as _;

    use super::*;

    fn ids(messages: Messages) -> Vec<i32> {
        let id = |message: Bytes| UserRequest::decode(&message[HEAD_BYTES..]).unwrap().id;
        messages.map(id).collect()
    }

    #[test]
    fn messages_come_out_as_they_went_in() {
        let mut draft = Draft::with_room(4);
        for id in 0..5 {
            draft.push(&User { id, agent: &"x".repeat(300), ..User::default() });
        }
        let messages = draft.take();
        assert_eq!(messages.records(), 5);
        assert_eq!(messages.bytes()[..HEAD_BYTES], [0, 0, 0, 1, 47]);
        assert_eq!(ids(messages.clone()), [0, 1, 2, 3, 4]);
        assert_eq!(messages.clone().behind(3).records(), 2);
        assert_eq!(ids(messages.clone().behind(3)), [3, 4]);
        assert_eq!(messages.behind(5).bytes().len(), 0);
        assert_eq!((draft.len(), draft.records()), (0, 0));
    }

    #[test]
    fn messages_have_the_digests_of_the_records_before_and_up_to_them() {
        let mut draft = Draft::with_room(0);
        let mut digests = vec![ContentDigest::EMPTY];
        let mut pages = Vec::new();
        for id in 0..5 {
            let user = User { id, ..User::default() };
            draft.push(&user);
            let mut wire = Vec::new();
            user.write(&mut wire);
            digests.push(digests[digests.len() - 1].then(RecordHash::of(&wire)));
            if id == 1 || id == 4 {
                pages.push(draft.take());
            }
        }
        assert_eq!((pages[0].before(), pages[0].after()), (digests[0], digests[2]));
        assert_eq!((pages[1].before(), pages[1].after()), (digests[2], digests[5]));
        for behind in 0..=3 {
            let rest = pages[1].clone().behind(behind);
            assert_eq!((rest.before(), rest.after()), (digests[2 + behind], digests[5]));
        }
    }
}
