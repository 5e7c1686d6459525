//! Every call, measured: how long it took until it was answered, and with what.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use pin_project_lite::pin_project;
use tonic::Code;
use tonic::codegen::Service;
use tonic::codegen::http::{Request, Response};
use tower_layer::Layer;

use crate::metrics::{self, Method};

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

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        let call = Some(Call::begun(request.uri().path()));
        Answering { answer: self.0.call(request), call }
    }
}

pin_project! {
    /// A call that is being answered. It is not boxed: there may be one for each record.
    #[derive(Debug)]
    pub(crate) struct Answering<F> {
        #[pin]
        answer: F,
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
        let this = self.project();
        let answer = ready!(this.answer.poll(context));
        if let (Ok(answer), Some(call)) = (&answer, this.call.take()) {
            call.answered(code(answer));
        }
        Poll::Ready(answer)
    }
}

/// The code of an answer. One that is good says so behind its message; one that is not has no
/// message, and says so at once.
fn code<A>(answer: &Response<A>) -> Code {
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
    fn begun(path: &str) -> Self {
        Self { method: metrics::method(path), began: Instant::now(), code: Code::Cancelled }
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
