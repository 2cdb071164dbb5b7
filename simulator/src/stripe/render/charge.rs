//! Charges and their balance transactions, rendered.

use serde_json::{Value, json};

use super::instrument::{billing, method_details};
use crate::stripe::charge::{Charge, ChargeStatus};
use crate::stripe::intent::Intent;

const DAY_S: i64 = 86_400;

/// What Stripe keeps of a card payment: 2.9 % and 30 of the smallest unit, rounded half up.
pub(crate) fn stripe_fee(amount: i64) -> i64 {
    (amount * 29 + 500) / 1000 + 30
}

fn outcome(charge: &Charge) -> Value {
    let authorised = charge.status != ChargeStatus::Failed;
    json!({
        "advice_code": null,
        "network_advice_code": null,
        "network_decline_code": if authorised { Value::Null } else { json!("01") },
        "network_status": if authorised { "approved_by_network" } else { "declined_by_network" },
        "reason": charge.failure.and_then(|failure| failure.decline_code),
        "risk_level": "normal",
        "risk_score": 12,
        "seller_message": if authorised { "Payment complete." } else { "The bank declined the payment." },
        "type": if authorised { "authorized" } else { "issuer_declined" },
    })
}

/// A Charge; `balance_transaction` may be expanded.
pub(crate) fn charge(charge: &Charge, intent: &Intent, expand: &[String]) -> Value {
    let paid = charge.status != ChargeStatus::Failed;
    let captured = if charge.status == ChargeStatus::Succeeded { intent.amount } else { 0 };
    let mut object = json!({
        "id": charge.id,
        "object": "charge",
        "amount": intent.amount,
        "amount_captured": captured,
        "amount_refunded": 0,
        "application": intent.account.as_ref().map(|_| "ca_simulated"),
        "application_fee": application_fee(charge, intent),
        "application_fee_amount": intent.application_fee_amount,
        "balance_transaction": charge.balance_transaction,
        "billing_details": billing(&charge.instrument),
        "calculated_statement_descriptor": "SIMULATED",
        "captured": paid,
        "created": charge.created_s,
        "currency": intent.currency,
        "customer": null,
        "description": intent.description,
        "disputed": false,
        "failure_balance_transaction": null,
        "failure_code": charge.failure.map(|failure| failure.code),
        "failure_message": charge.failure.map(|failure| failure.message),
        "fraud_details": {},
        "livemode": false,
        "metadata": intent.metadata,
        "on_behalf_of": null,
        "outcome": outcome(charge),
        "paid": paid,
        "payment_intent": intent.id,
        "payment_method": charge.payment_method,
        "payment_method_details": method_details(&charge.instrument, intent.amount),
        "radar_options": {},
        "receipt_email": intent.receipt_email,
        "receipt_number": null,
        "receipt_url": null,
        "refunded": false,
        "review": null,
        "shipping": null,
        "source": null,
        "source_transfer": null,
        "statement_descriptor": null,
        "statement_descriptor_suffix": intent.statement_descriptor_suffix,
        "status": match charge.status {
            ChargeStatus::Succeeded => "succeeded",
            ChargeStatus::Pending => "pending",
            ChargeStatus::Failed => "failed",
        },
        "transfer_data": null,
        "transfer_group": null,
    });
    if expand.iter().any(|path| path == "balance_transaction")
        && let Some(transaction) = balance_transaction(charge, intent)
    {
        object["balance_transaction"] = transaction;
    }
    object
}

/// The fee's own id: there once the money moved, and only when there is a fee.
fn application_fee(charge: &Charge, intent: &Intent) -> Option<String> {
    let moved = charge.status == ChargeStatus::Succeeded && intent.application_fee_amount.is_some();
    moved.then(|| charge.id.replacen("ch_", "fee_", 1))
}

/// Gross, fees and net of a charge that went through.
pub(crate) fn balance_transaction(charge: &Charge, intent: &Intent) -> Option<Value> {
    let id = charge.balance_transaction.as_ref()?;
    let own = stripe_fee(intent.amount);
    let application = intent.application_fee_amount.unwrap_or(0);
    let detail = |amount: i64, kind: &str, description: &str, by: Option<&str>| {
        json!({
            "amount": amount, "application": by, "currency": intent.currency,
            "description": description, "type": kind,
        })
    };
    let mut fee_details = vec![detail(own, "stripe_fee", "Stripe processing fees", None)];
    if application > 0 {
        fee_details.push(detail(application, "application_fee", "Application fee", Some("ca_simulated")));
    }
    let card = charge.instrument.type_name() == "card";
    Some(json!({
        "id": id,
        "object": "balance_transaction",
        "amount": intent.amount,
        "available_on": charge.created_s + if card { 2 } else { 4 } * DAY_S,
        "balance_type": "payments",
        "created": charge.created_s,
        "currency": intent.currency,
        "description": intent.description,
        "exchange_rate": null,
        "fee": own + application,
        "fee_details": fee_details,
        "net": intent.amount - own - application,
        "reporting_category": "charge",
        "source": charge.id,
        "status": "pending",
        "type": if card { "charge" } else { "payment" },
    }))
}
