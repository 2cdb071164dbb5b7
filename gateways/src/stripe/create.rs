//! A PaymentIntent to be made, and the request that makes it.

use std::collections::BTreeMap;

use domain::money::Money;
use stripe_core::payment_intent as api;
use stripe_shared::PaymentIntentAllowedPaymentMethodTypes;

use super::error::{StripeError, bad_parameter};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentMethodType {
    Card,
    UsBankAccount,
}

/// A PaymentIntent to be made. Everything in it comes from a stored row, so that a repeat is byte for byte the same.
#[derive(Debug, Clone)]
pub struct CreatePaymentIntent {
    /// The connected account, `acct_…`.
    pub account: String,
    pub amount: Money,
    /// Left out when it is nothing or zero.
    pub application_fee_minor: Option<i64>,
    pub description: String,
    /// Ours, such as the invoice's and the payable's id. Never anything about a person.
    pub metadata: BTreeMap<String, String>,
    pub statement_descriptor_suffix: Option<String>,
    /// What the customer may pay with. Stripe drops what the account cannot take; see the answer.
    pub payment_method_types: Vec<PaymentMethodType>,
    pub idempotency_key: String,
}

pub(super) fn request(wanted: &CreatePaymentIntent) -> Result<api::CreatePaymentIntent, StripeError> {
    let currency = wanted.amount.currency.code().to_lowercase();
    let currency: stripe_types::Currency = currency.parse().map_err(|_| bad_parameter("currency"))?;
    let methods: Vec<_> = wanted.payment_method_types.iter().map(|method| allowed(*method)).collect();
    let metadata: std::collections::HashMap<String, String> = wanted.metadata.clone().into_iter().collect();
    let mut request = api::CreatePaymentIntent::new(wanted.amount.amount_minor, currency)
        .allowed_payment_method_types(methods)
        .description(&wanted.description)
        .metadata(metadata);
    if let Some(fee_minor) = wanted.application_fee_minor.filter(|fee_minor| *fee_minor > 0) {
        request = request.application_fee_amount(fee_minor);
    }
    if let Some(suffix) = &wanted.statement_descriptor_suffix {
        request = request.statement_descriptor_suffix(suffix);
    }
    Ok(request)
}

const fn allowed(method: PaymentMethodType) -> PaymentIntentAllowedPaymentMethodTypes {
    match method {
        PaymentMethodType::Card => PaymentIntentAllowedPaymentMethodTypes::Card,
        PaymentMethodType::UsBankAccount => PaymentIntentAllowedPaymentMethodTypes::UsBankAccount,
    }
}

/// Stripe refuses a key that comes back with other parameters; a map's order must not make them other.
pub(super) fn in_one_order(
    mut request: stripe_client_core::RequestBuilder,
) -> stripe_client_core::RequestBuilder {
    request.body = request.body.map(|body| {
        let mut pairs: Vec<&str> = body.split('&').collect();
        pairs.sort_unstable();
        pairs.join("&")
    });
    request
}
