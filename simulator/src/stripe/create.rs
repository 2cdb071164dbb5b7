//! Reads the parameters of `POST /v1/payment_intents` as strictly as Stripe does.

use serde_json::{Map, Value};

use super::errors::StripeError;
use super::form::Form;
use super::intent::{Intent, IntentStatus};
use crate::config::ConnectedAccount;

const MODELLED: &[&str] = &[
    "allowed_payment_method_types",
    "amount",
    "application_fee_amount",
    "automatic_payment_methods",
    "capture_method",
    "currency",
    "description",
    "expand",
    "metadata",
    "payment_method_options",
    "receipt_email",
    "statement_descriptor_suffix",
];

/// Stripe knows these; the stand-in says so instead of ignoring them.
const UNMODELLED: &[&str] = &[
    "amount_details",
    "confirm",
    "confirmation_method",
    "confirmation_token",
    "customer",
    "customer_account",
    "error_on_requires_action",
    "excluded_payment_method_types",
    "hooks",
    "mandate",
    "mandate_data",
    "off_session",
    "on_behalf_of",
    "payment_details",
    "payment_method",
    "payment_method_configuration",
    "payment_method_data",
    "radar_options",
    "return_url",
    "setup_future_usage",
    "shipping",
    "statement_descriptor",
    "transfer_data",
    "transfer_group",
    "use_stripe_sdk",
];

const METHOD_TYPES: &[&str] =
    &["card", "us_bank_account", "link", "cashapp", "sepa_debit", "paypal", "klarna"];
const AMOUNT_MAX: i64 = 99_999_999;

/// The smallest amount Stripe takes, for the currencies it names one for; `None` for a currency it lacks.
fn amount_min(currency: &str) -> Option<i64> {
    match currency {
        "usd" | "eur" | "cad" | "aud" | "chf" | "nzd" | "sgd" | "brl" | "inr" | "jpy" => Some(50),
        "gbp" => Some(30),
        "mxn" => Some(1_000),
        "hkd" => Some(400),
        "sek" | "nok" => Some(300),
        "dkk" => Some(250),
        "pln" => Some(200),
        "krw" | "clp" | "vnd" | "bhd" | "jod" | "kwd" | "omr" | "tnd" | "zar" | "cop" | "pen" | "ars" => {
            Some(100)
        }
        _ => None,
    }
}

/// A validated creation, still without ids.
pub(crate) fn read(
    form: &Form,
    account: Option<&ConnectedAccount>,
    now_s: i64,
) -> Result<Intent, StripeError> {
    check_names(form)?;
    let currency = currency(form)?;
    let amount = amount(form, &currency)?;
    let application_fee_amount = application_fee(form, amount, account)?;
    let (allowed, types) = method_types(form, &currency, account)?;
    Ok(Intent {
        id: String::new(),
        account: account.map(|account| account.id.clone()),
        client_secret: String::new(),
        status: IntentStatus::RequiresPaymentMethod,
        amount,
        currency,
        application_fee_amount,
        created_s: now_s,
        description: form.text("description").map(str::to_owned),
        metadata: metadata(form)?,
        receipt_email: form.text("receipt_email").map(str::to_owned),
        statement_descriptor_suffix: suffix(form)?,
        capture_method: capture_method(form)?,
        payment_method_types: types,
        automatic_payment_methods: allowed.is_none(),
        allowed_payment_method_types: allowed,
        payment_method_options: form.map("payment_method_options")?,
        canceled_at_s: None,
        cancellation_reason: None,
        last_payment_error: None,
        latest_charge: None,
        instrument: None,
        return_url: None,
    })
}

fn check_names(form: &Form) -> Result<(), StripeError> {
    if form.has("payment_method_types") {
        let message = "The `payment_method_types` parameter is no longer supported in this API version. \
                       Use `allowed_payment_method_types` instead.";
        let error = StripeError::invalid("payment_method_types", message);
        return Err(error.coded("payment_method_types_no_longer_supported"));
    }
    let Some(name) = form.first_unknown(MODELLED) else {
        return Ok(());
    };
    if UNMODELLED.contains(&name) {
        return Err(StripeError::invalid(
            name,
            &format!("This stand-in for Stripe does not model `{name}`."),
        ));
    }
    Err(StripeError::unknown_parameter(name))
}

fn currency(form: &Form) -> Result<String, StripeError> {
    let currency = form.text("currency").ok_or_else(|| StripeError::missing("currency"))?.to_lowercase();
    if amount_min(&currency).is_none() {
        return Err(StripeError::invalid("currency", &format!("Invalid currency: {currency}.")));
    }
    Ok(currency)
}

fn amount(form: &Form, currency: &str) -> Result<i64, StripeError> {
    let amount = form.integer("amount")?.ok_or_else(|| StripeError::missing("amount"))?;
    let least = amount_min(currency).unwrap_or(50);
    if amount < 1 {
        let error = StripeError::invalid("amount", "This value must be greater than or equal to 1.");
        return Err(error.coded("parameter_invalid_integer"));
    }
    if amount < least {
        let message =
            format!("Amount must be at least {least} in the currency's smallest unit ({currency}).");
        return Err(StripeError::invalid("amount", &message).coded("amount_too_small"));
    }
    if amount > AMOUNT_MAX {
        let message = format!("Amount must be no more than {AMOUNT_MAX} in the currency's smallest unit.");
        return Err(StripeError::invalid("amount", &message).coded("amount_too_large"));
    }
    let thousandths = matches!(currency, "bhd" | "jod" | "kwd" | "omr" | "tnd");
    if thousandths && amount % 10 != 0 {
        return Err(StripeError::invalid("amount", "Three-decimal amounts must be divisible by 10."));
    }
    Ok(amount)
}

fn application_fee(
    form: &Form,
    amount: i64,
    account: Option<&ConnectedAccount>,
) -> Result<Option<i64>, StripeError> {
    let name = "application_fee_amount";
    let Some(fee) = form.integer(name)? else {
        return Ok(None);
    };
    if account.is_none() {
        let message = "Can only apply an application_fee_amount when the PaymentIntent is attempting a direct \
                       payment (using an OAuth key or Stripe-Account header) or destination payment.";
        return Err(StripeError::invalid(name, message));
    }
    if fee < 1 {
        let error = StripeError::invalid(name, "This value must be greater than or equal to 1.");
        return Err(error.coded("parameter_invalid_integer"));
    }
    if fee > amount {
        return Err(StripeError::invalid(name, "The application fee cannot be larger than the amount."));
    }
    Ok(Some(fee))
}

type MethodTypes = (Option<Vec<String>>, Vec<String>);

fn method_types(
    form: &Form,
    currency: &str,
    account: Option<&ConnectedAccount>,
) -> Result<MethodTypes, StripeError> {
    let name = "allowed_payment_method_types";
    let bank =
        currency == "usd" && account.is_none_or(|account| account.bank_debits && account.country == "US");
    let Some(asked) = form.list(name)? else {
        let mut types = vec!["card".to_owned()];
        if bank && form.has("automatic_payment_methods") {
            types.push("us_bank_account".to_owned());
        }
        return Ok((None, types));
    };
    if form.has("automatic_payment_methods") {
        let message = "You may only specify one of these parameters: allowed_payment_method_types, \
                       automatic_payment_methods.";
        return Err(StripeError::invalid(name, message));
    }
    if let Some(odd) = asked.iter().find(|kind| !METHOD_TYPES.contains(&kind.as_str())) {
        return Err(StripeError::invalid(
            name,
            &format!("Invalid {name}[]: {odd} is not a payment method type."),
        ));
    }
    // What the account cannot take is dropped without a word, as Stripe does.
    let takes = |kind: &str| kind == "card" || (kind == "us_bank_account" && bank);
    let types: Vec<String> = asked.iter().filter(|kind| takes(kind)).cloned().collect();
    if types.is_empty() {
        return Err(StripeError::invalid(
            name,
            "No allowed payment method type can be used on this account.",
        ));
    }
    Ok((Some(asked), types))
}

fn metadata(form: &Form) -> Result<Map<String, Value>, StripeError> {
    let metadata = form.map("metadata")?;
    if metadata.len() > 50 {
        return Err(StripeError::invalid("metadata", "Metadata can have up to 50 keys."));
    }
    for (key, value) in &metadata {
        let name = format!("metadata[{key}]");
        let Some(text) = value.as_str() else {
            return Err(StripeError::invalid(&name, "Metadata values must be strings."));
        };
        if key.chars().count() > 40 || text.chars().count() > 500 {
            return Err(StripeError::invalid(
                &name,
                "Metadata keys have up to 40 characters, values up to 500.",
            ));
        }
    }
    Ok(metadata)
}

fn suffix(form: &Form) -> Result<Option<String>, StripeError> {
    let name = "statement_descriptor_suffix";
    let Some(suffix) = form.text(name) else {
        return Ok(None);
    };
    if suffix.chars().count() > 22 || suffix.contains(['<', '>', '\\', '\'', '"', '*']) {
        let message = "The statement descriptor suffix has up to 22 characters and none of < > \\ ' \" *.";
        return Err(StripeError::invalid(name, message));
    }
    Ok(Some(suffix.to_owned()))
}

fn capture_method(form: &Form) -> Result<String, StripeError> {
    match form.text("capture_method") {
        None => Ok("automatic_async".into()),
        Some(method @ ("automatic" | "automatic_async")) => Ok(method.into()),
        Some("manual") => Err(StripeError::invalid(
            "capture_method",
            "This stand-in for Stripe does not model manual capture.",
        )),
        Some(other) => {
            Err(StripeError::invalid("capture_method", &format!("Invalid capture_method: {other}")))
        }
    }
}

#[cfg(test)]
mod tests;
