//! The words a carrier acts on by itself.

/// What one texted word means to the carrier; everything longer is just a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keyword {
    Stop,
    Start,
    Help,
    None,
}

/// Only the bare word counts, as at Twilio: "STOP" blocks, "please stop" does not.
pub(crate) fn read(body: &str) -> Keyword {
    match body.trim().to_ascii_uppercase().as_str() {
        "STOP" | "STOPALL" | "UNSUBSCRIBE" | "END" | "QUIT" | "CANCEL" | "REVOKE" | "OPTOUT" => Keyword::Stop,
        "START" | "UNSTOP" | "YES" => Keyword::Start,
        "HELP" | "INFO" => Keyword::Help,
        _ => Keyword::None,
    }
}

impl Keyword {
    /// The carrier's own reply.
    pub(crate) fn notice(self) -> Option<&'static str> {
        match self {
            Self::Stop => Some(
                "You are unsubscribed and will get no more messages from this number. Reply START to resubscribe.",
            ),
            Self::Start => {
                Some("You are subscribed again to messages from this number. Reply STOP to unsubscribe.")
            }
            Self::Help => Some("Reply STOP to unsubscribe. Msg&Data rates may apply."),
            Self::None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Keyword, read};

    #[test]
    fn a_bare_word_in_any_case_is_a_keyword() {
        assert_eq!(read(" stop\n"), Keyword::Stop);
        assert_eq!(read("Unstop"), Keyword::Start);
        assert_eq!(read("info"), Keyword::Help);
    }

    #[test]
    fn a_sentence_is_none() {
        assert_eq!(read("please stop texting me"), Keyword::None);
        assert_eq!(read("STOP!"), Keyword::None);
    }
}
