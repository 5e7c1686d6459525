//! A source that must have one record and nothing else.

use std::ffi::OsStr;

use muster_proto::users::UserRequest;

use super::{Item, Reader, Rejection, SourceError, Sources};

/// Why there is not one record.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SingleError {
    /// There is nothing to read it from.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// It is broken.
    #[error("{0}")]
    Rejected(Rejection),
    /// There is none.
    #[error("{0} has no record")]
    None(String),
    /// There are more.
    #[error("{0} has more than one record: leave one")]
    More(String),
    /// It has fields that a record does not have. In a record that somebody wrote it is more likely
    /// that a name is misspelt than that the field may be ignored.
    #[error(
        "{0} has a field that a record does not have; they are id, user_name, email, first_name, \
         last_name, ip_address, gender, country, agent"
    )]
    UnknownField(String),
}

/// Reads the one record of a file, or of standard input for `-`.
///
/// # Errors
///
/// There is not one, or not one alone, or it has unknown fields.
pub fn read_one(argument: &OsStr) -> Result<UserRequest, SingleError> {
    let sources = Sources::from_arguments(&[argument], false)?;
    one_of(Reader::new(sources, None), &argument.to_string_lossy())
}

fn one_of(mut reader: Reader, name: &str) -> Result<UserRequest, SingleError> {
    let mut one = None;
    while let Some(item) = reader.next_item() {
        match item {
            Item::Rejected(rejection) => return Err(SingleError::Rejected(rejection)),
            Item::Record { .. } if one.is_some() => return Err(SingleError::More(name.to_owned())),
            Item::Record { record, .. } => one = Some(UserRequest::from(record.user())),
            Item::Note(_) => {}
        }
    }
    if !reader.remarks().ignored.is_empty() {
        return Err(SingleError::UnknownField(name.to_owned()));
    }
    one.ok_or_else(|| SingleError::None(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;

    fn refused(input: &str) -> String {
        one_of(read(input.as_bytes()), "1.json").unwrap_err().to_string()
    }

    #[test]
    fn one_whole_record_is_taken() {
        for input in [r#"{"id":7}"#, "\n{\"id\": 7,\n \"email\": null}\n", r#"[{"id":7}]"#] {
            assert_eq!(one_of(read(input.as_bytes()), "1.json").unwrap().id, 7, "{input}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        assert_eq!(refused(""), "1.json has no record");
        assert_eq!(refused("[]"), "1.json has no record");
        assert_eq!(refused("{\"id\":7}\n{\"id\":8}"), "1.json has more than one record: leave one");
        assert_eq!(
            refused(r#"{"id":"#),
            "standard input:1 (record 1): the file ends inside this record; 6 bytes were not read"
        );
        assert_eq!(
            refused(r#"{"id":"7"}"#),
            "standard input:1 (record 1): field `id`: expected a whole number, found a string: \
             write ids without quotes"
        );
        let misspelt = refused(r#"{"id":1,"emial":"a@b.c"}"#);
        assert!(
            misspelt.starts_with("1.json has a field that a record does not have"),
            "{misspelt}"
        );
    }
}
