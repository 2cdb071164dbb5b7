//! The post-call event: what a voice AI says a call came to, in our own canonical form.
//!
//! Types are strict and name the field at fault; words and unknown fields are not: an authentic event with a word
//! we have not met is stored all the same, because refusing it would lose what else it says.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::channel::Channel;
use crate::id::{InvoiceId, MerchantId};
use crate::time::{Day, Timestamp};

mod decide;
mod read;

pub use crate::strict_json::FieldError;
pub use decide::{Act, Decision, InvoiceFacts, decide};
pub use read::{CALL_ID_MAX, from_value, parse};

/// The one type of event that means something today.
pub const CALL_COMPLETED: &str = "call.completed";

crate::words! {
    /// What the customer wanted.
    pub enum Intent {
        /// To pay on the web.
        PayOnline = "pay_online",
        /// To be sent a link. Means the same to us.
        SendLink = "send_link",
        /// They object to the invoice.
        Dispute = "dispute",
        /// They named a day.
        PromiseToPay = "promise_to_pay",
        /// To be left alone.
        OptOut = "opt_out",
        /// They are not the customer.
        WrongNumber = "wrong_number",
        /// To be called back by a person.
        Callback = "callback",
        /// Nothing.
        None = "none",
        /// A word we do not know; the event keeps it as it was said.
        Unknown = "unknown",
    }
}

crate::words! {
    /// Whom the call reached.
    pub enum Reached {
        /// A person.
        Human = "human",
        /// A machine.
        Voicemail = "voicemail",
        /// Nobody.
        NoAnswer = "no_answer",
        /// The line was busy.
        Busy = "busy",
        /// The call did not come about.
        Failed = "failed",
        /// Not said, or a word we do not know. Treated as a person: the intent came from somebody.
        Unknown = "unknown",
    }
}

crate::words! {
    /// What we did with an event. All of these are a 2xx to its sender.
    pub enum Disposition {
        /// It leads to something.
        Accepted = "accepted",
        /// We have it already.
        Duplicate = "duplicate",
        /// It asks for nothing.
        Ignored = "ignored",
        /// It names no invoice we know; kept, listed, replayable.
        Unmatched = "unmatched",
        /// The invoice's state forbids what it asks for.
        Suppressed = "suppressed",
    }
}

/// A post-call event. Its JSON form is the canonical one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CallEvent {
    /// `call.completed`; any other type is stored and ignored.
    #[serde(rename = "type")]
    pub kind: String,
    /// The version of the event's form.
    pub spec_version: String,
    /// Which system speaks.
    pub source: String,
    /// The call, in the source's own words.
    pub call_id: String,
    /// When the call ended.
    pub occurred_at: Timestamp,
    /// Whose call it was, in the source's words. Never decides whose event it is: the credential does.
    pub merchant_id: Option<String>,
    /// The call campaign, in the source's words.
    pub campaign_id: Option<String>,
    /// The invoice the call was about.
    pub invoice: Option<InvoiceRef>,
    /// The person called.
    pub customer: Customer,
    /// What the call came to.
    pub outcome: Outcome,
}

/// An invoice as an event names it: our id, or the merchant's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InvoiceRef {
    /// The id.
    pub id: String,
}

/// The person called, as the event says it: nothing of this is checked yet.
#[derive(Clone, PartialEq, Eq, Default, Serialize)]
pub struct Customer {
    /// The number called, or one they gave.
    pub phone: Option<String>,
    /// An address they gave.
    pub email: Option<String>,
    /// Their language, as a BCP 47 tag.
    pub locale: Option<String>,
    /// Their time zone, as an IANA name.
    pub timezone: Option<String>,
}

/// What the call came to.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// What they wanted.
    #[serde(skip)]
    pub intent: Intent,
    /// The same, in the sender's word.
    #[serde(rename = "intent")]
    pub intent_said: String,
    /// How sure the sender is. Kept, and never calculated with.
    pub confidence: Option<serde_json::Number>,
    /// The channel they asked for; an unknown word or `none` is no preference.
    pub preferred_channel: Option<Channel>,
    /// Their words.
    pub evidence: Option<String>,
    /// What they agreed to.
    pub contact_consent: ContactConsent,
    /// Their objection.
    pub dispute: Option<Dispute>,
    /// Their promise.
    pub promise_to_pay: Option<PromiseToPay>,
    /// They asked to be left alone, whatever else they wanted.
    pub opt_out: bool,
    /// Whom the call reached.
    #[serde(skip)]
    pub reached: Reached,
    /// The same, in the sender's word.
    #[serde(rename = "reached")]
    pub reached_said: Option<String>,
}

/// What the customer agreed to on the call; `None` when it was not spoken about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ContactConsent {
    /// Texts.
    pub sms: Option<bool>,
    /// Emails.
    pub email: Option<bool>,
    /// When it was said.
    pub spoken_at: Option<Timestamp>,
}

/// An objection made on the call.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Dispute {
    /// A short reason.
    pub reason: Option<String>,
    /// Their words.
    pub text: Option<String>,
}

/// A promise made on the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PromiseToPay {
    /// The day they named.
    pub date: Option<Day>,
    /// What they said they would pay: heard, and never trusted.
    pub amount_minor: Option<i64>,
}

impl CallEvent {
    /// What makes two deliveries the same event: `(merchant, source, call, intent, invoice)`, as hexadecimal
    /// SHA-256 so that nothing a sender writes can make two of them look alike.
    #[must_use]
    pub fn dedupe_key(&self, merchant: &MerchantId) -> String {
        let invoice = self.invoice.as_ref().map_or("", |invoice| invoice.id.as_str());
        let parts =
            [merchant.as_str(), &self.source, &self.call_id, self.outcome.intent_said.as_str(), invoice];
        hashed("event", &parts)
    }

    /// What makes two wishes for a link the same: one call makes at most one link per invoice, whatever mix of
    /// `pay_online` and `send_link` it carries and however the invoice was named.
    #[must_use]
    pub fn link_wish_key(&self, merchant: &MerchantId, invoice: &InvoiceId) -> String {
        hashed("link_wish", &[merchant.as_str(), &self.source, &self.call_id, invoice.as_str()])
    }
}

/// Every part is preceded by its length: `("ab", "c")` and `("a", "bc")` differ.
fn hashed(what: &str, parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    digest.update(what.as_bytes());
    for part in parts {
        digest.update(format!(":{}:", part.len()).as_bytes());
        digest.update(part.as_bytes());
    }
    format!("{:x}", digest.finalize())
}

impl<'de> Deserialize<'de> for CallEvent {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        from_value(&value).map_err(serde::de::Error::custom)
    }
}

impl fmt::Debug for Customer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Customer")
            .field("phone", &self.phone.is_some())
            .field("email", &self.email.is_some())
            .field("locale", &self.locale)
            .field("timezone", &self.timezone)
            .finish()
    }
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outcome")
            .field("intent", &self.intent)
            .field("reached", &self.reached)
            .field("opt_out", &self.opt_out)
            .field("preferred_channel", &self.preferred_channel)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Dispute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dispute").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
