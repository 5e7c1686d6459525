//! A call whose messages are encoded already.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::Frame;
use muster_proto::users::UserResponse;
use tokio::sync::mpsc;
use tonic::body::Body;
use tonic::client::Grpc;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::{Service, http};
use tonic::transport;
use tonic::{Request, Status};

use super::{Connection, Messages};

/// What a call sends, as it goes out.
#[derive(Debug)]
pub(super) enum Outgoing {
    /// One message; `None` when it has gone out.
    One(Option<Bytes>),
    /// Any number of them, until the other end is dropped.
    Pages(mpsc::Receiver<Messages>),
}

impl http_body::Body for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = match self.get_mut() {
            Self::One(message) => Poll::Ready(message.take()),
            Self::Pages(pages) => pages.poll_recv(context).map(|page| Some(page?.bytes().clone())),
        };
        bytes.map(|bytes| Some(Ok(Frame::data(bytes?))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::One(None))
    }
}

/// Makes a call to the method at `path`, which sends records.
pub(super) async fn call(
    connection: Connection,
    path: &'static str,
    request: Request<Outgoing>,
) -> Result<UserResponse, Status> {
    let (metadata, extensions, outgoing) = request.into_parts();
    // tonic would encode the messages: it is given none, and they take the place of its body.
    let request = Request::from_parts(metadata, extensions, tokio_stream::empty());
    let mut grpc = Grpc::new(InPlace { connection, outgoing: Some(outgoing) });
    grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let path = http::uri::PathAndQuery::from_static(path);
    Ok(grpc.client_streaming(request, path, ResponseCodec).await?.into_inner())
}

/// The way to the server for one call, with what it sends in place of the body.
struct InPlace {
    connection: Connection,
    outgoing: Option<Outgoing>,
}

impl Service<http::Request<Body>> for InPlace {
    type Response = http::Response<Body>;
    type Error = transport::Error;
    type Future = <Connection as Service<http::Request<Body>>>::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.connection.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let outgoing = self.outgoing.take().map_or_else(Body::empty, Body::new);
        self.connection.call(request.map(|_| outgoing))
    }
}

/// Encodes nothing, and decodes the answer.
#[derive(Clone, Copy, Debug)]
struct ResponseCodec;

impl Codec for ResponseCodec {
    type Encode = Infallible;
    type Decode = UserResponse;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for ResponseCodec {
    type Item = Infallible;
    type Error = Status;

    fn encode(&mut self, message: Infallible, _: &mut EncodeBuf<'_>) -> Result<(), Status> {
        match message {}
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(0, 0)
    }
}

impl Decoder for ResponseCodec {
    type Item = UserResponse;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<UserResponse>, Status> {
        let response = prost::Message::decode(buffer);
        response.map(Some).map_err(|error: prost::DecodeError| Status::internal(error.to_string()))
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(256, 0)
    }
}
