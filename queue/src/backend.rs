//! apalis's extension point: one apalis task is one claimed batch of one kind.
//!
//! `poll_next` only reads a channel that a claimer task fills. It never yields `Err` and never ends while the worker
//! runs: either would make apalis drop every batch in flight (measured on apalis-core 1.0.0).

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use apalis_core::backend::finalize::Ephemeral;
use apalis_core::backend::{Backend, BackendConfig};
use apalis_core::task::Task;
use apalis_core::task::builder::TaskBuilder;
use apalis_core::task::task_id::RandomId;
use apalis_core::worker::context::WorkerContext;
use futures::future::BoxFuture;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::Batch;

/// Where a worker of one kind gets its batches.
pub(crate) struct ClaimedBatches {
    receiver: mpsc::Receiver<Arc<Batch>>,
    stop_claiming: CancellationToken,
    closing: Option<std::sync::Mutex<BoxFuture<'static, ()>>>,
}

impl ClaimedBatches {
    pub(crate) fn new(receiver: mpsc::Receiver<Arc<Batch>>, stop_claiming: CancellationToken) -> Self {
        Self { receiver, stop_claiming, closing: None }
    }
}

impl Backend for ClaimedBatches {
    type Task = Task<Arc<Batch>>;
    type Error = Infallible;

    fn poll_ready(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        _: &WorkerContext,
    ) -> Poll<Option<Result<Self::Task, Infallible>>> {
        match ready!(self.receiver.poll_recv(cx)) {
            Some(batch) => Poll::Ready(Some(Ok(TaskBuilder::new(batch).build()))),
            // The claimer ended, which it does only at shutdown: apalis stops the worker, we have nothing to add.
            None => Poll::Pending,
        }
    }

    /// Gives back what was claimed and not begun.
    fn poll_close(&mut self, cx: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        if self.closing.is_none() {
            self.stop_claiming.cancel();
            self.receiver.close();
            let mut unbegun = Vec::new();
            while let Ok(batch) = self.receiver.try_recv() {
                unbegun.push(batch);
            }
            self.closing = Some(std::sync::Mutex::new(Box::pin(give_back(unbegun))));
        }
        let Some(closing) = self.closing.as_mut() else {
            return Poll::Ready(Ok(()));
        };
        // `get_mut` never locks: we hold `&mut self`.
        let future = closing.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        ready!(Pin::new(future).poll(cx));
        Poll::Ready(Ok(()))
    }
}

impl BackendConfig for ClaimedBatches {
    type Args = Arc<Batch>;
    type Id = RandomId;
    type Kind = Ephemeral;
    type Config = ();
    type Layer = tower_layer::Identity;

    fn config(&self) -> &() {
        &()
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> Self::Layer {
        tower_layer::Identity::new()
    }
}

pub(crate) async fn give_back(unbegun: Vec<Arc<Batch>>) {
    for batch in unbegun {
        if let Err(error) = batch.ledger().release(&batch.leases()).await {
            tracing::warn!(%error, "a batch could not be given back; its lease will expire");
        }
    }
}
