//! What workers do in a world, as far as it matters here: they lease, process and commit.

use std::time::Duration;

use muster_proto::user::User;
use muster_queue::{Queue, Work, WorkerId};
use muster_worker::config::Config;
use muster_worker::processor::{Pipeline, Processor, Verdict};
use muster_worker::{Retries, outcome};

/// More than one input makes.
const ALL: usize = 64;

/// Says the same of every record.
#[derive(Debug)]
struct Say(Verdict);

impl Processor for Say {
    fn process(&self, _: &User<'_>) -> Verdict {
        self.0.clone()
    }
}

/// Processes all that waits: by the rules that are built in, or as `how` says, for this reason.
pub(crate) async fn work(queue: &dyn Queue, how: &str, reason: &[u8]) {
    let reason = String::from_utf8_lossy(reason).into_owned();
    let processor: Box<dyn Processor> = match how {
        "keep" => Box::new(Say(Verdict::Keep)),
        "bury" => Box::new(Say(Verdict::Reject(reason))),
        "fail" => Box::new(Say(Verdict::Fail(reason))),
        _ => Box::<Pipeline>::new(Config::default().pipeline()),
    };
    let worker = WorkerId::random("fuzz");
    let retries = Retries { delay: Duration::ZERO, ..Retries::default() };
    let found = queue.lease(&worker, ALL, Duration::ZERO).await.expect("work can be leased");
    for work in found {
        match work {
            Work::Chunk(chunk) => {
                let outcome = outcome::of(&chunk, processor.as_ref(), &retries);
                queue.commit(&chunk, &outcome).await.expect("an outcome can be committed");
            }
            Work::Roll(lease) => {
                for batch in queue.next_complete(ALL).await.expect("batches can be listed") {
                    let digest = "00".repeat(32);
                    queue.mark_written(&batch.id, &digest).await.expect("it can be written");
                }
                queue.release(&[lease]).await.expect("a lease can be given back");
            }
        }
    }
}
