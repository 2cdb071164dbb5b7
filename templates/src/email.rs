//! Emails in three parts: subject, plain text, HTML. The merchant writes them; we are not mentioned.

use domain::money::Money;
use domain::time::Day;
use serde_json::{Value, json};

use crate::business::{Business, one_line};
use crate::format::{self, PaidWith};
use crate::{Locale, Templates};

/// What goes into a multipart message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailBody {
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// The pay link by email.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkEmail {
    pub business: Business,
    pub invoice_number: String,
    pub amount: Money,
    pub due_on: Option<Day>,
    pub url: String,
    pub valid_days: u32,
    /// The customer asked for it on a call; otherwise the business sent it by itself.
    pub asked_for: bool,
    pub unsubscribe_url: Option<String>,
}

/// The receipt by email.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptEmail {
    pub business: Business,
    pub invoice_number: String,
    pub amount: Money,
    pub paid_on: Day,
    pub paid_with: Option<PaidWith>,
    pub reference: String,
}

impl Templates {
    /// The pay link by email. The subject names no amount: it shows on a locked screen.
    #[must_use]
    pub fn email_link(&self, locale: Locale, link: &LinkEmail) -> EmailBody {
        let view = json!({
            "business": link.business.view(),
            "invoice_number": one_line(&link.invoice_number),
            "amount": format::money(locale, link.amount),
            "due_on": link.due_on.map(|day| format::date(locale, day)),
            "url": link.url,
            "valid_days": link.valid_days,
            "asked_for": link.asked_for,
            "unsubscribe_url": link.unsubscribe_url,
        });
        self.letter(locale, ["email_link_subject", "email_link_text", "email_link_html"], view)
    }

    /// The receipt by email.
    #[must_use]
    pub fn email_receipt(&self, locale: Locale, receipt: &ReceiptEmail) -> EmailBody {
        let bank = self.word(locale, "bank_account", &[]);
        let view = json!({
            "business": receipt.business.view(),
            "invoice_number": one_line(&receipt.invoice_number),
            "amount": format::money(locale, receipt.amount),
            "paid_on": format::date(locale, receipt.paid_on),
            "paid_with": receipt.paid_with.as_ref().map(|with| with.words(&bank, "•••• ")),
            "reference": one_line(&receipt.reference),
        });
        self.letter(locale, ["email_receipt_subject", "email_receipt_text", "email_receipt_html"], view)
    }

    fn letter(&self, locale: Locale, [subject, text, html]: [&str; 3], mut view: Value) -> EmailBody {
        let subject = one_line(&self.plain(locale, subject, &view));
        view["lang"] = locale.tag().into();
        view["subject"] = subject.as_str().into();
        let text = self.plain(locale, text, &view);
        let html = self.html(locale, html, &view);
        EmailBody { subject, text, html }
    }
}
