//! The records that were sent, read as the client reads them.

use std::ffi::OsString;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use muster_client::input::{FaultKind, Item, Reader, Reason, Rejection, Source, Sources};
use muster_program::daemon::Failure;
use muster_proto::user::User;
use muster_proto::users::UserRequest;
use muster_worker::processor::{Normalise, Processor as _, Verdict};
use serde::Serialize;

use crate::roll_files;

/// The inputs, which can be read more than once.
pub(super) struct Inputs {
    sources: Vec<Arc<Source>>,
    normalise: bool,
}

/// What came out of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct InputFile {
    pub(super) file: String,
    pub(super) records: u64,
    /// Records and broken stretches that the reader rejected.
    pub(super) rejected: u64,
}

impl Inputs {
    /// The files that these arguments stand for, in the order in which the client takes them.
    /// `normalise` tells whether the workers tidied their records up.
    ///
    /// # Errors
    ///
    /// A path does not exist or cannot be read, is no plain file, or belongs to the roll.
    pub(super) fn from_arguments(
        arguments: &[OsString],
        roll: &Path,
        normalise: bool,
    ) -> Result<Self, Failure> {
        let sources = Sources::from_arguments(arguments, false)?;
        if sources.bytes.is_none() {
            return Err("an input is standard input or a pipe, which cannot be read twice: \
                put the records that were sent into a file"
                .into());
        }
        if let Some(path) = roll_files::among(&sources, roll) {
            let path = path.display();
            return Err(format!(
                "{path} is both input and roll: name the inputs alone, or another --roll"
            )
            .into());
        }
        Ok(Self { sources: sources.list, normalise })
    }

    /// Goes through all records, each with its file and line, and through what is rejected.
    ///
    /// # Errors
    ///
    /// A file cannot be read to its end.
    pub(super) fn read(
        &self,
        mut record: impl FnMut(&UserRequest, &dyn fmt::Display),
        mut rejected: impl FnMut(&Rejection),
    ) -> Result<Vec<InputFile>, Failure> {
        let mut files = Vec::new();
        for source in &self.sources {
            let mut reader = reader_of(source);
            while let Some(item) = reader.next_item() {
                match item {
                    Item::Record { record: sent, position } => {
                        let sent = self.as_processed(sent.user().into());
                        record(&sent, &format_args!("{source}:{}", position.line));
                    }
                    Item::Rejected(rejection) if ends_early(&rejection) => {
                        return Err(rejection.to_string().into());
                    }
                    Item::Rejected(rejection) => rejected(&rejection),
                    Item::Note(_) => {}
                }
            }
            files.extend(reader.counts().iter().map(|counts| InputFile {
                file: counts.source.to_string(),
                records: counts.records,
                rejected: counts.rejected,
            }));
        }
        Ok(files)
    }

    /// The records alone, in order.
    pub(super) fn records(&self) -> impl Iterator<Item = UserRequest> {
        self.sources.iter().map(reader_of).flat_map(move |mut reader| {
            std::iter::from_fn(move || {
                loop {
                    if let Item::Record { record, .. } = reader.next_item()? {
                        return Some(self.as_processed(record.user().into()));
                    }
                }
            })
        })
    }

    /// A record that was sent, as the processor leaves it.
    pub(super) fn as_processed(&self, record: UserRequest) -> UserRequest {
        if self.normalise
            && let Verdict::Replace(tidy) = Normalise.process(&User::from(&record))
        {
            return *tidy;
        }
        record
    }
}

fn reader_of(source: &Arc<Source>) -> Reader {
    Reader::new(Sources { list: vec![Arc::clone(source)], ..Sources::default() }, None)
}

/// Whether there may be more records that nobody has seen.
fn ends_early(rejection: &Rejection) -> bool {
    matches!(rejection.reason, Reason::Damaged(FaultKind::Unreadable(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_with_their_file_and_line_and_are_counted_by_file() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        put("2.json", "[{\"id\":1},\n{\"id\":\"x\"},\n{\"id\":3}]");
        put("10.ndjson", "{\"id\":4, \"email\":\" A@B.C \"}\n");
        let arguments = [folder.path().into()];
        let read = |normalise| {
            let roll = Path::new("all_users.json");
            let inputs = Inputs::from_arguments(&arguments, roll, normalise).unwrap();
            let (mut found, mut rejected) = (Vec::new(), Vec::new());
            let files = inputs.read(
                |record, place| found.push(format!("{place} {}{}", record.id, record.email)),
                |rejection| rejected.push(rejection.position.line),
            );
            let counts = |file: InputFile| (file.records, file.rejected);
            let ids = inputs.records().map(|record| record.id).collect::<Vec<_>>();
            let path = format!("{}/", folder.path().display());
            let found = found.into_iter().map(|line| line.replace(&path, "")).collect::<Vec<_>>();
            (found, rejected, files.unwrap().into_iter().map(counts).collect::<Vec<_>>(), ids)
        };
        let (found, rejected, files, ids) = read(false);
        assert_eq!(found, ["2.json:1 1", "2.json:3 3", "10.ndjson:1 4 A@B.C "]);
        assert_eq!(rejected, [2]);
        assert_eq!(files, [(2, 1), (1, 0)]);
        assert_eq!(ids, [1, 3, 4]);
        assert_eq!(read(true).0[2], "10.ndjson:1 4A@b.c");
    }

    #[test]
    fn what_cannot_be_read_twice_and_the_roll_itself_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let roll = folder.path().join("all_users.json");
        std::fs::write(&roll, "[]").unwrap();
        let refusal = |argument: &Path| {
            let arguments = [argument.into()];
            Inputs::from_arguments(&arguments, &roll, false).err().unwrap().to_string()
        };
        for pipe in ["-", "/dev/null"] {
            assert!(refusal(Path::new(pipe)).contains("cannot be read twice"), "{pipe}");
        }
        assert!(refusal(folder.path()).contains("is both input and roll"));
    }
}
