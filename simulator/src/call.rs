//! The end of a call, told to the product: the canonical post-call event and its signed delivery.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::clock::rfc3339;
use crate::error::Error;
use crate::outbound;
use crate::signatures;

/// What the customer wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// To pay on a page.
    PayOnline,
    /// To be sent a link.
    SendLink,
    /// To object.
    Dispute,
    /// To pay later.
    PromiseToPay,
    /// To be left alone.
    OptOut,
    /// Nothing: it was somebody else's number.
    WrongNumber,
    /// To be called again.
    Callback,
    /// Nothing.
    None,
}

/// Who picked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reached {
    /// A person.
    Human,
    /// A machine.
    Voicemail,
    /// Nobody.
    NoAnswer,
    /// A busy line.
    Busy,
}

/// A canonical post-call event; its JSON can be bent with [`PostCallEvent::set`].
#[derive(Clone, Debug, PartialEq)]
pub struct PostCallEvent(Value);

impl PostCallEvent {
    /// A call about an invoice, with a person who wanted `intent`.
    #[must_use]
    pub fn new(
        call_id: &str,
        merchant_id: &str,
        invoice_id: &str,
        intent: Intent,
        occurred_at_ms: i64,
    ) -> Self {
        let sms = matches!(intent, Intent::PayOnline | Intent::SendLink);
        Self(json!({
            "type": "call.completed",
            "spec_version": "1",
            "source": "inhouse",
            "call_id": call_id,
            "occurred_at": rfc3339(occurred_at_ms),
            "merchant_id": merchant_id,
            "campaign_id": null,
            "invoice": { "id": invoice_id },
            "customer": { "phone": null, "email": null, "locale": null, "timezone": null },
            "outcome": {
                "intent": intent,
                "confidence": 0.94,
                "preferred_channel": if sms { "sms" } else { "none" },
                "evidence": null,
                "contact_consent": { "sms": sms, "spoken_at": rfc3339(occurred_at_ms) },
                "dispute": null,
                "promise_to_pay": null,
                "opt_out": intent == Intent::OptOut,
                "reached": Reached::Human,
            },
        }))
    }

    /// The number that was called.
    #[must_use]
    pub fn phone(self, phone: &str) -> Self {
        self.set("/customer/phone", json!(phone))
    }

    /// An address spoken on the call; the link is wanted there.
    #[must_use]
    pub fn email(self, email: &str) -> Self {
        self.set("/customer/email", json!(email)).set("/outcome/preferred_channel", json!("email"))
    }

    /// `en-US`, `es-US`, …
    #[must_use]
    pub fn locale(self, locale: &str) -> Self {
        self.set("/customer/locale", json!(locale))
    }

    /// `America/Los_Angeles`, …
    #[must_use]
    pub fn timezone(self, timezone: &str) -> Self {
        self.set("/customer/timezone", json!(timezone))
    }

    /// The campaign the call belonged to.
    #[must_use]
    pub fn campaign(self, campaign_id: &str) -> Self {
        self.set("/campaign_id", json!(campaign_id))
    }

    /// What was said.
    #[must_use]
    pub fn evidence(self, words: &str) -> Self {
        self.set("/outcome/evidence", json!(words))
    }

    /// What the customer objects to.
    #[must_use]
    pub fn disputed(self, text: &str) -> Self {
        self.set("/outcome/dispute", json!({ "reason": "question", "text": text }))
    }

    /// The day the customer promised to pay on, `2026-12-01`.
    #[must_use]
    pub fn promised(self, date: &str) -> Self {
        self.set("/outcome/promise_to_pay", json!({ "date": date }))
    }

    /// Who picked up.
    #[must_use]
    pub fn reached(self, reached: Reached) -> Self {
        self.set("/outcome/reached", json!(reached))
    }

    /// Replaces the value at a JSON pointer that exists, for bent and broken events.
    #[must_use]
    pub fn set(mut self, pointer: &str, value: Value) -> Self {
        if let Some(place) = self.0.pointer_mut(pointer) {
            *place = value;
        }
        self
    }

    /// The call's id.
    #[must_use]
    pub fn call_id(&self) -> &str {
        self.0["call_id"].as_str().unwrap_or_default()
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> String {
        self.0.to_string()
    }
}

/// Where events go, and how they prove where they come from.
#[derive(Clone, Debug)]
pub struct Sender {
    url: String,
    proof: Proof,
}

#[derive(Clone, Debug)]
enum Proof {
    Signature(String),
    Key(String),
}

/// What the product said to an event.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// 202 for a new event, 200 for a known one.
    pub status: u16,
    /// The body, `null` when it was not JSON.
    pub body: Value,
}

impl Receipt {
    /// `accepted`, `duplicate`, `ignored`, `unmatched` or `suppressed`.
    #[must_use]
    pub fn disposition(&self) -> Option<&str> {
        self.body["disposition"].as_str()
    }

    /// The product's id for the event.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.body["id"].as_str()
    }
}

impl Sender {
    /// Signs each event with a Standard Webhooks secret.
    #[must_use]
    pub fn signing(url: &str, secret: &str) -> Self {
        Self { url: url.to_owned(), proof: Proof::Signature(secret.to_owned()) }
    }

    /// Shows an API key instead.
    #[must_use]
    pub fn with_key(url: &str, key: &str) -> Self {
        Self { url: url.to_owned(), proof: Proof::Key(key.to_owned()) }
    }

    pub(crate) async fn post(
        &self,
        client: &reqwest::Client,
        event: &PostCallEvent,
        delivery_id: &str,
        at_s: i64,
    ) -> Result<Receipt, Error> {
        let body = event.body();
        let mut request = client.post(&self.url).header("content-type", "application/json");
        request = match &self.proof {
            Proof::Signature(secret) => {
                request.header("webhook-id", delivery_id).header("webhook-timestamp", at_s).header(
                    "webhook-signature",
                    signatures::standard_webhook(secret, delivery_id, at_s, body.as_bytes())?,
                )
            }
            Proof::Key(key) => request.bearer_auth(key),
        };
        let answer = request.body(body).send().await.map_err(outbound::unreachable(&self.url))?;
        let status = answer.status().as_u16();
        Ok(Receipt { status, body: answer.json().await.unwrap_or(Value::Null) })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::{Intent, PostCallEvent, Reached};
    use serde_json::{Value, json};

    #[test]
    fn an_event_has_the_canonical_shape() {
        let event = PostCallEvent::new("c_9f2", "mer_1", "inv_42", Intent::SendLink, 1_795_000_000_000)
            .phone("+14155550142")
            .reached(Reached::Human)
            .evidence("just text me the link");
        let body: Value = serde_json::from_str(&event.body()).unwrap();
        assert_eq!(body["type"], "call.completed");
        assert_eq!(body["invoice"], json!({ "id": "inv_42" }));
        assert_eq!(body["outcome"]["intent"], "send_link");
        assert_eq!(body["outcome"]["contact_consent"]["sms"], true);
        assert_eq!(body["customer"]["phone"], "+14155550142");
    }
}
