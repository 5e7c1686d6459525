//! What a supervisor is told that asks for it by `NOTIFY_SOCKET`, as systemd does.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::sync::watch;

use crate::readiness::State;
use crate::shutdown::Shutdown;

/// Says when the program works, what it waits for, and when it ends; and, if that is asked for,
/// again and again that it lives.
pub(crate) fn tell(state: watch::Receiver<State>, shutdown: &Shutdown) {
    if std::env::var_os("NOTIFY_SOCKET").is_none() {
        return;
    }
    let ending = shutdown.token();
    shutdown.spawn(async move {
        let _: Option<()> = ending.run_until_cancelled(follow(state)).await;
        notify(&[NotifyState::Stopping, NotifyState::Status(&State::Ending.to_string())]);
    });
    if let Some(interval) = sd_notify::watchdog_enabled() {
        watch_over(interval / 2);
    }
}

/// Tells every state but the first, in which the program does not work yet.
async fn follow(mut state: watch::Receiver<State>) {
    while state.changed().await.is_ok() {
        // A line break would end the status.
        let status = state.borrow_and_update().to_string().replace('\n', " ");
        // That it works is no news the second time, and does no harm.
        notify(&[NotifyState::Ready, NotifyState::Status(&status)]);
    }
}

/// Tells that the program lives, to its last moment: the end may take longer than the interval.
#[expect(clippy::disallowed_methods, reason = "goes on until the process ends")]
fn watch_over(interval: Duration) {
    tokio::spawn(async move {
        loop {
            notify(&[NotifyState::Watchdog]);
            tokio::time::sleep(interval).await;
        }
    });
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "the supervisor cannot be told");
    }
}
