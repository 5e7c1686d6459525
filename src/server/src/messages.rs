//! How many messages a call brings.
//!
//! `tonic` carries out the first message of a unary call and drops the others. Here a call with more or
//! fewer messages than its method takes is refused with UNIMPLEMENTED, as gRPC asks for a violation of
//! the request cardinality (<https://github.com/grpc/grpc/blob/master/doc/statuscodes.md>).

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Body as HttpBody;
use tonic::codegen::http::Request;

/// The method that takes a stream of records.
pub(crate) const STREAM: &str = "/Users/SendUserInfoClientStream";
/// The methods of reflection, which take a stream of questions.
pub(crate) const REFLECTION: &str = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
pub(crate) const REFLECTION_ALPHA: &str =
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
/// The methods that take any number of messages. All others take one.
const REQUEST_STREAMS: [&str; 3] = [STREAM, REFLECTION, REFLECTION_ALPHA];

/// What a message begins with: a flag, and its length in four bytes, big-endian.
const PREFIX_BYTES: usize = 5;

/// The body of a request, with as many messages as its method takes.
#[derive(Debug)]
pub(crate) struct Messages {
    body: Body,
    /// The message of a method that takes one.
    only: Option<Message>,
}

/// A message, as far as it has come.
#[derive(Debug, Default)]
struct Message {
    prefix: [u8; PREFIX_BYTES],
    /// How many bytes have come, the prefix included.
    received: usize,
}

impl Messages {
    /// The request, with its messages counted.
    pub(crate) fn count(request: Request<Body>) -> Request<Self> {
        let takes_stream = REQUEST_STREAMS.contains(&request.uri().path());
        request.map(|body| Self { body, only: (!takes_stream).then(Message::default) })
    }
}

impl Message {
    /// Takes what has come.
    ///
    /// # Errors
    ///
    /// `UNIMPLEMENTED`: there is more than one message.
    fn receive(&mut self, data: &[u8]) -> Result<(), Status> {
        let missing = &mut self.prefix[self.received.min(PREFIX_BYTES)..];
        for (byte, received) in missing.iter_mut().zip(data) {
            *byte = *received;
        }
        self.received += data.len();
        let [_, length @ ..] = self.prefix;
        // Until the length is known, not more than the prefix has come.
        if self.received > PREFIX_BYTES + u32::from_be_bytes(length) as usize {
            return Err(Status::unimplemented("the method takes one message, and more were sent"));
        }
        Ok(())
    }

    /// Checks that there is one.
    ///
    /// # Errors
    ///
    /// `UNIMPLEMENTED`: there is none.
    fn end(&self) -> Result<(), Status> {
        if self.received == 0 {
            return Err(Status::unimplemented("the method takes one message, and none was sent"));
        }
        Ok(())
    }
}

impl HttpBody for Messages {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Status>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context)).transpose()?;
        if let Some(only) = &mut self.only {
            match frame.as_ref().and_then(http_body::Frame::data_ref) {
                Some(data) => only.receive(data)?,
                None => only.end()?,
            }
        }
        Poll::Ready(frame.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        let is_checked = self.only.as_ref().is_none_or(|only| only.received > 0);
        is_checked && self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use prost_types::{FileDescriptorSet, MethodDescriptorProto};

    use super::*;
    use crate::metrics::method_paths;

    #[test]
    fn methods_that_take_streams_are_known() {
        let files = FileDescriptorSet::decode(muster_proto::FILE_DESCRIPTOR_SET).unwrap();
        let methods = files.file.iter().flat_map(|file| &file.service).flat_map(|of| &of.method);
        let take_streams = methods.map(MethodDescriptorProto::client_streaming);
        for (path, takes_stream) in method_paths().into_iter().zip(take_streams) {
            let path = format!("/{path}");
            assert_eq!(REQUEST_STREAMS.contains(&path.as_str()), takes_stream, "{path}");
        }
    }

    #[test]
    fn second_message_is_noticed_wherever_the_first_is_cut() {
        let one = [0, 0, 0, 0, 2, 7, 7];
        let two = [one, one].concat();
        for cut in 0..=one.len() {
            let mut message = Message::default();
            let (begin, end) = one.split_at(cut);
            message.receive(begin).unwrap();
            message.receive(end).unwrap();
            message.end().unwrap();
            assert!(message.receive(&[0]).is_err(), "{cut}");

            let mut message = Message::default();
            let (begin, end) = two.split_at(cut);
            message.receive(begin).unwrap();
            assert!(message.receive(end).is_err(), "{cut}");
        }
        assert!(Message::default().end().is_err());
    }
}
