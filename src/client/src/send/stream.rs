//! One client stream, resumed where it broke.

use std::sync::Arc;
use std::time::Duration;

use muster_proto::users::UserResponse;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tonic::{Code, Status};

use super::feed::Feed;
use super::window::{Lost, Window};
use super::{Sender, Stop};
use crate::metrics;
use crate::wire::Messages;

/// How many pages may wait between the window and the connection.
const PAGES_MAX: usize = 2;
/// The first pause before the server is asked how many records are queued. It doubles up to the longest
/// while the answer stays the same.
const ASK_PAUSE_MIN: Duration = Duration::from_millis(50);
const ASK_PAUSE_MAX: Duration = Duration::from_millis(500);

/// Sends all of the feed as one batch. Returns how many records the server refused: none.
pub(super) async fn send(sender: &Sender, feed: &mut Feed) -> Result<u64, Stop> {
    let window = Arc::new(Window::default());
    let mut failures = 0;
    loop {
        let first = window.first();
        let begun = Instant::now();
        let answer = attempt(sender, &window, feed).await?;
        let status = match answer {
            Ok(UserResponse { status: true, .. }) => return Ok(0),
            Ok(UserResponse { message, .. }) => Status::failed_precondition(message),
            // The store was emptied, or an older copy of it restored. If it still has every record that
            // is known to be queued, those after them are sent again.
            Err(status) if matches!(status.code(), Code::NotFound | Code::OutOfRange) => {
                let message = status.message().to_owned();
                let acknowledged = acknowledge(sender, &window).await?;
                acknowledged.err().unwrap_or_else(|| Status::unavailable(message))
            }
            Err(status) => status,
        };
        if window.first() > first {
            failures = 0;
        }
        sender.retry.lasted(begun.elapsed());
        reconnect(sender, &window, feed, &mut failures, status).await?;
    }
}

/// Waits after a stream has failed until the server answers how many records it has. It waits without
/// limit while all records that were read are queued and the input brings no more.
async fn reconnect(
    sender: &Sender,
    window: &Window,
    feed: &Feed,
    failures: &mut u32,
    mut status: Status,
) -> Result<(), Stop> {
    loop {
        if window.is_acknowledged() && feed.is_idle() {
            sender.retry.progress();
        }
        sender.retry.pause(*failures, status).await?;
        *failures = failures.saturating_add(1);
        match acknowledge(sender, window).await? {
            Ok(()) => return Ok(()),
            Err(failure) => status = failure,
        }
    }
}

/// Sends what the window holds and then what the feed brings, until the server answers.
async fn attempt(
    sender: &Sender,
    window: &Window,
    feed: &mut Feed,
) -> Result<Result<UserResponse, Status>, Lost> {
    sender.pending.sealing(false);
    let (first, before) = window.start();
    let (pages, sending) = mpsc::channel(PAGES_MAX);
    let call = sender.server.send_stream(&sender.labels, first, before, sending);
    // All three are cancel-safe: a page is in the window before it is sent.
    tokio::select! {
        answer = call => Ok(answer),
        overtaken = fill(sender, window, first, feed, pages) => Ok(Err(overtaken)),
        lost = keep_acknowledging(sender, window) => Err(lost),
    }
}

/// Sends the records from the place `next` on. The answer comes after the last: until then it does not
/// end, unless the records that come next are queued by another sender of the batch.
async fn fill(
    sender: &Sender,
    window: &Window,
    mut next: u64,
    feed: &mut Feed,
    pages: mpsc::Sender<Messages>,
) -> Status {
    loop {
        // What the window holds of an earlier attempt comes first.
        let page = match window.page(next) {
            Some(page) => page,
            None if window.has_passed(next) => {
                return Status::unavailable("another sender of the batch is ahead");
            }
            None => {
                window.room().await;
                let Some(fresh) = feed.next().await else {
                    sender.pending.sealing(true);
                    break;
                };
                window.push(fresh.clone());
                fresh
            }
        };
        next += page.records() as u64;
        sender.pending.sent(next);
        // When the call has ended nobody takes the page; its answer says why.
        if pages.send(page).await.is_err() {
            break;
        }
    }
    drop(pages);
    std::future::pending().await
}

/// Moves the window on as records are queued. Ends only if the server has lost some.
async fn keep_acknowledging(sender: &Sender, window: &Window) -> Lost {
    let mut pause = ASK_PAUSE_MIN;
    loop {
        window.unacknowledged().await;
        tokio::time::sleep(pause).await;
        let first = window.first();
        match sender.server.batch(&sender.labels.batch).await {
            Ok(Some(batch)) => {
                if let Err(lost) = move_on(sender, window, batch.received) {
                    return lost;
                }
            }
            Ok(None) if window.first() > 0 => {
                return Lost { received: 0, before: window.first() };
            }
            // Not opened yet, or away for now: the call itself will show.
            Ok(None) => {}
            Err(status) if status.code() == Code::Unimplemented => {
                // A server that cannot say: nothing is kept, and nothing can be sent again.
                sender.pending.accepted(u64::MAX);
                window.keep_nothing();
                std::future::pending().await
            }
            Err(_) => {}
        }
        let has_moved = window.first() > first;
        pause = if has_moved { ASK_PAUSE_MIN } else { (pause * 2).min(ASK_PAUSE_MAX) };
    }
}

/// Asks the server once how many records it has, and moves the window on. That it answers is not
/// progress, since it may refuse records for ever; but a full queue will have room again.
async fn acknowledge(sender: &Sender, window: &Window) -> Result<Result<(), Status>, Lost> {
    let batch = match sender.server.batch(&sender.labels.batch).await {
        Ok(batch) => batch,
        Err(status) => return Ok(Err(status)),
    };
    if batch.as_ref().is_some_and(|batch| batch.queue_full) {
        sender.retry.progress();
    }
    move_on(sender, window, batch.map_or(0, |batch| batch.received))?;
    Ok(Ok(()))
}

/// Moves the window on to what is queued.
fn move_on(sender: &Sender, window: &Window, received: u64) -> Result<(), Lost> {
    let first = window.first();
    window.acknowledge(received)?;
    sender.pending.accepted(window.first());
    if window.first() > first {
        metrics::accepted(window.first());
        sender.retry.progress();
    }
    Ok(())
}
