//! Payments as the world sees them, and how it bends them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Stripe;
use super::cards::{Behaviour, GENERIC_DECLINE};
use super::charge::ChargeStatus;
use super::instrument::Instrument;
use super::intent::IntentStatus;

/// Makes the next confirmation end otherwise than its card says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConfirmOverride {
    /// Declined.
    Decline,
    /// The bank asks the customer.
    Authenticate,
    /// Takes days, as a bank debit does.
    Process,
}

impl ConfirmOverride {
    pub(super) fn bend(self, instrument: Instrument) -> Instrument {
        let behaviour = match self {
            Self::Decline => Behaviour::Decline(GENERIC_DECLINE),
            Self::Authenticate => Behaviour::Authenticate(None),
            Self::Process => Behaviour::Process,
        };
        Instrument { behaviour, ..instrument }
    }
}

/// A payment as the world sees it, for assertions.
#[derive(Clone, Debug, Serialize)]
pub struct PaymentView {
    /// `pi_…`
    pub id: String,
    /// The connected account.
    pub account: Option<String>,
    /// Where it stands.
    pub status: IntentStatus,
    /// In minor units.
    pub amount_minor: i64,
    /// Lower case.
    pub currency: String,
    /// In minor units.
    pub application_fee_minor: Option<i64>,
    /// As sent.
    pub metadata: serde_json::Map<String, Value>,
    /// How often money moved: never more than once.
    pub charges_succeeded: usize,
    /// How often it was refused.
    pub charges_failed: usize,
}

impl Stripe {
    /// All payments, oldest first.
    #[must_use]
    pub fn payment_views(&self) -> Vec<PaymentView> {
        let payments = self.payments();
        let count = |id: &str, status: ChargeStatus| {
            payments.charges.iter().filter(|charge| charge.intent == id && charge.status == status).count()
        };
        payments
            .intents
            .iter()
            .map(|intent| PaymentView {
                id: intent.id.clone(),
                account: intent.account.clone(),
                status: intent.status,
                amount_minor: intent.amount,
                currency: intent.currency.clone(),
                application_fee_minor: intent.application_fee_amount,
                metadata: intent.metadata.clone(),
                charges_succeeded: count(&intent.id, ChargeStatus::Succeeded),
                charges_failed: count(&intent.id, ChargeStatus::Failed),
            })
            .collect()
    }
}
