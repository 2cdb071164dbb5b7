//! The lease keeper: renews the leases of every batch in work, set-based, well before they end.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::{Batch, Ledger};

/// Leases are at least 5 s (a test in `domain::job` says so), so several renewals fit into each.
const RENEW_EVERY: Duration = Duration::from_millis(2_000);

#[derive(Clone, Default)]
pub(super) struct Keeper {
    held: Arc<Mutex<Vec<Weak<Batch>>>>,
}

impl Keeper {
    pub(super) fn hold(&self, batch: &Arc<Batch>) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(batch));
    }

    fn batches(&self) -> Vec<Arc<Batch>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|batch| batch.strong_count() > 0);
        held.iter().filter_map(Weak::upgrade).collect()
    }

    pub(super) async fn run(self, ledger: Ledger, stop: CancellationToken) {
        loop {
            tokio::select! { () = stop.cancelled() => return, () = tokio::time::sleep(RENEW_EVERY) => {} }
            for batch in self.batches() {
                renew(&ledger, &batch).await;
            }
        }
    }
}

async fn renew(ledger: &Ledger, batch: &Batch) {
    let leases = batch.leases();
    if leases.is_empty() {
        return;
    }
    let asked_at = Instant::now();
    match ledger.renew(&leases, batch.kind().policy().lease_ms).await {
        Ok(still_ours) => batch.renewed(asked_at, &still_ours),
        // The lease runs on; the next renewal, or its end, decides.
        Err(error) => tracing::warn!(%error, "leases could not be renewed"),
    }
}
