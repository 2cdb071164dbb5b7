//! Who may ask at all: API keys and their scopes, signatures and their age.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use domain::scope::Scope;
use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use entities::{api_key, merchant};
use serde_json::{Value, json};

use crate::house::{House, event_input, request};

#[tokio::test]
async fn a_revoked_or_expired_key_is_refused_at_once() {
    let house = House::new().await;
    let key = house.key_with([Scope::InvoicesRead]).await;
    let id = format!("key_{}", &key[4..30]);
    let asked = || request("GET", "/v1/invoices", &key, None);
    assert_eq!(house.send(asked()).await.status, StatusCode::OK);

    let in_a_minute = house.api.now().plus_ms(MINUTE_MS).millis();
    house.change(&format!("UPDATE api_keys SET expires_at_ms = {in_a_minute} WHERE id = '{id}'")).await;
    assert_eq!(house.send(asked()).await.status, StatusCode::OK);
    house.api.ledger.clock().advance_ms(MINUTE_MS);
    assert_eq!(house.send(asked()).await.problem().1, "credentials_invalid");

    house
        .change(&format!("UPDATE api_keys SET expires_at_ms = NULL, revoked_at_ms = 1 WHERE id = '{id}'"))
        .await;
    assert_eq!(house.send(asked()).await.problem().1, "credentials_invalid");
}

fn signed(house: &House, secret: &str, at_s: i64, body: &Value) -> Request<Body> {
    let body = body.to_string();
    // The vendor's own library signs, so that it is not our own reading of the scheme that is tested.
    let signature =
        standardwebhooks::Webhook::new(secret).unwrap().sign("msg_1", at_s, body.as_bytes()).unwrap();
    assert_ne!(house.ours.id.as_str(), secret);
    Request::post("/v1/events")
        .header("content-type", "application/json")
        .header("webhook-id", "msg_1")
        .header("webhook-timestamp", at_s.to_string())
        .header("webhook-signature", signature)
        .body(Body::from(body))
        .unwrap()
}

fn secret(house: &House, generation: u32) -> String {
    house.api.keyring.derived_secret("events", house.ours.id.as_str(), generation)
}

fn event(house: &House) -> Value {
    let mut event = event_input("c_1", "inv_unknown", "send_link");
    event["merchant_id"] = json!(house.ours.id);
    event
}

#[tokio::test]
async fn a_signed_event_is_taken_in_and_its_repeat_is_the_same_event() {
    let house = House::new().await;
    let now = house.api.now().seconds();
    let first = house.send(signed(&house, &secret(&house, 1), now, &event(&house))).await;
    assert_eq!(first.status, StatusCode::ACCEPTED, "{}", first.text);
    assert_eq!(first.json()["disposition"], "unmatched");
    let again = house.send(signed(&house, &secret(&house, 1), now, &event(&house))).await;
    assert_eq!(again.status, StatusCode::OK);
    assert_eq!(again.json(), json!({"id": first.json()["id"], "disposition": "duplicate"}));
    assert_eq!(house.count("call_events").await, 1);
}

#[tokio::test]
async fn while_a_secret_is_exchanged_the_former_one_counts_too_and_then_no_longer() {
    let house = House::new().await;
    let end = house.api.now().plus_ms(HOUR_MS);
    for _ in 0..2 {
        assert!(merchant::rotate_secrets(&house.api.db.write, &house.ours.id, end).await.unwrap());
    }
    let accepted = async |generation| {
        let now = house.api.now().seconds();
        let reply = house.send(signed(&house, &secret(&house, generation), now, &event(&house))).await;
        reply.status.is_success()
    };
    for (generation, good) in [(3, true), (2, true), (1, false), (4, false)] {
        assert_eq!(accepted(generation).await, good, "{generation}");
    }
    house.api.ledger.clock().advance_ms(HOUR_MS);
    for (generation, good) in [(3, true), (2, false)] {
        assert_eq!(accepted(generation).await, good, "{generation} after the overlap");
    }
    // After a leak the former one ends at once.
    merchant::rotate_secrets(&house.api.db.write, &house.ours.id, house.api.now()).await.unwrap();
    for (generation, good) in [(4, true), (3, false)] {
        assert_eq!(accepted(generation).await, good, "{generation} after the leak");
    }
}

#[tokio::test]
async fn while_a_key_is_exchanged_both_count_until_the_former_one_ends() {
    let house = House::new().await;
    let second = crate::setup::key(&house.api, &house.ours.id, &domain::scope::Scopes::all()).await;
    let former = api_key::of_merchant(&house.api.db.read, &house.ours.id).await.unwrap().remove(0);
    let end = house.api.now().plus_ms(HOUR_MS);
    assert!(api_key::end_at(&house.api.db.write, &former.id, end).await.unwrap());
    // A later end is no way back.
    assert!(api_key::end_at(&house.api.db.write, &former.id, end.plus_ms(HOUR_MS)).await.unwrap());
    let status =
        async |key: &str| house.send(request("GET", "/v1/invoices", key, None)).await.status.as_u16();
    assert_eq!((status(&house.ours.key).await, status(&second).await), (200, 200));
    house.api.ledger.clock().advance_ms(HOUR_MS);
    assert_eq!((status(&house.ours.key).await, status(&second).await), (401, 200));
}

#[tokio::test]
async fn a_bad_missing_or_stale_signature_stores_nothing() {
    let house = House::new().await;
    let now = house.api.now().seconds();
    let (ours, right) = (secret(&house, 1), event(&house));
    let of_theirs = house.api.keyring.derived_secret("events", house.theirs.id.as_str(), 1);
    let mut tampered = signed(&house, &ours, now, &right);
    *tampered.body_mut() = Body::from(format!("{right} "));
    let mut missing = signed(&house, &ours, now, &right);
    missing.headers_mut().remove("webhook-signature");
    let mut unknown = right.clone();
    unknown["merchant_id"] = json!("mer_0000000000000000000000000z");
    let cases = [
        (signed(&house, &of_theirs, now, &right), 401, "signature_invalid"),
        (tampered, 401, "signature_invalid"),
        (missing, 401, "signature_missing"),
        (signed(&house, &ours, now - 301, &right), 401, "signature_stale"),
        (signed(&house, &ours, now + 301, &right), 401, "signature_stale"),
        (signed(&house, &ours, now - DAY_MS, &right), 401, "signature_stale"),
        (signed(&house, &ours, now, &unknown), 401, "signature_invalid"),
        (signed(&house, &ours, now, &event_input("c_1", "x", "send_link")), 422, "invalid_field"),
    ];
    for (asked, status, code) in cases {
        let (got, said, _) = house.send(asked).await.problem();
        assert_eq!((got, said.as_str()), (status, code));
    }
    assert_eq!(house.count("call_events").await, 0);
}

#[tokio::test]
async fn a_key_posts_events_of_its_own_merchant_only() {
    let house = House::new().await;
    let mut event = event_input("c_1", "x", "send_link");
    event["merchant_id"] = json!(house.theirs.id);
    let refused = house.post("/v1/events", event.clone()).await;
    assert_eq!(refused.problem(), (422, "invalid_field".to_owned(), "merchant_id".to_owned()));
    event["merchant_id"] = json!(house.ours.id);
    assert_eq!(house.post("/v1/events", event).await.status, StatusCode::ACCEPTED);
}
