//! Every call, measured: how long it took until it was answered, and with what.

use std::task::{Context, Poll};
use std::time::Instant;

use futures::future::BoxFuture;
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
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        let call = Call::begun(request.uri().path());
        let answer = self.0.call(request);
        Box::pin(async move {
            let answer = answer.await?;
            call.answered(code(&answer));
            Ok(answer)
        })
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
