#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use proptest::prelude::*;

/// Noon in New York, 9:00 in Los Angeles.
fn noon() -> Timestamp {
    Timestamp::parse("2026-11-19T17:00:00Z").unwrap()
}

fn new_york() -> TimeZone {
    TimeZone::get("America/New_York").unwrap()
}

fn allowed() -> Facts {
    Facts {
        invoice: Some(InvoiceStatus::Open),
        on_hold: false,
        opted_out: false,
        promised_day: None,
        merchant_zone: new_york(),
        zones: vec![new_york()],
        link_opened_at: None,
        enrolment_paused: false,
    }
}

#[test]
fn nothing_against_it_allows_the_call() {
    assert_eq!(decide(&allowed(), noon()), []);
    let part = Facts { invoice: Some(InvoiceStatus::PartiallyPaid), ..allowed() };
    assert_eq!(decide(&part, noon()), []);
}

#[test]
fn every_fact_alone_denies_for_its_reason() {
    type Change = fn(&mut Facts);
    let cases: [(Change, DenyReason); 10] = [
        (|facts| facts.invoice = None, DenyReason::UnknownInvoice),
        (|facts| facts.on_hold = true, DenyReason::OnHold),
        (|facts| facts.invoice = Some(InvoiceStatus::Paid), DenyReason::Paid),
        (|facts| facts.invoice = Some(InvoiceStatus::PaymentProcessing), DenyReason::PaymentProcessing),
        (|facts| facts.invoice = Some(InvoiceStatus::Canceled), DenyReason::Canceled),
        (|facts| facts.opted_out = true, DenyReason::OptedOut),
        (|facts| facts.promised_day = Some("2026-11-20".parse().unwrap()), DenyReason::PromisePending),
        (|facts| facts.zones = vec![TimeZone::get("Asia/Tokyo").unwrap()], DenyReason::OutsideHours),
        (|facts| facts.link_opened_at = Some(noon()), DenyReason::LinkJustOpened),
        (|facts| facts.enrolment_paused = true, DenyReason::EnrolmentPaused),
    ];
    assert_eq!(cases.len(), DenyReason::ALL.len());
    for (change, reason) in cases {
        let mut facts = allowed();
        change(&mut facts);
        assert_eq!(decide(&facts, noon()), [reason]);
    }
}

#[test]
fn all_reasons_are_given_at_once_in_the_order_of_the_words() {
    let facts = Facts { on_hold: true, opted_out: true, enrolment_paused: true, ..allowed() };
    let reasons = [DenyReason::OnHold, DenyReason::OptedOut, DenyReason::EnrolmentPaused];
    assert_eq!(decide(&facts, noon()), reasons);
}

#[test]
fn a_promise_holds_until_its_day_is_over_where_the_merchant_is() {
    let facts = Facts { promised_day: Some("2026-11-19".parse().unwrap()), ..allowed() };
    // 20:59 and 8:00 the next morning in New York.
    let evening = Timestamp::parse("2026-11-20T01:59:00Z").unwrap();
    let morning = Timestamp::parse("2026-11-20T13:00:00Z").unwrap();
    assert_eq!(decide(&facts, evening), [DenyReason::PromisePending]);
    assert_eq!(decide(&facts, morning), []);
}

#[test]
fn an_opened_page_is_left_alone_for_a_quarter_of_an_hour() {
    let opened = |before_ms: i64| Facts { link_opened_at: Some(noon().plus_ms(-before_ms)), ..allowed() };
    assert_eq!(decide(&opened(JUST_OPENED_MS - 1), noon()), [DenyReason::LinkJustOpened]);
    assert_eq!(decide(&opened(JUST_OPENED_MS), noon()), []);
    assert_eq!(decide(&opened(-1_000), noon()), [DenyReason::LinkJustOpened]);
}

#[test]
fn every_zone_the_customer_may_be_in_must_be_awake() {
    let facts = Facts { zones: vec![TimeZone::get("America/Los_Angeles").unwrap(), new_york()], ..allowed() };
    assert_eq!(decide(&facts, noon()), []);
    assert_eq!(decide(&facts, noon().plus_ms(-2 * 3_600_000)), [DenyReason::OutsideHours]);
}

proptest! {
    #[test]
    fn one_more_reason_against_a_call_never_allows_it(
        on_hold in any::<bool>(), opted_out in any::<bool>(), enrolment_paused in any::<bool>(),
        status in proptest::sample::select(InvoiceStatus::ALL), minutes in 0..2_000_i64,
    ) {
        let facts = Facts { invoice: Some(status), on_hold, opted_out, enrolment_paused, ..allowed() };
        let now = noon().plus_ms(minutes * MINUTE_MS);
        let denied = decide(&facts, now);
        prop_assert_eq!(denied.contains(&DenyReason::OnHold), on_hold);
        prop_assert_eq!(denied.contains(&DenyReason::OptedOut), opted_out);
        prop_assert_eq!(denied.contains(&DenyReason::EnrolmentPaused), enrolment_paused);
        prop_assert!(crate::invoice::callable(status) || !denied.is_empty());
        let worse = decide(&Facts { on_hold: true, ..facts }, now);
        prop_assert!(denied.iter().all(|reason| worse.contains(reason)));
    }
}
