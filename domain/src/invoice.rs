//! Invoices: what their status may become, and what their lines add up to.

use serde::{Deserialize, Serialize};

use crate::money::AMOUNT_MAX_MINOR;

crate::words! {
    /// Where an invoice stands. A hold is beside this, never one of these.
    pub enum InvoiceStatus {
        /// Nothing was paid.
        Open = "open",
        /// A payment was started and its result is days away (bank transfers).
        PaymentProcessing = "payment_processing",
        /// Something was paid and something is left.
        PartiallyPaid = "partially_paid",
        /// Nothing is left.
        Paid = "paid",
        /// The merchant gave it up.
        Canceled = "canceled",
    }
}

crate::words! {
    /// What happened to an invoice.
    pub enum InvoiceEvent {
        /// A payment that takes days was confirmed by the customer.
        PaymentStarted = "payment_started",
        /// That payment did not succeed.
        PaymentFailed = "payment_failed",
        /// A payment of less than the rest succeeded.
        PaidInPart = "paid_in_part",
        /// A payment of the rest succeeded.
        PaidInFull = "paid_in_full",
        /// The merchant says it was paid some other way.
        MarkedPaidElsewhere = "marked_paid_elsewhere",
        /// The merchant gives it up.
        Canceled = "canceled",
        /// A payment that had succeeded was taken back by the bank.
        PaymentReturned = "payment_returned",
    }
}

/// An event that must not happen in this status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an invoice that is {status} cannot take {event}")]
pub struct Refused {
    /// Where the invoice stood, and stays.
    pub status: InvoiceStatus,
    /// What was refused.
    pub event: InvoiceEvent,
}

/// The status after an event.
///
/// What a person asks for is refused where it makes no sense, and changes nothing where it already is so. What
/// the bank reports is never undone by a late or repeated report: it answers the status unchanged. Money beats
/// the merchant's word: a canceled invoice that is paid in full is paid. A payment that starts on a closed
/// invoice is refused, which the caller shows as a payment conflict.
///
/// `PaymentFailed` and `PaymentReturned` answer `Open`; where earlier instalments still stand, apply
/// `PaidInPart` after them.
///
/// # Errors
/// When the event must not happen in this status.
pub const fn apply(status: InvoiceStatus, event: InvoiceEvent) -> Result<InvoiceStatus, Refused> {
    use InvoiceEvent as Event;
    use InvoiceStatus as Status;
    match (status, event) {
        (Status::Open | Status::PartiallyPaid | Status::PaymentProcessing, Event::PaymentStarted) => {
            Ok(Status::PaymentProcessing)
        }
        (Status::Open | Status::PartiallyPaid | Status::PaymentProcessing, Event::PaidInPart) => {
            Ok(Status::PartiallyPaid)
        }
        (
            Status::Open
            | Status::PartiallyPaid
            | Status::PaymentProcessing
            | Status::Paid
            | Status::Canceled,
            Event::PaidInFull,
        ) => Ok(Status::Paid),

        (Status::Open | Status::PaymentProcessing, Event::PaymentFailed) => Ok(Status::Open),
        (Status::Open | Status::PartiallyPaid | Status::Paid, Event::PaymentReturned) => Ok(Status::Open),

        (Status::Open | Status::PartiallyPaid | Status::Paid, Event::MarkedPaidElsewhere) => Ok(Status::Paid),
        (Status::Open | Status::PartiallyPaid | Status::Canceled, Event::Canceled) => Ok(Status::Canceled),

        // Late reports that change nothing: of another payment, or of one already counted.
        (Status::PartiallyPaid, Event::PaymentFailed)
        | (Status::PaymentProcessing, Event::PaymentReturned)
        | (Status::Paid, Event::PaymentFailed | Event::PaidInPart)
        | (Status::Canceled, Event::PaymentFailed | Event::PaidInPart | Event::PaymentReturned) => Ok(status),

        (Status::PaymentProcessing, Event::MarkedPaidElsewhere | Event::Canceled)
        | (Status::Paid, Event::PaymentStarted | Event::Canceled)
        | (Status::Canceled, Event::PaymentStarted | Event::MarkedPaidElsewhere) => {
            Err(Refused { status, event })
        }
    }
}

/// Whether the pay page offers a payment form.
#[must_use]
pub const fn payable(status: InvoiceStatus) -> bool {
    match status {
        InvoiceStatus::Open | InvoiceStatus::PartiallyPaid => true,
        InvoiceStatus::PaymentProcessing | InvoiceStatus::Paid | InvoiceStatus::Canceled => false,
    }
}

/// Whether there is a reason to call about it. Calls stop at `payment_processing`, not only at `paid`.
#[must_use]
pub const fn callable(status: InvoiceStatus) -> bool {
    payable(status)
}

/// Whether nothing more is expected of it.
#[must_use]
pub const fn closed(status: InvoiceStatus) -> bool {
    match status {
        InvoiceStatus::Paid | InvoiceStatus::Canceled => true,
        InvoiceStatus::Open | InvoiceStatus::PaymentProcessing | InvoiceStatus::PartiallyPaid => false,
    }
}

/// One line of an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineItem {
    /// What was sold.
    pub description: String,
    /// How many, at least one.
    pub quantity: i64,
    /// The price of one, in minor units of the invoice's currency.
    pub unit_minor: i64,
}

/// Lines that do not add up to an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadTotal {
    /// A quantity below one. Lines are counted from zero, as in the JSON that carried them.
    #[error("line_items.{line}.quantity must be at least 1")]
    Quantity {
        /// Which line.
        line: usize,
    },
    /// A negative price.
    #[error("line_items.{line}.unit_minor must not be negative")]
    UnitPrice {
        /// Which line.
        line: usize,
    },
    /// A negative tax.
    #[error("tax_minor must not be negative")]
    Tax,
    /// A sum beyond the largest amount.
    #[error("the lines and tax add up to more than 9007199254740991 minor units")]
    TooLarge,
}

/// What the lines and the tax add up to, in minor units; zero when there are none.
///
/// # Errors
/// Names the line that is at fault.
pub fn total(lines: &[LineItem], tax_minor: i64) -> Result<i64, BadTotal> {
    if tax_minor < 0 {
        return Err(BadTotal::Tax);
    }
    let mut sum = i128::from(tax_minor);
    for (line, item) in lines.iter().enumerate() {
        if item.quantity < 1 {
            return Err(BadTotal::Quantity { line });
        }
        if item.unit_minor < 0 {
            return Err(BadTotal::UnitPrice { line });
        }
        let price = i128::from(item.quantity) * i128::from(item.unit_minor);
        sum = sum.checked_add(price).ok_or(BadTotal::TooLarge)?;
    }
    let fits = sum <= i128::from(AMOUNT_MAX_MINOR);
    i64::try_from(sum).ok().filter(|_| fits).ok_or(BadTotal::TooLarge)
}

#[cfg(test)]
mod tests;
