//! Which service a call goes to.

use std::convert::Infallible;
use std::task::{Context, Poll};

use futures::future::Either;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::codegen::http::{Request, Response};
use tonic::service::Routes;

use crate::messages::Messages;
use crate::users::{Users, UsersServer};

/// What calls to `Users` begin with.
pub(crate) const USERS: &str = "/Users/";

/// Takes calls to their services. Those to `Users`, of which there may be one for each record, go
/// straight to it, and not through the table and the boxes of the others.
#[derive(Clone, Debug)]
pub(crate) struct Router {
    pub(crate) users: UsersServer<Users>,
    pub(crate) others: Routes,
}

impl Service<Request<Body>> for Router {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Either<
        <UsersServer<Users> as Service<Request<Messages>>>::Future,
        <Routes as Service<Request<Messages>>>::Future,
    >;

    /// Each service is ready, always.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let request = Messages::count(request);
        if request.uri().path().starts_with(USERS) {
            Either::Left(self.users.call(request))
        } else {
            Either::Right(self.others.call(request))
        }
    }
}
