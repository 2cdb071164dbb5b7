//! What a relay's "no", or its silence, means for a message, given how far the conversation had come.

use domain::send::{RejectClass, SendOutcome};
use lettre::transport::smtp::Error;

/// Where in the conversation it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Connect,
    Login,
    Sender,
    Recipient,
    Data,
    /// From the first byte of the message to the relay's word about it.
    Content,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The relay said no, with this code.
    Refused { stage: Stage, code: u16 },
    /// Closed, unreadable, or cut off.
    Broken { stage: Stage },
    /// The relay does not offer what is configured: STARTTLS, or a way to log in.
    Unsuited,
    /// Our own deadline passed before the message was written.
    TooLate,
}

impl Fault {
    pub(super) fn at(stage: Stage, error: &Error) -> Self {
        match error.status() {
            Some(code) => Self::Refused { stage, code: code.into() },
            None if error.is_client() && matches!(stage, Stage::Connect | Stage::Login) => Self::Unsuited,
            None => Self::Broken { stage },
        }
    }

    /// For a person.
    pub(super) fn why(self) -> String {
        match self.outcome() {
            SendOutcome::NotSent { why, .. }
            | SendOutcome::Rejected { why, .. }
            | SendOutcome::Unknown { why } => why,
            SendOutcome::Accepted { .. } => String::new(),
        }
    }

    pub(super) fn outcome(self) -> SendOutcome {
        match self {
            Self::TooLate => SendOutcome::not_sent("the deadline passed before the message was written"),
            Self::Unsuited => {
                SendOutcome::rejected(RejectClass::Auth, "the relay does not offer what is configured")
            }
            // The relay may have taken the message and lost only its answer (RFC 1047).
            Self::Broken { stage: Stage::Content } => {
                SendOutcome::unknown("the connection broke after the message was written")
            }
            Self::Broken { .. } => {
                SendOutcome::not_sent("the connection to the relay broke before the message was written")
            }
            // A negative answer, even to the message itself, says that the relay does not have it (RFC 5321, 4.2.1).
            Self::Refused { code, .. } if code < 500 => SendOutcome::NotSent {
                retry_after_ms: None,
                why: format!("the relay put it off with {code}"),
            },
            Self::Refused { stage, code } => SendOutcome::Rejected {
                code: Some(i32::from(code)),
                class: class_of(stage, code),
                why: format!("the relay refused with {code}"),
            },
        }
    }
}

const fn class_of(stage: Stage, code: u16) -> RejectClass {
    match (stage, code) {
        (_, 530 | 534 | 535 | 538) | (Stage::Login, _) => RejectClass::Auth,
        (Stage::Recipient, 501 | 510..=513 | 550 | 551 | 553 | 556) => RejectClass::BadAddress,
        // Greeting, sender, or "relay access denied": every message of ours would meet the same.
        (Stage::Connect | Stage::Sender | Stage::Recipient, _) => RejectClass::SenderNotAllowed,
        (Stage::Content, 550 | 554) => RejectClass::Filtered,
        (Stage::Content, 552) => RejectClass::Content,
        (Stage::Data | Stage::Content, _) => RejectClass::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(stage: Stage, code: u16) -> SendOutcome {
        Fault::Refused { stage, code }.outcome()
    }

    const STAGES: [Stage; 6] =
        [Stage::Connect, Stage::Login, Stage::Sender, Stage::Recipient, Stage::Data, Stage::Content];

    #[test]
    fn a_break_is_unknown_only_once_the_message_is_out() {
        for stage in STAGES {
            let expected = if stage == Stage::Content { "unknown" } else { "not_sent" };
            assert_eq!(Fault::Broken { stage }.outcome().word(), expected, "{stage:?}");
        }
    }

    #[test]
    fn later_is_never_a_rejection_and_no_is_never_repeated() {
        for stage in STAGES {
            for code in [421, 450, 451, 452, 454] {
                assert_eq!(refused(stage, code).word(), "not_sent", "{stage:?} {code}");
            }
            for code in [500, 501, 530, 535, 550, 552, 554] {
                assert_eq!(refused(stage, code).word(), "rejected", "{stage:?} {code}");
            }
        }
    }

    #[test]
    fn a_refusal_is_classed_by_what_it_was_said_to() {
        let table = [
            (Stage::Connect, 554, RejectClass::SenderNotAllowed),
            (Stage::Login, 535, RejectClass::Auth),
            (Stage::Login, 504, RejectClass::Auth),
            (Stage::Sender, 530, RejectClass::Auth),
            (Stage::Sender, 550, RejectClass::SenderNotAllowed),
            (Stage::Recipient, 550, RejectClass::BadAddress),
            (Stage::Recipient, 554, RejectClass::SenderNotAllowed),
            (Stage::Data, 503, RejectClass::Other),
            (Stage::Content, 554, RejectClass::Filtered),
            (Stage::Content, 552, RejectClass::Content),
        ];
        for (stage, code, class) in table {
            let why = format!("the relay refused with {code}");
            let expected = SendOutcome::Rejected { code: Some(i32::from(code)), class, why };
            assert_eq!(refused(stage, code), expected, "{stage:?} {code}");
        }
    }

    #[test]
    fn our_own_deadline_means_not_sent_and_a_wrong_set_up_means_an_operator() {
        assert_eq!(Fault::TooLate.outcome().word(), "not_sent");
        assert!(matches!(Fault::Unsuited.outcome(), SendOutcome::Rejected { class: RejectClass::Auth, .. }));
    }
}
