#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use proptest::prelude::*;

/// Every status × every event, written out: a second opinion, not a copy of the match.
const TABLE: [(InvoiceStatus, [Option<InvoiceStatus>; 7]); 5] = {
    use InvoiceStatus::{Canceled, Open, Paid, PartiallyPaid, PaymentProcessing};
    [
        // started, failed, in part, in full, elsewhere, canceled, returned
        (
            Open,
            [
                Some(PaymentProcessing),
                Some(Open),
                Some(PartiallyPaid),
                Some(Paid),
                Some(Paid),
                Some(Canceled),
                Some(Open),
            ],
        ),
        (
            PaymentProcessing,
            [
                Some(PaymentProcessing),
                Some(Open),
                Some(PartiallyPaid),
                Some(Paid),
                None,
                None,
                Some(PaymentProcessing),
            ],
        ),
        (
            PartiallyPaid,
            [
                Some(PaymentProcessing),
                Some(PartiallyPaid),
                Some(PartiallyPaid),
                Some(Paid),
                Some(Paid),
                Some(Canceled),
                Some(Open),
            ],
        ),
        (Paid, [None, Some(Paid), Some(Paid), Some(Paid), Some(Paid), None, Some(Open)]),
        (Canceled, [None, Some(Canceled), Some(Canceled), Some(Paid), None, Some(Canceled), Some(Canceled)]),
    ]
};

#[test]
fn every_status_takes_every_event_as_the_table_says() {
    assert_eq!(TABLE.len(), InvoiceStatus::ALL.len());
    for (status, row) in TABLE {
        for (event, expected) in InvoiceEvent::ALL.iter().zip(row) {
            let refused = Refused { status, event: *event };
            assert_eq!(apply(status, *event), expected.ok_or(refused), "{status} × {event}");
        }
    }
}

#[test]
fn an_event_that_comes_twice_changes_nothing_the_second_time() {
    for (status, _) in TABLE {
        for event in InvoiceEvent::ALL {
            let Ok(after) = apply(status, *event) else {
                continue;
            };
            assert_eq!(apply(after, *event), Ok(after), "{status} × {event} twice");
        }
    }
}

#[test]
fn what_is_payable_and_callable_is_what_still_has_a_rest_nobody_is_paying() {
    for status in InvoiceStatus::ALL {
        let rest = matches!(status, InvoiceStatus::Open | InvoiceStatus::PartiallyPaid);
        assert_eq!((payable(*status), callable(*status)), (rest, rest), "{status}");
        let over = matches!(status, InvoiceStatus::Paid | InvoiceStatus::Canceled);
        assert_eq!(closed(*status), over, "{status}");
    }
}

#[test]
fn every_word_reads_back() {
    assert!(InvoiceStatus::ALL.iter().all(|status| status.word().parse() == Ok(*status)));
    assert!(InvoiceEvent::ALL.iter().all(|event| event.word().parse() == Ok(*event)));
}

fn line(quantity: i64, unit_minor: i64) -> LineItem {
    LineItem { description: "hours".to_owned(), quantity, unit_minor }
}

#[test]
fn lines_and_tax_add_up() {
    assert_eq!(total(&[], 0), Ok(0));
    assert_eq!(total(&[line(3, 1_250), line(1, 0)], 300), Ok(4_050));
}

#[test]
fn the_line_at_fault_is_named() {
    assert_eq!(total(&[line(1, 1), line(0, 5)], 0), Err(BadTotal::Quantity { line: 1 }));
    assert_eq!(total(&[line(1, -1)], 0), Err(BadTotal::UnitPrice { line: 0 }));
    assert_eq!(total(&[], -1), Err(BadTotal::Tax));
    assert_eq!(total(&[line(0, 5)], 0).unwrap_err().to_string(), "line_items.0.quantity must be at least 1");
}

#[test]
fn a_total_is_bounded_exactly_and_never_wraps() {
    assert_eq!(total(&[line(1, AMOUNT_MAX_MINOR)], 0), Ok(AMOUNT_MAX_MINOR));
    assert_eq!(total(&[line(1, AMOUNT_MAX_MINOR)], 1), Err(BadTotal::TooLarge));
    assert_eq!(total(&vec![line(i64::MAX, i64::MAX); 4], i64::MAX), Err(BadTotal::TooLarge));
}

fn events() -> impl Strategy<Value = InvoiceEvent> {
    proptest::sample::select(InvoiceEvent::ALL)
}

proptest! {
    #[test]
    fn only_a_return_reopens_a_paid_invoice(story in proptest::collection::vec(events(), 0..40)) {
        let mut status = InvoiceStatus::Open;
        for event in story {
            let after = apply(status, event).unwrap_or(status);
            if status == InvoiceStatus::Paid && after != InvoiceStatus::Paid {
                prop_assert_eq!(event, InvoiceEvent::PaymentReturned);
            }
            if status == InvoiceStatus::Canceled && after != InvoiceStatus::Canceled {
                prop_assert_eq!(event, InvoiceEvent::PaidInFull);
            }
            status = after;
        }
    }

    #[test]
    fn a_total_is_the_sum_whatever_the_order(
        lines in proptest::collection::vec((1..1_000_i64, 0..1_000_000_i64), 0..12), tax in 0..100_000_i64,
    ) {
        let lines: Vec<LineItem> = lines.into_iter().map(|(quantity, unit)| line(quantity, unit)).collect();
        let reversed: Vec<LineItem> = lines.iter().rev().cloned().collect();
        let sum: i64 = lines.iter().map(|item| item.quantity * item.unit_minor).sum::<i64>() + tax;
        prop_assert_eq!(total(&lines, tax), Ok(sum));
        prop_assert_eq!(total(&reversed, tax), Ok(sum));
    }
}
