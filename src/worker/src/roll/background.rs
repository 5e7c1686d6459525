//! Threads of the roll's writer, which may block.

use std::thread;

use tokio::sync::oneshot;

use super::Error;
use crate::priority;

/// Runs this on a thread of its own, which gives way.
///
/// # Errors
///
/// It fails, or the system gives no thread.
pub(super) async fn run<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let (tell, told) = oneshot::channel();
    let thread = thread::Builder::new().name("roll".to_owned()).spawn(move || {
        priority::give_way(priority::ROLL);
        // Nobody is there any more when the process ends.
        tell.send(work()).ok();
    });
    let thread = thread.map_err(Error::Thread)?;
    let Ok(result) = told.await else {
        let panic = thread.join().expect_err("it ends early by a panic alone");
        std::panic::resume_unwind(panic)
    };
    result
}
