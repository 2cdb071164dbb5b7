//! Once a minute: records the expiry of links past their time, and has what could still be paid on them canceled at
//! Stripe. Expiry itself holds from its moment on, whether or not this ran.

use domain::job::{JobKind, NewJob, Outbox};
use domain::time::Timestamp;
use entities::{invoice, link, payable};
use queue::{Batch, Claimed, Handler, Outcome};
use sea_orm::{ConnectionTrait, DbErr};

use crate::Context;

const PER_TRANSACTION: u32 = 200;

pub(crate) struct ExpireLinks {
    pub(crate) context: Context,
}

impl Handler for ExpireLinks {
    const KIND: JobKind = JobKind::ExpireLinks;

    async fn run(&self, batch: &Batch) -> Result<(), DbErr> {
        // Every round records at least what it found, so the rounds come to an end.
        while self.expire_some().await? {}
        let jobs: Vec<Claimed> = batch.jobs().cloned().collect();
        batch.finish(jobs.into_iter().map(|job| (job, Outcome::Done)).collect()).await
    }
}

impl ExpireLinks {
    /// One bounded transaction; `false` when there was nothing left to do.
    async fn expire_some(&self) -> Result<bool, DbErr> {
        let tx = self.context.db.begin().await?;
        let now = self.context.now();
        let mut outbox = Outbox::default();
        let invoices = link::invoices_of_overdue(&tx, now, PER_TRANSACTION).await?;
        if invoices.is_empty() {
            return tx.rollback().await.map(|()| false);
        }
        invoice::lock_all(&tx, &invoices).await?;
        link::expire_of_invoices(&tx, &invoices, now, &mut outbox).await?;
        cancel_payments(&tx, &invoices, now, &mut outbox).await?;
        self.context.ledger.commit(tx, outbox).await?;
        Ok(true)
    }
}

async fn cancel_payments<C: ConnectionTrait>(
    tx: &C,
    invoices: &[String],
    now: Timestamp,
    outbox: &mut Outbox,
) -> Result<(), DbErr> {
    for payable in payable::confirmable_of_invoices(tx, invoices).await? {
        // A renewed link may expire as well, with the same payable: once for each time.
        let key = format!("{}:expired:{}", payable.id.0, now.millis());
        outbox.enqueue(
            NewJob::once(JobKind::CancelPayment, payable.id.as_str(), &payable.merchant_id).keyed(key),
        );
    }
    Ok(())
}
