//! Pay links: how long one lives, what ends it, and when another may be sent.

use crate::time::{DAY_MS, Timestamp};

/// How long a link can be used, counted from the provider's acceptance of the message that carries it: waiting
/// in a queue or for the morning does not eat into it.
pub const LIFETIME_MS: i64 = 7 * DAY_MS;

/// The place of the first link in its chain; the resend has the next one.
pub const FIRST_SEQUENCE: i64 = 1;

/// How many fresh links an invoice's expired pages may ask for within [`RENEWAL_WINDOW_MS`].
pub const RENEWALS_MAX_PER_INVOICE: u64 = 3;

/// The window in which renewals are counted.
pub const RENEWAL_WINDOW_MS: i64 = 30 * DAY_MS;

crate::words! {
    /// What is recorded of a link. Opens are not a status: "used" means paid.
    pub enum LinkStatus {
        /// Made, and not yet accepted by a provider.
        Queued = "queued",
        /// A provider accepted a message that carries it.
        Sent = "sent",
        /// A payment was confirmed.
        Used = "used",
        /// Its seven days are over, and the sweep wrote it down.
        Expired = "expired",
        /// A newer link of the invoice took its place.
        Superseded = "superseded",
        /// The merchant or an opt-out ended it.
        Revoked = "revoked",
    }
}

crate::words! {
    /// What happens to a link.
    pub enum LinkEvent {
        /// A provider accepted a message that carries it.
        Sent = "sent",
        /// A payment was confirmed.
        Used = "used",
        /// Its time is over.
        Expired = "expired",
        /// Another link was issued.
        Superseded = "superseded",
        /// It was called back.
        Revoked = "revoked",
    }
}

crate::words! {
    /// Why a link was made.
    pub enum LinkCause {
        /// The customer asked on a call.
        Call = "call",
        /// The merchant sent it when none lived.
        Manual = "manual",
        /// The merchant sent it again.
        Resend = "resend",
        /// The customer asked on an expired page.
        Renewal = "renewal",
    }
}

/// An event that must not happen to a link in this status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a link that is {status} cannot be {event}")]
pub struct Refused {
    /// Where the link stood, and stays.
    pub status: LinkStatus,
    /// What was refused.
    pub event: LinkEvent,
}

/// The status after an event.
///
/// A payment is a fact and wins over every other end: a browser that holds a client secret may pay on a link
/// that ended meanwhile. A late report of the provider's acceptance changes nothing. A link that was never
/// accepted has no time that could run out.
///
/// # Errors
/// When the event must not happen in this status: the link has ended otherwise.
pub const fn apply(status: LinkStatus, event: LinkEvent) -> Result<LinkStatus, Refused> {
    use LinkEvent as Event;
    use LinkStatus as Status;
    match (status, event) {
        (Status::Queued, Event::Sent) => Ok(Status::Sent),
        (
            Status::Sent | Status::Used | Status::Expired | Status::Superseded | Status::Revoked,
            Event::Sent,
        ) => Ok(status),

        (
            Status::Queued
            | Status::Sent
            | Status::Used
            | Status::Expired
            | Status::Superseded
            | Status::Revoked,
            Event::Used,
        ) => Ok(Status::Used),

        (Status::Sent | Status::Expired, Event::Expired) => Ok(Status::Expired),
        (Status::Queued | Status::Sent | Status::Superseded, Event::Superseded) => Ok(Status::Superseded),
        (Status::Queued | Status::Sent | Status::Revoked, Event::Revoked) => Ok(Status::Revoked),

        (Status::Queued, Event::Expired)
        | (Status::Used, Event::Expired | Event::Superseded | Event::Revoked)
        | (Status::Expired, Event::Superseded | Event::Revoked)
        | (Status::Superseded, Event::Expired | Event::Revoked)
        | (Status::Revoked, Event::Expired | Event::Superseded) => Err(Refused { status, event }),
    }
}

/// Whether the link counts as the invoice's one live link, in the sense of the unique index: recorded as neither
/// used nor ended. Ask [`standing`] whether it can be used now.
#[must_use]
pub const fn live(status: LinkStatus) -> bool {
    match status {
        LinkStatus::Queued | LinkStatus::Sent => true,
        LinkStatus::Used | LinkStatus::Expired | LinkStatus::Superseded | LinkStatus::Revoked => false,
    }
}

/// When a link that was accepted at `accepted_at` ends.
#[must_use]
pub const fn expires_at(accepted_at: Timestamp) -> Timestamp {
    accepted_at.plus_ms(LIFETIME_MS)
}

/// What a link is worth at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It can be paid with.
    Live,
    /// It was paid with.
    Used,
    /// Its time is over; its page offers a fresh one.
    Expired,
    /// It was superseded or revoked.
    Dead,
}

/// What a link is worth now. Expiry holds from its moment on, whether or not the sweep has written it down.
#[must_use]
pub fn standing(status: LinkStatus, expires_at: Option<Timestamp>, now: Timestamp) -> Standing {
    match status {
        LinkStatus::Queued | LinkStatus::Sent if expires_at.is_some_and(|end| end <= now) => {
            Standing::Expired
        }
        LinkStatus::Queued | LinkStatus::Sent => Standing::Live,
        LinkStatus::Used => Standing::Used,
        LinkStatus::Expired => Standing::Expired,
        LinkStatus::Superseded | LinkStatus::Revoked => Standing::Dead,
    }
}

/// The link of an invoice whose standing is [`Standing::Live`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveLink {
    /// Its place in its chain, from [`FIRST_SEQUENCE`].
    pub sequence: i64,
}

/// What the merchant's "send a link" means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ManualSend {
    /// It is the one resend of the living link's chain.
    Resend,
    /// Nothing lives: it begins a chain.
    NewChain,
    /// The chain had its resend.
    Refused,
}

/// What a manual send is, given the invoice's living link.
#[must_use]
pub const fn may_send_manually(live_link: Option<&LiveLink>) -> ManualSend {
    match live_link {
        None => ManualSend::NewChain,
        Some(link) if link.sequence <= FIRST_SEQUENCE => ManualSend::Resend,
        Some(_) => ManualSend::Refused,
    }
}

/// What decides whether an expired page may send a fresh link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenewalFacts {
    /// The merchant has not switched renewals off.
    pub allowed_by_merchant: bool,
    /// What the link that asks is worth now.
    pub standing: Standing,
    /// This very link was renewed before.
    pub renewed_before: bool,
    /// Renewals of the invoice within [`RENEWAL_WINDOW_MS`].
    pub renewals_in_window: u64,
    /// The invoice can still be paid ([`crate::invoice::payable`]).
    pub payable: bool,
    /// Another link of the invoice can be paid with.
    pub another_lives: bool,
}

crate::words! {
    /// Why an expired page sends no fresh link.
    pub enum RenewalRefusal {
        /// The merchant switched it off.
        SwitchedOff = "switched_off",
        /// The link has not expired, or ended otherwise.
        NotExpired = "not_expired",
        /// It was renewed before.
        AlreadyRenewed = "already_renewed",
        /// Three within thirty days.
        TooMany = "too_many",
        /// Nothing can be paid.
        NotPayable = "not_payable",
        /// A newer link is with the customer already.
        AnotherLives = "another_lives",
    }
}

/// Whether an expired page may send a fresh link.
///
/// # Errors
/// Says what forbids it.
pub fn may_renew(facts: &RenewalFacts) -> Result<(), RenewalRefusal> {
    if !facts.allowed_by_merchant {
        return Err(RenewalRefusal::SwitchedOff);
    }
    if facts.standing != Standing::Expired {
        return Err(RenewalRefusal::NotExpired);
    }
    if !facts.payable {
        return Err(RenewalRefusal::NotPayable);
    }
    if facts.renewed_before {
        return Err(RenewalRefusal::AlreadyRenewed);
    }
    if facts.another_lives {
        return Err(RenewalRefusal::AnotherLives);
    }
    if facts.renewals_in_window >= RENEWALS_MAX_PER_INVOICE {
        return Err(RenewalRefusal::TooMany);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
