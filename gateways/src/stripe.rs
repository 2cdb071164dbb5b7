//! Stripe, as direct charges on a merchant's connected account: create, fetch, cancel and find PaymentIntents.
//!
//! Nothing here repeats a request. Every POST carries the caller's own idempotency key, so the caller may say it again
//! within 20 hours and mean the same; after that it first looks for what it made.

mod envelope;
mod payment_intent;

use std::collections::BTreeMap;
use std::time::Duration;

use domain::money::Money;
use domain::payment::IntentStatus;
use domain::time::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use stripe::{IdempotencyKey, RequestStrategy, StripeRequest};
use stripe_core::payment_intent as api;
use stripe_shared::{ApiErrorsCode, ApiErrorsType, PaymentIntentAllowedPaymentMethodTypes};

use crate::http::{self, SetupError};

pub use envelope::{EnvelopeError, StripeEnvelope};
pub use payment_intent::{Charge, ChargeDetails, PaymentError, PaymentIntent};

/// The API version that every answer is rendered in; webhook endpoints must be registered with the same.
pub const API_VERSION: &str = "2026-09-30.endive";

const PAGE_SIZE: i64 = 100;
const PAGES_MAX: usize = 50;

#[derive(Debug, Clone)]
pub struct StripeConfig {
    pub secret_key: SecretString,
    /// Without `/v1`: `https://api.stripe.com`.
    pub base_url: String,
    pub timeout_ms: u64,
}

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

#[derive(Debug, thiserror::Error)]
pub enum StripeError {
    /// Not reached, too slow, busy or broken. Say it again later with the same key. With a 5xx Stripe replays that
    /// answer for the key's whole life, so after one look for the object, then use a new key.
    #[error("Stripe did not carry it out (status {status:?})")]
    Retryable { status: Option<u16> },
    #[error("Stripe refused: {code:?}")]
    Rejected { code: Option<String>, message: Option<String> },
    /// It cannot be canceled any more. Here is what it has become.
    #[error("too late to cancel: {}", .0.status)]
    TooLate(Box<PaymentIntent>),
    #[error("Stripe does not accept our key for this account")]
    Auth,
    /// It may have been carried out. Say it again with the same key, or look.
    #[error("Stripe's answer cannot be read")]
    Unreadable,
    #[error("Stripe's list is longer than we read at once")]
    ListTooLong,
}

pub struct StripeGateway {
    client: stripe::Client,
}

impl StripeGateway {
    /// # Errors
    /// When the key or the base URL cannot be used.
    pub fn new(config: StripeConfig) -> Result<Self, SetupError> {
        http::install_crypto();
        if config.secret_key.expose_secret().trim().is_empty() {
            return Err(SetupError::Setting { what: "Stripe needs a secret key" });
        }
        let base = format!("{}/", config.base_url.trim_end_matches('/'));
        let client = stripe::ClientBuilder::new(config.secret_key.expose_secret())
            .url(base)
            .timeout(Duration::from_millis(config.timeout_ms))
            .build()
            .map_err(|_| SetupError::Setting { what: "Stripe's key or base URL" })?;
        Ok(Self { client })
    }

    /// Makes one PaymentIntent per idempotency key.
    ///
    /// # Errors
    /// See [`StripeError`].
    pub async fn create_payment_intent(&self, wanted: &CreatePaymentIntent) -> Result<PaymentIntent, StripeError> {
        let request = create_request(wanted)?;
        let made = self.post(request.build(), &wanted.account, &wanted.idempotency_key).await?;
        Ok(made)
    }

    /// The truth about a PaymentIntent, with its latest charge.
    ///
    /// # Errors
    /// See [`StripeError`].
    pub async fn retrieve_payment_intent(&self, account: &str, id: &str) -> Result<PaymentIntent, StripeError> {
        let request = api::RetrievePaymentIntent::new(checked_id(id)?).expand(["latest_charge".to_owned()]);
        let sent = request.customize().account_id(account.into()).send(&self.client).await;
        sent.map(PaymentIntent::from).map_err(|error| why(error).into())
    }

    /// Cancels a PaymentIntent, so that a browser that holds its client secret cannot pay it any more. One that is
    /// canceled already counts as canceled.
    ///
    /// # Errors
    /// [`StripeError::TooLate`] with what it has become when it is processing or has succeeded.
    pub async fn cancel_payment_intent(
        &self,
        account: &str,
        id: &str,
        idempotency_key: &str,
    ) -> Result<PaymentIntent, StripeError> {
        let request = api::CancelPaymentIntent::new(checked_id(id)?);
        let refusal = match self.post(request.build(), account, idempotency_key).await {
            Ok(canceled) => return Ok(canceled),
            Err(refusal) => refusal,
        };
        match refusal {
            Refusal::UnexpectedState => self.settled_otherwise(account, id).await,
            Refusal::Plain(error) => Err(error),
        }
    }

    /// The PaymentIntent whose metadata holds this value, among those created since. For a create whose outcome is
    /// unknown and whose key Stripe may have forgotten.
    ///
    /// # Errors
    /// See [`StripeError`].
    pub async fn find_payment_intent(
        &self,
        account: &str,
        created_since: Timestamp,
        metadata_key: &str,
        metadata_value: &str,
    ) -> Result<Option<PaymentIntent>, StripeError> {
        let is_ours = |intent: &PaymentIntent| {
            intent.metadata.get(metadata_key).is_some_and(|value| value == metadata_value)
        };
        let all = self.list_payment_intents(account, created_since).await?;
        Ok(all.into_iter().find(is_ours))
    }

    /// Every PaymentIntent of an account created since, newest first. Their charges are named, not expanded.
    ///
    /// # Errors
    /// See [`StripeError`].
    pub async fn list_payment_intents(
        &self,
        account: &str,
        created_since: Timestamp,
    ) -> Result<Vec<PaymentIntent>, StripeError> {
        let since = stripe_types::RangeQueryTs::gte(created_since.seconds());
        let mut all: Vec<PaymentIntent> = Vec::new();
        for _ in 0..PAGES_MAX {
            let mut request = api::ListPaymentIntent::new().created(since).limit(PAGE_SIZE);
            if let Some(last) = all.last() {
                request = request.starting_after(&last.id);
            }
            let page = request.customize().account_id(account.into()).send(&self.client).await;
            let page = page.map_err(|error| StripeError::from(why(error)))?;
            let is_last = !page.has_more || page.data.is_empty();
            all.extend(page.data.into_iter().map(PaymentIntent::from));
            if is_last {
                return Ok(all);
            }
        }
        Err(StripeError::ListTooLong)
    }

    /// Sends a POST about a PaymentIntent, once, under the caller's key.
    async fn post(
        &self,
        request: stripe_client_core::RequestBuilder,
        account: &str,
        idempotency_key: &str,
    ) -> Result<PaymentIntent, Refusal> {
        let key = IdempotencyKey::new(idempotency_key).map_err(|_| bad_parameter("idempotency_key"))?;
        let sent = in_one_order(request)
            .customize::<stripe_shared::PaymentIntent>()
            .account_id(account.into())
            .request_strategy(RequestStrategy::Idempotent(key))
            .send(&self.client)
            .await;
        sent.map(PaymentIntent::from).map_err(why)
    }

    async fn settled_otherwise(&self, account: &str, id: &str) -> Result<PaymentIntent, StripeError> {
        let now = self.retrieve_payment_intent(account, id).await?;
        match now.status {
            IntentStatus::Canceled => Ok(now),
            IntentStatus::Processing
            | IntentStatus::Succeeded
            | IntentStatus::RequiresPaymentMethod
            | IntentStatus::RequiresConfirmation
            | IntentStatus::RequiresAction
            | IntentStatus::RequiresCapture
            | IntentStatus::Unknown => Err(StripeError::TooLate(Box::new(now))),
        }
    }
}

fn create_request(wanted: &CreatePaymentIntent) -> Result<api::CreatePaymentIntent, StripeError> {
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
fn in_one_order(mut request: stripe_client_core::RequestBuilder) -> stripe_client_core::RequestBuilder {
    request.body = request.body.map(|body| {
        let mut pairs: Vec<&str> = body.split('&').collect();
        pairs.sort_unstable();
        pairs.join("&")
    });
    request
}

/// An id becomes part of a path.
fn checked_id(id: &str) -> Result<&str, StripeError> {
    let is_plain = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_plain { Ok(id) } else { Err(bad_parameter("id")) }
}

fn bad_parameter(name: &str) -> StripeError {
    StripeError::Rejected { code: Some("parameter_invalid".to_owned()), message: Some(name.to_owned()) }
}

/// An error, with the one kind set apart that only a cancel knows what to make of.
enum Refusal {
    UnexpectedState,
    Plain(StripeError),
}

impl From<StripeError> for Refusal {
    fn from(error: StripeError) -> Self {
        Self::Plain(error)
    }
}

impl From<Refusal> for StripeError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Plain(error) => error,
            Refusal::UnexpectedState => Self::Rejected {
                code: Some(ApiErrorsCode::PaymentIntentUnexpectedState.as_str().to_owned()),
                message: None,
            },
        }
    }
}

fn why(error: stripe::StripeError) -> Refusal {
    let plain = match error {
        stripe::StripeError::Stripe(said, status) => {
            if matches!(said.code, Some(ApiErrorsCode::PaymentIntentUnexpectedState)) {
                return Refusal::UnexpectedState;
            }
            said_no(*said, status)
        }
        // Also every error page that is not Stripe's own: the key makes it safe to ask again.
        stripe::StripeError::JSONDeserialize(_) => StripeError::Unreadable,
        stripe::StripeError::ClientError(_) | stripe::StripeError::Timeout => {
            StripeError::Retryable { status: None }
        }
        stripe::StripeError::ConfigError(_) => bad_parameter("account"),
    };
    Refusal::Plain(plain)
}

fn said_no(said: stripe_shared::ApiErrors, status: u16) -> StripeError {
    match status {
        401 | 403 => StripeError::Auth,
        // The same key with other parameters is our own mistake and will not heal.
        _ if matches!(said.type_, ApiErrorsType::IdempotencyError) && status != 409 => rejected(said),
        409 | 424 | 429 | 500.. => StripeError::Retryable { status: Some(status) },
        _ => rejected(said),
    }
}

fn rejected(said: stripe_shared::ApiErrors) -> StripeError {
    StripeError::Rejected { code: said.code.map(|code| code.as_str().to_owned()), message: said.message }
}

#[cfg(test)]
mod tests;
