//! A connection that was let in, cut off by time.
//!
//! A connection is closed if no call authenticates it within `arrival_max`, unless it makes calls that
//! need no authentication. It is also closed if it makes no call for `idle_max`, or takes nothing of what
//! is sent for `write_max`. The limits are checked where the connection waits, so that a busy one pays
//! nothing for them.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_rustls::server::TlsStream;
use tokio_util::sync::WaitForCancellationFutureOwned;
use tonic::transport::server::Connected;

use crate::metrics::{self, Refused};
use crate::peer::Peer;

/// How long a connection may do nothing.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Until its first call is let in, TLS included; and after a call that is open to anybody.
    pub arrival_max: Duration,
    /// Without any call.
    pub idle_max: Duration,
    /// While something is being sent that it does not take.
    pub write_max: Duration,
}

pin_project! {
    #[project = StreamProjection]
    #[derive(Debug)]
    pub(crate) enum Stream {
        Plain { #[pin] stream: TcpStream },
        Tls { #[pin] stream: Box<TlsStream<TcpStream>> },
    }
}

pin_project! {
    /// A connection that was let in.
    #[derive(Debug)]
    pub struct Connection {
        #[pin]
        stream: Stream,
        peer: Peer,
        times: Times,
        came: Instant,
        // Boxed, as are the clocks: a connection is moved about until it is served.
        out: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
        reading: Pin<Box<Sleep>>,
        // While something waits to be written.
        writing: Option<Pin<Box<Sleep>>>,
    }
}

impl Connection {
    pub(crate) fn new(stream: Stream, peer: Peer, came: Instant, times: Times) -> Self {
        let out = peer.pass().map(|pass| Box::pin(pass.out().clone().cancelled_owned()));
        let reading = Box::pin(sleep_until(came + times.arrival_max));
        Self { stream, peer, times, came, out, reading, writing: None }
    }

    /// Whose it is.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }
}

impl Connected for Connection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.project();
        if let Some(out) = this.out
            && out.as_mut().poll(context).is_ready()
        {
            return Poll::Ready(Err(gone("it had to give way to others, or took too long")));
        }
        if let Poll::Ready(read) = this.stream.poll_read(context, buffer) {
            return Poll::Ready(read);
        }
        while this.reading.as_mut().poll(context).is_ready() {
            let now = Instant::now();
            let until = leaves_at(this.peer, *this.came, this.times, now);
            if until <= now {
                metrics::refused(Refused::Late);
                return Poll::Ready(Err(gone("it made no call for too long")));
            }
            this.reading.as_mut().reset(until);
        }
        Poll::Pending
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut this = self.project();
        is_welcome(this.peer, *this.came, this.times)?;
        let written = this.stream.as_mut().poll_write(context, bytes);
        in_time(written, this.writing, this.times.write_max, context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut this = self.project();
        is_welcome(this.peer, *this.came, this.times)?;
        let written = this.stream.as_mut().poll_write_vectored(context, bytes);
        in_time(written, this.writing, this.times.write_max, context)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Stream::Plain { stream } => stream.is_write_vectored(),
            Stream::Tls { stream } => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut this = self.project();
        is_welcome(this.peer, *this.came, this.times)?;
        let flushed = this.stream.as_mut().poll_flush(context);
        in_time(flushed, this.writing, this.times.write_max, context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut this = self.project();
        let shut = this.stream.as_mut().poll_shutdown(context);
        in_time(shut, this.writing, this.times.write_max, context)
    }
}

/// When a connection has to go, if no call begins until then. While there are calls it is looked again
/// after the same time.
fn leaves_at(peer: &Peer, came: Instant, times: &Times, now: Instant) -> Instant {
    if !peer.was_let_in() && !peer.stays_while_calling() {
        return came + times.arrival_max;
    }
    let max = if peer.was_let_in() { times.idle_max } else { times.arrival_max };
    peer.idle_since().unwrap_or(now) + max
}

/// Whether a connection may be written to. Who is being answered may not be reading meanwhile, and so
/// would not see that it has to go.
fn is_welcome(peer: &Peer, came: Instant, times: &Times) -> io::Result<()> {
    if peer.pass().is_some_and(|pass| pass.out().is_cancelled()) {
        return Err(gone("it had to give way to others, or took too long"));
    }
    let now = Instant::now();
    if !peer.was_let_in() && leaves_at(peer, came, times, now) <= now {
        metrics::refused(Refused::Late);
        return Err(gone("it made no call for too long"));
    }
    Ok(())
}

/// What writing has come to, unless it has been waiting for too long.
fn in_time<T>(
    done: Poll<io::Result<T>>,
    writing: &mut Option<Pin<Box<Sleep>>>,
    max: Duration,
    context: &mut Context<'_>,
) -> Poll<io::Result<T>> {
    if done.is_ready() {
        *writing = None;
        return done;
    }
    let clock = writing.get_or_insert_with(|| Box::pin(tokio::time::sleep(max)));
    ready!(clock.as_mut().poll(context));
    metrics::refused(Refused::Late);
    Poll::Ready(Err(gone("it takes nothing of what it is sent")))
}

fn gone(why: &'static str) -> io::Error {
    tracing::debug!(why, "a connection is cut off");
    io::Error::new(io::ErrorKind::TimedOut, why)
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.project() {
            StreamProjection::Plain { stream } => stream.poll_read(context, buffer),
            StreamProjection::Tls { stream } => stream.poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.project() {
            StreamProjection::Plain { stream } => stream.poll_write(context, bytes),
            StreamProjection::Tls { stream } => stream.poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.project() {
            StreamProjection::Plain { stream } => stream.poll_write_vectored(context, bytes),
            StreamProjection::Tls { stream } => stream.poll_write_vectored(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.project() {
            StreamProjection::Plain { stream } => stream.poll_flush(context),
            StreamProjection::Tls { stream } => stream.poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.project() {
            StreamProjection::Plain { stream } => stream.poll_shutdown(context),
            StreamProjection::Tls { stream } => stream.poll_shutdown(context),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn connection_that_checks_health_stays_while_a_call_lasts() {
        let seconds = Duration::from_secs;
        let times =
            Times { arrival_max: seconds(10), idle_max: seconds(900), write_max: seconds(30) };
        let (peer, came) = (Peer::of_test(&[]), Instant::now());
        let has_to_go = || leaves_at(&peer, came, &times, Instant::now()) <= Instant::now();
        let call = peer.begin();
        advance(seconds(60)).await;
        assert!(has_to_go(), "a call alone does not let it stay");
        peer.stay_while_calling();
        assert!(!has_to_go());
        drop(call);
        advance(seconds(9)).await;
        assert!(!has_to_go());
        advance(seconds(1)).await;
        assert!(has_to_go());
    }
}
