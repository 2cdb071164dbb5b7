//! Text messages: one segment each, the sender first, no amount where a lock screen could show a debt.

use domain::money::Money;
use domain::time::Day;
use serde_json::json;

use crate::format::{self, PaidWith};
use crate::gsm7::{self, SEPTETS_ALONE};
use crate::{Locale, Templates};

/// The longest pay link that still leaves a text of one segment room for the sender's name.
pub const LINK_URL_LENGTH_MAX: usize = 82;

/// Below this a sender's name is no name; a part of the text gives way first.
const NAME_SEPTETS_MIN: usize = 14;
const NUMBER_SEPTETS_MAX: usize = 20;
const CONTACT_SEPTETS_MAX: usize = 60;

/// The text that carries the pay link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkText {
    pub business: String,
    pub url: String,
    /// The customer asked for it on a call; otherwise the business sent it by itself.
    pub asked_for: bool,
}

/// The answer to HELP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelpText {
    pub business: String,
    /// A phone number or an email address of the business.
    pub contact: Option<String>,
}

/// The receipt of a customer who has only a phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptText {
    pub business: String,
    pub invoice_number: String,
    pub amount: Money,
    pub paid_on: Day,
    pub paid_with: Option<PaidWith>,
    pub reference: String,
}

impl Templates {
    /// The pay link by text.
    #[must_use]
    pub fn sms_link(&self, locale: Locale, link: &LinkText) -> String {
        self.signed(locale, &link.business, |name| {
            let view = json!({ "business": name, "url": link.url, "asked_for": link.asked_for });
            self.plain(locale, "sms_link", &view)
        })
    }

    /// What HELP is answered with.
    #[must_use]
    pub fn sms_help(&self, locale: Locale, help: &HelpText) -> String {
        let contact = help.contact.as_deref().map(gsm7::fold).filter(|contact| {
            !contact.is_empty() && gsm7::septets(contact).is_some_and(|cost| cost <= CONTACT_SEPTETS_MAX)
        });
        self.signed(locale, &help.business, |name| {
            self.plain(locale, "sms_help", &json!({ "business": name, "contact": contact }))
        })
    }

    /// The one text that follows a STOP.
    #[must_use]
    pub fn sms_stop_confirmation(&self, locale: Locale, business: &str) -> String {
        self.signed(locale, business, |name| self.plain(locale, "sms_stop", &json!({ "business": name })))
    }

    /// The text that follows a START.
    #[must_use]
    pub fn sms_start_confirmation(&self, locale: Locale, business: &str) -> String {
        self.signed(locale, business, |name| self.plain(locale, "sms_start", &json!({ "business": name })))
    }

    /// The receipt by text. Where the name would get too short, the reference goes, then the card.
    #[must_use]
    pub fn sms_receipt(&self, locale: Locale, receipt: &ReceiptText) -> String {
        let bank = self.word(locale, "bank_account", &[]);
        let number = gsm7::shorten(&gsm7::fold(&receipt.invoice_number), NUMBER_SEPTETS_MAX);
        let reference = gsm7::shorten(&gsm7::fold(&receipt.reference), NUMBER_SEPTETS_MAX);
        let paid_with = receipt.paid_with.as_ref().map(|with| gsm7::fold(&with.words(&bank, "")));
        let paid_with = paid_with.filter(|words| words.len() <= NUMBER_SEPTETS_MAX * 2);
        let say = |name: &str, with_card: bool, with_reference: bool| {
            let view = json!({
                "business": name,
                "amount": gsm7::fold(&format::money(locale, receipt.amount)),
                "invoice_number": number,
                "paid_on": format::date(locale, receipt.paid_on),
                "paid_with": if with_card { paid_with.as_deref() } else { None },
                "reference": if with_reference { Some(reference.as_str()) } else { None },
            });
            self.plain(locale, "sms_receipt", &view)
        };
        let roomy =
            |text: String| gsm7::septets(&text).is_some_and(|cost| cost + NAME_SEPTETS_MIN <= SEPTETS_ALONE);
        let with_reference = roomy(say("", true, true));
        let with_card = with_reference || roomy(say("", true, false));
        self.signed(locale, &receipt.business, |name| say(name, with_card, with_reference))
    }

    /// Says `text` with as much of the sender's name as one segment has room for.
    fn signed(&self, locale: Locale, business: &str, text: impl Fn(&str) -> String) -> String {
        let taken = gsm7::septets(&text("")).unwrap_or(SEPTETS_ALONE);
        let room = SEPTETS_ALONE.saturating_sub(taken);
        let name = gsm7::shorten(&gsm7::fold(business), room);
        if !name.is_empty() {
            return text(&name);
        }
        // A name in another script leaves nothing to say: better a word than a message from nobody.
        let unnamed = gsm7::fold(&self.word(locale, "unnamed_business", &[]));
        text(&gsm7::shorten(&unnamed, room))
    }
}
