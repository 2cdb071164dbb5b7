//! What Stripe says about payables when asked, and how it gets into the books. Jobs come here; so does the sweep.

use std::collections::HashMap;

use domain::job::Outbox;
use entities::payable::{self, Advanced, IntentFacts};
use futures::StreamExt;
use futures::stream;
use gateways::stripe::{PaymentIntent, StripeError};
use queue::{Batch, Claimed, Outcome, failpoint};
use sea_orm::DbErr;

use crate::Context;

/// Questions to Stripe open at the same time.
const ASKED_AT_ONCE: usize = 8;

/// The jobs of a batch by the payable they are about: several events about one payable need one answer.
pub(crate) fn by_subject(batch: &Batch) -> HashMap<String, Vec<Claimed>> {
    let mut jobs: HashMap<String, Vec<Claimed>> = HashMap::new();
    for job in batch.jobs() {
        jobs.entry(job.subject.clone()).or_default().push(job.clone());
    }
    jobs
}

/// The same answer for each.
pub(crate) fn all(jobs: Vec<Claimed>, outcome: &Outcome) -> Vec<(Claimed, Outcome)> {
    jobs.into_iter().map(|job| (job, outcome.clone())).collect()
}

/// Asks Stripe about payables, several at a time, outside any transaction. A payable without a PaymentIntent is left out.
pub(crate) async fn fetch(
    context: &Context,
    payables: Vec<payable::Model>,
) -> Vec<(payable::Model, Result<PaymentIntent, StripeError>)> {
    let asked = payables.into_iter().filter_map(|payable| {
        let intent_id = payable.payment_intent_id.clone()?;
        Some(async move {
            let stripe = &context.stripe;
            let said = stripe.retrieve_payment_intent(&payable.stripe_account, &intent_id).await;
            (payable, said)
        })
    });
    stream::iter(asked).buffer_unordered(ASKED_AT_ONCE).collect().await
}

/// Advances a payable and answers its jobs, in one transaction.
pub(crate) async fn advance(
    context: &Context,
    payable: &payable::Model,
    intent: &PaymentIntent,
    answered: Option<(&Batch, Vec<Claimed>)>,
) -> Result<Advanced, DbErr> {
    let tx = context.db.begin().await?;
    let mut outbox = Outbox::default();
    let advanced = payable::advance(&tx, payable, &facts(intent), context.now(), &mut outbox).await?;
    let settled = match &answered {
        Some((batch, jobs)) => Some(batch.settle(&tx, all(jobs.clone(), &Outcome::Done)).await?),
        None => None,
    };
    failpoint::reached("advance_before_commit");
    context.ledger.commit(tx, outbox).await?;
    failpoint::reached("advance_committed");
    if let (Some((batch, _)), Some(settled)) = (answered, settled) {
        batch.committed(&settled);
    }
    Ok(advanced)
}

/// What a job does after Stripe did not say what was asked.
pub(crate) fn outcome_of(error: &StripeError) -> Outcome {
    match error {
        StripeError::Rejected { code, .. } if code.as_deref() == Some("resource_missing") => {
            Outcome::GiveUp(error.to_string())
        }
        StripeError::Rejected { .. }
        | StripeError::Retryable { .. }
        | StripeError::TooLate(_)
        | StripeError::Auth
        | StripeError::Unreadable
        | StripeError::ListTooLong => Outcome::Retry(error.to_string()),
    }
}

fn facts(intent: &PaymentIntent) -> IntentFacts {
    let charge = intent.latest_charge.as_ref();
    let details = charge.and_then(|charge| charge.details.as_ref());
    IntentFacts {
        intent_id: intent.id.clone(),
        status: intent.status,
        amount_minor: intent.amount_minor,
        received_minor: intent.amount_received_minor,
        currency: intent.currency.clone(),
        charge_id: charge.map(|charge| charge.id.clone()),
        method: details.and_then(|details| details.method.clone()),
        brand: details.and_then(|details| details.card_brand.clone()),
        last4: details.and_then(|details| details.card_last4.clone()),
        error_code: intent.last_error.as_ref().and_then(|error| error.code.clone()),
    }
}
