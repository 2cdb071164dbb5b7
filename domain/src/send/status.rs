//! How far a message came. Callbacks arrive in any order and more than once, so a status never goes back.

use crate::words;

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
        if self.is_known_failure() || heard.rank() <= self.rank() { self } else { heard }
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
