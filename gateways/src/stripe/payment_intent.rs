//! A PaymentIntent as we use it: amounts in minor units, a few facts about the latest charge, our own metadata.

use std::collections::BTreeMap;

use domain::payment::IntentStatus;
use secrecy::SecretString;
use stripe_types::Expandable;

#[derive(Debug, Clone)]
pub struct PaymentIntent {
    pub id: String,
    pub status: IntentStatus,
    pub amount_minor: i64,
    pub amount_received_minor: i64,
    /// ISO code, upper case.
    pub currency: String,
    /// For the browser that pays and nobody else.
    pub client_secret: Option<SecretString>,
    pub latest_charge: Option<Charge>,
    pub last_error: Option<PaymentError>,
    pub metadata: BTreeMap<String, String>,
    /// What the customer can pay with, after Stripe dropped what the account cannot take.
    pub payment_method_types: Vec<String>,
    pub application_fee_minor: Option<i64>,
    pub created_at_s: i64,
    pub livemode: bool,
}

/// The latest charge; nothing but its id where it was not expanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    pub id: String,
    pub details: Option<ChargeDetails>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargeDetails {
    pub amount_minor: i64,
    pub created_at_s: i64,
    pub paid: bool,
    pub application_fee_minor: Option<i64>,
    /// `card`, `us_bank_account`, …
    pub method: Option<String>,
    pub card_brand: Option<String>,
    pub card_last4: Option<String>,
    pub failure_code: Option<String>,
}

/// Why the last attempt to pay failed. The message is written by Stripe for the customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentError {
    pub code: Option<String>,
    pub decline_code: Option<String>,
    pub message: Option<String>,
}

impl From<stripe_shared::PaymentIntent> for PaymentIntent {
    fn from(intent: stripe_shared::PaymentIntent) -> Self {
        Self {
            id: intent.id.into(),
            status: IntentStatus::read(intent.status.as_str()),
            amount_minor: intent.amount,
            amount_received_minor: intent.amount_received,
            currency: intent.currency.to_string().to_uppercase(),
            client_secret: intent.client_secret.map(SecretString::from),
            latest_charge: intent.latest_charge.map(Charge::from),
            last_error: intent.last_payment_error.map(|error| PaymentError::from(*error)),
            metadata: intent.metadata.into_iter().collect(),
            payment_method_types: intent.payment_method_types,
            application_fee_minor: intent.application_fee_amount,
            created_at_s: intent.created,
            livemode: intent.livemode,
        }
    }
}

impl From<Expandable<stripe_shared::Charge>> for Charge {
    fn from(charge: Expandable<stripe_shared::Charge>) -> Self {
        match charge {
            Expandable::Id(id) => Self { id: id.into(), details: None },
            Expandable::Object(charge) => {
                Self { id: charge.id.as_str().to_owned(), details: Some(ChargeDetails::from(*charge)) }
            }
        }
    }
}

impl From<stripe_shared::Charge> for ChargeDetails {
    fn from(charge: stripe_shared::Charge) -> Self {
        let method = charge.payment_method_details;
        let name = method.as_ref().map(|method| method.type_.clone());
        let card = method.and_then(|method| method.card);
        Self {
            amount_minor: charge.amount,
            created_at_s: charge.created,
            paid: charge.paid,
            application_fee_minor: charge.application_fee_amount,
            method: name,
            card_brand: card.as_ref().and_then(|card| card.brand.clone()),
            card_last4: card.and_then(|card| card.last4),
            failure_code: charge.failure_code,
        }
    }
}

impl From<stripe_shared::ApiErrors> for PaymentError {
    fn from(error: stripe_shared::ApiErrors) -> Self {
        Self {
            code: error.code.map(|code| code.as_str().to_owned()),
            decline_code: error.decline_code,
            message: error.message,
        }
    }
}
