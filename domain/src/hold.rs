//! Holds: a question, a dispute, a chargeback or the merchant's own word stops the calls about one invoice.

use crate::invoice::{InvoiceStatus, callable};

crate::words! {
    /// What put the invoice on hold.
    pub enum HoldReason {
        /// The customer wrote a question on the pay page.
        Question = "question",
        /// The customer objected on a call.
        CallDispute = "call_dispute",
        /// The card network took the money back.
        Chargeback = "chargeback",
        /// The merchant set it.
        Manual = "manual",
    }
}

crate::words! {
    /// How a hold ended. A hold nobody ends stays, for ever.
    pub enum HoldResolution {
        /// The merchant answered: calls resume when no other hold is left.
        Resolved = "resolved",
        /// The merchant gave the invoice up: its link and cancelable payment die.
        Canceled = "canceled",
    }
}

/// Whether the calls about an invoice start again, asked after one of its holds ended.
#[must_use]
pub const fn calls_resume(open_holds_left: u64, status: InvoiceStatus) -> bool {
    open_holds_left == 0 && callable(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_resume_only_without_a_hold_and_with_something_to_collect() {
        for status in InvoiceStatus::ALL {
            let collectable = matches!(status, InvoiceStatus::Open | InvoiceStatus::PartiallyPaid);
            assert_eq!(calls_resume(0, *status), collectable, "{status}");
            assert!(!calls_resume(1, *status), "{status}");
            assert!(!calls_resume(u64::MAX, *status), "{status}");
        }
    }

    #[test]
    fn every_word_reads_back() {
        assert!(HoldReason::ALL.iter().all(|reason| reason.word().parse() == Ok(*reason)));
        assert!(HoldResolution::ALL.iter().all(|end| end.word().parse() == Ok(*end)));
    }
}
