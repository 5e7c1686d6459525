//! What travels beside the messages, read.

use std::str::FromStr;

use muster_content::ContentDigest;
use muster_program::traces::Trace;
use muster_proto::metadata::{BATCH, DIGEST, PLACE, POLICY, PRIORITY, TRACE};
use muster_queue::{BatchId, Policy, Priority};
use tonic::Status;
use tonic::codegen::http::{HeaderMap, HeaderName, HeaderValue};
use tonic::metadata::MetadataMap;

/// What a sender says of its records, beside them. All of it is optional.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The batch that they belong to.
    pub batch: Option<BatchId>,
    /// The place of the first of them in it.
    pub place: Option<u64>,
    /// The digest of the records of the batch before that place.
    pub digest: Option<ContentDigest>,
    /// Whether they are processed before others.
    pub priority: Priority,
    /// What becomes of the batch when some of it are dead letters.
    pub policy: Policy,
    /// The call's place in its trace.
    pub trace: Option<Trace>,
}

impl Sent {
    /// Reads the metadata of a call.
    ///
    /// # Errors
    ///
    /// `INVALID_ARGUMENT` names the key and what it must be.
    pub fn read(metadata: &MetadataMap) -> Result<Self, Status> {
        let (mut batch, mut place, mut digest) = (None, None, None);
        let (mut priority, mut policy) = (None, None);
        // Each key that is there is looked at once: they are fewer than those that may be.
        for (key, value) in metadata.as_ref() {
            match key.as_str() {
                BATCH => first(&mut batch, key, value, "1 to 64 characters of A-Z a-z 0-9 . _ -")?,
                PLACE => first(&mut place, key, value, "a whole number from 0 on")?,
                DIGEST => first(&mut digest, key, value, "32 hexadecimal digits")?,
                PRIORITY => first(&mut priority, key, value, "high, normal or low")?,
                POLICY => first(&mut policy, key, value, "partial or fail")?,
                _ => {}
            }
        }
        Ok(Self {
            batch,
            place,
            digest,
            priority: priority.unwrap_or_default(),
            policy: policy.unwrap_or_default(),
            trace: trace(metadata.as_ref()),
        })
    }
}

/// The trace of a call, if it has one.
pub(crate) fn trace(headers: &HeaderMap) -> Option<Trace> {
    parse(headers.get(TRACE)?)
}

/// Reads a value, unless there was one before: of a key that is there twice, the first counts.
fn first<T: FromStr>(
    read: &mut Option<T>,
    key: &HeaderName,
    value: &HeaderValue,
    expected: &str,
) -> Result<(), Status> {
    if read.is_none() {
        let invalid = || Status::invalid_argument(format!("metadata `{key}` must be {expected}"));
        *read = Some(parse(value).ok_or_else(invalid)?);
    }
    Ok(())
}

fn parse<T: FromStr>(value: &HeaderValue) -> Option<T> {
    value.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&'static str, &str)]) -> Result<Sent, String> {
        let mut map = MetadataMap::new();
        for (key, value) in pairs {
            map.insert(*key, value.parse().unwrap());
        }
        Sent::read(&map).map_err(|status| status.message().to_owned())
    }

    #[test]
    fn nothing_is_needed() {
        let nothing = Sent {
            batch: None,
            place: None,
            digest: None,
            priority: Priority::Normal,
            policy: Policy::Partial,
            trace: None,
        };
        assert_eq!(read(&[]), Ok(nothing));
    }

    #[test]
    fn what_is_said_is_read() {
        let digits = "5f8a24a0e0785c46bf9089cc17b33ed4";
        let labels =
            [(BATCH, "b-1"), (PLACE, "7"), (DIGEST, digits), (PRIORITY, "high"), (POLICY, "fail")];
        let sent = read(&labels).unwrap();
        assert_eq!(sent.batch.unwrap().as_str(), "b-1");
        assert_eq!(sent.digest.unwrap().to_string(), digits);
        assert_eq!((sent.place, sent.priority), (Some(7), Priority::High));
        assert_eq!(sent.policy, Policy::Fail);
    }

    #[test]
    fn of_a_key_that_is_there_twice_the_first_counts() {
        let mut map = MetadataMap::new();
        map.append(BATCH, "a".parse().unwrap());
        map.append(BATCH, "b".parse().unwrap());
        map.append(PLACE, "1".parse().unwrap());
        map.append(PLACE, "none".parse().unwrap());
        let sent = Sent::read(&map).unwrap();
        assert_eq!((sent.batch.unwrap().as_str(), sent.place), ("a", Some(1)));
    }

    #[test]
    fn a_trace_is_taken_or_left() {
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(read(&[(TRACE, trace)]).unwrap().trace, trace.parse().ok());
        assert!(trace.parse::<Trace>().is_ok());
        for none in ["", "00-0af7", "\u{1b}[31m", &trace.to_uppercase(), &format!("{trace}-00")] {
            let mut map = MetadataMap::new();
            if let Ok(value) = none.parse() {
                map.insert(TRACE, value);
            }
            assert_eq!(Sent::read(&map).unwrap().trace, None, "{none}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (key, value) in
            [(BATCH, "a b"), (PLACE, "-1"), (DIGEST, "5ha"), (PRIORITY, "urgent"), (POLICY, "")]
        {
            let message = read(&[(key, value)]).unwrap_err();
            assert!(message.starts_with(&format!("metadata `{key}` must be")), "{message}");
        }
    }
}
