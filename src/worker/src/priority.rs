//! How far workers give way to what runs beside them: senders wait for the server and the store, and
//! nobody waits for a worker. It matters where they share processors, and where these are scarce.

/// Of a worker's process, as setpriority(2) counts: from 0, as all others, to 19. With 5, a thread
/// has a third of the processor time of one that does not give way, if both want all of it.
pub(crate) const PROCESS: i32 = 5;
/// Of a thread that writes the roll: a tenth.
pub(crate) const ROLL: i32 = 10;

/// Gives way by this thread, and by those that it begins from now on.
#[cfg(target_os = "linux")]
pub(crate) fn give_way(niceness: i32) {
    // A sandbox may forbid it, and nothing is lost then but a little of others' time.
    if let Err(error) = rustix::process::setpriority_process(None, niceness) {
        tracing::debug!(%error, niceness, "gives way to nobody");
    }
}

/// Gives way to nobody: a process has one priority for all of its threads.
#[cfg(not(target_os = "linux"))]
pub(crate) fn give_way(_: i32) {}
