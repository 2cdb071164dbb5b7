//! Ends PaymentIntents that nobody may pay any more: a browser that holds a client secret does not know that its link has
//! died. When Stripe says that it is too late, the payment stands.

use std::collections::HashMap;

use domain::invoice::payable as may_be_paid;
use domain::job::JobKind;
use domain::link::{LinkStatus, Standing};
use domain::payment::PayableStatus;
use domain::time::Timestamp;
use entities::{invoice, link, payable};
use futures::StreamExt;
use futures::stream;
use gateways::stripe::{PaymentIntent, StripeError};
use queue::{Batch, Claimed, Handler, Outcome};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};

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
        let doomed = doomed(&context.db.read, &subjects, context.now()).await?;
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

/// Those of these payables that must die now. What was true when the job was enqueued may have passed: a fresh link lets
/// its invoice's payable live.
async fn doomed<C: ConnectionTrait>(
    db: &C,
    ids: &[String],
    now: Timestamp,
) -> Result<Vec<payable::Model>, DbErr> {
    let mut payables = payable::by_ids(db, ids).await?;
    let of: Vec<String> = payables.iter().map(|payable| payable.invoice_id.to_string()).collect();
    let invoices = invoice::Entity::find().filter(invoice::Column::Id.is_in(&of)).all(db).await?;
    let living = [LinkStatus::Queued.word(), LinkStatus::Sent.word()];
    let links = link::Entity::find()
        .filter(link::Column::InvoiceId.is_in(&of))
        .filter(link::Column::Status.is_in(living))
        .all(db)
        .await?;
    let invoices: HashMap<&str, &invoice::Model> =
        invoices.iter().map(|invoice| (invoice.id.as_str(), invoice)).collect();
    let links: HashMap<&str, &link::Model> =
        links.iter().map(|link| (link.invoice_id.as_str(), link)).collect();
    payables.retain(|payable| {
        let about = payable.invoice_id.as_str();
        let invoice = invoices.get(about);
        invoice.is_some_and(|invoice| must_die(payable, invoice, links.get(about).copied(), now))
    });
    Ok(payables)
}

fn must_die(
    payable: &payable::Model,
    invoice: &invoice::Model,
    living: Option<&link::Model>,
    now: Timestamp,
) -> bool {
    match payable.status.0 {
        PayableStatus::Open => {}
        // It was given up before its PaymentIntent was known: that one must not be left behind.
        PayableStatus::Canceled if payable.payment_intent_id.is_some() => return true,
        PayableStatus::Processing | PayableStatus::Succeeded | PayableStatus::Canceled => return false,
    }
    let owed_minor = invoice.total_minor.saturating_sub(invoice.paid_minor);
    let holds = payable.revision == invoice.revision && payable.amount_minor == owed_minor;
    !may_be_paid(invoice.status.0) || !holds || !living.is_some_and(|link| is_live(link, now))
}

fn is_live(link: &link::Model, now: Timestamp) -> bool {
    let expires_at = link.expires_at_ms.map(Timestamp::from_millis);
    domain::link::standing(link.status.0, expires_at, now) == Standing::Live
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use domain::invoice::InvoiceStatus;
    use domain::link::LinkCause;
    use domain::money::Currency;

    const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);

    fn payable(status: PayableStatus) -> payable::Model {
        payable::Model {
            id: domain::id::PayableId::random([1; 16]).into(),
            merchant_id: domain::id::MerchantId::random([1; 16]).into(),
            invoice_id: domain::id::InvoiceId::random([1; 16]).into(),
            revision: 1,
            amount_minor: 12_500,
            currency: Currency::USD.into(),
            fee_minor: 0,
            fee_policy: "{}".to_owned(),
            stripe_account: "acct_1".to_owned(),
            status: status.into(),
            payment_intent_id: Some("pi_1".to_owned()),
            payer_hash: None,
            created_at_ms: 0,
            checked_at_ms: None,
            ended_at_ms: None,
        }
    }

    fn invoice(status: InvoiceStatus) -> invoice::Model {
        invoice::Model {
            id: domain::id::InvoiceId::random([1; 16]).into(),
            merchant_id: domain::id::MerchantId::random([1; 16]).into(),
            customer_id: domain::id::CustomerId::random([1; 16]).into(),
            number: "INV-1".to_owned(),
            description: None,
            currency: Currency::USD.into(),
            tax_minor: 0,
            total_minor: 12_500,
            paid_minor: 0,
            due_on: "2026-11-30".to_owned(),
            mobile_phone: None,
            status: status.into(),
            on_hold: false,
            promised_on: None,
            revision: 1,
            opened_at_ms: None,
            created_at_ms: 0,
            updated_at_ms: 0,
        }
    }

    fn link(status: LinkStatus, expires_at: Timestamp) -> link::Model {
        let id = domain::id::LinkId::random([1; 16]);
        link::Model {
            id: id.clone().into(),
            merchant_id: domain::id::MerchantId::random([1; 16]).into(),
            invoice_id: domain::id::InvoiceId::random([1; 16]).into(),
            chain_id: id.into(),
            sequence: 1,
            cause: LinkCause::Manual.into(),
            wish_key: "wish".to_owned(),
            event_id: None,
            wanted_channel: None,
            token_hash: "hash".to_owned(),
            key_id: "k1".to_owned(),
            status: status.into(),
            created_at_ms: 0,
            sent_at_ms: None,
            expires_at_ms: Some(expires_at.millis()),
            ended_at_ms: None,
            renewed_at_ms: None,
        }
    }

    #[test]
    fn what_may_be_paid_lives_and_everything_else_dies() {
        let (open, owed) = (payable(PayableStatus::Open), invoice(InvoiceStatus::Open));
        let (live, ended) = (link(LinkStatus::Sent, NOW.plus_ms(1)), link(LinkStatus::Sent, NOW));
        assert!(!must_die(&open, &owed, Some(&live), NOW));
        assert!(must_die(&open, &owed, Some(&ended), NOW), "its time is over");
        assert!(must_die(&open, &owed, None, NOW), "no link lives");
        let changed = invoice::Model { revision: 2, ..owed.clone() };
        assert!(must_die(&open, &changed, Some(&live), NOW), "the invoice changed");
        let part_paid = invoice::Model { paid_minor: 500, ..owed.clone() };
        assert!(must_die(&open, &part_paid, Some(&live), NOW), "less is owed");
        for status in InvoiceStatus::ALL {
            let dies = must_die(&open, &invoice(*status), Some(&live), NOW);
            assert_eq!(dies, !may_be_paid(*status), "{status}");
        }
    }

    #[test]
    fn what_is_on_its_way_or_over_is_left_alone() {
        let closed = invoice(InvoiceStatus::Canceled);
        for status in [PayableStatus::Processing, PayableStatus::Succeeded] {
            assert!(!must_die(&payable(status), &closed, None, NOW), "{status}");
        }
        let given_up = payable(PayableStatus::Canceled);
        assert!(must_die(&given_up, &closed, None, NOW), "its PaymentIntent came late");
        let nothing_made = payable::Model { payment_intent_id: None, ..given_up };
        assert!(!must_die(&nothing_made, &closed, None, NOW));
    }
}
