//! Why Stripe did not do it, sorted by what the caller can do about it.

use stripe_shared::{ApiErrorsCode, ApiErrorsType};

use super::PaymentIntent;

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

pub(super) fn bad_parameter(name: &str) -> StripeError {
    StripeError::Rejected { code: Some("parameter_invalid".to_owned()), message: Some(name.to_owned()) }
}

/// An error, with the one kind set apart that only a cancel knows what to make of.
pub(super) enum Refusal {
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

pub(super) fn why(error: stripe::StripeError) -> Refusal {
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
