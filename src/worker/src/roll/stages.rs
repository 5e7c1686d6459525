//! How batches get into a new roll: read from the store, laid out, digested, and written, each while
//! the next is under way.

use muster_program::shutdown::Shutdown;
use muster_queue::{Batch, Queue, ResultChunk};
use tokio::sync::mpsc;

use super::lines::{BatchDigest, Block, lay_out};
use super::new_roll::NewRoll;
use super::{Error, Pages, background};

/// How many parts wait between two stages: the one that is under way is not counted.
const AHEAD: usize = 1;

/// What a stage passes on.
enum Step<T, B = Box<Batch>> {
    /// A part of a batch.
    Part(T),
    /// The batch is over.
    End(B),
}

/// A batch, all of whose records have passed.
struct Digested {
    batch: Batch,
    digest: BatchDigest,
}

/// Adds batches to a new roll, until the shutdown begins. Returns it, with those that were added.
///
/// # Errors
///
/// The store or the file system fails, or a result cannot be read. The new roll is lost.
pub(super) async fn add(
    queue: &dyn Queue,
    batches: Vec<Batch>,
    roll: NewRoll,
    shutdown: &Shutdown,
) -> Result<(NewRoll, Vec<Batch>), Error> {
    let (to_lay_out, pages) = mpsc::channel(AHEAD);
    let (to_digest, blocks) = mpsc::channel(AHEAD);
    let (to_write, digested_blocks) = mpsc::channel(AHEAD);
    let (read, laid_out, digested, written) = tokio::join!(
        read(queue, batches, to_lay_out, shutdown),
        background::run(move || lay_out_all(pages, &to_digest)),
        background::run(move || digest_all(blocks, &to_write)),
        background::run(move || write_all(digested_blocks, roll)),
    );
    // A stage that fails ends the others, which know of no error then.
    read?;
    laid_out?;
    digested?;
    written
}

/// The first stage: pages of results.
async fn read(
    queue: &dyn Queue,
    batches: Vec<Batch>,
    next: mpsc::Sender<Step<Vec<ResultChunk>>>,
    shutdown: &Shutdown,
) -> Result<(), Error> {
    for batch in batches {
        if shutdown.has_begun() {
            break;
        }
        let mut pages = Pages::of(queue, &batch);
        while let Some(page) = pages.next().await? {
            if next.send(Step::Part(page)).await.is_err() {
                return Ok(());
            }
        }
        if next.send(Step::End(Box::new(batch))).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// The second: blocks of lines.
fn lay_out_all(
    mut pages: mpsc::Receiver<Step<Vec<ResultChunk>>>,
    next: &mpsc::Sender<Step<Block>>,
) -> Result<(), Error> {
    let pass_on = |step| {
        // When a later one has failed, the first notices by the end of this one.
        next.blocking_send(step).ok();
        Ok(())
    };
    while let Some(step) = pages.blocking_recv() {
        if next.is_closed() {
            break;
        }
        match step {
            Step::Part(page) => lay_out(page, |block| pass_on(Step::Part(block)))?,
            Step::End(batch) => pass_on(Step::End(batch))?,
        }
    }
    Ok(())
}

/// The third: the digest of each batch.
fn digest_all(
    mut blocks: mpsc::Receiver<Step<Block>>,
    next: &mpsc::Sender<Step<Block, Box<Digested>>>,
) -> Result<(), Error> {
    let mut digest = BatchDigest::default();
    while let Some(step) = blocks.blocking_recv() {
        let step = match step {
            Step::Part(block) => {
                digest.add(&block);
                Step::Part(block)
            }
            Step::End(batch) => {
                let digest = std::mem::take(&mut digest);
                Step::End(Box::new(Digested { batch: *batch, digest }))
            }
        };
        if next.blocking_send(step).is_err() {
            break;
        }
    }
    Ok(())
}

/// The fourth: the roll.
fn write_all(
    mut blocks: mpsc::Receiver<Step<Block, Box<Digested>>>,
    mut roll: NewRoll,
) -> Result<(NewRoll, Vec<Batch>), Error> {
    let mut added = Vec::new();
    while let Some(step) = blocks.blocking_recv() {
        match step {
            Step::Part(block) => roll.add(&block)?,
            Step::End(ended) => {
                let Digested { batch, digest } = *ended;
                roll.end(&batch, digest);
                added.push(batch);
            }
        }
    }
    Ok((roll, added))
}
