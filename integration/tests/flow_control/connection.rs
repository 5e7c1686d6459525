//! A gRPC client that sends each message in a DATA frame of its own, as grpcio, grpc-js and others do. tonic
//! sends several together.

use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{BufMut as _, Bytes, BytesMut};
use h2::client::{ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use http::Request;
use prost::Message;
use tokio::net::TcpStream;

/// A connection over HTTP/2, in plain text.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    calls: SendRequest<Bytes>,
    authority: String,
}

/// A call that has begun.
#[derive(Debug)]
pub(crate) struct Call {
    messages: SendStream<Bytes>,
    response: ResponseFuture,
}

/// How a call ended.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The gRPC status code: 0 is OK.
    pub(crate) code: u32,
    /// The messages of the response, each behind its five bytes of length.
    pub(crate) body: Bytes,
}

impl Connection {
    pub(crate) async fn open(port: u16) -> Self {
        let authority = format!("127.0.0.1:{port}");
        let stream = TcpStream::connect(&authority).await.expect("the server listens");
        stream.set_nodelay(true).expect("the connection is there");
        let (calls, connection) = h2::client::handshake(stream).await.expect("it speaks HTTP/2");
        // Why a connection ends is seen by its calls.
        tokio::spawn(connection);
        Self { calls, authority }
    }

    pub(crate) async fn begin(&self, path: &str, metadata: &[(&str, &str)]) -> Call {
        let mut request = Request::post(format!("http://{}{path}", self.authority))
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        for (key, value) in metadata {
            request = request.header(*key, *value);
        }
        let request = request.body(()).expect("a valid request");
        let mut calls = self.calls.clone().ready().await.expect("the connection is open");
        let (response, messages) = calls.send_request(request, false).expect("a call can begin");
        Call { messages, response }
    }

    /// Makes a call with one message.
    pub(crate) async fn call(
        &self,
        path: &str,
        message: &impl Message,
    ) -> Result<Answer, h2::Error> {
        let mut call = self.begin(path, &[]).await;
        call.send(&frame(message), 1, &AtomicUsize::new(0)).await?;
        call.finish().await
    }
}

/// A message with its length before it.
pub(crate) fn frame(message: &impl Message) -> Bytes {
    let mut frame = BytesMut::new();
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.encoded_len()).expect("a short message"));
    message.encode(&mut frame).expect("a buffer grows");
    frame.freeze()
}

impl Call {
    /// Sends the frame this many times, as fast as the server takes it, and adds its bytes to `sent`.
    pub(crate) async fn send(
        &mut self,
        frame: &Bytes,
        times: usize,
        sent: &AtomicUsize,
    ) -> Result<(), h2::Error> {
        for _ in 0..times {
            self.messages.reserve_capacity(frame.len());
            while self.messages.capacity() < frame.len() {
                match poll_fn(|context| self.messages.poll_capacity(context)).await {
                    Some(capacity) => drop(capacity?),
                    // The server has answered, and takes no more.
                    None => return Ok(()),
                }
            }
            self.messages.send_data(frame.clone(), false)?;
            sent.fetch_add(frame.len(), Ordering::Relaxed);
        }
        Ok(())
    }

    /// Ends the messages, and waits for the answer.
    pub(crate) async fn finish(mut self) -> Result<Answer, h2::Error> {
        self.messages.send_data(Bytes::new(), true)?;
        let response = self.response.await?;
        let in_headers = code(response.headers());
        let mut stream = response.into_body();
        let body = read(&mut stream).await?;
        let trailers = stream.trailers().await?;
        let code = trailers.as_ref().and_then(code).or(in_headers);
        Ok(Answer { code: code.expect("an answer has a status"), body })
    }
}

async fn read(stream: &mut RecvStream) -> Result<Bytes, h2::Error> {
    let mut body = BytesMut::new();
    while let Some(data) = stream.data().await {
        let data = data?;
        stream.flow_control().release_capacity(data.len())?;
        body.extend_from_slice(&data);
    }
    Ok(body.freeze())
}

fn code(headers: &http::HeaderMap) -> Option<u32> {
    headers.get("grpc-status")?.to_str().ok()?.parse().ok()
}
