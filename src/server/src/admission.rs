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

use muster_access::{Access, Call, Lasting, Peer, Role, Seat, Seats, bearer};
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep, sleep_until};
use tokio_util::task::AbortOnDropHandle;
use tonic::Status;
use tonic::codegen::Service;
use tonic::codegen::http::{Request, Response};
use tower_layer::Layer;

use crate::deadline::Deadline;
use crate::messages::{REFLECTION, REFLECTION_ALPHA, STREAM};
use crate::protocol::{self, NotGrpc};
use crate::router::USERS;
use crate::status;

/// What health checks begin with.
const HEALTH: &str = "/grpc.health.v1.Health/";
/// How many health checks may be under way, in all and from one address: anybody may make them, and
/// so they take no seats of others.
const HEALTH_SEATS: (usize, usize) = (1024, 256);
/// The methods that answer by a stream: it may take its time.
const ANSWER_STREAMS: [&str; 4] =
    ["/grpc.health.v1.Health/Watch", REFLECTION, REFLECTION_ALPHA, "/muster.v1.Roll/DownloadRoll"];
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
    access: Option<Arc<Access>>,
    calls: Seats,
    health_calls: Seats,
    /// How long a call may take that is no stream, and how long its answer may not be taken.
    call_max: Duration,
}

/// A service behind it.
#[derive(Clone, Debug)]
pub(crate) struct Guarded<S> {
    service: S,
    admission: Admission,
}

impl Admission {
    /// One for calls of those on the list, if there is one, with these seats.
    pub(crate) fn new(access: Option<Arc<Access>>, calls: Seats, call_max: Duration) -> Self {
        let (all, of_address) = HEALTH_SEATS;
        Self { access, calls, health_calls: Seats::new(all, of_address), call_max }
    }

    /// Lets a call in, and tells its service who makes it.
    fn admit<B>(&self, request: &mut Request<B>) -> Result<Admitted, Status> {
        let path = request.uri().path();
        // A stream of records may take its time.
        let answer_max = (path != STREAM).then_some(self.call_max);
        let deadline = Deadline::of(request.headers(), answer_max);
        // The answer to a record is so short that its seat is bound enough.
        let is_long = !path.starts_with(USERS) && !ANSWER_STREAMS.contains(&path);
        let take_max = is_long.then_some(self.call_max);
        let Some(peer) = request.extensions().get::<Peer>().cloned() else {
            return Err(Status::internal("the connection says not whose it is"));
        };
        let is_health = path.starts_with(HEALTH);
        let seats = if is_health { &self.health_calls } else { &self.calls };
        let seat = seats.take(peer.origin());
        let seat =
            seat.ok_or_else(|| status::exhausted("too many calls at once; try again", PAUSE))?;
        if let Some(access) = self.access.as_ref().filter(|_| !is_health) {
            let roles = asked_for(path);
            let token = bearer(request.headers());
            let token = token.map_err(|error| Status::unauthenticated(error.to_string()))?;
            let principal = access.identify(token, &peer);
            let principal =
                principal.map_err(|error| Status::unauthenticated(error.to_string()))?;
            if !roles.iter().any(|role| principal.may(*role)) {
                let asked = roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(" or ");
                return Err(Status::permission_denied(format!(
                    "{principal} may not do this: it asks for the role {asked}"
                )));
            }
            request.extensions_mut().insert(principal);
        }
        let call = peer.begin();
        // Health checks are open to anybody, and so befriend nobody.
        if is_health {
            peer.stay_while_calling();
        } else {
            peer.is_known();
        }
        Ok(Admitted { call, _seat: seat, deadline, take_max, _taking: None })
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

/// A call that was let in, until its answer has been taken.
#[derive(Debug)]
pub(crate) struct Admitted {
    call: Call,
    _seat: Seat,
    /// When it must be answered.
    deadline: Option<Deadline>,
    /// How long its answer may take to be taken.
    take_max: Option<Duration>,
    _taking: Option<AbortOnDropHandle<()>>,
}

impl Admitted {
    /// It is answered. Whoever asks and does not take the answer has to go: HTTP/2 asks for no more
    /// of it until they do, so that nothing but a clock would notice.
    #[expect(clippy::disallowed_methods, reason = "it ends with the answer, if not before")]
    fn answered(mut self) -> Self {
        self._taking = self.take_max.map(|time| {
            let peer = self.call.peer().clone();
            AbortOnDropHandle::new(tokio::spawn(async move {
                sleep(time).await;
                peer.cut_off();
            }))
        });
        self
    }
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
    type Response = Response<Lasting<A, Option<Admitted>>>;
    type Error = S::Error;
    type Future = Answering<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Q>) -> Self::Future {
        if let Err(not_grpc) = protocol::check(&request) {
            return Answering::NotGrpc { not_grpc };
        }
        match self.admission.admit(&mut request) {
            Ok(admitted) => {
                let admitted = Some(admitted);
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
            admitted: Option<Admitted>,
        },
        Refused {
            status: Option<Status>,
        },
        NotGrpc {
            not_grpc: NotGrpc,
        },
    }
}

impl<F, A, E> Future for Answering<F>
where
    F: Future<Output = Result<Response<A>, E>>,
    A: Default,
{
    type Output = Result<Response<Lasting<A, Option<Admitted>>>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            AnsweringProjection::Inside { answer, mut clock, admitted } => {
                if let Poll::Ready(answer) = answer.poll(context) {
                    let admitted = admitted.take().map(Admitted::answered);
                    let lasting = |body| Lasting::new(body, admitted);
                    return Poll::Ready(answer.map(|answer| answer.map(lasting)));
                }
                let deadline = admitted.as_ref().and_then(|admitted| admitted.deadline);
                let Some(deadline) = deadline else { return Poll::Pending };
                if clock.is_none() {
                    clock.set(Some(sleep_until(deadline.at())));
                }
                let is_over =
                    clock.as_pin_mut().is_some_and(|clock| clock.poll(context).is_ready());
                // `tonic` has a timer for the caller's deadline as well, which answers CANCELLED. It
                // began later than this one, and this call is polled before it.
                if is_over || deadline.has_passed() {
                    Poll::Ready(Ok(deadline.exceeded().into_http()))
                } else {
                    Poll::Pending
                }
            }
            AnsweringProjection::Refused { status } => {
                let status = status.take().unwrap_or_else(|| Status::internal("answered before"));
                Poll::Ready(Ok(status.into_http()))
            }
            AnsweringProjection::NotGrpc { not_grpc } => Poll::Ready(Ok(not_grpc.answer())),
        }
    }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use prost_types::FileDescriptorSet;

    use super::*;
    use crate::metrics::method_paths;

    #[test]
    fn every_method_asks_for_roles_of_its_own() {
        for path in method_paths() {
            assert_ne!(asked_for(&format!("/{path}")), Role::ALL, "{path}");
        }
        for path in [REFLECTION, REFLECTION_ALPHA] {
            assert_eq!(asked_for(path), Role::ALL);
        }
    }

    #[test]
    fn the_methods_that_answer_by_a_stream_are_known() {
        let ours: Vec<String> = method_paths().into_iter().map(|path| format!("/{path}")).collect();
        let files = FileDescriptorSet::decode(muster_proto::FILE_DESCRIPTOR_SET).unwrap();
        let methods = files.file.iter().flat_map(|file| &file.service).flat_map(|of| &of.method);
        let are_streams = methods.map(prost_types::MethodDescriptorProto::server_streaming);
        for (path, is_stream) in ours.iter().zip(are_streams) {
            assert_eq!(ANSWER_STREAMS.contains(&path.as_str()), is_stream, "{path}");
        }
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
