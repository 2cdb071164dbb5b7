//! What Stripe said when asked, brought into the books. The page and the jobs share the same one way in.

use domain::job::Outbox;
use entities::payable::{self, Advanced, IntentFacts};
use gateways::stripe::PaymentIntent;
use queue::failpoint;
use sea_orm::DbErr;

use crate::Api;

/// Advances a payable to where its PaymentIntent is, in a transaction of its own.
pub(super) async fn advance(
    api: &Api,
    payable: &payable::Model,
    intent: &PaymentIntent,
) -> Result<Advanced, DbErr> {
    let tx = api.db.begin().await?;
    let mut outbox = Outbox::default();
    let advanced = payable::advance(&tx, payable, &facts(intent), api.now(), &mut outbox).await?;
    failpoint::reached("advance_before_commit");
    api.ledger.commit(tx, outbox).await?;
    failpoint::reached("advance_committed");
    Ok(advanced)
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
