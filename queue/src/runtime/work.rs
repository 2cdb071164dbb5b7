//! Works a claimed batch to its end: passing trouble of the store is waited out under the lease, one row that spoils it
//! for the others is found by trying each alone, and what a handler leaves is answered for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sea_orm::DbErr;

use super::Run;
use super::keeper::Keeper;
use crate::{Batch, Outcome, trouble};

/// Longer than any handler needs. One that hangs is given up, so that its place is free and its rows are tried again.
const RUN_MAX: Duration = Duration::from_secs(300);

/// Why rows are left without an answer.
struct Left {
    why: String,
    /// Whether one row alone may be at fault.
    suspicious: bool,
}

/// Runs one batch on tasks of its own, so that kinds do not share a thread.
pub(super) async fn work(batch: Arc<Batch>, run: Run, keeper: Keeper) {
    let begun = Instant::now();
    if let Some(left) = attempt(&batch, &run, &keeper).await {
        if left.suspicious && batch.jobs().count() > 1 {
            tracing::warn!(kind = batch.kind().word(), why = left.why, "each row of a batch is tried alone");
            for alone in batch.split() {
                if let Some(left) = attempt(&alone, &run, &keeper).await {
                    answer_for(&alone, &left.why).await;
                }
            }
        } else {
            answer_for(&batch, &left.why).await;
        }
    }
    batch.ledger().metrics().ran(batch.kind(), begun.elapsed());
}

/// Runs the handler until every row is answered; what is left has a reason.
async fn attempt(batch: &Arc<Batch>, run: &Run, keeper: &Keeper) -> Option<Left> {
    keeper.hold(batch);
    let mut troubles = 0;
    loop {
        let mut running = tokio::spawn(run(Arc::clone(batch)));
        let ran = tokio::time::timeout(RUN_MAX, &mut running).await;
        batch.jobs().next()?;
        let error = match ran {
            Ok(Ok(Err(error))) => error,
            Ok(Ok(Ok(()))) => return Some(left("the handler left this row without an answer", false)),
            Ok(Err(_)) => return Some(left("the handler panicked", true)),
            Err(_) => {
                running.abort();
                return Some(left("the handler did not end in time", false));
            }
        };
        if !trouble::passes(&error) {
            return Some(left(&error.to_string(), true));
        }
        tracing::warn!(kind = batch.kind().word(), %error, "the store is in trouble; a batch is tried again");
        if !batch.pause(troubles).await {
            return Some(left(&error.to_string(), false));
        }
        troubles += 1;
    }
}

fn left(why: &str, suspicious: bool) -> Left {
    Left { why: why.to_owned(), suspicious }
}

async fn answer_for(batch: &Batch, why: &str) {
    let left: Vec<_> = batch.jobs().cloned().collect();
    tracing::warn!(kind = batch.kind().word(), rows = left.len(), why, "rows are retried");
    let retry = || {
        let outcomes = left.iter().map(|job| (job.clone(), Outcome::Retry(why.to_owned()))).collect();
        batch.finish(outcomes)
    };
    let answered: Result<(), DbErr> = batch.persist(retry).await;
    if let Err(error) = answered {
        tracing::error!(%error, "a batch could not be settled; its lease will expire");
    }
}
