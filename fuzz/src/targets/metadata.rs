//! What travels beside the messages.

use muster_proto::metadata::{BATCH, PLACE, POLICY, PRIORITY, TRACE};
use muster_server::metadata::Sent;
use tonic::Code;
use tonic::metadata::MetadataMap;

use crate::call::headers;
use crate::shown;

/// The metadata of a call is read as it was sent, or refused by the name of the key.
///
/// The input has a line each: `KEY: VALUE`.
pub fn metadata(data: &[u8]) {
    let headers = headers(data);
    let said = |key: &str| headers.get(key).and_then(|value| value.to_str().ok());
    let is_said = |key: &str| headers.contains_key(key);
    match Sent::read(&MetadataMap::from_headers(headers.clone())) {
        Ok(sent) => {
            assert_eq!(sent.batch.as_ref().map(|batch| batch.as_str()), said(BATCH));
            let place = said(PLACE).and_then(|place| place.parse().ok());
            assert_eq!((sent.place.is_some(), sent.place), (is_said(PLACE), place));
            assert_eq!(sent.priority.as_str(), said(PRIORITY).unwrap_or("normal"));
            assert_eq!(sent.policy.as_str(), said(POLICY).unwrap_or("partial"));
            if let Some(trace) = sent.trace {
                let (trace, said) = (trace.to_string(), said(TRACE).unwrap_or_default());
                // A later version is read as far as it is the same.
                assert_eq!(trace.get(3..), said.get(3..));
                assert_eq!(said.len(), trace.len());
            }
        }
        Err(status) => {
            assert_eq!(status.code(), Code::InvalidArgument);
            shown::line(status.message());
            let named = |key: &&str| status.message().starts_with(&format!("metadata `{key}` "));
            let key = [BATCH, PLACE, PRIORITY, POLICY].into_iter().find(|key| named(key));
            assert!(is_said(key.expect("the key is named")));
        }
    }
}
