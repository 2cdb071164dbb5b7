//! Objects as Stripe renders them at this API version, with every key it documents.

use serde_json::{Map, Value, json};

use super::call::API_VERSION;
use super::cards::{Instrument, Kind};
use super::intent::{Intent, IntentStatus, PaymentFailure};
use super::payments::{Charge, ChargeStatus, Event, Payments};
use crate::config::ConnectedAccount;

const DAY_S: i64 = 86_400;
/// Keys a browser with a publishable key is not shown.
const SERVER_ONLY: &[&str] = &["application", "application_fee_amount", "customer", "metadata", "review", "transfer_data"];

/// What Stripe keeps of a card payment: 2.9 % and 30 of the smallest unit, rounded half up.
pub(crate) fn stripe_fee(amount: i64) -> i64 {
    (amount * 29 + 500) / 1000 + 30
}

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
    if let (true, Some((id, instrument))) = (expand.iter().any(|path| path == "payment_method"), &intent.instrument) {
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

fn billing(instrument: &Instrument) -> Value {
    json!({
        "address": {
            "city": null, "country": null, "line1": null, "line2": null,
            "postal_code": instrument.postal_code, "state": null,
        },
        "email": instrument.billing_email,
        "name": instrument.billing_name,
        "phone": null,
        "tax_id": null,
    })
}

fn payment_method(id: &str, instrument: &Instrument, created_s: i64) -> Value {
    let mut object = json!({
        "id": id,
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": billing(instrument),
        "created": created_s,
        "customer": null,
        "customer_account": null,
        "livemode": false,
        "metadata": {},
        "type": instrument.type_name(),
    });
    object[instrument.type_name()] = match instrument.kind {
        Kind::Card { brand, exp_month, exp_year } => json!({
            "brand": brand,
            "checks": card_checks(),
            "country": "US",
            "display_brand": brand,
            "exp_month": exp_month,
            "exp_year": exp_year,
            "fingerprint": format!("fp{}", instrument.last4),
            "funding": "credit",
            "generated_from": null,
            "last4": instrument.last4,
            "networks": { "available": [brand], "preferred": null },
            "regulated_status": "unregulated",
            "three_d_secure_usage": { "supported": true },
            "wallet": null,
        }),
        Kind::BankAccount => bank_details(instrument),
    };
    object
}

fn card_checks() -> Value {
    json!({ "address_line1_check": null, "address_postal_code_check": "pass", "cvc_check": "pass" })
}

fn bank_details(instrument: &Instrument) -> Value {
    json!({
        "account_holder_type": "individual",
        "account_type": "checking",
        "bank_name": "STRIPE TEST BANK",
        "fingerprint": format!("fp{}", instrument.last4),
        "last4": instrument.last4,
        "routing_number": "110000000",
    })
}

fn method_details(instrument: &Instrument, amount: i64) -> Value {
    let details = match instrument.kind {
        Kind::Card { brand, exp_month, exp_year } => json!({
            "amount_authorized": amount,
            "authorization_code": "123456",
            "brand": brand,
            "checks": card_checks(),
            "country": "US",
            "exp_month": exp_month,
            "exp_year": exp_year,
            "extended_authorization": { "status": "disabled" },
            "fingerprint": format!("fp{}", instrument.last4),
            "funding": "credit",
            "incremental_authorization": { "status": "unavailable" },
            "installments": null,
            "last4": instrument.last4,
            "mandate": null,
            "multicapture": { "status": "unavailable" },
            "network": brand,
            "network_token": { "used": false },
            "overcapture": { "maximum_amount_capturable": amount, "status": "unavailable" },
            "regulated_status": "unregulated",
            "three_d_secure": null,
            "wallet": null,
        }),
        Kind::BankAccount => {
            let mut details = bank_details(instrument);
            details["mandate"] = json!("mandate_simulated");
            details["payment_reference"] = Value::Null;
            details
        }
    };
    json!({ instrument.type_name(): details, "type": instrument.type_name() })
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
        "application_fee": null,
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

/// A connected account, as far as a pay page needs it.
pub(crate) fn account(account: &ConnectedAccount) -> Value {
    let mut capabilities = json!({ "card_payments": "active", "transfers": "active" });
    if account.bank_debits {
        capabilities["us_bank_account_ach_payments"] = json!("active");
    }
    json!({
        "id": account.id,
        "object": "account",
        "business_profile": {
            "mcc": null, "name": account.business_name, "product_description": null, "support_address": null,
            "support_email": null, "support_phone": null, "support_url": null, "url": null,
        },
        "business_type": "company",
        "capabilities": capabilities,
        "charges_enabled": true,
        "country": account.country,
        "created": 1_700_000_000,
        "default_currency": account.default_currency,
        "details_submitted": true,
        "email": null,
        "metadata": {},
        "payouts_enabled": true,
        "settings": {
            "branding": { "icon": null, "logo": null, "primary_color": null, "secondary_color": null },
            "card_payments": {
                "decline_on": { "avs_failure": false, "cvc_failure": false },
                "statement_descriptor_prefix": null,
                "statement_descriptor_prefix_kanji": null,
                "statement_descriptor_prefix_kana": null,
            },
            "dashboard": { "display_name": account.business_name, "timezone": "Etc/UTC" },
            "payments": {
                "statement_descriptor": "SIMULATED",
                "statement_descriptor_kana": null,
                "statement_descriptor_kanji": null,
            },
        },
        "type": "standard",
    })
}
