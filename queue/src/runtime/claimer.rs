//! Claiming: one claimer per kind, woken by a bell; one poller per process that rings for what it finds due.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::job::JobKind;
use sea_orm::DbErr;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use crate::backend::give_back;
use crate::{Batch, Claimed, Ledger, Outcome};

/// A lost wake-up costs at most this.
const POLL_EVERY: Duration = Duration::from_secs(1);
/// After an error of the store.
const PAUSE: Duration = Duration::from_millis(500);

/// Looks once a second, with one statement, for work nobody rang for: waits that ended, leases that expired.
pub(super) async fn poll(ledger: Ledger, kinds: Vec<JobKind>, shutdown: CancellationToken) {
    loop {
        match ledger.due_kinds(&kinds).await {
            Ok(due) => {
                ledger.metrics().alive(ledger.clock().machine_now());
                ledger.wake().ring_found(&due);
            }
            Err(error) => tracing::warn!(%error, "the ledger cannot be read"),
        }
        tokio::select! { () = shutdown.cancelled() => return, () = tokio::time::sleep(POLL_EVERY) => {} }
    }
}

/// Fills the worker's channel with claimed batches until told to stop.
pub(super) async fn claim(
    ledger: Ledger,
    kind: JobKind,
    worker: String,
    batches: mpsc::Sender<Arc<Batch>>,
    stop: CancellationToken,
) {
    let slots = Arc::new(Semaphore::new(kind.policy().batches_at_once));
    let mut claimer = Claimer { ledger, kind, worker, suspects_first: false };
    loop {
        // A slot first: nothing is leased that cannot be begun.
        let slot = tokio::select! {
            () = stop.cancelled() => return,
            slot = Arc::clone(&slots).acquire_owned() => match slot { Ok(slot) => slot, Err(_) => return },
        };
        let claimed = claimer.next(slot).await;
        let batch = match claimed {
            Ok(Some(batch)) => batch,
            Ok(None) => {
                tokio::select! { () = stop.cancelled() => return, () = claimer.ledger.wake().rung(kind) => continue }
            }
            Err(error) => {
                tracing::warn!(kind = kind.word(), %error, "nothing could be claimed");
                tokio::select! { () = stop.cancelled() => return, () = tokio::time::sleep(PAUSE) => continue }
            }
        };
        if stop.is_cancelled() {
            return give_back(vec![batch]).await;
        }
        if let Err(unsent) = batches.send(batch).await {
            return give_back(vec![unsent.0]).await;
        }
    }
}

struct Claimer {
    ledger: Ledger,
    kind: JobKind,
    worker: String,
    /// Turns with every claim, so that a standing backlog of innocents cannot starve those whose worker died.
    suspects_first: bool,
}

impl Claimer {
    /// Innocents together, suspects one by one; whoever comes first this time.
    async fn next(&mut self, slot: OwnedSemaphorePermit) -> Result<Option<Arc<Batch>>, DbErr> {
        self.suspects_first = !self.suspects_first;
        let claimed = if self.suspects_first {
            match self.suspect().await? {
                Some(suspect) => Some(suspect),
                None => self.innocents().await?,
            }
        } else {
            match self.innocents().await? {
                Some(innocents) => Some(innocents),
                None => self.suspect().await?,
            }
        };
        let Some((jobs, asked_at)) = claimed else {
            return Ok(None);
        };
        self.ledger.metrics().claimed(self.kind, jobs.len());
        Ok(Some(Batch::new(self.ledger.clone(), self.kind, jobs, asked_at, Some(slot))))
    }

    async fn innocents(&self) -> Result<Option<(Vec<Claimed>, Instant)>, DbErr> {
        let asked_at = Instant::now();
        let jobs = self.ledger.claim(self.kind, &self.worker, self.kind.policy().batch_max).await?;
        Ok((!jobs.is_empty()).then_some((jobs, asked_at)))
    }

    /// One row whose lease expired; those that did it too often are buried on the way.
    async fn suspect(&self) -> Result<Option<(Vec<Claimed>, Instant)>, DbErr> {
        loop {
            let asked_at = Instant::now();
            let Some(job) = self.ledger.claim_suspect(self.kind, &self.worker).await? else {
                return Ok(None);
            };
            let crashes = job.crashes;
            if crashes < self.kind.policy().crashes_max {
                return Ok(Some((vec![job], asked_at)));
            }
            let reason =
                format!("its lease expired {crashes} times: it seems to kill the process that takes it");
            tracing::error!(kind = self.kind.word(), job = job.id, reason, "a job is dead");
            let batch = Batch::new(self.ledger.clone(), self.kind, vec![job.clone()], asked_at, None);
            batch.finish(vec![(job, Outcome::GiveUp(reason))]).await?;
        }
    }
}
