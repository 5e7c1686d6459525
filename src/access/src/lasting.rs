//! The body of an answer, and what lasts as long as it does.

use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Frame, SizeHint};

pin_project_lite::pin_project! {
    /// A body that keeps something until it was sent, or nobody waits for it any more: its call, its
    /// seat.
    #[derive(Debug, Default)]
    pub struct Lasting<B, K> {
        #[pin]
        body: B,
        _kept: K,
    }
}

impl<B, K> Lasting<B, K> {
    /// This body, which keeps `kept`.
    pub fn new(body: B, kept: K) -> Self {
        Self { body, _kept: kept }
    }
}

impl<B: Body, K> Body for Lasting<B, K> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.project().body.poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
