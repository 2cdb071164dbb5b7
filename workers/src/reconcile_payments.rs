//! Finds what no webhook ever told: fetches every live payable that nobody has looked at for a while, calls off what must
//! not be paid any more, and looks at Stripe for PaymentIntents whose creation we did not see answered.

use domain::job::{JobKind, NewJob, Outbox};
use domain::time::{HOUR_MS, MINUTE_MS, Timestamp};
use entities::payable::{self, Unchecked};
use gateways::stripe::StripeError;
use queue::{Batch, Handler, Outcome};
use sea_orm::DbErr;

use crate::cancel_payment::doomed;
use crate::{Context, payment_truth};

const PAGE: i64 = 50;
/// What is left after these waits for the next tick.
const PAGES_MAX: usize = 20;
const OPEN_UNCHECKED_MS: i64 = 2 * MINUTE_MS;
const PROCESSING_UNCHECKED_MS: i64 = 10 * MINUTE_MS;
/// By now a create has been answered or never will be.
const UNMADE_MS: i64 = 5 * MINUTE_MS;
/// Stripe's clock and ours need not agree.
const CLOCKS_APART_MS: i64 = HOUR_MS;

pub(crate) struct ReconcilePayments {
    pub(crate) context: Context,
}

impl Handler for ReconcilePayments {
    const KIND: JobKind = JobKind::ReconcilePayments;

    async fn run(&self, batch: &Batch) -> Result<(), DbErr> {
        let swept = sweep(&self.context).await;
        self.context.metrics.swept(swept.is_ok(), self.context.ledger.clock().machine_now());
        swept?;
        batch.finish(batch.jobs().map(|job| (job.clone(), Outcome::Done)).collect()).await
    }
}

async fn sweep(context: &Context) -> Result<(), DbErr> {
    look_at_unchecked(context).await?;
    look_for_unmade(context).await
}

async fn look_at_unchecked(context: &Context) -> Result<(), DbErr> {
    let now = context.now();
    let wanted = Unchecked {
        open_before: now.plus_ms(-OPEN_UNCHECKED_MS),
        processing_before: now.plus_ms(-PROCESSING_UNCHECKED_MS),
        limit: PAGE,
    };
    for _ in 0..PAGES_MAX {
        let page = payable::unchecked(&context.db.read, wanted).await?;
        let ids: Vec<String> = page.iter().map(|payable| payable.id.to_string()).collect();
        for (payable, said) in payment_truth::fetch(context, page).await {
            match said {
                Ok(intent) => {
                    let advanced = payment_truth::advance(context, &payable, &intent, None).await?;
                    context.metrics.reconciled(Some(advanced));
                }
                Err(error) => {
                    context.metrics.reconciled(None);
                    tracing::warn!(payable_id = %payable.id.0, %error, "a payable could not be reconciled")
                }
            }
        }
        call_off(context, &ids, now).await?;
        if i64::try_from(ids.len()).unwrap_or(PAGE) < PAGE {
            return Ok(());
        }
    }
    tracing::warn!("more payables wait to be reconciled than one tick takes");
    Ok(())
}

/// Whatever happened to the job that should have ended them: what must not be paid any more is called off. Also those
/// Stripe said nothing about are marked, so that the next page is of others.
async fn call_off(context: &Context, ids: &[String], now: Timestamp) -> Result<(), DbErr> {
    let tx = context.db.begin().await?;
    let mut outbox = Outbox::default();
    for payable in doomed::among(&tx, ids, now).await? {
        let key = format!("{}:swept:{}", payable.id.0, now.millis());
        let job = NewJob::once(JobKind::CancelPayment, payable.id.as_str(), &payable.merchant_id);
        outbox.enqueue(job.keyed(key));
    }
    payable::mark_checked(&tx, ids, now).await?;
    context.ledger.commit(tx, outbox).await
}

async fn look_for_unmade(context: &Context) -> Result<(), DbErr> {
    let before = context.now().plus_ms(-UNMADE_MS);
    let mut after = String::new();
    for _ in 0..PAGES_MAX {
        let page = payable::without_intent(&context.db.read, before, &after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id.to_string();
        for payable in page {
            if let Err(error) = look_for(context, &payable).await? {
                tracing::warn!(payable_id = %payable.id.0, %error, "a payable's PaymentIntent could not be looked for");
            }
        }
    }
    Ok(())
}

/// Adopts the PaymentIntent that was made for a payable, or gives the payable up: nobody holds a client secret of it.
async fn look_for(context: &Context, payable: &payable::Model) -> Result<Result<(), StripeError>, DbErr> {
    let since = Timestamp::from_millis(payable.created_at_ms).plus_ms(-CLOCKS_APART_MS);
    let (account, id) = (&payable.stripe_account, payable.id.as_str());
    let found = match context.stripe.find_payment_intent(account, since, payable::METADATA_KEY, id).await {
        Ok(found) => found,
        Err(error) => return Ok(Err(error)),
    };
    if let Some(intent) = found {
        let advanced = payment_truth::advance(context, payable, &intent, None).await?;
        context.metrics.reconciled(Some(advanced));
        return Ok(Ok(()));
    }
    let tx = context.db.begin().await?;
    payable::abandon(&tx, &payable.id, context.now()).await?;
    tx.commit().await?;
    Ok(Ok(()))
}
