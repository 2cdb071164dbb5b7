//! One of everything, with the awkward cases a merchant's data brings.

use domain::money::{Currency, Money};
use domain::time::Day;
use templates::*;

pub(crate) fn usd(amount_minor: i64) -> Money {
    Money { amount_minor, currency: Currency::USD }
}

pub(crate) fn day(text: &str) -> Day {
    text.parse().expect("a date")
}

pub(crate) fn business() -> Business {
    Business {
        name: "Alder & Finch Plumbing".to_owned(),
        logo_url: None,
        accent: Some("#0a6e5c".to_owned()),
        email: Some("billing@alderfinch.example".to_owned()),
        phone: Some("(415) 555-0132".to_owned()),
        website: Some("https://alderfinch.example".to_owned()),
    }
}

/// A business that gave us nothing but its name.
pub(crate) fn bare_business() -> Business {
    Business { name: "Ñandú".to_owned(), ..Business::default() }
}

pub(crate) fn card() -> PaidWith {
    PaidWith::Card { brand: "visa".to_owned(), last4: "4242".to_owned() }
}

pub(crate) fn token() -> String {
    "Zk3vQ0b1Yx-8sJ2nLr5tWc7uEa9hGd4mPf6iKo_TqBw".to_owned()
}

pub(crate) fn link_url() -> String {
    format!("https://pay.example.com/p/{}", token())
}

pub(crate) fn config() -> PayConfig {
    PayConfig {
        token: token(),
        publishable_key: "pk_test_51NvBc2eZvKYlo2C".to_owned(),
        account: "acct_1NvBc2eZvKYlo2C".to_owned(),
        revision: 3,
        stripe_js_url: "https://js.stripe.com/endive/stripe.js".to_owned(),
        return_url: "https://pay.example.com/p".to_owned(),
        methods: vec!["card".to_owned(), "us_bank_account".to_owned()],
    }
}

pub(crate) fn details() -> InvoiceDetails {
    let line = |description: &str, quantity: Option<&str>, amount_minor| Line {
        description: description.to_owned(),
        quantity: quantity.map(str::to_owned),
        amount: usd(amount_minor),
    };
    InvoiceDetails {
        lines: vec![
            line("Replace kitchen mixer tap, cartridge and both flexible hoses", None, 84_500),
            line("Labor", Some("3 h"), 28_500),
        ],
        tax: Some(usd(10_450)),
        total: Some(usd(123_450)),
        paid: None,
    }
}

pub(crate) fn payable() -> PayPage {
    PayPage {
        business: business(),
        invoice_number: "INV-1042".to_owned(),
        amount: usd(123_450),
        due_on: Some(day("2026-11-30")),
        on_hold: false,
        details: details(),
        config: config(),
    }
}

pub(crate) fn payable_bare() -> PayPage {
    PayPage {
        business: bare_business(),
        amount: Money { amount_minor: 1_234_567_890, currency: Currency::KWD },
        due_on: None,
        on_hold: true,
        details: InvoiceDetails::default(),
        ..payable()
    }
}

pub(crate) fn processing(by_bank: bool) -> ProcessingPage {
    let invoice = PaidInvoice { number: "INV-1042".to_owned(), amount: usd(123_450) };
    ProcessingPage { business: business(), token: token(), invoice: by_bank.then_some(invoice), by_bank }
}

pub(crate) fn receipt(receipt_by: ReceiptBy) -> ReceiptPage {
    ReceiptPage {
        business: business(),
        invoice_number: "INV-1042".to_owned(),
        amount: usd(123_450),
        paid_on: day("2026-11-21"),
        paid_with: (receipt_by != ReceiptBy::Nowhere).then(card),
        reference: "7H2K-9QXD".to_owned(),
        receipt_by,
    }
}

pub(crate) fn link_email() -> LinkEmail {
    LinkEmail {
        business: business(),
        invoice_number: "INV-1042".to_owned(),
        amount: usd(123_450),
        due_on: Some(day("2026-11-30")),
        url: link_url(),
        valid_days: 7,
        asked_for: true,
        unsubscribe_url: Some("https://pay.example.com/u/Zk3vQ0b1Yx".to_owned()),
    }
}

pub(crate) fn receipt_email() -> ReceiptEmail {
    ReceiptEmail {
        business: business(),
        invoice_number: "INV-1042".to_owned(),
        amount: usd(123_450),
        paid_on: day("2026-11-21"),
        paid_with: Some(card()),
        reference: "7H2K-9QXD".to_owned(),
    }
}

pub(crate) fn receipt_text() -> ReceiptText {
    ReceiptText {
        business: business().name,
        invoice_number: "INV-1042".to_owned(),
        amount: usd(123_450),
        paid_on: day("2026-11-21"),
        paid_with: Some(card()),
        reference: "7H2K-9QXD".to_owned(),
    }
}

/// Every page in every state, by name.
pub(crate) fn pages(templates: &Templates, locale: Locale) -> Vec<(&'static str, String)> {
    let mut pages = vec![
        ("payable", templates.page_payable(locale, &payable())),
        ("payable_bare", templates.page_payable(locale, &payable_bare())),
        ("on_hold", templates.page_payable(locale, &PayPage { on_hold: true, ..payable() })),
        ("processing_bank", templates.page_processing(locale, &processing(true))),
        ("processing_card", templates.page_processing(locale, &processing(false))),
        ("receipt", templates.page_receipt(locale, &receipt(ReceiptBy::Email))),
        ("receipt_text", templates.page_receipt(locale, &receipt(ReceiptBy::Text))),
        ("receipt_nowhere", templates.page_receipt(locale, &receipt(ReceiptBy::Nowhere))),
        ("already_paid", templates.page_already_paid(locale, &business())),
        ("held", templates.page_held(locale, &business())),
        ("renewed", templates.page_renewed(locale, &business())),
        ("unknown", templates.page_unknown(locale)),
        ("question_received", templates.page_question_received(locale, &bare_business())),
        ("too_many", templates.page_problem(locale, Problem::TooMany)),
        ("bad_request", templates.page_problem(locale, Problem::BadRequest)),
        ("failed", templates.page_problem(locale, Problem::Failed)),
        ("unsubscribed", templates.page_unsubscribed(locale, &business())),
    ];
    pages.extend(form_pages(templates, locale));
    pages.extend(dead_pages(templates, locale));
    pages
}

fn form_pages(templates: &Templates, locale: Locale) -> [(&'static str, String); 5] {
    let expired = |renewable| ExpiredPage { business: business(), token: token(), renewable };
    let confirm = RenewConfirm { business: business(), token: token(), confirm: "n0nce".to_owned() };
    let retry = QuestionRetry { business: business(), token: token() };
    let unsubscribe = UnsubscribePage { business: business(), action: "/u/Zk3vQ0b1Yx".to_owned() };
    [
        ("expired", templates.page_expired(locale, &expired(true))),
        ("expired_not_renewable", templates.page_expired(locale, &expired(false))),
        ("renew_confirm", templates.page_renew_confirm(locale, &confirm)),
        ("question_retry", templates.page_question_retry(locale, &retry)),
        ("unsubscribe", templates.page_unsubscribe(locale, &unsubscribe)),
    ]
}

fn dead_pages(templates: &Templates, locale: Locale) -> [(&'static str, String); 3] {
    [
        ("superseded", DeadReason::Superseded),
        ("revoked", DeadReason::Revoked),
        ("canceled", DeadReason::Canceled),
    ]
    .map(|(name, reason)| (name, templates.page_dead(locale, &DeadPage { business: business(), reason })))
}

/// Every text message, by name.
pub(crate) fn texts(templates: &Templates, locale: Locale) -> Vec<(&'static str, String)> {
    let business = business().name;
    let link = |asked_for| LinkText { business: business.clone(), url: link_url(), asked_for };
    let help =
        |contact: Option<&str>| HelpText { business: business.clone(), contact: contact.map(str::to_owned) };
    vec![
        ("link", templates.sms_link(locale, &link(true))),
        ("link_unasked", templates.sms_link(locale, &link(false))),
        ("help", templates.sms_help(locale, &help(Some("(415) 555-0132")))),
        ("help_bare", templates.sms_help(locale, &help(None))),
        ("stop_confirmation", templates.sms_stop_confirmation(locale, &business)),
        ("start_confirmation", templates.sms_start_confirmation(locale, &business)),
        ("receipt", templates.sms_receipt(locale, &receipt_text())),
    ]
}
