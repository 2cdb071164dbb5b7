#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use domain::invoice::InvoiceStatus;
use domain::link::LinkStatus;
use domain::time::{HOUR_MS, MINUTE_MS};

use super::*;
use crate::send::caps::Place;
use crate::send::examples::{Example, NOON};

fn ruling_of(example: &Example) -> String {
    format!("{:?}", rule(&example.about(), NOON)).split([' ', '(']).next().unwrap().to_owned()
}

#[test]
fn only_what_waits_is_touched_again() {
    for state in MessageState::ALL {
        let mut example = Example::text();
        example.message.status.0 = *state;
        let expected = if *state == MessageState::Queued { "Send" } else { "Settled" };
        assert_eq!(ruling_of(&example), expected, "{state}");
    }
}

#[test]
fn a_text_is_tried_again_only_when_the_last_attempt_is_known_not_to_have_left() {
    let table = [
        (AttemptState::Sending, "Lost"),
        (AttemptState::Unknown, "WaitUntil"),
        (AttemptState::Accepted, "Settled"),
        (AttemptState::Rejected, "Send"),
        (AttemptState::NotSent, "Send"),
        (AttemptState::Absent, "Send"),
    ];
    assert_eq!(table.len(), AttemptState::ALL.len());
    for (state, expected) in table {
        assert_eq!(ruling_of(&Example::text().tried(&[state])), expected, "{state}");
    }
}

#[test]
fn an_attempt_is_left_alone_until_its_deadline() {
    let mut example = Example::text().tried(&[AttemptState::Sending]);
    example.attempts[0].deadline_at_ms += 1;
    assert_eq!(rule(&example.about(), NOON), Ruling::WaitUntil(NOON.plus_ms(1)));
}

#[test]
fn a_look_up_comes_when_it_is_due_and_an_email_has_none() {
    let text = Example::text().tried(&[AttemptState::Unknown]);
    assert!(matches!(rule(&text.about(), NOON.plus_ms(4_999)), Ruling::WaitUntil(_)));
    assert!(matches!(rule(&text.about(), NOON.plus_ms(5_000)), Ruling::LookUp(_)));
    let email = Example::email().tried(&[AttemptState::Unknown]);
    let ruling = rule(&email.about(), NOON);
    assert!(matches!(ruling, Ruling::Elsewhere { state: MessageState::Unknown, .. }), "{ruling:?}");
}

#[test]
fn an_open_outcome_is_settled_before_anything_else_is_asked() {
    let mut example = Example::text().tried(&[AttemptState::Unknown]);
    example.invoice.status.0 = InvoiceStatus::Paid;
    example.link.status.0 = LinkStatus::Superseded;
    assert!(matches!(rule(&example.about(), NOON.plus_ms(5_000)), Ruling::LookUp(_)));
}

#[test]
fn one_resend_follows_a_proven_absence_and_no_second() {
    let once = Example::text().tried(&[AttemptState::Absent]);
    assert_eq!(rule(&once.about(), NOON), Ruling::Send { ordinal: 2 });
    let twice = Example::text().tried(&[AttemptState::Absent, AttemptState::Absent]);
    assert!(matches!(rule(&twice.about(), NOON), Ruling::Elsewhere { state: MessageState::Failed, .. }));
}

#[test]
fn a_link_is_sent_only_while_it_lives() {
    for status in LinkStatus::ALL {
        let mut example = Example::text();
        example.link.status.0 = *status;
        let expected = if domain::link::live(*status) { "Send" } else { "Suppress" };
        assert_eq!(ruling_of(&example), expected, "{status}");
    }
    let mut over = Example::text();
    over.link.status.0 = LinkStatus::Sent;
    over.link.expires_at_ms = Some(NOON.millis());
    assert_eq!(rule(&over.about(), NOON), Ruling::Suppress("link_expired"));
}

#[test]
fn a_link_is_sent_only_for_an_invoice_that_can_be_paid_and_is_not_held() {
    for status in InvoiceStatus::ALL {
        let mut example = Example::text();
        example.invoice.status.0 = *status;
        let expected = if payable(*status) { "Send" } else { "Suppress" };
        assert_eq!(ruling_of(&example), expected, "{status}");
    }
    let mut held = Example::text();
    held.invoice.on_hold = true;
    assert_eq!(rule(&held.about(), NOON), Ruling::Suppress("on_hold"));
}

#[test]
fn a_receipt_is_sent_although_the_invoice_is_paid() {
    let mut example = Example::text();
    example.message.purpose.0 = Purpose::Receipt;
    example.invoice.status.0 = InvoiceStatus::Paid;
    assert_eq!(ruling_of(&example), "Send");
}

#[test]
fn a_no_and_a_cap_close_the_channel_and_not_the_other() {
    let example = Example::text();
    let refused = About { opted_out: true, ..example.about() };
    let class = Some(RejectClass::OptedOut);
    let expected = Ruling::Elsewhere { state: MessageState::Suppressed, reason: "opted_out", class };
    assert_eq!(rule(&refused, NOON), expected);
    let sixth = About { place: Place { of_merchant: 6, of_number: 6 }, ..example.about() };
    assert!(matches!(rule(&sixth, NOON), Ruling::Elsewhere { reason: "texts_to_number_capped", .. }));
    let fifth = About { place: Place { of_merchant: 1_000, of_number: 5 }, ..example.about() };
    assert!(matches!(rule(&fifth, NOON), Ruling::Send { .. }));
    let beyond = About { place: Place { of_merchant: 1_001, of_number: 1 }, ..example.about() };
    assert!(matches!(rule(&beyond, NOON), Ruling::Elsewhere { reason: "texts_of_merchant_capped", .. }));
    let letter = Example::email();
    let capped = About { place: Place { of_merchant: 9_999, of_number: 99 }, ..letter.about() };
    assert!(matches!(rule(&capped, NOON), Ruling::Send { .. }));
}

#[test]
fn the_night_waits_for_the_morning_unless_the_call_just_ended() {
    let night = NOON.plus_ms(10 * HOUR_MS);
    let mut example = Example::text();
    assert_eq!(rule(&example.about(), night), Ruling::WaitUntil(NOON.plus_ms(20 * HOUR_MS)));
    example.message.asked_at_ms = Some(night.plus_ms(-15 * MINUTE_MS).millis());
    assert!(matches!(rule(&example.about(), night), Ruling::Send { .. }));
    assert!(matches!(rule(&example.about(), night.plus_ms(1)), Ruling::WaitUntil(_)));
}
