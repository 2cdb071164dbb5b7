//! Why a provider says no, and what to do then: its codes as a table.

use crate::words;

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
pub(super) const TWILIO_CODES: &[(i32, RejectClass)] = &[
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

/// The meaning of a Twilio code; `Other` for one that is not in the table.
#[must_use]
pub fn twilio_class(code: i32) -> RejectClass {
    TWILIO_CODES.iter().find(|(known, _)| *known == code).map_or(RejectClass::Other, |(_, class)| *class)
}
