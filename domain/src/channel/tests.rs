#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use proptest::prelude::*;

const ALLOWED: [&str; 2] = ["US", "CA"];
const NO_WISH: Wish = Wish { preferred: None, sms_consent: None, email_consent: None };

fn number(e164: &str, line_type: LineType) -> PhoneContact {
    PhoneContact { phone: Phone::from_e164(e164).unwrap(), line_type, opted_out: false }
}

fn mobile() -> PhoneContact {
    number("+14155552671", LineType::Mobile)
}

fn mailbox(address: &str) -> EmailContact {
    EmailContact { address: EmailAddress::parse(address).unwrap(), opted_out: false }
}

fn ann() -> EmailContact {
    mailbox("ann@example.com")
}

fn sms(e164: &str) -> Resolution {
    Resolution::Sms(Phone::from_e164(e164).unwrap())
}

fn email() -> Resolution {
    Resolution::Email(EmailAddress::parse("ann@example.com").unwrap())
}

#[test]
fn a_mobile_number_is_texted_and_what_was_asked_for_comes_first() {
    let both = |wish: &Wish| resolve(wish, &[mobile()], &[ann()], &ALLOWED);
    assert_eq!(both(&NO_WISH), sms("+14155552671"));
    assert_eq!(both(&Wish { preferred: Some(Channel::Sms), ..NO_WISH }), sms("+14155552671"));
    assert_eq!(both(&Wish { preferred: Some(Channel::Email), ..NO_WISH }), email());
}

#[test]
fn a_preference_that_cannot_be_met_leaves_the_other_channel() {
    let by_email = Wish { preferred: Some(Channel::Email), ..NO_WISH };
    assert_eq!(resolve(&by_email, &[mobile()], &[], &ALLOWED), sms("+14155552671"));
    let by_sms = Wish { preferred: Some(Channel::Sms), ..NO_WISH };
    let landline = number("+14155552671", LineType::Landline);
    assert_eq!(resolve(&by_sms, &[landline], &[ann()], &ALLOWED), email());
}

#[test]
fn a_refusal_on_the_call_forbids_even_what_was_preferred() {
    let refused = Wish { preferred: Some(Channel::Sms), sms_consent: Some(false), email_consent: None };
    assert_eq!(resolve(&refused, &[mobile()], &[ann()], &ALLOWED), email());
    assert_eq!(
        resolve(&Wish { email_consent: Some(false), ..refused }, &[mobile()], &[ann()], &ALLOWED),
        Resolution::NeedsContact(vec![Reason::SmsRefused, Reason::EmailRefused])
    );
}

#[test]
fn an_opt_out_holds_against_a_preference_and_a_consent() {
    let stopped = PhoneContact { opted_out: true, ..mobile() };
    let wish = Wish { preferred: Some(Channel::Sms), sms_consent: Some(true), email_consent: None };
    assert_eq!(resolve(&wish, std::slice::from_ref(&stopped), &[ann()], &ALLOWED), email());
    let unsubscribed = EmailContact { opted_out: true, ..ann() };
    assert_eq!(
        resolve(&wish, &[stopped], &[unsubscribed], &ALLOWED),
        Resolution::NeedsContact(vec![Reason::PhoneOptedOut, Reason::EmailOptedOut])
    );
}

#[test]
fn the_first_usable_contact_in_order_of_trust_is_taken() {
    let on_event = number("+18005550123", LineType::Unknown);
    let on_invoice = number("+14165550142", LineType::Unknown);
    let on_customer = mobile();
    let phones = [on_event, on_invoice, on_customer];
    assert_eq!(resolve(&NO_WISH, &phones, &[ann()], &ALLOWED), sms("+14165550142"));
    let mailboxes = [EmailContact { opted_out: true, ..mailbox("first@example.com") }, ann()];
    assert_eq!(resolve(&NO_WISH, &[], &mailboxes, &ALLOWED), email());
}

#[test]
fn every_line_type_goes_to_its_channel() {
    let cases = [
        (LineType::Unknown, sms("+14155552671")),
        (LineType::Mobile, sms("+14155552671")),
        (LineType::Landline, email()),
        (LineType::Voip, sms("+14155552671")),
        (LineType::TollFree, email()),
        (LineType::Premium, email()),
        (LineType::Pager, email()),
        (LineType::Other, email()),
    ];
    assert_eq!(cases.len(), LineType::ALL.len());
    for (line, expected) in cases {
        let phones = [number("+14155552671", line)];
        assert_eq!(resolve(&NO_WISH, &phones, &[ann()], &ALLOWED), expected, "{line}");
    }
}

#[test]
fn nothing_usable_says_each_reason_once() {
    let phones = [
        number("+14155552671", LineType::Landline),
        number("+14165550142", LineType::Landline),
        number("+18005550123", LineType::Unknown),
        number("+12423591234", LineType::Mobile),
    ];
    assert_eq!(
        resolve(&NO_WISH, &phones, &[], &ALLOWED),
        Resolution::NeedsContact(vec![
            Reason::Landline,
            Reason::NotTextable,
            Reason::CountryNotAllowed,
            Reason::NoEmail
        ])
    );
    assert_eq!(
        resolve(&NO_WISH, &[], &[], &ALLOWED),
        Resolution::NeedsContact(vec![Reason::NoPhone, Reason::NoEmail])
    );
}

#[test]
fn after_an_undelivered_text_only_email_is_left() {
    let wish = Wish { preferred: Some(Channel::Sms), ..NO_WISH };
    assert_eq!(fallback_after_undelivered(&wish, &[ann()]), email());
    assert_eq!(fallback_after_undelivered(&wish, &[]), Resolution::NeedsContact(vec![Reason::NoEmail]));
    assert_eq!(
        fallback_after_undelivered(&Wish { email_consent: Some(false), ..wish }, &[ann()]),
        Resolution::NeedsContact(vec![Reason::EmailRefused])
    );
}

fn channels() -> impl Strategy<Value = Option<Channel>> {
    proptest::option::of(proptest::sample::select(Channel::ALL))
}

proptest! {
    #[test]
    fn nobody_who_refused_or_opted_out_is_reached_that_way(
        preferred in channels(),
        sms_consent in proptest::option::of(any::<bool>()),
        email_consent in proptest::option::of(any::<bool>()),
        line_type in proptest::sample::select(LineType::ALL),
        phone_out in any::<bool>(),
        email_out in any::<bool>(),
    ) {
        let wish = Wish { preferred, sms_consent, email_consent };
        let phone = PhoneContact { opted_out: phone_out, line_type, ..mobile() };
        let address = EmailContact { opted_out: email_out, ..ann() };
        match resolve(&wish, &[phone], &[address], &ALLOWED) {
            Resolution::Sms(_) => prop_assert!(!phone_out && sms_consent != Some(false)),
            Resolution::Email(_) => prop_assert!(!email_out && email_consent != Some(false)),
            Resolution::NeedsContact(reasons) => prop_assert!(reasons.len() >= 2),
        }
    }
}
