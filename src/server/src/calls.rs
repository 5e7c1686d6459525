//! Every call, measured: how long it took until it was answered, and with what. And its span.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use muster_program::traces;
use muster_proto::metadata::TRACE;
use pin_project_lite::pin_project;
use tonic::Code;
use tonic::codegen::Service;
use tonic::codegen::http::{HeaderMap, Request, Response};
use tower_layer::Layer;
use tracing::field::Empty;
use tracing::instrument::Instrumented;
use tracing::{Instrument as _, Level, Span};

use crate::metadata;
use crate::metrics::{self, Method};

/// The methods that take records in.
const STREAM: &str = "Users/SendUserInfoClientStream";
const RECORD: &str = "Users/SendUserInfo";

/// Measures the calls to a service.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MeasureCalls;

/// A service whose calls are measured.
#[derive(Clone, Debug)]
pub(crate) struct Measured<S>(S);

impl<S> Layer<S> for MeasureCalls {
    type Service = Measured<S>;

    fn layer(&self, service: S) -> Measured<S> {
        Measured(service)
    }
}

impl<S, Q, A> Service<Request<Q>> for Measured<S>
where
    S: Service<Request<Q>, Response = Response<A>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Answering<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Q>) -> Self::Future {
        let method = metrics::method(request.uri().path());
        let span = span(method, request.headers_mut());
        let call = Some(Call::begun(method));
        Answering { answer: self.0.call(request).instrument(span), call }
    }
}

pin_project! {
    /// A call that is being answered. It is not boxed: there may be one for each record.
    #[derive(Debug)]
    pub(crate) struct Answering<F> {
        #[pin]
        answer: Instrumented<F>,
        // Taken when it is answered.
        call: Option<Call>,
    }
}

impl<F, A, E> Future for Answering<F>
where
    F: Future<Output = Result<Response<A>, E>>,
{
    type Output = Result<Response<A>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let answer = ready!(this.answer.as_mut().poll(context));
        if let (Ok(answer), Some(call)) = (&answer, this.call.take()) {
            let code = code(answer);
            this.answer.span().record("code", tracing::field::debug(code));
            call.answered(code);
        }
        Poll::Ready(answer)
    }
}

/// The span of a call, if it has one: calls that look after things, again and again, have none
/// unless they are part of a trace. What follows from the call finds the span in the place of the
/// caller's.
fn span(method: &Method, headers: &mut HeaderMap) -> Span {
    let (name, parent) = (method.name(), metadata::trace(headers));
    macro_rules! of_call {
        ($level:ident, $($name:tt)*) => {
            tracing::span!(
                Level::$level,
                $($name)*,
                otel.kind = "server",
                batch = Empty,
                code = Empty,
                trace = traces::field(parent),
            )
        };
    }
    let span = match name {
        STREAM => of_call!(INFO, STREAM),
        // There may be one for each record: the log is not told at its usual level.
        RECORD => of_call!(DEBUG, RECORD),
        _ if parent.is_some() => of_call!(DEBUG, "call", otel.name = name),
        _ => Span::none(),
    };
    let own = traces::join(&span, parent).filter(|own| Some(*own) != parent);
    if let Some(own) = own.and_then(|own| own.to_string().parse().ok()) {
        headers.insert(TRACE, own);
    }
    span
}

/// The code of an answer. One that is good says so behind its message; one that is not has no
/// message, and says so at once. The answer to a request that is not a gRPC call has
/// only an HTTP status.
fn code<A>(answer: &Response<A>) -> Code {
    if !answer.status().is_success() {
        return Code::Unknown;
    }
    answer
        .headers()
        .get(tonic::Status::GRPC_STATUS)
        .map_or(Code::Ok, |code| Code::from_bytes(code.as_bytes()))
}

/// A call under way. It is measured when it is dropped: a caller that goes away cancels it.
#[derive(Debug)]
struct Call {
    method: &'static Method,
    began: Instant,
    code: Code,
}

impl Call {
    fn begun(method: &'static Method) -> Self {
        Self { method, began: Instant::now(), code: Code::Cancelled }
    }

    fn answered(mut self, code: Code) {
        self.code = code;
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.method.ended(self.code, self.began.elapsed());
    }
}
