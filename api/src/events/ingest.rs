//! Group commit: events that arrive together are stored together. When idle a batch is one event and waits for nobody;
//! under load the next batch gathers while the last one commits.

use domain::call_event::Disposition;
use prometheus::IntCounterVec;
use tokio::sync::{mpsc, oneshot};

use super::sender::Delivery;
use super::{Receipt, intent_label, store};
use crate::problem::Problem;
use crate::state::Api;

/// Events in one transaction.
const BATCH_MAX: usize = 256;
/// Requests that wait for a batch; more wait at the door.
const WAITING_MAX: usize = 4 * BATCH_MAX;

type Reply = oneshot::Sender<Result<Receipt, Problem>>;

/// The way into the one task that stores events. Clones share it; it ends when the last is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Ingest {
    arrivals: mpsc::Sender<(Delivery, Reply)>,
}

impl Ingest {
    /// Starts the task on the current runtime.
    pub(crate) fn start(api: Api) -> Self {
        let (arrivals, waiting) = mpsc::channel(WAITING_MAX);
        tokio::spawn(run(api, waiting));
        Self { arrivals }
    }

    /// Stores an event and says what became of it. It is durable when this returns.
    pub(super) async fn store(&self, delivery: Delivery) -> Result<Receipt, Problem> {
        let (reply, answer) = oneshot::channel();
        let stopping =
            |_| Problem::unavailable("shutting_down", "This server is stopping; send the event again.");
        self.arrivals.send((delivery, reply)).await.map_err(stopping)?;
        answer.await.unwrap_or_else(|_| Err(Problem::internal(&"a batch of events ended without an answer")))
    }
}

async fn run(api: Api, mut waiting: mpsc::Receiver<(Delivery, Reply)>) {
    let mut arrivals = Vec::new();
    while waiting.recv_many(&mut arrivals, BATCH_MAX).await > 0 {
        let batch = std::mem::take(&mut arrivals);
        // A task of its own: a panic in there is one batch without an answer, not the end of ingest.
        let stored = tokio::spawn(answer(api.clone(), batch)).await;
        if stored.is_err() {
            tracing::error!("storing a batch of events panicked");
        }
    }
}

/// Stores a batch. When it cannot be stored as one, each event is stored alone, so that one bad event takes no other
/// with it.
async fn answer(api: Api, batch: Vec<(Delivery, Reply)>) {
    let (deliveries, replies): (Vec<Delivery>, Vec<Reply>) = batch.into_iter().unzip();
    match store::store(&api, &deliveries).await {
        Ok(receipts) => {
            for ((delivery, reply), receipt) in deliveries.iter().zip(replies).zip(receipts) {
                count(&api.metrics.events, delivery, receipt.disposition);
                let _caller_left = reply.send(Ok(receipt));
            }
        }
        Err(error) if deliveries.len() == 1 => {
            for reply in replies {
                let _caller_left = reply.send(Err(Problem::internal(&error)));
            }
        }
        Err(error) => {
            tracing::warn!(%error, events = deliveries.len(), "a batch of events is stored one by one");
            for (delivery, reply) in deliveries.iter().zip(replies) {
                let stored = store::store(&api, std::slice::from_ref(delivery)).await;
                let answer = stored.map_err(Problem::from).and_then(|mut receipts| {
                    receipts.pop().ok_or_else(|| Problem::internal(&"an event was stored without a receipt"))
                });
                if let Ok(receipt) = &answer {
                    count(&api.metrics.events, delivery, receipt.disposition);
                }
                let _caller_left = reply.send(answer);
            }
        }
    }
}

fn count(counts: &IntCounterVec, delivery: &Delivery, disposition: Disposition) {
    counts.with_label_values(&[intent_label(&delivery.event), disposition.word()]).inc();
}
