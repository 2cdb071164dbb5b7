//! What an event leads to.

use super::{CALL_COMPLETED, CallEvent, Disposition, Intent, Outcome, Reached};
use crate::invoice::{InvoiceStatus, closed};
use crate::time::Day;

/// What is known of the invoice an event names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvoiceFacts {
    /// There is such an invoice, and it is this merchant's.
    pub known: bool,
    /// Where it stands; means nothing when it is not known.
    pub status: InvoiceStatus,
    /// A hold is open.
    pub on_hold: bool,
}

impl InvoiceFacts {
    /// The event names no invoice, or one nobody knows.
    pub const UNKNOWN: Self = Self { known: false, status: InvoiceStatus::Open, on_hold: false };
}

/// One thing to do, in the transaction that stores the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Keep the customer's "leave me alone". Needs no invoice.
    OptOut,
    /// The number is not the customer's: neither call nor text it again.
    ForgetNumber,
    /// Put the invoice on hold.
    OpenHold {
        /// What the customer said; empty when the event does not tell.
        reason: String,
    },
    /// Do not call before the day is over.
    RecordPromise {
        /// The day the customer named.
        day: Day,
    },
    /// Send a pay link.
    IssueLink,
    /// A person should call back.
    RequestCallback,
}

/// What becomes of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The answer to its sender.
    pub disposition: Disposition,
    /// Why, in one word for the timeline.
    pub reason: &'static str,
    /// What to do, in this order.
    pub acts: Vec<Act>,
}

impl Decision {
    const fn new(disposition: Disposition, reason: &'static str, acts: Vec<Act>) -> Self {
        Self { disposition, reason, acts }
    }
}

/// What an event leads to.
///
/// "Leave me alone" is honoured whatever else the event says, whomever the call is said to have reached and
/// whether or not the invoice is known: a machine wrongly taken for a person costs a text, the other way round it
/// costs a promise. What stops calls passes a hold; what asks for something does not.
#[must_use]
pub fn decide(event: &CallEvent, invoice: &InvoiceFacts) -> Decision {
    let outcome = &event.outcome;
    let opted_out = outcome.opt_out || outcome.intent == Intent::OptOut;
    let acts = if opted_out { vec![Act::OptOut] } else { Vec::new() };

    if let Some(reason) = says_nothing(event) {
        let (disposition, reason) =
            if opted_out { (Disposition::Accepted, "opted_out") } else { (Disposition::Ignored, reason) };
        return Decision::new(disposition, reason, acts);
    }
    if !invoice.known {
        return Decision::new(Disposition::Unmatched, "unknown_invoice", acts);
    }
    weigh(outcome, invoice, acts)
}

/// Why an event asks for nothing, if so.
fn says_nothing(event: &CallEvent) -> Option<&'static str> {
    if event.kind != CALL_COMPLETED {
        return Some("unknown_event_type");
    }
    let outcome = &event.outcome;
    match outcome.reached {
        Reached::Voicemail => return Some("voicemail"),
        Reached::NoAnswer => return Some("no_answer"),
        Reached::Busy => return Some("busy"),
        Reached::Failed => return Some("call_failed"),
        Reached::Human | Reached::Unknown => {}
    }
    let says_more = outcome.opt_out || outcome.dispute.is_some() || promised_day(outcome).is_some();
    match outcome.intent {
        Intent::None if !says_more => Some("no_intent"),
        Intent::Unknown if !says_more => Some("unknown_intent"),
        Intent::PromiseToPay if !says_more => Some("promise_without_day"),
        Intent::None
        | Intent::Unknown
        | Intent::PromiseToPay
        | Intent::PayOnline
        | Intent::SendLink
        | Intent::Dispute
        | Intent::OptOut
        | Intent::WrongNumber
        | Intent::Callback => None,
    }
}

/// Goes through what a call about a known invoice asks for, the things that stop calls first.
fn weigh(outcome: &Outcome, invoice: &InvoiceFacts, mut acts: Vec<Act>) -> Decision {
    let mut reason = if acts.is_empty() { "" } else { "opted_out" };
    let mut suppressed = None;

    if outcome.intent == Intent::WrongNumber {
        acts.push(Act::ForgetNumber);
        reason = "wrong_number";
    }
    let disputed = outcome.intent == Intent::Dispute || outcome.dispute.is_some();
    if disputed {
        match closed_as(invoice.status) {
            Some(why) => suppressed = Some(why),
            None => {
                acts.push(Act::OpenHold { reason: objection(outcome) });
                reason = "dispute";
            }
        }
    }
    if let Some(day) = promised_day(outcome) {
        match closed_as(invoice.status) {
            Some(why) => suppressed = Some(why),
            None => {
                acts.push(Act::RecordPromise { day });
                reason = "promise_to_pay";
            }
        }
    }
    if let Some(act) = wanted(outcome.intent) {
        match forbids_a_wish(outcome, invoice, disputed) {
            Some(why) => suppressed = Some(why),
            None => {
                acts.push(act);
                reason = outcome.intent.word();
            }
        }
    }
    match suppressed {
        Some(why) if acts.is_empty() => Decision::new(Disposition::Suppressed, why, acts),
        Some(_) | None => Decision::new(Disposition::Accepted, reason, acts),
    }
}

const fn wanted(intent: Intent) -> Option<Act> {
    match intent {
        Intent::PayOnline | Intent::SendLink => Some(Act::IssueLink),
        Intent::Callback => Some(Act::RequestCallback),
        Intent::Dispute
        | Intent::PromiseToPay
        | Intent::OptOut
        | Intent::WrongNumber
        | Intent::None
        | Intent::Unknown => None,
    }
}

fn forbids_a_wish(outcome: &Outcome, invoice: &InvoiceFacts, disputed: bool) -> Option<&'static str> {
    if let Some(why) = closed_as(invoice.status) {
        return Some(why);
    }
    if invoice.status == InvoiceStatus::PaymentProcessing {
        return Some("payment_processing");
    }
    if invoice.on_hold || disputed {
        return Some("on_hold");
    }
    outcome.opt_out.then_some("opted_out")
}

const fn closed_as(status: InvoiceStatus) -> Option<&'static str> {
    if closed(status) { Some(status.word()) } else { None }
}

fn promised_day(outcome: &Outcome) -> Option<Day> {
    outcome.promise_to_pay.and_then(|promise| promise.date)
}

fn objection(outcome: &Outcome) -> String {
    let dispute = outcome.dispute.as_ref();
    let said = dispute.and_then(|dispute| dispute.text.as_ref().or(dispute.reason.as_ref()));
    said.or(outcome.evidence.as_ref()).cloned().unwrap_or_default()
}
