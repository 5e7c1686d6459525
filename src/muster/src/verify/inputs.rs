//! The records that were sent, as the workers leave them.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use muster_program::daemon::Failure;
pub(super) use muster_proof::{Doubt, InputFile, Options, Unread};
use muster_proto::user::User;
use muster_proto::users::UserRequest;
use muster_worker::processor::{Normalise, Processor as _, Verdict};

/// The inputs, which can be read more than once.
pub(super) struct Inputs {
    inputs: muster_proof::Inputs,
    normalise: bool,
}

impl Inputs {
    /// The files that these arguments stand for, in order. `normalise` tells whether the workers
    /// tidied their records up.
    ///
    /// # Errors
    ///
    /// A path does not exist or cannot be read, is not a regular file, or belongs to the roll.
    pub(super) fn from_arguments(
        arguments: &[OsString],
        roll: &Path,
        options: Options,
        normalise: bool,
    ) -> Result<Self, Failure> {
        let outputs = [roll.to_owned(), muster_roll::manifest_of(roll)];
        let inputs = muster_proof::Inputs::from_arguments(arguments, &outputs, options)?;
        Ok(Self { inputs, normalise })
    }

    /// The entries of folders that are not read.
    pub(super) fn skipped(&self) -> &[PathBuf] {
        self.inputs.skipped()
    }

    /// Goes through all records, each with its file and line, and through what could not be read.
    ///
    /// # Errors
    ///
    /// A file cannot be opened, or nothing of it can be read.
    pub(super) fn read(
        &self,
        mut record: impl FnMut(&UserRequest, &dyn fmt::Display),
        unread: impl FnMut(Unread),
    ) -> Result<Vec<InputFile>, Failure> {
        self.inputs.read(|sent, place| record(&self.as_processed(sent), place), unread)
    }

    /// The records only, in order.
    pub(super) fn records(&self) -> impl Iterator<Item = UserRequest> {
        self.inputs.records().map(|record| self.as_processed(record))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_as_the_workers_leave_them() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("1.json"), r#"[{"id":4,"email":" A@B.C "},7]"#).unwrap();
        let roll = folder.path().join("all_users.json");
        for (normalise, expected) in [(false, " A@B.C "), (true, "A@b.c")] {
            let arguments = [folder.path().into()];
            let options = Options::default();
            let inputs = Inputs::from_arguments(&arguments, &roll, options, normalise).unwrap();
            let (mut found, mut unread) = (Vec::new(), Vec::new());
            let files = inputs.read(
                |record, _| found.push(record.email.clone()),
                |stretch| unread.push(stretch.line),
            );
            assert_eq!((files.unwrap()[0].records, &unread[..]), (1, &[1][..]));
            assert_eq!(found, [expected]);
            assert!(inputs.records().map(|record| record.email).eq(found));
        }
    }

    #[test]
    fn roll_and_its_manifest_are_refused_as_inputs() {
        let folder = tempfile::tempdir().unwrap();
        let roll = folder.path().join("all_users.json");
        for name in ["all_users.json", "all_users.manifest.json"] {
            let path = folder.path().join(name);
            std::fs::write(&path, "[]").unwrap();
            let options = Options::default();
            let inputs = Inputs::from_arguments(&[path.into()], &roll, options, false);
            let refusal = inputs.err().unwrap().to_string();
            assert!(refusal.contains("is both input and roll"), "{refusal}");
        }
    }
}
