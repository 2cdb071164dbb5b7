//! What to do about one message, decided inside the claim from what the store says at that moment. Pure.

use domain::channel::Channel;
use domain::invoice::payable;
use domain::link::{Standing, standing};
use domain::message::{AttemptState, MessageState, Purpose};
use domain::quiet_hours::{Opening, may_send};
use domain::send::RejectClass;
use domain::time::Timestamp;
use entities::{link, send_attempt};

use super::facts::About;
use super::schedule;

/// A second attempt after a proven absence is the last one.
const ABSENCES_MAX: usize = 2;
/// Emailed receipts whose outcome nobody saw: the second is the last.
const UNKNOWN_RECEIPTS_MAX: usize = 2;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ruling<'a> {
    /// It was answered for before.
    Settled,
    /// It may go, or can be looked at again, at this moment.
    WaitUntil(Timestamp),
    /// A rule forbids it on every channel.
    Suppress(&'static str),
    /// Not on this channel; by email if that may be.
    Elsewhere {
        state: MessageState,
        reason: &'static str,
        class: Option<RejectClass>,
    },
    /// Somebody began it and did not live to see the outcome.
    Lost(&'a send_attempt::Model),
    LookUp(&'a send_attempt::Model),
    Send {
        ordinal: i64,
    },
}

pub(super) fn rule<'a>(about: &About<'a>, now: Timestamp) -> Ruling<'a> {
    if about.message.status.0 != MessageState::Queued {
        return Ruling::Settled;
    }
    if let Some(ruling) = about.attempts.last().and_then(|last| of_open(about, last, now)) {
        return ruling;
    }
    let absences = about.attempts.iter().filter(|attempt| attempt.status.0 == AttemptState::Absent);
    if absences.count() >= ABSENCES_MAX {
        return elsewhere(MessageState::Failed, "never_taken");
    }
    if let Some(reason) = forbidden(about, now) {
        return Ruling::Suppress(reason);
    }
    if let Some(ruling) = not_by_this_channel(about) {
        return ruling;
    }
    let asked_at = about.message.asked_at_ms.map(Timestamp::from_millis);
    let exempt = about.merchant.asked_exempt_from_hours;
    match may_send(now, asked_at, asked_at.is_some(), exempt, &about.zones()) {
        Opening::Now => Ruling::Send { ordinal: about.attempts.last().map_or(1, |last| last.ordinal + 1) },
        Opening::At(opening) => Ruling::WaitUntil(opening),
    }
}

fn elsewhere<'a>(state: MessageState, reason: &'static str) -> Ruling<'a> {
    Ruling::Elsewhere { state, reason, class: None }
}

/// The last attempt, while its outcome is open.
fn of_open<'a>(about: &About<'a>, last: &'a send_attempt::Model, now: Timestamp) -> Option<Ruling<'a>> {
    let deadline = Timestamp::from_millis(last.deadline_at_ms);
    match last.status.0 {
        AttemptState::Sending if now < deadline => Some(Ruling::WaitUntil(deadline)),
        AttemptState::Sending => Some(Ruling::Lost(last)),
        AttemptState::Unknown => Some(match about.message.channel.0 {
            // A relay keeps no list that could be asked. A receipt is said once more, under the same Message-ID, by which
            // a mailbox knows that it is the same mail; better twice the same than a payment without a receipt.
            Channel::Email
                if about.message.purpose.0 == Purpose::Receipt && unknowns(about) < UNKNOWN_RECEIPTS_MAX =>
            {
                return None;
            }
            Channel::Email => elsewhere(MessageState::Unknown, "unknown"),
            Channel::Sms => {
                let due = schedule::lookup_due(deadline, last.lookups);
                if now < due { Ruling::WaitUntil(due) } else { Ruling::LookUp(last) }
            }
        }),
        AttemptState::Accepted => Some(Ruling::Settled),
        AttemptState::Rejected | AttemptState::NotSent | AttemptState::Absent => None,
    }
}

fn unknowns(about: &About<'_>) -> usize {
    about.attempts.iter().filter(|attempt| attempt.status.0 == AttemptState::Unknown).count()
}

/// Why nothing may be said any more, whatever the channel.
fn forbidden(about: &About<'_>, now: Timestamp) -> Option<&'static str> {
    match about.message.purpose.0 {
        Purpose::Receipt => None,
        Purpose::Link => {
            let Some(link) = about.link else {
                return Some("link_missing");
            };
            let dead = dead(link, now);
            if dead.is_some() {
                return dead;
            }
            if !payable(about.invoice.status.0) {
                return Some(about.invoice.status.word());
            }
            about.invoice.on_hold.then_some("on_hold")
        }
    }
}

fn dead(link: &link::Model, now: Timestamp) -> Option<&'static str> {
    match standing(link.status.0, link.expires_at_ms.map(Timestamp::from_millis), now) {
        Standing::Live => None,
        Standing::Expired => Some("link_expired"),
        Standing::Used => Some("link_used"),
        Standing::Dead => Some(link.status.word()),
    }
}

fn not_by_this_channel<'a>(about: &About<'a>) -> Option<Ruling<'a>> {
    if about.opted_out {
        let class = Some(RejectClass::OptedOut);
        return Some(Ruling::Elsewhere { state: MessageState::Suppressed, reason: "opted_out", class });
    }
    if about.message.channel.0 == Channel::Email {
        return None;
    }
    if about.place.of_number > about.merchant.texts_per_number_per_day_max {
        return Some(elsewhere(MessageState::Suppressed, "texts_to_number_capped"));
    }
    let capped = about.place.of_merchant > about.merchant.texts_per_day_max;
    capped.then(|| elsewhere(MessageState::Suppressed, "texts_of_merchant_capped"))
}

#[cfg(test)]
mod tests;
