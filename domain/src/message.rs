//! Messages and attempts: how far a thing we wanted to say has come.

use crate::words;

words! {
    /// Why a message exists. With its reference and channel it is unique: nothing is said twice.
    pub enum Purpose {
        Link = "link",
        Receipt = "receipt",
    }
}

words! {
    /// A message from the wish to the customer's device.
    pub enum MessageState {
        Queued = "queued",
        Sent = "sent",
        Delivered = "delivered",
        /// The provider refused it or reported it undelivered.
        Failed = "failed",
        /// A rule forbade it at the moment of sending; the reason is beside it.
        Suppressed = "suppressed",
        /// Nobody can prove whether it was accepted; a person has to look.
        Unknown = "unknown",
    }
}

words! {
    /// One attempt to hand a message to a provider.
    pub enum AttemptState {
        /// Committed before the provider is called.
        Sending = "sending",
        Accepted = "accepted",
        Rejected = "rejected",
        /// Known not to have reached the provider.
        NotSent = "not_sent",
        /// The outcome was not seen; it is looked up, never repeated before absence is proven.
        Unknown = "unknown",
        /// Proven absent at the provider.
        Absent = "absent",
    }
}
