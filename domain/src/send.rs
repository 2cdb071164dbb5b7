//! What became of a message: a provider's answer as data, its error codes as a table, and statuses that never
//! go back.
//!
//! No SMS provider offers an idempotent send. So an outcome is one of four, and only `NotSent` may be repeated:
//! whatever we did not see is `Unknown`, is looked up at the provider, and is never guessed.

mod reject;
mod status;

use serde::{Deserialize, Serialize};

pub use reject::{NextStep, RejectClass, twilio_class};
pub use status::MessageStatus;

/// What one attempt to hand a message to a provider came to.
///
/// `why` is written by us and never holds a provider's own words: those quote numbers and addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum SendOutcome {
    /// The provider does not have it. May be tried again, by the same attempt.
    NotSent { retry_after_ms: Option<i64>, why: String },
    /// The provider has it and named it.
    Accepted { provider_id: String, segments: Option<u32> },
    /// The provider refused it for a reason that repeating does not cure.
    Rejected { code: Option<i32>, class: RejectClass, why: String },
    /// It may or may not have it. Look it up; do not repeat.
    Unknown { why: String },
}

impl SendOutcome {
    /// One word for labels and columns.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::NotSent { .. } => "not_sent",
            Self::Accepted { .. } => "accepted",
            Self::Rejected { .. } => "rejected",
            Self::Unknown { .. } => "unknown",
        }
    }

    #[must_use]
    pub fn not_sent(why: &str) -> Self {
        Self::NotSent { retry_after_ms: None, why: why.to_owned() }
    }

    #[must_use]
    pub fn rejected(class: RejectClass, why: &str) -> Self {
        Self::Rejected { code: None, class, why: why.to_owned() }
    }

    #[must_use]
    pub fn unknown(why: &str) -> Self {
        Self::Unknown { why: why.to_owned() }
    }
}

/// Twilio says of these that the request may have been carried out (twilio.com/docs/api/errors/20500).
const TWILIO_AMBIGUOUS_CODES: &[i32] = &[20500, 20503];
const TWILIO_RATE_CODE: i32 = 20429;

/// What was seen of one request that asks a provider to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// No byte of the message was handed to a connection: look-up, connect, TLS, or our own deadline.
    NotWritten { why: &'static str },
    /// The message was handed over and no whole answer came back: time-out, reset, end of stream.
    NoAnswer { why: &'static str },
    /// A whole answer was read.
    Answered { status: u16, retry_after_ms: Option<i64>, body: AnswerBody },
}

/// What the body of an answer said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerBody {
    /// A message with a name.
    Message { provider_id: String, status: MessageStatus, code: Option<i32>, segments: Option<u32> },
    /// A refusal in the provider's own format.
    Problem { code: Option<i32> },
    /// HTML, a torn document, nothing: whatever cannot be read as the provider's answer.
    Unreadable,
}

/// The rule for an ambiguous outcome, as one table: anything that is neither a clear yes nor a clear no is unknown.
#[must_use]
pub fn classify(observation: Observation) -> SendOutcome {
    match observation {
        Observation::NotWritten { why } => SendOutcome::not_sent(why),
        Observation::NoAnswer { why } => SendOutcome::unknown(why),
        Observation::Answered { status, retry_after_ms, body } => match status {
            200..=299 => taken(status, body),
            429 => slow_down(retry_after_ms),
            // 408 and 409 do not say whether an earlier arrival of the same request was carried out.
            408 | 409 => SendOutcome::Unknown { why: format!("the provider answered {status}") },
            400..=499 => refused(status, retry_after_ms, body),
            // A redirect may be the answer to a request that was carried out, and a 5xx often is.
            _ => SendOutcome::Unknown { why: format!("the provider answered {status}") },
        },
    }
}

fn slow_down(retry_after_ms: Option<i64>) -> SendOutcome {
    SendOutcome::NotSent { retry_after_ms, why: "the provider asks us to slow down".to_owned() }
}

fn taken(http_status: u16, body: AnswerBody) -> SendOutcome {
    match body {
        AnswerBody::Message { status, code, .. } if status.is_known_failure() => SendOutcome::Rejected {
            code,
            class: code.map_or(RejectClass::Other, twilio_class),
            why: format!("the provider took it and failed at once ({status})"),
        },
        AnswerBody::Message { provider_id, segments, .. } => SendOutcome::Accepted { provider_id, segments },
        AnswerBody::Problem { .. } | AnswerBody::Unreadable => SendOutcome::Unknown {
            why: format!("the provider answered {http_status} without naming a message"),
        },
    }
}

fn refused(status: u16, retry_after_ms: Option<i64>, body: AnswerBody) -> SendOutcome {
    let code = match body {
        AnswerBody::Problem { code } | AnswerBody::Message { code, .. } => code,
        AnswerBody::Unreadable => None,
    };
    match code {
        Some(TWILIO_RATE_CODE) => slow_down(retry_after_ms),
        Some(code) if TWILIO_AMBIGUOUS_CODES.contains(&code) => {
            SendOutcome::Unknown { why: format!("the provider answered {status} with code {code}") }
        }
        Some(code) => SendOutcome::Rejected {
            code: Some(code),
            class: twilio_class(code),
            why: format!("the provider refused with code {code}"),
        },
        None => SendOutcome::Rejected {
            code: None,
            class: if matches!(status, 401 | 403) { RejectClass::Auth } else { RejectClass::Other },
            why: format!("the provider answered {status}"),
        },
    }
}

#[cfg(test)]
mod tests;
