//! Stripe's test cards, and what each of them does.

/// What happens when it is charged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Behaviour {
    Approve,
    Decline(Decline),
    /// Asks the customer first; then approves, or declines for the reason given.
    Authenticate(Option<Decline>),
    /// Takes days; the outcome comes by itself or by [`crate::stripe::Stripe::settle`].
    Process,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decline {
    pub(crate) code: &'static str,
    pub(crate) decline_code: Option<&'static str>,
    pub(crate) message: &'static str,
}

pub(crate) const GENERIC_DECLINE: Decline = Decline {
    code: "card_declined",
    decline_code: Some("generic_decline"),
    message: "Your card has been declined.",
};
pub(super) const INSUFFICIENT_FUNDS: Decline = Decline {
    code: "card_declined",
    decline_code: Some("insufficient_funds"),
    message: "Your card has insufficient funds.",
};
const EXPIRED: Decline =
    Decline { code: "expired_card", decline_code: None, message: "Your card has expired." };
const WRONG_CVC: Decline =
    Decline { code: "incorrect_cvc", decline_code: None, message: "Your card's security code is incorrect." };
const PROCESSING: Decline = Decline {
    code: "processing_error",
    decline_code: None,
    message: "An error occurred while processing your card. Try again in a little bit.",
};
const NOT_A_TEST_CARD: Decline = Decline {
    code: "card_declined",
    decline_code: Some("test_mode_live_card"),
    message: "Your card was declined. Your request was in test mode, but used a non test card.",
};

pub(super) fn behaviour_of(number: &str) -> Behaviour {
    match number {
        "4242424242424242" | "4000056655665556" | "5555555555554444" | "378282246310005" => {
            Behaviour::Approve
        }
        "4000000000000002" => Behaviour::Decline(GENERIC_DECLINE),
        "4000000000009995" => Behaviour::Decline(INSUFFICIENT_FUNDS),
        "4000000000000069" => Behaviour::Decline(EXPIRED),
        "4000000000000127" => Behaviour::Decline(WRONG_CVC),
        "4000000000000119" => Behaviour::Decline(PROCESSING),
        "4000002500003155" | "4000000000003220" | "4000002760003184" => Behaviour::Authenticate(None),
        "4000008400001629" => Behaviour::Authenticate(Some(GENERIC_DECLINE)),
        _ => Behaviour::Decline(NOT_A_TEST_CARD),
    }
}
