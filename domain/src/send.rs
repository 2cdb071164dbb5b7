//! What became of a message: a provider's answer as data, its error codes as a table, and statuses that never
//! go back.
//!
//! No SMS provider offers an idempotent send. So an outcome is one of four, and only `NotSent` may be repeated:
//! whatever we did not see is `Unknown`, is looked up at the provider, and is never guessed.

use serde::{Deserialize, Serialize};

use crate::words;

/// What one attempt to hand a message to a provider came to.
///
/// `why` is written by us and never holds a provider's own words: those quote numbers and addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum SendOutcome {
    /// The provider does not have it. May be tried again, by the same attempt.
    NotSent {
        retry_after_ms: Option<i64>,
        why: String,
    },
    /// The provider has it and named it.
    Accepted {
        provider_id: String,
        segments: Option<u32>,
    },
    /// The provider refused it for a reason that repeating does not cure.
    Rejected {
        code: Option<i32>,
        class: RejectClass,
        why: String,
    },
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
        Self::NotSent {
            retry_after_ms: None,
            why: why.to_owned(),
        }
    }

    #[must_use]
    pub fn rejected(class: RejectClass, why: &str) -> Self {
        Self::Rejected {
            code: None,
            class,
            why: why.to_owned(),
        }
    }

    #[must_use]
    pub fn unknown(why: &str) -> Self {
        Self::Unknown { why: why.to_owned() }
    }
}

words! {
    /// Why a provider refused a message, or failed to deliver one it had taken.
    pub enum RejectClass {
        OptedOut = "opted_out",
        /// No such number, or none that can be reached by anybody.
        BadNumber = "bad_number",
        /// The email address is malformed or unknown at its host.
        BadAddress = "bad_address",
        /// A landline or another line that takes no texts.
        NotTextable = "not_textable",
        /// The handset is off, out of range or its network is away.
        Unreachable = "unreachable",
        /// A carrier's filter took it for spam.
        Filtered = "filtered",
        SenderNotRegistered = "sender_not_registered",
        /// The sender is not ours, cannot text, or is limited to a trial.
        SenderNotAllowed = "sender_not_allowed",
        /// The destination's country or route is switched off.
        Region = "region",
        Auth = "auth",
        Content = "content",
        /// Its validity ended in the provider's queue.
        Expired = "expired",
        /// The provider or a carrier failed on a message it had taken.
        ProviderFault = "provider_fault",
        Other = "other",
    }
}

words! {
    /// What to do about a message that was refused or known not to be delivered.
    pub enum NextStep {
        /// Keep the opt-out for this number and sender; email only with consent to email.
        SuppressNumber = "suppress_number",
        TryEmail = "try_email",
        /// One more text, later; then email.
        RetryLaterOnce = "retry_later_once",
        /// An operator must act: every message of this sender would fail. Email meanwhile.
        ConfigError = "config_error",
        GiveUp = "give_up",
    }
}

impl RejectClass {
    #[must_use]
    pub const fn next_step(self) -> NextStep {
        match self {
            Self::OptedOut => NextStep::SuppressNumber,
            Self::BadNumber
            | Self::NotTextable
            | Self::Filtered
            | Self::Content
            | Self::Expired
            | Self::Other => NextStep::TryEmail,
            Self::Unreachable | Self::ProviderFault => NextStep::RetryLaterOnce,
            Self::SenderNotRegistered | Self::SenderNotAllowed | Self::Region | Self::Auth => {
                NextStep::ConfigError
            }
            // Email is the last channel there is.
            Self::BadAddress => NextStep::GiveUp,
        }
    }

    /// The same for a message that was an email: there is no further channel.
    #[must_use]
    pub const fn next_step_after_email(self) -> NextStep {
        match self.next_step() {
            NextStep::TryEmail | NextStep::SuppressNumber | NextStep::GiveUp => NextStep::GiveUp,
            NextStep::RetryLaterOnce => NextStep::RetryLaterOnce,
            NextStep::ConfigError => NextStep::ConfigError,
        }
    }

    /// Whether the line itself is known to take no texts, so that the customer's line type can be corrected.
    #[must_use]
    pub const fn line_takes_no_texts(self) -> bool {
        matches!(self, Self::NotTextable)
    }
}

/// Twilio's codes, of refused requests (2xxxx) and of undelivered messages (3xxxx). Source: its error dictionary.
const TWILIO_CODES: &[(i32, RejectClass)] = &[
    (20003, RejectClass::Auth),
    (20005, RejectClass::Auth),
    (21211, RejectClass::BadNumber),
    (21212, RejectClass::SenderNotAllowed),
    (21265, RejectClass::BadNumber),
    (21266, RejectClass::BadNumber),
    (21268, RejectClass::BadNumber),
    (21408, RejectClass::Region),
    (21602, RejectClass::Content),
    (21603, RejectClass::SenderNotAllowed),
    (21604, RejectClass::BadNumber),
    (21606, RejectClass::SenderNotAllowed),
    (21608, RejectClass::SenderNotAllowed),
    (21610, RejectClass::OptedOut),
    (21612, RejectClass::Region),
    (21614, RejectClass::NotTextable),
    (21617, RejectClass::Content),
    (21635, RejectClass::NotTextable),
    (21658, RejectClass::Content),
    (21659, RejectClass::SenderNotAllowed),
    (21660, RejectClass::SenderNotAllowed),
    (21661, RejectClass::SenderNotAllowed),
    (30001, RejectClass::ProviderFault),
    (30002, RejectClass::Auth),
    (30003, RejectClass::Unreachable),
    (30004, RejectClass::Filtered),
    (30005, RejectClass::BadNumber),
    (30006, RejectClass::NotTextable),
    (30007, RejectClass::Filtered),
    (30008, RejectClass::ProviderFault),
    (30032, RejectClass::SenderNotRegistered),
    (30034, RejectClass::SenderNotRegistered),
    (30036, RejectClass::Expired),
    (30500, RejectClass::ProviderFault),
];

/// Twilio says of these that the request may have been carried out (twilio.com/docs/api/errors/20500).
const TWILIO_AMBIGUOUS_CODES: &[i32] = &[20500, 20503];
const TWILIO_RATE_CODE: i32 = 20429;

/// The meaning of a Twilio code; `Other` for one that is not in the table.
#[must_use]
pub fn twilio_class(code: i32) -> RejectClass {
    TWILIO_CODES
        .iter()
        .find(|(known, _)| *known == code)
        .map_or(RejectClass::Other, |(_, class)| *class)
}

/// What was seen of one request that asks a provider to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// No byte of the message was handed to a connection: look-up, connect, TLS, or our own deadline.
    NotWritten { why: &'static str },
    /// The message was handed over and no whole answer came back: time-out, reset, end of stream.
    NoAnswer { why: &'static str },
    /// A whole answer was read.
    Answered {
        status: u16,
        retry_after_ms: Option<i64>,
        body: AnswerBody,
    },
}

/// What the body of an answer said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerBody {
    /// A message with a name.
    Message {
        provider_id: String,
        status: MessageStatus,
        code: Option<i32>,
        segments: Option<u32>,
    },
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
        Observation::Answered {
            status,
            retry_after_ms,
            body,
        } => match status {
            200..=299 => taken(status, body),
            429 => slow_down(retry_after_ms),
            // 408 and 409 do not say whether an earlier arrival of the same request was carried out.
            408 | 409 => SendOutcome::Unknown {
                why: format!("the provider answered {status}"),
            },
            400..=499 => refused(status, retry_after_ms, body),
            // A redirect may be the answer to a request that was carried out, and a 5xx often is.
            _ => SendOutcome::Unknown {
                why: format!("the provider answered {status}"),
            },
        },
    }
}

fn slow_down(retry_after_ms: Option<i64>) -> SendOutcome {
    SendOutcome::NotSent {
        retry_after_ms,
        why: "the provider asks us to slow down".to_owned(),
    }
}

fn taken(http_status: u16, body: AnswerBody) -> SendOutcome {
    match body {
        AnswerBody::Message { status, code, .. } if status.is_known_failure() => SendOutcome::Rejected {
            code,
            class: code.map_or(RejectClass::Other, twilio_class),
            why: format!("the provider took it and failed at once ({status})"),
        },
        AnswerBody::Message {
            provider_id,
            segments,
            ..
        } => SendOutcome::Accepted {
            provider_id,
            segments,
        },
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
        Some(code) if TWILIO_AMBIGUOUS_CODES.contains(&code) => SendOutcome::Unknown {
            why: format!("the provider answered {status} with code {code}"),
        },
        Some(code) => SendOutcome::Rejected {
            code: Some(code),
            class: twilio_class(code),
            why: format!("the provider refused with code {code}"),
        },
        None => SendOutcome::Rejected {
            code: None,
            class: if matches!(status, 401 | 403) {
                RejectClass::Auth
            } else {
                RejectClass::Other
            },
            why: format!("the provider answered {status}"),
        },
    }
}

words! {
    /// How far a message came, in the provider's words.
    pub enum MessageStatus {
        /// A word this build does not know. It ends nothing and replaces nothing.
        Unrecognized = "unrecognized",
        Accepted = "accepted",
        Scheduled = "scheduled",
        Queued = "queued",
        Sending = "sending",
        Sent = "sent",
        PartiallyDelivered = "partially_delivered",
        Delivered = "delivered",
        Read = "read",
        Undelivered = "undelivered",
        Failed = "failed",
        Canceled = "canceled",
    }
}

impl MessageStatus {
    /// Reads a provider's word. Words for inbound messages and words not invented yet are `Unrecognized`.
    #[must_use]
    pub fn of_provider(word: &str) -> Self {
        word.parse().unwrap_or(Self::Unrecognized)
    }

    /// Callbacks come in any order: a status replaces only one of a lower rank.
    #[must_use]
    pub const fn rank(self) -> u8 {
        match self {
            Self::Unrecognized => 0,
            Self::Accepted | Self::Scheduled => 1,
            Self::Queued => 2,
            Self::Sending => 3,
            Self::Sent => 4,
            Self::PartiallyDelivered => 5,
            Self::Delivered | Self::Undelivered | Self::Failed | Self::Canceled => 6,
            Self::Read => 7,
        }
    }

    /// What the message's status is after hearing `heard`: never less far than before.
    #[must_use]
    pub const fn after(self, heard: Self) -> Self {
        // A known failure may already have been answered by an email; it stays what we acted on.
        if self.is_known_failure() || heard.rank() <= self.rank() {
            self
        } else {
            heard
        }
    }

    #[must_use]
    pub const fn is_final(self) -> bool {
        match self {
            Self::Delivered | Self::Read | Self::Undelivered | Self::Failed | Self::Canceled => true,
            Self::Unrecognized
            | Self::Accepted
            | Self::Scheduled
            | Self::Queued
            | Self::Sending
            | Self::Sent
            | Self::PartiallyDelivered => false,
        }
    }

    /// Known not to have arrived: saying the same thing by another way is not saying it twice.
    #[must_use]
    pub const fn is_known_failure(self) -> bool {
        matches!(self, Self::Undelivered | Self::Failed | Self::Canceled)
    }

    #[must_use]
    pub const fn has_arrived(self) -> bool {
        matches!(self, Self::Delivered | Self::Read)
    }
}

#[cfg(test)]
mod tests;
