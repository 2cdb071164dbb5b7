//! What the carrier posts to us: how far a message came, and what a customer wrote back. Verify first, then read.

use domain::inbound::Inbound;
use domain::send::MessageStatus;

use super::wire::is_message_sid;

/// A verified callback that lacks what it must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the form lacks a usable {field}")]
pub struct FormError {
    pub field: &'static str,
}

/// How far a message came. Callbacks arrive in any order, more than once, and before the answer to the send.
#[derive(Clone, PartialEq, Eq)]
pub struct StatusCallback {
    pub provider_id: String,
    pub account_sid: String,
    pub status: MessageStatus,
    pub error_code: Option<i32>,
    pub to: String,
    pub from: String,
    /// The carrier's own word and time: two callbacks are the same only when these are too.
    pub raw_status: String,
    pub raw_done_at: Option<String>,
}

/// A text from a customer. Has no `Debug`: it holds a number and what they wrote.
#[derive(Clone, PartialEq, Eq)]
pub struct InboundText {
    pub provider_id: String,
    pub account_sid: String,
    /// The customer's number.
    pub from: String,
    /// Our sender.
    pub to: String,
    pub body: String,
    pub meaning: Inbound,
    /// The carrier has taken the opt-out, opt-in or help itself and has answered; a second answer would be one too many.
    pub answered_by_carrier: bool,
}

/// # Errors
/// Names the field that is missing.
pub fn parse_status_callback(raw_form: &[u8]) -> Result<StatusCallback, FormError> {
    let form = Form::of(raw_form);
    let raw_status = form.required("MessageStatus")?;
    Ok(StatusCallback {
        provider_id: form.message_sid()?,
        account_sid: form.optional("AccountSid").unwrap_or_default(),
        status: MessageStatus::of_provider(&raw_status),
        error_code: form.optional("ErrorCode").and_then(|code| code.parse().ok()),
        to: form.optional("To").unwrap_or_default(),
        from: form.optional("From").unwrap_or_default(),
        raw_status,
        raw_done_at: form.optional("RawDlrDoneDate"),
    })
}

/// # Errors
/// Names the field that is missing.
pub fn parse_inbound(raw_form: &[u8]) -> Result<InboundText, FormError> {
    let form = Form::of(raw_form);
    let body = form.optional("Body").unwrap_or_default();
    let carriers_reading = form.optional("OptOutType").and_then(|word| carriers_reading(&word));
    Ok(InboundText {
        provider_id: form.message_sid()?,
        account_sid: form.optional("AccountSid").unwrap_or_default(),
        from: form.required("From")?,
        to: form.required("To")?,
        meaning: carriers_reading.unwrap_or_else(|| domain::inbound::classify(&body)),
        answered_by_carrier: carriers_reading.is_some(),
        body,
    })
}

fn carriers_reading(word: &str) -> Option<Inbound> {
    match word {
        "STOP" => Some(Inbound::Stop),
        "START" => Some(Inbound::Start),
        "HELP" => Some(Inbound::Help),
        _ => None,
    }
}

struct Form(Vec<(String, String)>);

impl Form {
    fn of(raw_form: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(raw_form).into_owned().collect())
    }

    fn optional(&self, field: &str) -> Option<String> {
        self.0.iter().find(|(name, value)| name == field && !value.is_empty()).map(|(_, value)| value.clone())
    }

    fn required(&self, field: &'static str) -> Result<String, FormError> {
        self.optional(field).ok_or(FormError { field })
    }

    /// `SmsSid` is the old name of the same.
    fn message_sid(&self) -> Result<String, FormError> {
        let sid = self.optional("MessageSid").or_else(|| self.optional("SmsSid"));
        sid.filter(|sid| is_message_sid(sid)).ok_or(FormError { field: "MessageSid" })
    }
}

#[cfg(test)]
mod tests;
