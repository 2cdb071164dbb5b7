//! The carrier's JSON, read leniently: only what we use, numbers as numbers or text.

use domain::send::{AnswerBody, MessageStatus};
use serde_json::Value;

/// One message as the carrier shows it.
pub(super) struct Message {
    pub provider_id: String,
    pub status: MessageStatus,
    pub code: Option<i32>,
    pub segments: Option<u32>,
    pub to: Option<String>,
    /// `None` where the carrier keeps no bodies.
    pub body: Option<String>,
    pub created_ms: Option<i64>,
}

impl Message {
    /// `None` when it carries no name: then it is no message.
    pub(super) fn of(value: &Value) -> Option<Self> {
        let provider_id = text(value, "sid").filter(|sid| is_message_sid(sid))?;
        Some(Self {
            provider_id,
            status: text(value, "status")
                .map_or(MessageStatus::Unrecognized, |word| MessageStatus::of_provider(&word)),
            code: number(value, "error_code"),
            segments: number(value, "num_segments"),
            to: text(value, "to").filter(|to| !to.is_empty()),
            body: text(value, "body").filter(|body| !body.is_empty()),
            created_ms: text(value, "date_created").and_then(|date| crate::http::date_ms(&date)),
        })
    }
}

/// Reads the answer to a send. A message to somebody else is not the answer to our request.
pub(super) fn answer(bytes: &[u8], to: &str) -> AnswerBody {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else {
        return AnswerBody::Unreadable;
    };
    if let Some(message) = Message::of(&value) {
        if message.to.as_deref().is_some_and(|answered_to| answered_to != to) {
            return AnswerBody::Unreadable;
        }
        let Message { provider_id, status, code, segments, .. } = message;
        return AnswerBody::Message { provider_id, status, code, segments };
    }
    match number(&value, "code") {
        Some(code) => AnswerBody::Problem { code: Some(code) },
        None if value.is_object() => AnswerBody::Problem { code: None },
        None => AnswerBody::Unreadable,
    }
}

/// Messages are `SM…`, those with media `MM…`; the id is stored and put into URLs, so nothing but letters and digits.
pub(super) fn is_message_sid(text: &str) -> bool {
    let named = text.starts_with("SM") || text.starts_with("MM");
    named && text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn text(value: &Value, field: &str) -> Option<String> {
    value.get(field)?.as_str().map(str::to_owned)
}

fn number<T: TryFrom<i64>>(value: &Value, field: &str) -> Option<T> {
    let number = match value.get(field)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    T::try_from(number?).ok()
}
