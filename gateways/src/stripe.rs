//! Stripe, as direct charges on a merchant's connected account: create, fetch, cancel and find PaymentIntents.
//!
//! Nothing here repeats a request. Every POST carries the caller's own idempotency key, so the caller may say it again
//! within 20 hours and mean the same; after that it first looks for what it made.

mod create;
mod envelope;
mod error;
mod payment_intent;

use std::time::Duration;

use domain::payment::IntentStatus;
use domain::time::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use stripe::{IdempotencyKey, RequestStrategy, StripeRequest};
use stripe_core::payment_intent as api;

use crate::calls::{Calls, Operation, Verdict};
use crate::http::{self, SetupError};

use create::in_one_order;
use error::{Refusal, bad_parameter, why};

pub use create::{CreatePaymentIntent, PaymentMethodType};
pub use envelope::{EnvelopeError, StripeEnvelope};
pub use error::StripeError;
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

pub struct StripeGateway {
    client: stripe::Client,
    calls: Calls,
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
        Ok(Self { client, calls: Calls::default() })
    }

    /// The same, its calls counted there.
    #[must_use]
    pub fn counted_in(mut self, calls: Calls) -> Self {
        self.calls = calls;
        self
    }

    /// Makes one PaymentIntent per idempotency key.
    ///
    /// # Errors
    /// See [`StripeError`].
    pub async fn create_payment_intent(
        &self,
        wanted: &CreatePaymentIntent,
    ) -> Result<PaymentIntent, StripeError> {
        let request = create::request(wanted)?;
        let posting = self.post(request.build(), &wanted.account, &wanted.idempotency_key);
        let making = async { posting.await.map_err(StripeError::from) };
        self.calls.timed(Operation::CreatePayment, making, Verdict::of_stripe).await
    }

    /// The truth about a PaymentIntent, with its latest charge.
    ///
    /// # Errors
    /// See [`StripeError`].
    pub async fn retrieve_payment_intent(
        &self,
        account: &str,
        id: &str,
    ) -> Result<PaymentIntent, StripeError> {
        let request = api::RetrievePaymentIntent::new(checked_id(id)?).expand(["latest_charge".to_owned()]);
        let asking = async {
            let said = request.customize().account_id(account.into()).send(&self.client).await;
            said.map(PaymentIntent::from).map_err(|error| StripeError::from(why(error)))
        };
        self.calls.timed(Operation::RetrievePayment, asking, Verdict::of_stripe).await
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
        let posting = self.post(request.build(), account, idempotency_key);
        let worth = |said: &Result<PaymentIntent, Refusal>| match said {
            Ok(_) => Verdict::Done,
            Err(Refusal::UnexpectedState) => Verdict::Refused,
            Err(Refusal::Plain(error)) => Verdict::of_error(error),
        };
        let refusal = match self.calls.timed(Operation::CancelPayment, posting, worth).await {
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
            let asking = async {
                let page = request.customize().account_id(account.into()).send(&self.client).await;
                page.map_err(|error| StripeError::from(why(error)))
            };
            let page = self.calls.timed(Operation::ListPayments, asking, Verdict::of_stripe).await?;
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

/// An id becomes part of a path.
fn checked_id(id: &str) -> Result<&str, StripeError> {
    let is_plain = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_plain { Ok(id) } else { Err(bad_parameter("id")) }
}

#[cfg(test)]
mod tests;
