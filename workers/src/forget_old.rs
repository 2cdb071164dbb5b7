//! Once a minute: deletes what is older than it is kept, class by class, in transactions so small that nobody waits for
//! them. What is left over is found by the next tick.

use std::time::{Duration, Instant};

use domain::job::JobKind;
use entities::retention::{self, Class};
use queue::{Batch, Claimed, Handler, Outcome};
use sea_orm::DbErr;

use crate::Context;

const PER_TRANSACTION: u32 = 500;
/// For one class in one tick.
const TIME_MAX: Duration = Duration::from_secs(5);
/// Between transactions: SQLite has one writer, and this one is in no hurry.
const BREATH: Duration = Duration::from_millis(10);

pub(crate) struct ForgetOld {
    pub(crate) context: Context,
}

impl Handler for ForgetOld {
    const KIND: JobKind = JobKind::ForgetOld;

    async fn run(&self, batch: &Batch) -> Result<(), DbErr> {
        for class in Class::ALL {
            self.forget(class).await?;
        }
        let jobs: Vec<Claimed> = batch.jobs().cloned().collect();
        batch.finish(jobs.into_iter().map(|job| (job, Outcome::Done)).collect()).await
    }
}

impl ForgetOld {
    async fn forget(&self, class: Class) -> Result<(), DbErr> {
        let begun = Instant::now();
        let mut total = 0;
        while begun.elapsed() < TIME_MAX {
            let tx = self.context.db.begin().await?;
            let now = self.context.now();
            let rows = retention::forget(&tx, class, &self.context.keep, now, PER_TRANSACTION).await?;
            tx.commit().await?;
            total += rows;
            if rows < u64::from(PER_TRANSACTION) {
                break;
            }
            tokio::time::sleep(BREATH).await;
        }
        if total > 0 {
            tracing::info!(?class, rows = total, "old rows were forgotten");
        }
        Ok(())
    }
}
