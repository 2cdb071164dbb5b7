//! What we read of a webhook: who, what kind, about which object. A hint to go and fetch, never the facts themselves.
//!
//! Everything but the id and the type may be missing, so that an event of another API version still counts. Thin
//! `v1.…` events say the same in other fields.

use serde_json::Value;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StripeEnvelope {
    pub id: String,
    /// Without the `v1.` of thin events.
    pub event_type: String,
    pub created_at_s: Option<i64>,
    pub livemode: Option<bool>,
    /// The connected account it happened on; `None` for the platform's own.
    pub account: Option<String>,
    pub object_id: Option<String>,
    pub object_type: Option<String>,
    /// The PaymentIntent it is about, whether it is the object or the object's parent.
    pub payment_intent: Option<String>,
}

/// Authentic, and yet no event: nothing to store it under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    #[error("not JSON")]
    NotJson,
    #[error("no usable {field}")]
    Lacks { field: &'static str },
}

impl StripeEnvelope {
    /// Reads a body whose signature has been verified.
    ///
    /// # Errors
    /// When it has no id or no type.
    pub fn parse(raw_body: &[u8]) -> Result<Self, EnvelopeError> {
        let event: Value = serde_json::from_slice(raw_body).map_err(|_| EnvelopeError::NotJson)?;
        let id = id_at(&event, "/id").ok_or(EnvelopeError::Lacks { field: "id" })?;
        let event_type = text_at(&event, "/type").ok_or(EnvelopeError::Lacks { field: "type" })?;
        let object_id = id_at(&event, "/data/object/id").or_else(|| id_at(&event, "/related_object/id"));
        let object_type =
            text_at(&event, "/data/object/object").or_else(|| text_at(&event, "/related_object/type"));
        let payment_intent = match object_type.as_deref() {
            Some("payment_intent") => object_id.clone(),
            Some(_) | None => id_at(&event, "/data/object/payment_intent")
                .or_else(|| id_at(&event, "/data/object/payment_intent/id")),
        };
        Ok(Self {
            id,
            event_type: event_type.strip_prefix("v1.").unwrap_or(&event_type).to_owned(),
            created_at_s: event.get("created").and_then(created_at_s),
            livemode: event.get("livemode").and_then(Value::as_bool),
            account: id_at(&event, "/account").or_else(|| id_at(&event, "/context")),
            object_id,
            object_type,
            payment_intent,
        })
    }
}

/// Seconds in snapshot events, RFC 3339 in thin ones.
fn created_at_s(value: &Value) -> Option<i64> {
    if let Some(seconds) = value.as_i64() {
        return Some(seconds);
    }
    let moment = domain::time::Timestamp::parse(value.as_str()?).ok()?;
    Some(moment.seconds())
}

fn text_at(event: &Value, pointer: &str) -> Option<String> {
    event.pointer(pointer)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// An id as Stripe writes them. Anything else in its place is as good as nothing.
fn id_at(event: &Value, pointer: &str) -> Option<String> {
    let is_id = |text: &String| {
        text.len() <= 255
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    };
    text_at(event, pointer).filter(is_id)
}

#[cfg(test)]
mod tests;
