//! Which page a visitor gets: link × invoice × browser, as one pure function.

use domain::invoice::InvoiceStatus;
use domain::link::{LinkStatus, Standing};
use templates::DeadReason;

/// What decides.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    pub(super) link: LinkStatus,
    pub(super) standing: Standing,
    pub(super) invoice: InvoiceStatus,
    pub(super) on_hold: bool,
    /// The merchant takes payments while a question is open.
    pub(super) payable_on_hold: bool,
    /// This browser made a payment of the invoice that succeeded.
    pub(super) paid_by_this_browser: bool,
}

/// The page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    Payable,
    /// A question is open and the merchant takes no payment meanwhile.
    Held,
    Processing,
    Receipt,
    AlreadyPaid,
    Expired,
    Dead(DeadReason),
}

/// The page for these facts. Paid beats everything: whoever comes late learns that there is nothing left to do.
pub(super) fn shown(facts: &Facts) -> Shown {
    let paid = facts.invoice == InvoiceStatus::Paid || facts.standing == Standing::Used;
    if paid {
        return if facts.paid_by_this_browser { Shown::Receipt } else { Shown::AlreadyPaid };
    }
    match facts.invoice {
        InvoiceStatus::PaymentProcessing => Shown::Processing,
        InvoiceStatus::Canceled => Shown::Dead(DeadReason::Canceled),
        InvoiceStatus::Open | InvoiceStatus::PartiallyPaid | InvoiceStatus::Paid => owed(facts),
    }
}

fn owed(facts: &Facts) -> Shown {
    match facts.standing {
        Standing::Live if facts.on_hold && !facts.payable_on_hold => Shown::Held,
        Standing::Live => Shown::Payable,
        Standing::Used => Shown::AlreadyPaid,
        Standing::Expired => Shown::Expired,
        Standing::Dead => Shown::Dead(ended_by(facts.link)),
    }
}

fn ended_by(link: LinkStatus) -> DeadReason {
    match link {
        LinkStatus::Superseded => DeadReason::Superseded,
        LinkStatus::Queued
        | LinkStatus::Sent
        | LinkStatus::Used
        | LinkStatus::Expired
        | LinkStatus::Revoked => DeadReason::Revoked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(link: LinkStatus, standing: Standing, invoice: InvoiceStatus) -> Facts {
        Facts { link, standing, invoice, on_hold: false, payable_on_hold: true, paid_by_this_browser: false }
    }

    /// Every status a link can have, with what it is worth; a sent link may be past its time and not written down so.
    const LINKS: [(LinkStatus, Standing); 7] = [
        (LinkStatus::Queued, Standing::Live),
        (LinkStatus::Sent, Standing::Live),
        (LinkStatus::Sent, Standing::Expired),
        (LinkStatus::Used, Standing::Used),
        (LinkStatus::Expired, Standing::Expired),
        (LinkStatus::Superseded, Standing::Dead),
        (LinkStatus::Revoked, Standing::Dead),
    ];

    #[test]
    fn every_link_of_every_invoice_leads_to_its_page() {
        use InvoiceStatus::{Canceled, Open, Paid, PartiallyPaid, PaymentProcessing};
        use Shown::{AlreadyPaid, Dead, Expired, Payable, Processing};
        let superseded = Dead(DeadReason::Superseded);
        let revoked = Dead(DeadReason::Revoked);
        let canceled = Dead(DeadReason::Canceled);
        // In the order of LINKS.
        let expected = [
            (Open, [Payable, Payable, Expired, AlreadyPaid, Expired, superseded, revoked]),
            (PartiallyPaid, [Payable, Payable, Expired, AlreadyPaid, Expired, superseded, revoked]),
            (
                PaymentProcessing,
                [Processing, Processing, Processing, AlreadyPaid, Processing, Processing, Processing],
            ),
            (Canceled, [canceled, canceled, canceled, AlreadyPaid, canceled, canceled, canceled]),
            (Paid, [AlreadyPaid; 7]),
        ];
        assert_eq!(expected.len(), InvoiceStatus::ALL.len());
        for (invoice, pages) in expected {
            for ((link, standing), page) in LINKS.into_iter().zip(pages) {
                assert_eq!(shown(&facts(link, standing, invoice)), page, "{link} {standing:?} × {invoice}");
            }
        }
    }

    #[test]
    fn the_browser_that_paid_sees_its_receipt_and_nothing_else_changes_for_it() {
        for invoice in InvoiceStatus::ALL {
            for (link, standing) in LINKS {
                let stranger = facts(link, standing, *invoice);
                let payer = Facts { paid_by_this_browser: true, ..stranger };
                let paid = shown(&stranger) == Shown::AlreadyPaid;
                let expected = if paid { Shown::Receipt } else { shown(&stranger) };
                assert_eq!(shown(&payer), expected, "{link} × {invoice}");
            }
        }
    }

    #[test]
    fn a_question_leaves_the_invoice_payable_unless_the_merchant_says_otherwise() {
        let asked = Facts { on_hold: true, ..facts(LinkStatus::Sent, Standing::Live, InvoiceStatus::Open) };
        assert_eq!(shown(&asked), Shown::Payable);
        assert_eq!(shown(&Facts { payable_on_hold: false, ..asked }), Shown::Held);
        let unasked = Facts { on_hold: false, payable_on_hold: false, ..asked };
        assert_eq!(shown(&unasked), Shown::Payable);
    }
}
