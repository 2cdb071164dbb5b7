//! Periodic jobs: every process proposes the tick it sees, the ledger's unique key lets one of them win.

use std::collections::HashMap;
use std::time::Duration;

use domain::job::{JobKind, NewJob};
use sea_orm::DbErr;
use tokio_util::sync::CancellationToken;

use crate::Ledger;

/// How often a process looks at the clock.
const LOOK_EVERY: Duration = Duration::from_millis(500);

pub(crate) async fn run(ledger: Ledger, kinds: Vec<JobKind>, shutdown: CancellationToken) {
    let mut seen: HashMap<JobKind, i64> = HashMap::new();
    loop {
        for kind in &kinds {
            let Some(period_ms) = kind.period_ms() else {
                continue;
            };
            let tick = ledger.clock().now().millis().div_euclid(period_ms);
            if seen.get(kind) == Some(&tick) {
                continue;
            }
            match propose(&ledger, *kind, tick).await {
                Ok(()) => drop(seen.insert(*kind, tick)),
                Err(error) => {
                    tracing::warn!(kind = kind.word(), %error, "a tick could not be written; it is tried again")
                }
            }
        }
        tokio::select! { () = shutdown.cancelled() => return, () = tokio::time::sleep(LOOK_EVERY) => {} }
    }
}

async fn propose(ledger: &Ledger, kind: JobKind, tick: i64) -> Result<(), DbErr> {
    let key = tick.to_string();
    let job = NewJob { kind, subject: key.clone(), unique_key: key, merchant_id: None, delay_ms: 0 };
    let tx = ledger.begin().await?;
    let new = ledger.enqueue(&tx, &[job]).await?;
    tx.commit().await?;
    if new > 0 {
        ledger.wake().ring(&[kind]);
    }
    Ok(())
}
