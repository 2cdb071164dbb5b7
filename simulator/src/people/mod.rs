//! A customer with a browser: opens the link, pays, asks, and sees what a browser would see.

mod card;
mod html;
mod jar;
mod visit;

use serde::Deserialize;
use serde_json::{Value, json};

pub use card::Card;
pub use html::{HtmlForm, links_in};
pub use visit::{Browser, Page};

use crate::error::Error;

/// What the pay page tells its script.
#[derive(Clone, Debug, Deserialize)]
pub struct PayConfig {
    /// The link's token.
    pub token: String,
    /// For Stripe.js.
    pub publishable_key: String,
    /// The merchant's account at Stripe.
    pub account: String,
    /// In minor units.
    pub amount_minor: i64,
    /// Lower case.
    pub currency: String,
    /// Of the invoice.
    pub revision: i64,
    /// Where Stripe.js comes from.
    pub stripe_js_url: String,
    /// Where the bank sends the customer back to.
    pub return_url: String,
    /// What the page shows.
    #[serde(default)]
    pub state: String,
}

/// How a try to pay ended.
#[derive(Clone, Debug)]
pub enum Attempt {
    /// Paid: the page now is the receipt.
    Paid(Page),
    /// A bank debit is under way.
    Processing(Page),
    /// The card or the bank said no; the message is Stripe's.
    Declined {
        /// `card_declined`, …
        code: String,
        /// For the customer.
        message: String,
    },
    /// The product did not let the payment begin.
    Refused {
        /// 409, 410, …
        status: u16,
        /// `already_paid`, `amount_changed`, …
        code: String,
    },
}

/// What the customer does when the bank asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtTheBank {
    /// Confirms.
    Complete,
    /// Refuses, or closes the window.
    Fail,
}

/// A person with a link.
#[derive(Clone, Debug)]
pub struct Customer {
    browser: Browser,
}

impl Customer {
    /// A person with a fresh browser.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn new() -> Result<Self, Error> {
        Ok(Self { browser: Browser::new()? })
    }

    /// The browser, for what this type does not do.
    pub fn browser(&mut self) -> &mut Browser {
        &mut self.browser
    }

    /// Opens the link and looks at the page.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn open(&mut self, link: &str) -> Result<Page, Error> {
        self.browser.get(link).await
    }

    /// Touches the page for the first time, which is when the page reports that it was opened.
    ///
    /// # Errors
    /// When the page has no payment form, or the product refuses.
    pub async fn touch(&mut self, page: &Page) -> Result<(), Error> {
        let config = page.pay_config()?;
        let url = page.at("/p/opened")?;
        self.browser
            .post_json(&url, &json!({ "token": config.token }))
            .await?
            .expect_success("reporting the visit")?;
        Ok(())
    }

    /// Presses Pay: asks the product for a client secret.
    ///
    /// # Errors
    /// When nothing answers or the answer carries no client secret.
    pub async fn begin(&mut self, page: &Page) -> Result<Result<String, Attempt>, Error> {
        let config = page.pay_config()?;
        let body = json!({ "token": config.token, "revision": config.revision, "amount_minor": config.amount_minor });
        let answer = self.browser.post_json(&page.at("/p/pay")?, &body).await?;
        let body = answer.json();
        if (200..300).contains(&answer.status) {
            let secret = body["client_secret"].as_str().map(str::to_owned);
            return secret
                .map(Ok)
                .ok_or_else(|| Error::Missing("POST /p/pay answered without a client secret".into()));
        }
        let code = body["code"].as_str().unwrap_or_default().to_owned();
        Ok(Err(Attempt::Refused { status: answer.status, code }))
    }

    /// Sends the card to Stripe, as Stripe.js does. Returns the payment intent, or Stripe's error.
    ///
    /// # Errors
    /// When Stripe does not answer.
    pub async fn confirm(
        &mut self,
        page: &Page,
        secret: &str,
        card: &Card,
    ) -> Result<Result<Value, Value>, Error> {
        let config = page.pay_config()?;
        let id = secret.split("_secret_").next().unwrap_or_default();
        let mut params = card.params();
        params.push(("client_secret".into(), secret.to_owned()));
        params.push(("return_url".into(), config.return_url.clone()));
        self.stripe(&config, &format!("/v1/payment_intents/{id}/confirm"), &params).await
    }

    /// Answers the bank.
    ///
    /// # Errors
    /// When Stripe does not answer.
    pub async fn answer_bank(
        &mut self,
        page: &Page,
        secret: &str,
        answer: AtTheBank,
    ) -> Result<Result<Value, Value>, Error> {
        let config = page.pay_config()?;
        let outcome = match answer {
            AtTheBank::Complete => "complete",
            AtTheBank::Fail => "fail",
        };
        let id = secret.split("_secret_").next().unwrap_or_default();
        let params = [("payment_intent", id), ("client_secret", secret), ("outcome", outcome)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        self.stripe(&config, "/v1/3ds2/authenticate", &params).await
    }

    /// Tells the product to look. Returns the state it saw.
    ///
    /// # Errors
    /// When the product refuses.
    pub async fn report(&mut self, page: &Page) -> Result<String, Error> {
        let config = page.pay_config()?;
        let answer =
            self.browser.post_json(&page.at("/p/result")?, &json!({ "token": config.token })).await?;
        let body = answer.expect_success("reporting the result")?.json();
        Ok(body["state"].as_str().unwrap_or_default().to_owned())
    }

    /// The whole story: open, touch, press Pay, give the card, answer the bank with yes, see the receipt.
    ///
    /// # Errors
    /// When somebody does not answer, or the page cannot be paid on.
    pub async fn pay(&mut self, link: &str, card: &Card) -> Result<Attempt, Error> {
        let page = self.open(link).await?;
        self.touch(&page).await?;
        self.pay_on(&page, card, AtTheBank::Complete).await
    }

    /// The same on a page that is already open.
    ///
    /// # Errors
    /// When somebody does not answer, or the page cannot be paid on.
    pub async fn pay_on(&mut self, page: &Page, card: &Card, bank: AtTheBank) -> Result<Attempt, Error> {
        let secret = match self.begin(page).await? {
            Ok(secret) => secret,
            Err(refused) => return Ok(refused),
        };
        let mut confirmed = self.confirm(page, &secret, card).await?;
        if confirmed.as_ref().is_ok_and(|intent| intent["status"] == "requires_action") {
            confirmed = self.answer_bank(page, &secret, bank).await?;
        }
        let failure = match &confirmed {
            Ok(intent) => intent["last_payment_error"].clone(),
            Err(error) => error.clone(),
        };
        let state = self.report(page).await?;
        if !failure.is_null() {
            let text = |key: &str| failure[key].as_str().unwrap_or_default().to_owned();
            return Ok(Attempt::Declined { code: text("code"), message: text("message") });
        }
        let after = self.browser.get(&page.at("/p")?).await?;
        match state.as_str() {
            "succeeded" => Ok(Attempt::Paid(after)),
            "processing" => Ok(Attempt::Processing(after)),
            other => {
                Err(Error::Missing(format!("Stripe took the payment, but the product says \"{other}\"")))
            }
        }
    }

    /// Opens the link and asks a question about the invoice.
    ///
    /// # Errors
    /// When the page has no form for it, or nothing answers.
    pub async fn ask_question(&mut self, link: &str, text: &str) -> Result<Page, Error> {
        let page = self.open(link).await?;
        let mut form = page.form("/p/question")?;
        form.fill("message", text);
        self.browser.submit(&page, &form).await
    }

    /// Asks for a new link on an expired page, in its two steps. Returns the last page.
    ///
    /// # Errors
    /// When a step's form is missing, or nothing answers.
    pub async fn ask_for_new_link(&mut self, link: &str) -> Result<Page, Error> {
        let page = self.open(link).await?;
        let asked = self.browser.submit(&page, &page.form("/p/renew")?).await?;
        let confirm = asked.form("/p/renew")?;
        self.browser.submit(&asked, &confirm).await
    }

    async fn stripe(
        &self,
        config: &PayConfig,
        path: &str,
        params: &[(String, String)],
    ) -> Result<Result<Value, Value>, Error> {
        let script = url::Url::parse(&config.stripe_js_url)
            .map_err(|_| Error::Missing(format!("{} is not a URL", config.stripe_js_url)))?;
        let url = format!("{}{path}", script.origin().ascii_serialization());
        let answer =
            self.browser.post_to_stripe(&url, &config.publishable_key, &config.account, params).await?;
        let body = answer.json();
        if body["error"].is_object() { Ok(Err(body["error"].clone())) } else { Ok(Ok(body)) }
    }
}
