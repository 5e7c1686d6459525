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
/// How often the server is asked how many records are queued.
const ACKNOWLEDGE_INTERVAL: Duration = Duration::from_millis(50);

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
                acknowledge(sender, &window).await?;
                Status::unavailable(status.message())
            }
            Err(status) => status,
        };
        if window.first() > first {
            failures = 0;
        }
        sender.retry.lasted(begun.elapsed());
        sender.retry.pause(failures, status).await?;
        failures += 1;
        acknowledge(sender, &window).await?;
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
    loop {
        tokio::time::sleep(ACKNOWLEDGE_INTERVAL).await;
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
    }
}

/// Finds out where to go on.
async fn acknowledge(sender: &Sender, window: &Window) -> Result<(), Stop> {
    let look = async || sender.server.batch(&sender.labels.batch).await;
    // That the server answers is no progress: it may refuse to take records for ever.
    let batch = sender.retry.look(look).await?;
    move_on(sender, window, batch.map_or(0, |batch| batch.received))?;
    Ok(())
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
