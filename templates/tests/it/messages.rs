//! Every text and email in every language: one segment, the sender named, nothing private where it shows.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::LazyLock;

use domain::money::{AMOUNT_MAX_MINOR, Currency, Money};
use proptest::prelude::*;
use templates::*;

use crate::data;

static TEMPLATES: LazyLock<Templates> = LazyLock::new(Templates::new);

fn link(business: &str, url: &str, asked_for: bool) -> LinkText {
    LinkText { business: business.to_owned(), url: url.to_owned(), asked_for }
}

#[test]
fn the_texts_read_as_they_should() {
    let texts = data::texts(&TEMPLATES, Locale::En);
    assert_eq!(
        texts[0].1,
        "Alder & Finch Plumbing: the payment link you asked for\n\
         https://pay.example.com/p/Zk3vQ0b1Yx-8sJ2nLr5tWc7uEa9hGd4mPf6iKo_TqBw\n\
         Reply STOP to opt out"
    );
    assert_eq!(
        data::texts(&TEMPLATES, Locale::Es)[6].1,
        "Alder & Finch Plumbing: pago de $1,234.50 por la factura INV-1042, 21 nov 2026, Visa 4242. \
         Ref 7H2K-9QXD. Gracias. STOP: baja"
    );
}

#[test]
fn every_text_names_its_sender_first_and_fits_one_segment() {
    for locale in Locale::ALL {
        for (name, text) in data::texts(&TEMPLATES, locale) {
            assert!(text.starts_with("Alder & Finch Plumbing: "), "{name}: {text}");
            assert_eq!(gsm7::segments(&text), 1, "{name}: {text}");
            assert!(gsm7::septets(&text).is_some(), "{name}: {text}");
            assert!(text.contains("STOP") || text.contains("START"), "{name}: {text}");
        }
    }
}

#[test]
fn the_longest_link_leaves_room_for_a_name() {
    let name = "Fourteen Chars";
    for locale in Locale::ALL {
        for asked_for in [true, false] {
            let url = format!("https://{}", "x".repeat(LINK_URL_LENGTH_MAX - 8));
            let text = TEMPLATES.sms_link(locale, &link(name, &url, asked_for));
            assert!(text.starts_with("Fourteen Chars: "), "{text}");
            assert_eq!(gsm7::segments(&text), 1, "{text}");
        }
    }
}

#[test]
fn a_sender_in_another_script_is_not_nobody() {
    let text = TEMPLATES.sms_link(Locale::En, &link("日本料理 🍣", &data::link_url(), true));
    assert!(text.starts_with("Your invoice: the payment link"), "{text}");
}

#[test]
fn a_link_text_has_no_amount_and_its_link_ends_the_line() {
    for locale in Locale::ALL {
        for asked_for in [true, false] {
            let text = TEMPLATES.sms_link(locale, &link("Ace", &data::link_url(), asked_for));
            assert_eq!(text.lines().nth(1), Some(data::link_url().as_str()));
            assert!(!text.contains('$'));
        }
    }
}

#[test]
fn emails_name_no_amount_in_the_subject_of_a_link() {
    for locale in Locale::ALL {
        let mail = TEMPLATES.email_link(locale, &data::link_email());
        assert!(mail.subject.contains("Alder & Finch Plumbing"), "{}", mail.subject);
        assert!(!mail.subject.contains(|c: char| c.is_ascii_digit()), "{}", mail.subject);
    }
}

#[test]
fn every_email_says_the_same_in_text_and_html() {
    for locale in Locale::ALL {
        let link = TEMPLATES.email_link(locale, &data::link_email());
        for part in [&link.text, &link.html] {
            for fact in ["INV-1042", "$1,234.50", "2026", "billing@alderfinch.example", "/u/Zk3vQ0b1Yx"] {
                assert!(part.contains(fact), "{fact} is missing from {part}");
            }
            assert!(part.contains(&data::link_url()), "{part}");
        }
        let receipt = TEMPLATES.email_receipt(locale, &data::receipt_email());
        for part in [&receipt.text, &receipt.html] {
            for fact in ["INV-1042", "$1,234.50", "21", "Visa •••• 4242", "7H2K-9QXD", "(415) 555-0132"]
            {
                assert!(part.contains(fact), "{fact} is missing from {part}");
            }
        }
    }
}

#[test]
fn a_link_in_plain_text_ends_its_line() {
    for locale in Locale::ALL {
        let text = TEMPLATES.email_link(locale, &data::link_email()).text;
        assert!(text.lines().any(|line| line == data::link_url()), "{text}");
    }
}

#[test]
fn an_email_without_the_optional_parts_has_no_holes() {
    for locale in Locale::ALL {
        let mail = TEMPLATES.email_link(
            locale,
            &LinkEmail {
                business: data::bare_business(),
                due_on: None,
                unsubscribe_url: None,
                asked_for: false,
                ..data::link_email()
            },
        );
        assert!(!mail.text.contains("\n\n\n") && !mail.html.contains("null"), "{}", mail.text);
        let business = data::bare_business();
        let receipt = TEMPLATES
            .email_receipt(locale, &ReceiptEmail { business, paid_with: None, ..data::receipt_email() });
        assert!(!receipt.text.contains("Visa") && !receipt.text.contains("\n\n\n"), "{}", receipt.text);
    }
}

proptest! {
    #[test]
    fn any_senders_link_fits_one_segment(name in any::<String>(), length in 60..=LINK_URL_LENGTH_MAX, asked in any::<bool>()) {
        let url = format!("https://{}", "x".repeat(length - 8));
        for locale in Locale::ALL {
            let text = TEMPLATES.sms_link(locale, &link(&name, &url, asked));
            prop_assert!(gsm7::septets(&text).is_some());
            prop_assert_eq!(gsm7::segments(&text), 1, "{}", text);
            prop_assert_eq!(text.lines().nth(1), Some(url.as_str()));
        }
    }

    #[test]
    fn any_other_text_fits_one_segment(name in any::<String>(), contact in any::<Option<String>>()) {
        for locale in Locale::ALL {
            let help = HelpText { business: name.clone(), contact: contact.clone() };
            for text in [
                TEMPLATES.sms_help(locale, &help),
                TEMPLATES.sms_stop_confirmation(locale, &name),
                TEMPLATES.sms_start_confirmation(locale, &name),
            ] {
                prop_assert!(gsm7::septets(&text).is_some(), "{}", text);
                prop_assert_eq!(gsm7::segments(&text), 1, "{}", text);
            }
        }
    }

    #[test]
    fn any_receipt_fits_one_segment_and_names_the_amount(
        name in any::<String>(), number in any::<String>(), reference in any::<String>(), brand in any::<String>(),
        amount_minor in 1..=AMOUNT_MAX_MINOR, pick in 0..Currency::ALL.len(),
    ) {
        let amount = Money { amount_minor, currency: Currency::ALL[pick] };
        let receipt = ReceiptText {
            business: name,
            invoice_number: number,
            amount,
            paid_with: Some(PaidWith::Card { brand, last4: "4242".to_owned() }),
            reference,
            ..data::receipt_text()
        };
        for locale in Locale::ALL {
            let text = TEMPLATES.sms_receipt(locale, &receipt);
            prop_assert!(gsm7::septets(&text).is_some(), "{}", text);
            prop_assert_eq!(gsm7::segments(&text), 1, "{}", text);
            prop_assert!(text.contains(&gsm7::fold(&money(locale, amount))), "{}", text);
        }
    }

    #[test]
    fn no_name_breaks_a_header(name in "[\\PC\r\n\t\u{0}\u{85}\u{2028}]*", number in "[\\PC\r\n]*") {
        for locale in Locale::ALL {
            let business = Business { name: name.clone(), ..data::business() };
            let link = LinkEmail { business: business.clone(), invoice_number: number.clone(), ..data::link_email() };
            let receipt = ReceiptEmail { business, invoice_number: number.clone(), ..data::receipt_email() };
            for mail in [TEMPLATES.email_link(locale, &link), TEMPLATES.email_receipt(locale, &receipt)] {
                prop_assert!(!mail.subject.contains(|c: char| c.is_control() || c == '\u{2028}'), "{:?}", mail.subject);
                prop_assert!(!mail.subject.is_empty());
            }
        }
    }
}
