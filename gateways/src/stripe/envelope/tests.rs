#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn parse(event: &Value) -> StripeEnvelope {
    StripeEnvelope::parse(event.to_string().as_bytes()).unwrap()
}

#[test]
fn an_event_about_a_payment_intent_names_it() {
    let envelope = parse(&json!({
        "id": "evt_1", "object": "event", "type": "payment_intent.succeeded", "created": 1_795_100_645, "livemode": true,
        "account": "acct_1", "api_version": "2026-09-30.endive", "pending_webhooks": 1,
        "data": {"object": {"id": "pi_1", "object": "payment_intent", "amount": 12_345, "latest_charge": "ch_1"}},
    }));
    let expected = StripeEnvelope {
        id: "evt_1".to_owned(),
        event_type: "payment_intent.succeeded".to_owned(),
        created_at_s: Some(1_795_100_645),
        livemode: Some(true),
        account: Some("acct_1".to_owned()),
        object_id: Some("pi_1".to_owned()),
        object_type: Some("payment_intent".to_owned()),
        payment_intent: Some("pi_1".to_owned()),
    };
    assert_eq!(envelope, expected);
}

#[test]
fn an_event_about_a_charge_or_dispute_names_its_payment_intent() {
    for parent in [json!("pi_1"), json!({"id": "pi_1", "object": "payment_intent"})] {
        let object = json!({"id": "dp_1", "object": "dispute", "payment_intent": parent});
        let envelope =
            parse(&json!({"id": "evt_1", "type": "charge.dispute.created", "data": {"object": object}}));
        assert_eq!(envelope.payment_intent.as_deref(), Some("pi_1"));
        assert_eq!(envelope.object_id.as_deref(), Some("dp_1"));
    }
    let envelope = parse(
        &json!({"id": "evt_1", "type": "payout.paid", "data": {"object": {"id": "po_1", "object": "payout"}}}),
    );
    assert_eq!(envelope.payment_intent, None);
}

#[test]
fn a_thin_event_says_the_same() {
    let envelope = parse(&json!({
        "id": "evt_65R9", "object": "v2.core.event", "type": "v1.payment_intent.succeeded",
        "created": "2026-11-19T15:04:05.123Z", "livemode": false, "context": "acct_1",
        "related_object": {"id": "pi_1", "type": "payment_intent", "url": "/v1/payment_intents/pi_1"},
    }));
    assert_eq!(envelope.event_type, "payment_intent.succeeded");
    assert_eq!(envelope.created_at_s, Some(1_795_100_645));
    assert_eq!(envelope.account.as_deref(), Some("acct_1"));
    assert_eq!(envelope.payment_intent.as_deref(), Some("pi_1"));
    assert_eq!(envelope.livemode, Some(false));
}

#[test]
fn everything_but_id_and_type_may_be_missing_or_strange() {
    for event in [
        json!({"id": "evt_1", "type": "new.thing"}),
        json!({"id": "evt_1", "type": "new.thing", "created": {}, "livemode": "yes", "account": 7, "data": null}),
        json!({"id": "evt_1", "type": "new.thing", "data": {"object": [1]}, "account": "../../x", "context": null}),
    ] {
        let envelope = parse(&event);
        assert_eq!((envelope.id.as_str(), envelope.event_type.as_str()), ("evt_1", "new.thing"));
        assert_eq!((envelope.account, envelope.object_id, envelope.payment_intent), (None, None, None));
        assert_eq!((envelope.created_at_s, envelope.livemode), (None, None));
    }
}

#[test]
fn without_an_id_or_a_type_there_is_no_event() {
    let lacks = |body: &str| StripeEnvelope::parse(body.as_bytes());
    for body in ["", "{", "\u{0}", "{} trailing"] {
        assert_eq!(lacks(body), Err(EnvelopeError::NotJson), "{body:?}");
    }
    for body in [
        "{}",
        "[]",
        "null",
        r#"{"id":7,"type":"x"}"#,
        r#"{"id":"","type":"x"}"#,
        r#"{"id":"a b","type":"x"}"#,
    ] {
        assert_eq!(lacks(body), Err(EnvelopeError::Lacks { field: "id" }), "{body}");
    }
    assert_eq!(lacks(r#"{"id":"evt_1","type":null}"#), Err(EnvelopeError::Lacks { field: "type" }));
    let deep =
        format!("{{\"id\":\"evt_1\",\"type\":\"x\",\"data\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(lacks(&deep), Err(EnvelopeError::NotJson));
}

proptest! {
    #[test]
    fn no_body_breaks_the_reader(body in any::<Vec<u8>>()) {
        let _ = StripeEnvelope::parse(&body);
    }
}
