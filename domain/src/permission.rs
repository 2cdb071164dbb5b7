//! Call permission: asked before every dial, so that a pause cannot be lost even if every webhook is.

use jiff::tz::TimeZone;

use crate::invoice::InvoiceStatus;
use crate::quiet_hours::{Opening, WINDOW, opens_at};
use crate::time::{Day, MINUTE_MS, Timestamp};

/// For so long after the customer opened the page nobody interrupts them.
pub const JUST_OPENED_MS: i64 = 15 * MINUTE_MS;

crate::words! {
    /// Why a call must not be placed.
    pub enum DenyReason {
        /// There is no such invoice.
        UnknownInvoice = "unknown_invoice",
        /// A question or dispute is open.
        OnHold = "on_hold",
        /// Nothing is owed.
        Paid = "paid",
        /// A payment is on its way.
        PaymentProcessing = "payment_processing",
        /// The merchant gave the invoice up.
        Canceled = "canceled",
        /// The customer asked to be left alone.
        OptedOut = "opted_out",
        /// The customer named a day that is not over.
        PromisePending = "promise_pending",
        /// It is not between 8:00 and 21:00 everywhere the customer may be.
        OutsideHours = "outside_hours",
        /// The customer is looking at the pay page.
        LinkJustOpened = "link_just_opened",
        /// The invoice is paused in its campaign, or the campaign is.
        EnrolmentPaused = "enrolment_paused",
    }
}

/// What is known when the voice AI asks.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Where the invoice stands; `None` when there is no such invoice.
    pub invoice: Option<InvoiceStatus>,
    /// A hold is open.
    pub on_hold: bool,
    /// The number or the customer opted out.
    pub opted_out: bool,
    /// The day the customer promised to pay.
    pub promised_day: Option<Day>,
    /// Where the merchant's days begin and end, for the promise.
    pub merchant_zone: TimeZone,
    /// Where the customer may be ([`crate::quiet_hours::plausible_zones`]).
    pub zones: Vec<TimeZone>,
    /// When a link of the invoice was last opened.
    pub link_opened_at: Option<Timestamp>,
    /// The enrolment or its campaign is paused or ended.
    pub enrolment_paused: bool,
}

/// Every reason against a call now, in the order of the words; none means allow.
#[must_use]
pub fn decide(facts: &Facts, now: Timestamp) -> Vec<DenyReason> {
    let Some(status) = facts.invoice else {
        return vec![DenyReason::UnknownInvoice];
    };
    let promised = facts.promised_day.is_some_and(|day| Day::at(now, &facts.merchant_zone) <= day);
    let outside = opens_at(now, &facts.zones, WINDOW) != Opening::Now;
    let opened = facts.link_opened_at.is_some_and(|opened| now.since_ms(opened) < JUST_OPENED_MS);
    let checks = [
        (facts.on_hold, DenyReason::OnHold),
        (status == InvoiceStatus::Paid, DenyReason::Paid),
        (status == InvoiceStatus::PaymentProcessing, DenyReason::PaymentProcessing),
        (status == InvoiceStatus::Canceled, DenyReason::Canceled),
        (facts.opted_out, DenyReason::OptedOut),
        (promised, DenyReason::PromisePending),
        (outside, DenyReason::OutsideHours),
        (opened, DenyReason::LinkJustOpened),
        (facts.enrolment_paused, DenyReason::EnrolmentPaused),
    ];
    checks.into_iter().filter(|(holds, _)| *holds).map(|(_, reason)| reason).collect()
}

#[cfg(test)]
mod tests;
