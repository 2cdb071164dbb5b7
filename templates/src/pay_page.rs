//! The page on which the customer pays: five facts, the form, a way to object. Everything else folds away.

use domain::money::Money;
use domain::time::Day;
use serde_json::{Value, json};

use crate::business::{Business, one_line};
use crate::{Locale, Templates, format};

/// Longer amounts are set smaller, to stay on one line of a small phone.
const AMOUNT_LENGTH_MAX: usize = 12;

/// What the pay page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayPage {
    pub business: Business,
    pub invoice_number: String,
    /// What is still owed, read at this moment.
    pub amount: Money,
    pub due_on: Option<Day>,
    /// A question about the invoice is open; it stays payable all the same.
    pub on_hold: bool,
    pub details: InvoiceDetails,
    pub config: PayConfig,
}

/// What folds away below the five facts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InvoiceDetails {
    pub lines: Vec<Line>,
    pub tax: Option<Money>,
    pub total: Option<Money>,
    pub paid: Option<Money>,
}

/// A line of the invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub description: String,
    pub quantity: Option<String>,
    pub amount: Money,
}

/// What the page's script needs to take the payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayConfig {
    pub token: String,
    pub publishable_key: String,
    pub account: String,
    pub revision: i64,
    pub stripe_js_url: String,
    pub return_url: String,
    /// Stripe's names of the ways to pay: `card`, `us_bank_account`.
    pub methods: Vec<String>,
}

impl Templates {
    /// The page on which an open invoice is paid.
    #[must_use]
    pub fn page_payable(&self, locale: Locale, page: &PayPage) -> String {
        let amount = format::money(locale, page.amount);
        let view = json!({
            "invoice_number": one_line(&page.invoice_number),
            "amount": amount,
            "amount_long": amount.chars().count() > AMOUNT_LENGTH_MAX,
            "due_on": page.due_on.map(|day| format::date(locale, day)),
            "due_on_iso": page.due_on.map(|day| day.to_string()),
            "on_hold": page.on_hold,
            "details": details_view(locale, &page.details),
            "token": page.config.token,
            "stripe_js_url": page.config.stripe_js_url,
            "config": embedded(&self.pay_config(locale, page, &amount)),
        });
        self.page(locale, "payable", Some(&page.business), view)
    }

    fn pay_config(&self, locale: Locale, page: &PayPage, amount: &str) -> Value {
        let business = one_line(&page.business.name);
        let strings = self.words(locale).script(|blank| match blank {
            "amount" => Some(amount.to_owned()),
            "business" => Some(business.clone()),
            _ => None,
        });
        json!({
            "token": page.config.token,
            "publishable_key": page.config.publishable_key,
            "account": page.config.account,
            "amount_minor": page.amount.amount_minor,
            "currency": page.amount.currency.code().to_ascii_lowercase(),
            "revision": page.config.revision,
            "stripe_js_url": page.config.stripe_js_url,
            "return_url": page.config.return_url,
            "methods": page.config.methods,
            "business": business,
            "locale": locale.tag(),
            "state": "payable",
            "strings": strings,
        })
    }
}

fn details_view(locale: Locale, details: &InvoiceDetails) -> Value {
    let amount = |money: Option<Money>| money.map(|money| format::money(locale, money));
    let lines: Vec<Value> = details
        .lines
        .iter()
        .map(|line| {
            json!({
                "description": line.description,
                "quantity": line.quantity,
                "amount": format::money(locale, line.amount),
            })
        })
        .collect();
    json!({
        "any": !lines.is_empty() || details.total.is_some(),
        "lines": lines,
        "tax": amount(details.tax),
        "total": amount(details.total),
        "paid": amount(details.paid),
    })
}

/// JSON inside a `<script>` element: no byte of it may end the element or open a comment.
pub(crate) fn embedded(config: &Value) -> String {
    config
        .to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}
