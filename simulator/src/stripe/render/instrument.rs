//! Payment methods and billing details, rendered.

use serde_json::{Value, json};

use crate::stripe::instrument::{Instrument, Kind};

pub(super) fn billing(instrument: &Instrument) -> Value {
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

pub(super) fn payment_method(id: &str, instrument: &Instrument, created_s: i64) -> Value {
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

pub(super) fn method_details(instrument: &Instrument, amount: i64) -> Value {
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
