//! The PaymentIntent: its states, and what each event does to each of them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::instrument::Instrument;

/// Where a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntentStatus {
    /// Waiting for the customer, for the first time or after a failure.
    RequiresPaymentMethod,
    /// The bank wants to know the customer.
    RequiresAction,
    /// A bank debit under way.
    Processing,
    /// Paid.
    Succeeded,
    /// Never to be paid.
    Canceled,
}

impl IntentStatus {
    /// As Stripe writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::RequiresAction => "requires_action",
            Self::Processing => "processing",
            Self::Succeeded => "succeeded",
            Self::Canceled => "canceled",
        }
    }
}

/// What can happen to a PaymentIntent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Happening {
    /// Confirmed with an instrument that pays at once.
    Approved,
    /// Confirmed with one that is refused.
    Declined,
    /// Confirmed with one whose bank asks the customer.
    Challenged,
    /// Confirmed with one that takes days.
    Submitted,
    /// The customer passed the bank's check.
    Authenticated,
    /// The customer failed it, or closed it.
    NotAuthenticated,
    /// The debit went through.
    Settled,
    /// The debit came back.
    Returned,
    /// Somebody gave up.
    Canceled,
}

/// Asked of a PaymentIntent that is in no state for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unexpected;

/// The whole machine. At most one charge can succeed, because nothing leads out of `Succeeded`.
pub(crate) fn next(status: IntentStatus, happening: Happening) -> Result<IntentStatus, Unexpected> {
    use Happening as H;
    use IntentStatus as S;
    match (status, happening) {
        (S::RequiresPaymentMethod | S::RequiresAction, H::Approved)
        | (S::RequiresAction, H::Authenticated)
        | (S::Processing, H::Settled) => Ok(S::Succeeded),
        (S::RequiresPaymentMethod | S::RequiresAction, H::Declined)
        | (S::RequiresAction, H::NotAuthenticated)
        | (S::Processing, H::Returned) => Ok(S::RequiresPaymentMethod),
        (S::RequiresPaymentMethod | S::RequiresAction, H::Challenged) => Ok(S::RequiresAction),
        (S::RequiresPaymentMethod | S::RequiresAction, H::Submitted) => Ok(S::Processing),
        (S::RequiresPaymentMethod | S::RequiresAction, H::Canceled) => Ok(S::Canceled),
        (S::RequiresPaymentMethod, H::Authenticated | H::NotAuthenticated | H::Settled | H::Returned)
        | (S::RequiresAction, H::Settled | H::Returned)
        | (
            S::Processing,
            H::Approved
            | H::Declined
            | H::Challenged
            | H::Submitted
            | H::Authenticated
            | H::NotAuthenticated
            | H::Canceled,
        )
        | (S::Succeeded | S::Canceled, _) => Err(Unexpected),
    }
}

/// A failure the customer can see and retry after.
#[derive(Clone, Debug)]
pub(crate) struct PaymentFailure {
    pub(crate) code: String,
    pub(crate) decline_code: Option<String>,
    pub(crate) message: String,
    pub(crate) charge: Option<String>,
    pub(crate) instrument: Instrument,
    pub(crate) payment_method: String,
}

/// A PaymentIntent as the stand-in keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Intent {
    pub(crate) id: String,
    pub(crate) account: Option<String>,
    pub(crate) client_secret: String,
    pub(crate) status: IntentStatus,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) application_fee_amount: Option<i64>,
    pub(crate) created_s: i64,
    pub(crate) description: Option<String>,
    pub(crate) metadata: Map<String, Value>,
    pub(crate) receipt_email: Option<String>,
    pub(crate) statement_descriptor_suffix: Option<String>,
    pub(crate) capture_method: String,
    /// What the account can take; what was asked for beyond it was dropped silently.
    pub(crate) payment_method_types: Vec<String>,
    /// What was asked for, when it was.
    pub(crate) allowed_payment_method_types: Option<Vec<String>>,
    pub(crate) payment_method_options: Map<String, Value>,
    pub(crate) automatic_payment_methods: bool,
    pub(crate) canceled_at_s: Option<i64>,
    pub(crate) cancellation_reason: Option<String>,
    pub(crate) last_payment_error: Option<PaymentFailure>,
    pub(crate) latest_charge: Option<String>,
    /// The instrument and its `pm_…` while one is attached.
    pub(crate) instrument: Option<(String, Instrument)>,
    pub(crate) return_url: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::Happening::*;
    use super::IntentStatus as S;
    use super::{Happening, Unexpected, next};

    const HAPPENINGS: [Happening; 9] = [
        Approved,
        Declined,
        Challenged,
        Submitted,
        Authenticated,
        NotAuthenticated,
        Settled,
        Returned,
        Canceled,
    ];

    fn row(status: S) -> Vec<Option<S>> {
        HAPPENINGS.iter().map(|happening| next(status, *happening).ok()).collect()
    }

    #[test]
    fn every_state_meets_every_event() {
        let (rpm, action, processing, paid, dead) = (
            Some(S::RequiresPaymentMethod),
            Some(S::RequiresAction),
            Some(S::Processing),
            Some(S::Succeeded),
            Some(S::Canceled),
        );
        assert_eq!(
            row(S::RequiresPaymentMethod),
            [paid, rpm, action, processing, None, None, None, None, dead]
        );
        assert_eq!(row(S::RequiresAction), [paid, rpm, action, processing, paid, rpm, None, None, dead]);
        assert_eq!(row(S::Processing), [None, None, None, None, None, None, paid, rpm, None]);
        assert_eq!(row(S::Succeeded), [None; 9]);
        assert_eq!(row(S::Canceled), [None; 9]);
    }

    #[test]
    fn a_paid_intent_can_never_be_charged_again() {
        assert!(HAPPENINGS.iter().all(|happening| next(S::Succeeded, *happening) == Err(Unexpected)));
    }
}
