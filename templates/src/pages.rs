//! The other pages a link can lead to. A page that is not for paying tells no stranger what was owed.

use domain::money::Money;
use domain::time::Day;
use serde_json::{Value, json};

use crate::business::{Business, one_line};
use crate::format::{self, PaidWith};
use crate::pay_page::embedded;
use crate::{Locale, Templates, assets};

/// A payment is under way; no form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessingPage {
    pub business: Business,
    pub token: String,
    /// For the browser that pays; any other sees the state alone.
    pub invoice: Option<PaidInvoice>,
    /// By bank: that takes days. By card the page looks again by itself.
    pub by_bank: bool,
}

/// What is being paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidInvoice {
    pub number: String,
    pub amount: Money,
}

/// What the browser that paid sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptPage {
    pub business: Business,
    pub invoice_number: String,
    pub amount: Money,
    pub paid_on: Day,
    pub paid_with: Option<PaidWith>,
    pub reference: String,
    pub receipt_by: ReceiptBy,
}

/// Where the receipt went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiptBy {
    Email,
    Text,
    Nowhere,
}

/// A link past its days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpiredPage {
    pub business: Business,
    pub token: String,
    /// Whether a new link may be asked for: once per link, within the merchant's limits.
    pub renewable: bool,
}

/// "Send it?" before anything is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenewConfirm {
    pub business: Business,
    pub token: String,
    pub confirm: String,
}

/// A link that will never work again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadPage {
    pub business: Business,
    pub reason: DeadReason,
}

/// Why it will not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadReason {
    /// A newer link took its place.
    Superseded,
    Revoked,
    /// The invoice was canceled: nothing is owed.
    Canceled,
}

/// The question form was sent empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionRetry {
    pub business: Business,
    pub token: String,
}

/// Asks before it unsubscribes: a scanner that opens the link must not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsubscribePage {
    pub business: Business,
    /// Where the form posts to.
    pub action: String,
}

/// Something went wrong, and whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    TooMany,
    /// The form was not understood, or came from another site.
    BadRequest,
    Failed,
}

impl Templates {
    /// A payment is being processed.
    #[must_use]
    pub fn page_processing(&self, locale: Locale, page: &ProcessingPage) -> String {
        let config = json!({ "token": page.token, "state": "payment_processing", "poll": !page.by_bank });
        let invoice = page.invoice.as_ref().map(|invoice| {
            json!({ "number": one_line(&invoice.number), "amount": format::money(locale, invoice.amount) })
        });
        let view = json!({
            "invoice": invoice,
            "by_bank": page.by_bank,
            "config": embedded(&config),
        });
        self.page(locale, "payment_processing", Some(&page.business), view)
    }

    /// The receipt, for the browser that paid.
    #[must_use]
    pub fn page_receipt(&self, locale: Locale, page: &ReceiptPage) -> String {
        let bank = self.word(locale, "bank_account", &[]);
        let view = json!({
            "invoice_number": one_line(&page.invoice_number),
            "amount": format::money(locale, page.amount),
            "paid_on": format::date(locale, page.paid_on),
            "paid_on_iso": page.paid_on.to_string(),
            "paid_with": page.paid_with.as_ref().map(|with| with.words(&bank, "•••• ")),
            "reference": one_line(&page.reference),
            "by_email": page.receipt_by == ReceiptBy::Email,
            "by_text": page.receipt_by == ReceiptBy::Text,
        });
        self.page(locale, "receipt", Some(&page.business), view)
    }

    /// Paid, for any other browser: no data.
    #[must_use]
    pub fn page_already_paid(&self, locale: Locale, business: &Business) -> String {
        self.page(locale, "already_paid", Some(business), json!({}))
    }

    /// A question is open and the merchant takes no payment until it is answered.
    #[must_use]
    pub fn page_held(&self, locale: Locale, business: &Business) -> String {
        self.page(locale, "held", Some(business), json!({}))
    }

    /// Expired, with its one button.
    #[must_use]
    pub fn page_expired(&self, locale: Locale, page: &ExpiredPage) -> String {
        let view = json!({ "token": page.token, "renewable": page.renewable });
        self.page(locale, "expired", Some(&page.business), view)
    }

    /// The second step of asking for a new link.
    #[must_use]
    pub fn page_renew_confirm(&self, locale: Locale, page: &RenewConfirm) -> String {
        let view = json!({ "token": page.token, "confirm": page.confirm });
        self.page(locale, "renew_confirm", Some(&page.business), view)
    }

    /// A new link is on its way.
    #[must_use]
    pub fn page_renewed(&self, locale: Locale, business: &Business) -> String {
        self.page(locale, "renewed", Some(business), json!({}))
    }

    /// A link that was replaced, revoked or whose invoice was canceled.
    #[must_use]
    pub fn page_dead(&self, locale: Locale, page: &DeadPage) -> String {
        let (heading, body) = match page.reason {
            DeadReason::Superseded => ("dead_superseded_title", "dead_superseded"),
            DeadReason::Revoked => ("dead_revoked_title", "dead_revoked"),
            DeadReason::Canceled => ("dead_canceled_title", "dead_canceled"),
        };
        let blanks = [("business", page.business.name.as_str())];
        let view = json!({
            "heading": self.word(locale, heading, &[]),
            "text": self.word(locale, body, &blanks),
        });
        self.page(locale, "dead", Some(&page.business), view)
    }

    /// No such link. It says nothing about any merchant.
    #[must_use]
    pub fn page_unknown(&self, locale: Locale) -> String {
        self.page(locale, "unknown", None, json!({}))
    }

    /// Thanks for the question; the calls have stopped.
    #[must_use]
    pub fn page_question_received(&self, locale: Locale, business: &Business) -> String {
        self.page(locale, "question_received", Some(business), json!({}))
    }

    /// The question was empty: the form again.
    #[must_use]
    pub fn page_question_retry(&self, locale: Locale, page: &QuestionRetry) -> String {
        self.page(locale, "question_retry", Some(&page.business), json!({ "token": page.token }))
    }

    /// Something went wrong.
    #[must_use]
    pub fn page_problem(&self, locale: Locale, problem: Problem) -> String {
        let (heading, text) = match problem {
            Problem::TooMany => ("problem_too_many_title", "problem_too_many"),
            Problem::BadRequest => ("problem_bad_request_title", "problem_bad_request"),
            Problem::Failed => ("problem_failed_title", "problem_failed"),
        };
        let view =
            json!({ "heading": self.word(locale, heading, &[]), "text": self.word(locale, text, &[]) });
        self.page(locale, "problem", None, view)
    }

    /// Stop the emails?
    #[must_use]
    pub fn page_unsubscribe(&self, locale: Locale, page: &UnsubscribePage) -> String {
        self.page(locale, "unsubscribe", Some(&page.business), json!({ "action": page.action }))
    }

    /// The emails have stopped.
    #[must_use]
    pub fn page_unsubscribed(&self, locale: Locale, business: &Business) -> String {
        self.page(locale, "unsubscribed", Some(business), json!({}))
    }

    /// Renders a page with what every page has.
    pub(crate) fn page(
        &self,
        locale: Locale,
        name: &str,
        business: Option<&Business>,
        mut view: Value,
    ) -> String {
        view["lang"] = locale.tag().into();
        view["state"] = name.into();
        view["business"] = business.map_or(Value::Null, Business::view);
        view["css_url"] = assets::asset_url("pay.css").into();
        view["js_url"] = assets::asset_url("pay.js").into();
        self.html(locale, name, &view)
    }
}
