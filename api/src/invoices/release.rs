//! Giving up the payment that an invoice's page may have begun. A browser that holds a client secret could still pay
//! after the invoice changed, so the PaymentIntent dies at Stripe first, outside any transaction; where Stripe says it
//! is too late, the payment wins.

use domain::id::{InvoiceId, PayableId};
use domain::job::{JobKind, NewJob};
use domain::payment::PayableStatus;
use entities::payable::{self, Advanced, IntentFacts};
use gateways::stripe::{PaymentIntent, StripeError};

use crate::idempotency::{Stop, Work};
use crate::problem::Problem;
use crate::state::Api;

/// A payable whose PaymentIntent nobody can confirm any more.
pub(super) struct Canceled {
    payable_id: PayableId,
    facts: IntentFacts,
}

/// Cancels the PaymentIntent an invoice's open payable has, if it has one.
pub(super) async fn cancel_at_stripe(api: &Api, invoice_id: &InvoiceId) -> Result<Option<Canceled>, Problem> {
    let Some(payable) = payable::foremost(&api.db.read, invoice_id).await? else {
        return Ok(None);
    };
    match payable.status.0 {
        PayableStatus::Succeeded | PayableStatus::Canceled => return Ok(None),
        PayableStatus::Processing => return Err(in_progress()),
        PayableStatus::Open => {}
    }
    let Some(intent_id) = &payable.payment_intent_id else {
        return Ok(None);
    };
    // A key of its own for each try: Stripe repeats its first answer to a key for a day, a failure too.
    let key = format!("cancel:{}:{}", payable.id.0, api.now().millis());
    match api.stripe.cancel_payment_intent(&payable.stripe_account, intent_id, &key).await {
        Ok(intent) => Ok(Some(Canceled { payable_id: payable.id.0, facts: facts(intent) })),
        Err(StripeError::TooLate(_)) => {
            learn_of(api, &payable).await?;
            Err(in_progress())
        }
        Err(
            error @ (StripeError::Retryable { .. }
            | StripeError::Rejected { .. }
            | StripeError::Auth
            | StripeError::Unreadable
            | StripeError::ListTooLong),
        ) => {
            tracing::warn!(payable = %payable.id.0, %error, "a PaymentIntent could not be canceled");
            let detail = "Stripe could not be asked to cancel the payment that is open. Nothing was changed; try again.";
            Err(Problem::unavailable("payment_provider_unavailable", detail))
        }
    }
}

/// Stripe knows more than our books: they catch up now instead of at the next reconcile.
async fn learn_of(api: &Api, payable: &payable::Model) -> Result<(), Problem> {
    let mut work = Work::begin(api, None).await.map_err(Stop::into_problem)?;
    let key = format!("{}:{}", payable.id.0, work.now.millis());
    let job = NewJob::once(JobKind::AdvancePayment, payable.id.as_str(), &payable.merchant_id);
    work.outbox.enqueue(job.keyed(key));
    work.commit().await
}

/// Closes the payable in the transaction that changes its invoice. The caller holds the invoice's row.
pub(super) async fn give_up_payable(
    work: &mut Work,
    invoice_id: &InvoiceId,
    canceled: Option<Canceled>,
) -> Result<(), Problem> {
    let Some(live) = payable::lock_live(&work.tx, invoice_id).await? else {
        return Ok(());
    };
    if let Some(canceled) = canceled.filter(|canceled| canceled.payable_id == live.id.0) {
        let advanced = payable::advance(&work.tx, &live, &canceled.facts, work.now, &mut work.outbox).await?;
        return match advanced {
            Advanced::Canceled | Advanced::Unchanged => Ok(()),
            Advanced::Processing | Advanced::Succeeded | Advanced::FailedBack | Advanced::Conflict => {
                Err(in_progress())
            }
        };
    }
    // No PaymentIntent is known. One that is being made at this moment is looked for and canceled by the job.
    if !payable::abandon(&work.tx, &live.id, work.now).await? {
        return Err(in_progress());
    }
    work.outbox.enqueue(NewJob::once(JobKind::CancelPayment, live.id.as_str(), &live.merchant_id));
    Ok(())
}

fn in_progress() -> Problem {
    Problem::conflict("payment_in_progress", "A payment of this invoice is on its way; wait for its result.")
}

fn facts(intent: PaymentIntent) -> IntentFacts {
    IntentFacts {
        intent_id: intent.id,
        status: intent.status,
        amount_minor: intent.amount_minor,
        received_minor: intent.amount_received_minor,
        currency: intent.currency,
        charge_id: None,
        method: None,
        brand: None,
        last4: None,
        error_code: None,
    }
}
