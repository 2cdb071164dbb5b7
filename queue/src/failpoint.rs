//! Named places at which a debug build can be told to die, so that tests can kill the process at every step.
//!
//! A release build has none of it.

/// Every place, in the order of the story. Tests walk this list.
pub const STEPS: &[&str] = &[
    "event_before_commit",
    "event_committed",
    "resolve_before_commit",
    "resolve_committed",
    "send_before_intention",
    "send_intention_committed",
    "send_provider_answered",
    "send_committed",
    "pay_payable_committed",
    "pay_intent_created",
    "pay_intent_committed",
    "stripe_event_committed",
    "advance_before_commit",
    "advance_committed",
    "receipt_before_commit",
    "receipt_committed",
    "question_before_commit",
    "question_committed",
    "dialer_acknowledged",
    "dialer_committed",
];

#[cfg(debug_assertions)]
mod armed {
    use std::sync::OnceLock;

    static ARMED: OnceLock<String> = OnceLock::new();

    /// Makes the process die the first time it reaches `step`.
    pub fn arm(step: String) {
        let _first_wins = ARMED.set(step);
    }

    pub fn reached(step: &'static str) {
        debug_assert!(super::STEPS.contains(&step), "{step} is not in STEPS");
        if ARMED.get().is_some_and(|armed| armed == step) {
            // No unwinding, no destructors, no flushing: as if the power were cut.
            std::process::abort();
        }
    }
}

#[cfg(debug_assertions)]
pub use armed::{arm, reached};

#[cfg(not(debug_assertions))]
pub fn arm(_step: String) {}

#[cfg(not(debug_assertions))]
#[inline]
pub fn reached(_step: &'static str) {}
