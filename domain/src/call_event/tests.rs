#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::invoice::InvoiceStatus;
use serde_json::{Value, json};

mod deciding;
mod keys;
mod reading;

fn canonical() -> Value {
    json!({
        "type": "call.completed", "spec_version": "1", "source": "inhouse", "call_id": "c_9f2",
        "occurred_at": "2026-11-19T15:04:05Z", "merchant_id": "m_1", "campaign_id": "cmp_7",
        "invoice": {"id": "inv_42"},
        "customer": {"phone": "+14155550142", "email": null, "locale": "en-US", "timezone": "America/Los_Angeles"},
        "outcome": {
            "intent": "send_link", "confidence": 0.94, "preferred_channel": "sms",
            "evidence": "\"just text me the link\"",
            "contact_consent": {"sms": true, "spoken_at": "2026-11-19T15:03:41Z"},
            "dispute": null, "promise_to_pay": null, "opt_out": false, "reached": "human"
        }
    })
}

/// The canonical event with one field set to something else; `null` takes it away.
fn with(pointer: &str, value: Value) -> Value {
    let mut event = canonical();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    event.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(name.to_owned(), value);
    event
}

fn read(event: &Value) -> Result<CallEvent, FieldError> {
    parse(event.to_string().as_bytes())
}

fn event(pointer: &str, value: Value) -> CallEvent {
    read(&with(pointer, value)).unwrap()
}

fn facts(status: InvoiceStatus) -> InvoiceFacts {
    InvoiceFacts { known: true, status, on_hold: false }
}
