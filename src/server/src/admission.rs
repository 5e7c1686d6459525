//! Who may make which call: each is let in or refused before its service sees it.
//!
//! | call | asks for |
//! | --- | --- |
//! | health | nothing |
//! | `Users` | `send` |
//! | `GetBatch`, `ListDeadLetters` | `send` or `read`: a sender follows its batch |
//! | `SealBatch` | `send` or `operate` |
//! | what only shows | `read` |
//! | what changes the queue | `operate`, which covers `read` |
//! | all else (reflection, methods that are not there) | any role |

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use muster_access::{Access, Call, Peer, Role, Seat, Seats};
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep};
use tonic::codegen::Service;
use tonic::codegen::http::header::AUTHORIZATION;
use tonic::codegen::http::{HeaderMap, Request, Response};
use tonic::{Code, Status};
use tower_layer::Layer;

use crate::status;

/// What health checks begin with.
const HEALTH: &str = "/grpc.health.v1.Health/";
/// The method that takes a stream of records: it may take its time.
const STREAM: &str = "/Users/SendUserInfoClientStream";
/// When somebody for whom there is no room may try again.
const PAUSE: Duration = Duration::from_millis(500);

/// Which of these roles a call asks for; any one is enough.
fn asked_for(path: &str) -> &'static [Role] {
    match path {
        "/Users/SendUserInfo" | STREAM => &[Role::Send],
        "/muster.v1.Batches/GetBatch" | "/muster.v1.DeadLetters/ListDeadLetters" => {
            &[Role::Send, Role::Read]
        }
        "/muster.v1.Batches/SealBatch" => &[Role::Send, Role::Operate],
        "/muster.v1.Batches/ListBatches"
        | "/muster.v1.DeadLetters/ListDeadLetterGroups"
        | "/muster.v1.DeadLetters/GetDeadLetter"
        | "/muster.v1.Queue/GetStats"
        | "/muster.v1.Roll/GetRoll"
        | "/muster.v1.Roll/DownloadRoll"
        | "/muster.v1.Workers/ListWorkers" => &[Role::Read],
        "/muster.v1.Batches/AbortBatch"
        | "/muster.v1.DeadLetters/ReplayDeadLetters"
        | "/muster.v1.DeadLetters/DropDeadLetters"
        | "/muster.v1.Queue/PauseQueue"
        | "/muster.v1.Queue/ResumeQueue"
        | "/muster.v1.Queue/SetLogFilter" => &[Role::Operate],
        _ => &Role::ALL,
    }
}

/// Lets calls in.
#[derive(Clone, Debug)]
pub(crate) struct Admission {
    /// Without it, everybody may do everything.
    pub(crate) access: Option<Arc<Access>>,
    pub(crate) calls: Seats,
    /// How long a call may take that is no stream.
    pub(crate) call_max: Duration,
}

/// A service behind it.
#[derive(Clone, Debug)]
pub(crate) struct Guarded<S> {
    service: S,
    admission: Admission,
}

impl Admission {
    /// Lets a call in, and tells its service who makes it.
    fn admit<B>(&self, request: &mut Request<B>) -> Result<Admitted, Status> {
        let path = request.uri().path();
        let time = (path != STREAM).then_some(self.call_max);
        let Some(peer) = request.extensions().get::<Peer>().cloned() else {
            return Err(Status::internal("the connection says not whose it is"));
        };
        let is_health = path.starts_with(HEALTH);
        let seat = self.calls.take(peer.origin());
        let seat =
            seat.ok_or_else(|| status::exhausted("too many calls at once; try again", PAUSE))?;
        if let Some(access) = self.access.as_ref().filter(|_| !is_health) {
            let roles = asked_for(path);
            let principal = access
                .identify(token(request.headers())?, &peer)
                .map_err(|refusal| Status::unauthenticated(refusal.to_string()))?;
            if !roles.iter().any(|role| principal.may(*role)) {
                let asked = roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(" or ");
                return Err(Status::permission_denied(format!(
                    "{principal} may not do this: it asks for the role {asked}"
                )));
            }
            request.extensions_mut().insert(principal);
        }
        // Health checks are open to anybody, and so befriend nobody.
        if !is_health {
            peer.is_known();
        }
        Ok(Admitted { _call: peer.begin(), _seat: seat, time })
    }
}

/// The token of a call, if it has one.
fn token(headers: &HeaderMap) -> Result<Option<&str>, Status> {
    let Some(value) = headers.get(AUTHORIZATION) else { return Ok(None) };
    let token = value.to_str().ok().and_then(|value| value.split_once(' '));
    match token {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token)),
        _ => Err(Status::unauthenticated("`authorization` must be `Bearer TOKEN`")),
    }
}

/// Takes a seat for a stream, if the call comes by a connection.
///
/// # Errors
///
/// There is none; the caller may try again.
pub(crate) fn stream_seat<T>(
    seats: &Seats,
    request: &tonic::Request<T>,
) -> Result<Option<Seat>, Status> {
    let Some(peer) = request.extensions().get::<Peer>() else { return Ok(None) };
    let seat = seats.take(peer.origin());
    seat.map(Some).ok_or_else(|| status::exhausted("too many streams at once; try again", PAUSE))
}

/// A call that was let in, until it has ended.
#[derive(Debug)]
struct Admitted {
    _call: Call,
    _seat: Seat,
    time: Option<Duration>,
}

impl<S> Layer<S> for Admission {
    type Service = Guarded<S>;

    fn layer(&self, service: S) -> Guarded<S> {
        Guarded { service, admission: self.clone() }
    }
}

impl<S, Q, A> Service<Request<Q>> for Guarded<S>
where
    S: Service<Request<Q>, Response = Response<A>>,
    A: Default,
{
    type Response = Response<A>;
    type Error = S::Error;
    type Future = Answering<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Q>) -> Self::Future {
        match self.admission.admit(&mut request) {
            Ok(admitted) => {
                Answering::Inside { answer: self.service.call(request), clock: None, admitted }
            }
            Err(status) => Answering::Refused { status: Some(status) },
        }
    }
}

pin_project! {
    /// A call that is being answered. It is not boxed: there may be one for each record.
    #[project = AnsweringProjection]
    #[derive(Debug)]
    pub(crate) enum Answering<F> {
        Inside {
            #[pin]
            answer: F,
            // Set once it waits: a call that is answered at once needs none.
            #[pin]
            clock: Option<Sleep>,
            admitted: Admitted,
        },
        Refused {
            status: Option<Status>,
        },
    }
}

impl<F, A, E> Future for Answering<F>
where
    F: Future<Output = Result<Response<A>, E>>,
    A: Default,
{
    type Output = Result<Response<A>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            AnsweringProjection::Inside { answer, mut clock, admitted } => {
                if let Poll::Ready(answer) = answer.poll(context) {
                    return Poll::Ready(answer);
                }
                let Some(time) = admitted.time else { return Poll::Pending };
                if clock.is_none() {
                    clock.set(Some(sleep(time)));
                }
                match clock.as_pin_mut().map(|clock| clock.poll(context)) {
                    Some(Poll::Ready(())) => {
                        let late = format!("the call was not over within {time:?}");
                        Poll::Ready(Ok(Status::new(Code::DeadlineExceeded, late).into_http()))
                    }
                    _ => Poll::Pending,
                }
            }
            AnsweringProjection::Refused { status } => {
                let status = status.take().unwrap_or_else(|| Status::internal("answered before"));
                Poll::Ready(Ok(status.into_http()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::method_paths;

    #[test]
    fn every_method_asks_for_roles_of_its_own() {
        for path in method_paths() {
            assert_ne!(asked_for(&format!("/{path}")), Role::ALL, "{path}");
        }
        assert_eq!(
            asked_for("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"),
            Role::ALL
        );
    }

    #[test]
    fn who_reads_changes_nothing_and_who_sends_sees_only_what_sending_needs() {
        let may = |role: Role| {
            let allowed = |path: &String| {
                asked_for(&format!("/{path}")).iter().any(|asked| role.covers(*asked))
            };
            let mut paths: Vec<String> = method_paths().into_iter().filter(allowed).collect();
            paths.sort();
            paths
        };
        assert_eq!(
            may(Role::Send),
            [
                "Users/SendUserInfo",
                "Users/SendUserInfoClientStream",
                "muster.v1.Batches/GetBatch",
                "muster.v1.Batches/SealBatch",
                "muster.v1.DeadLetters/ListDeadLetters",
            ]
        );
        assert_eq!(
            may(Role::Read),
            [
                "muster.v1.Batches/GetBatch",
                "muster.v1.Batches/ListBatches",
                "muster.v1.DeadLetters/GetDeadLetter",
                "muster.v1.DeadLetters/ListDeadLetterGroups",
                "muster.v1.DeadLetters/ListDeadLetters",
                "muster.v1.Queue/GetStats",
                "muster.v1.Roll/DownloadRoll",
                "muster.v1.Roll/GetRoll",
                "muster.v1.Workers/ListWorkers",
            ]
        );
        let all = method_paths().len();
        assert_eq!(may(Role::Operate).len(), all - 2, "all but sending");
    }
}
