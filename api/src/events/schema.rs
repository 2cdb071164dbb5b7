//! The event as the API's description shows it. It is read by `domain::call_event`, field by field.

use serde::Serialize;

/// A post-call event.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = CallEvent)]
pub(crate) struct CallEventSchema {
    #[serde(rename = "type")]
    #[schema(example = "call.completed")]
    kind: String,
    #[schema(example = "1")]
    spec_version: Option<String>,
    /// Which system speaks.
    #[schema(example = "inhouse", max_length = 64)]
    source: String,
    /// The call, in that system's words.
    #[schema(example = "c_9f2", max_length = 200)]
    call_id: String,
    /// When the call ended.
    #[schema(schema_with = crate::words::moment)]
    occurred_at: String,
    /// Whose event it is: your merchant id. Required when the event is signed.
    #[schema(example = "mer_01kxbq5c6v5y8a7n3m2p1r4s5t")]
    merchant_id: Option<String>,
    campaign_id: Option<String>,
    invoice: Option<InvoiceRefSchema>,
    customer: Option<CalledCustomerSchema>,
    outcome: OutcomeSchema,
}

/// The invoice the call was about: our id, or your own number.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = CallEventInvoice)]
pub(crate) struct InvoiceRefSchema {
    #[schema(example = "inv_01kxbq5c6v5y8a7n3m2p1r4s5t")]
    id: Option<String>,
}

/// The person called.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = CallEventCustomer)]
pub(crate) struct CalledCustomerSchema {
    #[schema(example = "+14155550142")]
    phone: Option<String>,
    email: Option<String>,
    #[schema(example = "en-US")]
    locale: Option<String>,
    #[schema(example = "America/Los_Angeles")]
    timezone: Option<String>,
}

/// What the call came to.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = CallEventOutcome)]
pub(crate) struct OutcomeSchema {
    #[schema(schema_with = crate::words::intent)]
    intent: String,
    #[schema(example = 0.94)]
    confidence: Option<f64>,
    /// `sms`, `email` or `none`.
    #[schema(example = "sms")]
    preferred_channel: Option<String>,
    /// The customer's words.
    #[schema(example = "just text me the link")]
    evidence: Option<String>,
    contact_consent: Option<ConsentSchema>,
    dispute: Option<DisputeSchema>,
    promise_to_pay: Option<PromiseSchema>,
    /// They asked to be left alone, whatever else they wanted.
    opt_out: Option<bool>,
    /// `human`, `voicemail`, `no_answer`, `busy` or `failed`.
    #[schema(example = "human")]
    reached: Option<String>,
}

/// What the customer agreed to on the call.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = CallEventConsent)]
pub(crate) struct ConsentSchema {
    sms: Option<bool>,
    email: Option<bool>,
    #[schema(schema_with = crate::words::moment_or_null)]
    spoken_at: Option<String>,
}

/// An objection made on the call.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = CallEventDispute)]
pub(crate) struct DisputeSchema {
    reason: Option<String>,
    text: Option<String>,
}

/// A promise made on the call.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = CallEventPromise)]
pub(crate) struct PromiseSchema {
    #[schema(schema_with = crate::words::day_or_null)]
    date: Option<String>,
    /// Heard, and never trusted.
    #[schema(schema_with = crate::words::amount_or_null)]
    amount_minor: Option<i64>,
}
