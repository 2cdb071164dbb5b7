//! What waits for a person: the items of the attention list.

crate::words! {
    /// Why something is on the attention list. Nothing that failed may be only in a log.
    pub enum AttentionKind {
        /// An invoice is on hold: somebody asked a question or disputes it, and only the merchant can answer.
        OnHold = "on_hold",
        /// A customer wants a link and there is no number or address it may be sent to.
        NeedsContact = "needs_contact",
        /// A provider took bytes and never said what became of them, and it cannot be looked up.
        UnknownSend = "unknown_send",
        /// A job used up its attempts.
        DeadJob = "dead_job",
        /// A text that reads like a wish to be left alone without being one of the agreed words. It is honoured;
        /// a person confirms it.
        ProbableOptOut = "probable_opt_out",
        /// Money arrived that the invoice did not wait for: paid twice, or paid after it was closed.
        PaymentConflict = "payment_conflict",
        /// A post-call event names an invoice nobody knows; it can be replayed once the invoice exists.
        UnmatchedEvent = "unmatched_event",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_words_are_these_and_read_back() {
        let words: Vec<&str> = AttentionKind::ALL.iter().map(|kind| kind.word()).collect();
        let stored = [
            "on_hold",
            "needs_contact",
            "unknown_send",
            "dead_job",
            "probable_opt_out",
            "payment_conflict",
            "unmatched_event",
        ];
        assert_eq!(words, stored);
        assert!(stored.iter().all(|word| word.parse::<AttentionKind>().is_ok()));
        assert!("resolved".parse::<AttentionKind>().is_err());
    }
}
