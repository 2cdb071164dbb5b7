//! Which payables must not be paid any more, whoever holds their client secret.

use std::collections::HashMap;

use domain::invoice::payable as may_be_paid;
use domain::link::{LinkStatus, Standing};
use domain::payment::PayableStatus;
use domain::time::Timestamp;
use entities::{invoice, link, merchant, payable};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};

/// Those of these payables that must die now. What was true when somebody asked for it may have passed: a fresh link lets
/// its invoice's payable live.
pub(crate) async fn among<C: ConnectionTrait>(
    db: &C,
    ids: &[String],
    now: Timestamp,
) -> Result<Vec<payable::Model>, DbErr> {
    let mut payables = payable::by_ids(db, ids).await?;
    let of: Vec<String> = payables.iter().map(|payable| payable.invoice_id.to_string()).collect();
    let merchants: Vec<String> = payables.iter().map(|payable| payable.merchant_id.to_string()).collect();
    let invoices = invoice::Entity::find().filter(invoice::Column::Id.is_in(&of)).all(db).await?;
    let merchants = merchant::by_ids(db, &merchants).await?;
    let links = link::Entity::find()
        .filter(link::Column::InvoiceId.is_in(&of))
        .filter(link::Column::Status.is_in([LinkStatus::Queued.word(), LinkStatus::Sent.word()]))
        .all(db)
        .await?;
    let invoices: HashMap<&str, &invoice::Model> =
        invoices.iter().map(|invoice| (invoice.id.as_str(), invoice)).collect();
    let merchants: HashMap<&str, &merchant::Model> =
        merchants.iter().map(|merchant| (merchant.id.as_str(), merchant)).collect();
    let links: HashMap<&str, &link::Model> =
        links.iter().map(|link| (link.invoice_id.as_str(), link)).collect();
    payables.retain(|payable| {
        let about = payable.invoice_id.as_str();
        let (Some(invoice), Some(merchant)) =
            (invoices.get(about), merchants.get(payable.merchant_id.as_str()))
        else {
            return false;
        };
        let link_lives = links.get(about).is_some_and(|link| is_live(link, now));
        must_die(payable, invoice, merchant.payable_on_hold, link_lives)
    });
    Ok(payables)
}

fn must_die(
    payable: &payable::Model,
    invoice: &invoice::Model,
    payable_on_hold: bool,
    link_lives: bool,
) -> bool {
    match payable.status.0 {
        PayableStatus::Open => {}
        // It was given up before its PaymentIntent was known: that one must not be left behind.
        PayableStatus::Canceled if payable.payment_intent_id.is_some() => return true,
        PayableStatus::Processing | PayableStatus::Succeeded | PayableStatus::Canceled => return false,
    }
    let owed_minor = invoice.total_minor.saturating_sub(invoice.paid_minor);
    let holds = payable.revision == invoice.revision && payable.amount_minor == owed_minor;
    let held = invoice.on_hold && !payable_on_hold;
    !may_be_paid(invoice.status.0) || held || !holds || !link_lives
}

fn is_live(link: &link::Model, now: Timestamp) -> bool {
    let expires_at = link.expires_at_ms.map(Timestamp::from_millis);
    domain::link::standing(link.status.0, expires_at, now) == Standing::Live
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::invoice::InvoiceStatus;
    use domain::money::Currency;

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

    #[test]
    fn what_may_be_paid_lives_and_everything_else_dies() {
        let (open, owed) = (payable(PayableStatus::Open), invoice(InvoiceStatus::Open));
        assert!(!must_die(&open, &owed, true, true));
        assert!(must_die(&open, &owed, true, false), "no link lives");
        let changed = invoice::Model { revision: 2, ..owed.clone() };
        assert!(must_die(&open, &changed, true, true), "the invoice changed");
        let part_paid = invoice::Model { paid_minor: 500, ..owed.clone() };
        assert!(must_die(&open, &part_paid, true, true), "less is owed");
        let asked = invoice::Model { on_hold: true, ..owed };
        assert!(!must_die(&open, &asked, true, true), "a question leaves it payable");
        assert!(must_die(&open, &asked, false, true), "unless the merchant says otherwise");
        for status in InvoiceStatus::ALL {
            let dies = must_die(&open, &invoice(*status), true, true);
            assert_eq!(dies, !may_be_paid(*status), "{status}");
        }
    }

    #[test]
    fn what_is_on_its_way_or_over_is_left_alone() {
        let closed = invoice(InvoiceStatus::Canceled);
        for status in [PayableStatus::Processing, PayableStatus::Succeeded] {
            assert!(!must_die(&payable(status), &closed, true, false), "{status}");
        }
        let given_up = payable(PayableStatus::Canceled);
        assert!(must_die(&given_up, &closed, true, false), "its PaymentIntent came late");
        let nothing_made = payable::Model { payment_intent_id: None, ..given_up };
        assert!(!must_die(&nothing_made, &closed, true, false));
    }
}
