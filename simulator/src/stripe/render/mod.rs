//! Objects as Stripe renders them at this API version, with every key it documents.

mod account;
mod charge;
mod instrument;

use serde_json::{Map, Value, json};

pub(crate) use account::account;
pub(crate) use charge::{balance_transaction, charge};

use super::call::API_VERSION;
use super::event::Event;
use super::intent::{Intent, IntentStatus, PaymentFailure};
use super::payments::Payments;
use instrument::payment_method;

/// Keys a browser with a publishable key is not shown.
const SERVER_ONLY: &[&str] =
    &["application", "application_fee_amount", "customer", "metadata", "review", "transfer_data"];

/// A PaymentIntent. `expand` holds paths such as `latest_charge.balance_transaction`.
pub(crate) fn intent(intent: &Intent, all: &Payments, expand: &[String]) -> Value {
    let succeeded = intent.status == IntentStatus::Succeeded;
    let mut object = json!({
        "id": intent.id,
        "object": "payment_intent",
        "allowed_payment_method_types": intent.allowed_payment_method_types,
        "amount": intent.amount,
        "amount_capturable": 0,
        "amount_details": { "tip": {} },
        "amount_received": if succeeded { intent.amount } else { 0 },
        "application": intent.account.as_ref().map(|_| "ca_simulated"),
        "application_fee_amount": intent.application_fee_amount,
        "automatic_payment_methods":
            intent.automatic_payment_methods.then(|| json!({ "allow_redirects": "always", "enabled": true })),
        "canceled_at": intent.canceled_at_s,
        "cancellation_reason": intent.cancellation_reason,
        "capture_method": intent.capture_method,
        "client_secret": intent.client_secret,
        "confirmation_method": "automatic",
        "created": intent.created_s,
        "currency": intent.currency,
        "customer": null,
        "customer_account": null,
        "description": intent.description,
        "excluded_payment_method_types": null,
        "last_payment_error": intent.last_payment_error.as_ref().map(|failure| payment_error(failure, intent)),
        "latest_charge": intent.latest_charge,
        "livemode": false,
        "metadata": intent.metadata,
        "next_action": next_action(intent),
        "on_behalf_of": null,
        "payment_method": intent.instrument.as_ref().map(|(id, _)| id),
        "payment_method_configuration_details": null,
        "payment_method_options": method_options(intent),
        "payment_method_types": intent.payment_method_types,
        "processing": null,
        "receipt_email": intent.receipt_email,
        "review": null,
        "setup_future_usage": null,
        "shipping": null,
        "source": null,
        "statement_descriptor": null,
        "statement_descriptor_suffix": intent.statement_descriptor_suffix,
        "status": intent.status.as_str(),
        "transfer_data": null,
        "transfer_group": null,
    });
    let charge_wanted = expand.iter().any(|path| path.split('.').next() == Some("latest_charge"));
    let latest = intent.latest_charge.as_deref().and_then(|id| all.charge(id));
    if let (true, Some(latest)) = (charge_wanted, latest) {
        object["latest_charge"] = charge(latest, intent, &below(expand, "latest_charge"));
    }
    if let (true, Some((id, instrument))) =
        (expand.iter().any(|path| path == "payment_method"), &intent.instrument)
    {
        object["payment_method"] = payment_method(id, instrument, intent.created_s);
    }
    object
}

/// The same, as a browser sees it.
pub(crate) fn intent_for_browser(one: &Intent, all: &Payments) -> Value {
    let mut object = intent(one, all, &[]);
    if let Some(map) = object.as_object_mut() {
        for key in SERVER_ONLY {
            map.remove(*key);
        }
    }
    object
}

fn below(expand: &[String], head: &str) -> Vec<String> {
    let prefix = format!("{head}.");
    expand.iter().filter_map(|path| path.strip_prefix(&prefix)).map(str::to_owned).collect()
}

fn next_action(intent: &Intent) -> Option<Value> {
    (intent.status == IntentStatus::RequiresAction).then(|| {
        json!({
            "type": "use_stripe_sdk",
            "use_stripe_sdk": { "type": "three_d_secure_redirect", "stripe_js": "challenge" },
        })
    })
}

fn method_options(intent: &Intent) -> Value {
    let mut options = Map::new();
    for kind in &intent.payment_method_types {
        let mut option = match kind.as_str() {
            "us_bank_account" => json!({ "verification_method": "automatic" }),
            _ => json!({
                "installments": null,
                "mandate_options": null,
                "network": null,
                "request_three_d_secure": "automatic",
            }),
        };
        let asked = intent.payment_method_options.get(kind).and_then(Value::as_object);
        for (name, value) in asked.into_iter().flatten() {
            option[name] = value.clone();
        }
        options.insert(kind.clone(), option);
    }
    Value::Object(options)
}

fn payment_error(failure: &PaymentFailure, intent: &Intent) -> Value {
    let mut error = json!({
        "code": failure.code,
        "doc_url": format!("https://stripe.com/docs/error-codes/{}", failure.code),
        "message": failure.message,
        "payment_method": payment_method(&failure.payment_method, &failure.instrument, intent.created_s),
        "type": if failure.code.starts_with("payment_intent") { "invalid_request_error" } else { "card_error" },
    });
    if let Some(charge) = &failure.charge {
        error["charge"] = json!(charge);
    }
    if let Some(decline) = &failure.decline_code {
        error["decline_code"] = json!(decline);
    }
    error
}

/// An Event, snapshot and all.
pub(crate) fn event(event: &Event) -> Value {
    let mut object = json!({
        "id": event.id,
        "object": "event",
        "api_version": API_VERSION,
        "context": event.account,
        "created": event.created_s,
        "data": { "object": event.object },
        "livemode": false,
        "pending_webhooks": 1,
        "request": { "id": event.request, "idempotency_key": event.idempotency_key },
        "type": event.kind,
    });
    if let Some(account) = &event.account {
        object["account"] = json!(account);
    }
    object
}
