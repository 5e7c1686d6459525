//! The one thread that writes. Steps that arrive together share one transaction and one fsync.

use std::sync::Arc;
use std::thread;

use tokio::sync::{mpsc, oneshot};

use super::careful;
use super::fault::{Fault, StoreFault};
use super::store::Store;
use super::tables::Tables;
use crate::{Error, Result, metrics};

/// How many steps share one transaction at most, and how many more may be waiting for the next.
const GROUP_STEPS_MAX: usize = 64;

/// The handle on the writing thread. When it is dropped, the thread ends, and is waited for.
pub(super) struct Writer {
    store: Arc<Store>,
    /// Always there, until the drop.
    steps: Option<mpsc::Sender<Box<dyn Step>>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(store: Arc<Store>) -> std::io::Result<Self> {
        let (steps, waiting) = mpsc::channel(GROUP_STEPS_MAX);
        let written = Arc::clone(&store);
        let thread = thread::Builder::new()
            .name("queue-writer".to_owned())
            .spawn(move || write_until_closed(&written, waiting))?;
        Ok(Self { store, steps: Some(steps), thread: Some(thread) })
    }

    /// Takes a step: returns its answer once the transaction that it was part of is on disk.
    ///
    /// A step that is refused must have changed nothing: the others in its transaction go on.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        step: impl FnOnce(&mut Tables<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T> {
        metrics::counted(self.answer(step).await)
    }

    async fn answer<T: Send + 'static>(
        &self,
        step: impl FnOnce(&mut Tables<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T> {
        let gone = || Error::Unavailable {
            store: self.store.name.clone(),
            reason: "its writer has ended; start the program again".to_owned(),
        };
        if let Some(fault) = self.store.unrepaired() {
            return Err(Fault::from(fault).into_error(&self.store.name));
        }
        let (answer, answered) = oneshot::channel();
        let pending = Pending { step: Some(step), outcome: None, answer };
        let steps = self.steps.as_ref().ok_or_else(gone)?;
        steps.send(Box::new(pending)).await.map_err(|_| gone())?;
        let outcome = answered.await.map_err(|_| gone())?;
        outcome.map_err(|fault| fault.into_error(&self.store.name))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.store.give_up_repair();
        drop(self.steps.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(store = self.store.name, "the queue's writer panicked");
        }
    }
}

/// A step on its way to the disk.
trait Step: Send {
    /// Does the step. An error means that the transaction must not be committed.
    fn apply(&mut self, tables: &mut Tables<'_>) -> Result<(), StoreFault>;

    /// Tells the caller what came of it, given what became of the transaction.
    fn answer(self: Box<Self>, committed: Result<(), StoreFault>);
}

struct Pending<F, T> {
    step: Option<F>,
    outcome: Option<Result<T, Fault>>,
    answer: oneshot::Sender<Result<T, Fault>>,
}

impl<F, T> Step for Pending<F, T>
where
    F: FnOnce(&mut Tables<'_>) -> Result<T, Fault> + Send,
    T: Send,
{
    fn apply(&mut self, tables: &mut Tables<'_>) -> Result<(), StoreFault> {
        self.outcome = self.step.take().map(|step| step(tables));
        match &self.outcome {
            Some(Err(Fault::Store(fault))) => Err(fault.clone()),
            _ => Ok(()),
        }
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreFault>) {
        let outcome = match committed {
            Ok(()) => self.outcome,
            Err(fault) => Some(Err(fault.into())),
        };
        if let Some(outcome) = outcome {
            // A caller that has gone away does not want to know.
            self.answer.send(outcome).ok();
        }
    }
}

fn write_until_closed(store: &Arc<Store>, mut waiting: mpsc::Receiver<Box<dyn Step>>) {
    if let Err(fault) = store.repair() {
        let error = fault.into_error(&store.name);
        tracing::error!(%error, "the file cannot be repaired");
    }
    let mut group = Vec::with_capacity(GROUP_STEPS_MAX);
    while waiting.blocking_recv_many(&mut group, GROUP_STEPS_MAX) > 0 {
        let committed = commit(store, &mut group);
        store.note_write(&committed);
        for step in group.drain(..) {
            step.answer(committed.clone());
        }
        if committed.is_ok()
            && let Err(fault) = store.shrink()
        {
            store.note_write(&Err(fault));
        }
    }
    if store.unrepaired().is_some() {
        return;
    }
    if let Err(fault) = store.write(|tables| careful::end(tables, store.leases().all_lost())) {
        let error = fault.into_error(&store.name);
        tracing::warn!(%error, "not closed well: the next start is a careful one");
    }
}

/// Applies all steps in one transaction. It is on disk when this returns `Ok`.
fn commit(store: &Store, group: &mut [Box<dyn Step>]) -> Result<(), StoreFault> {
    let ended = store.write_all(|tables| {
        for step in &mut *group {
            step.apply(tables)?;
        }
        Ok(())
    })?;
    let mut leases = store.leases();
    for entry in ended {
        leases.end(entry);
    }
    drop(leases);
    store.changed.notify_waiters();
    Ok(())
}
