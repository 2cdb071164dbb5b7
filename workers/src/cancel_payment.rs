//! Ends PaymentIntents that nobody may pay any more: a browser that holds a client secret does not know that its link has
//! died. When Stripe says that it is too late, the payment stands.

pub(crate) mod doomed;

use domain::job::JobKind;
use entities::payable;
use futures::StreamExt;
use futures::stream;
use gateways::stripe::{PaymentIntent, StripeError};
use queue::{Batch, Claimed, Handler, Outcome};
use sea_orm::DbErr;

use crate::{Context, payment_truth};

const CANCELED_AT_ONCE: usize = 8;

pub(crate) struct CancelPayment {
    pub(crate) context: Context,
}

impl Handler for CancelPayment {
    const KIND: JobKind = JobKind::CancelPayment;

    async fn run(&self, batch: &Batch) -> Result<(), DbErr> {
        let context = &self.context;
        let mut jobs = payment_truth::by_subject(batch);
        let subjects: Vec<String> = jobs.keys().cloned().collect();
        let doomed = doomed::among(&context.db.read, &subjects, context.now()).await?;
        let (unmade, made): (Vec<_>, Vec<_>) =
            doomed.into_iter().partition(|payable| payable.payment_intent_id.is_none());
        for payable in unmade {
            abandon(context, batch, &payable, jobs.remove(payable.id.as_str()).unwrap_or_default()).await?;
        }
        let mut answers = Vec::new();
        for (payable, said) in cancel(context, made).await {
            let of_it = jobs.remove(payable.id.as_str()).unwrap_or_default();
            match said {
                Ok(intent) => {
                    payment_truth::advance(context, &payable, &intent, Some((batch, of_it))).await?;
                }
                Err(error) => answers.extend(payment_truth::all(of_it, &payment_truth::outcome_of(&error))),
            }
        }
        answers.extend(jobs.into_values().flat_map(|of_it| payment_truth::all(of_it, &Outcome::Done)));
        batch.finish(answers).await
    }
}

/// Without a PaymentIntent there is nothing at Stripe that anybody could pay.
async fn abandon(
    context: &Context,
    batch: &Batch,
    payable: &payable::Model,
    jobs: Vec<Claimed>,
) -> Result<(), DbErr> {
    let tx = context.db.begin().await?;
    let abandoned = payable::abandon(&tx, &payable.id, context.now()).await?;
    // It got its PaymentIntent since we looked: look again.
    let outcome = if abandoned { Outcome::Done } else { Outcome::Wait(std::time::Duration::ZERO) };
    let settled = batch.settle(&tx, payment_truth::all(jobs, &outcome)).await?;
    tx.commit().await?;
    batch.committed(&settled);
    Ok(())
}

async fn cancel(
    context: &Context,
    payables: Vec<payable::Model>,
) -> Vec<(payable::Model, Result<PaymentIntent, StripeError>)> {
    let asked = payables.into_iter().filter_map(|payable| {
        let intent_id = payable.payment_intent_id.clone()?;
        // A cancel may be repeated freely, so every try has its own key and none is answered from a memory.
        let key = format!("cancel:{}:{}", payable.id.0, context.now().millis());
        Some(async move {
            let stripe = &context.stripe;
            match stripe.cancel_payment_intent(&payable.stripe_account, &intent_id, &key).await {
                Err(StripeError::TooLate(intent)) => (payable, Ok(*intent)),
                said => (payable, said),
            }
        })
    });
    stream::iter(asked).buffer_unordered(CANCELED_AT_ONCE).collect().await
}
