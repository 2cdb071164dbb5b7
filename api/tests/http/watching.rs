//! What an operator sees at `/metrics`: series that stay the same however many merchants there are and whatever anybody
//! sends, and counts that are true.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use domain::id::MerchantId;
use futures::StreamExt;
use gateways::signature::standard_webhooks::{ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, sign};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::house::{House, event_input, reply, request};

const CROWD: u32 = 10_000;

async fn scrape(house: &House) -> String {
    let answer = reply(&house.private, request("GET", "/metrics", "", None)).await;
    assert_eq!(answer.status, StatusCode::OK);
    answer.text
}

/// Every series: its name and labels, without its value.
async fn series(house: &House) -> BTreeSet<String> {
    let text = scrape(house).await;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect()
}

async fn shown(house: &House, series: &str) -> i64 {
    let text = scrape(house).await;
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{series} is not in {text}")).parse().unwrap()
}

/// What a sender, a browser or an attacker may write, wherever a word of ours is expected.
async fn be_hostile(house: &House, round: u32) {
    let evil = format!("x{round}\"}} 1\npostcall_events_total{{a=\"\u{202e}{}", "w".repeat(300));
    let mut event = event_input(&evil, &evil, &evil);
    event["source"] = json!(evil);
    event["outcome"]["reached"] = json!(evil);
    event["customer"] =
        json!({"phone": format!("+1415555{round:04}"), "email": format!("m{round}@example.com")});
    house.post("/v1/events", event.clone()).await;
    event["type"] = json!(evil);
    house.post("/v1/events", event).await;
    house.post("/v1/events", json!({"type": evil})).await;
    for (method, path) in [
        (format!("M{round}"), "/v1/events".to_owned()),
        ("GET".to_owned(), format!("/p/token-{round}")),
        ("GET".to_owned(), format!("/no/such/{round}")),
        ("DELETE".to_owned(), format!("/v1/invoices/inv_{round}")),
        ("GET".to_owned(), format!("/v1/customers?cursor={round}")),
    ] {
        house.call(&method, &path, None).await;
    }
    for path in [
        "/webhooks/stripe".to_owned(),
        format!("/webhooks/carrier/status/att_{round}"),
        "/webhooks/carrier/inbound".to_owned(),
    ] {
        let request = Request::post(path)
            .header("stripe-signature", format!("t={round},v1=00"))
            .header("x-twilio-signature", format!("{round}"))
            .body(Body::from(format!("Body={round}")));
        house.send(request.unwrap()).await;
    }
}

#[tokio::test]
async fn ten_thousand_merchants_and_hostile_words_make_no_new_series() {
    let house = House::new().await;
    let fresh = series(&house).await;
    be_hostile(&house, 0).await;
    let known = series(&house).await;
    let new: Vec<&String> = known.difference(&fresh).collect();
    assert!(
        new.iter().all(|series| series.starts_with("postcall_http_request_duration_seconds")),
        "only routes may appear when they are first asked for: {new:#?}"
    );
    crowd_in(&house).await;
    for round in 1..50 {
        be_hostile(&house, round).await;
    }
    let now = series(&house).await;
    assert_eq!(now.difference(&known).collect::<Vec<_>>(), Vec::<&String>::new());
    assert!(now.len() < 2_000, "{} series", now.len());
    for secret in [house.ours.id.as_str(), "+1415", "example.com", "token-"] {
        assert!(!now.iter().any(|series| series.contains(secret)), "{secret} is in a label");
    }
}

/// An event from each of very many merchants, signed by each.
async fn crowd_in(house: &House) {
    house
        .change(&format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {CROWD}) \
             INSERT INTO merchants (id, name, locale, time_zone, country, sms_countries, fee_basis_points, fee_fixed_minor, \
             fee_min_minor, secret_generation, renewal_allowed, payable_on_hold, asked_exempt_from_hours, texts_per_day_max, \
             texts_per_number_per_day_max, created_at_ms) SELECT printf('mer_%026d', i), 'Shop ' || i, 'en', 'UTC', 'US', 'US', \
             1000, 0, 0, 1, TRUE, TRUE, TRUE, 10, 3, 0 FROM n"
        ))
        .await;
    let events = (1..=CROWD).map(|shop| {
        let merchant_id: MerchantId = format!("mer_{shop:026}").parse().unwrap();
        let mut event = event_input(&format!("call {shop}"), &format!("INV-{shop}"), "send_link");
        event["merchant_id"] = json!(merchant_id);
        house.send(signed(house, &merchant_id, &event))
    });
    // As many at once as a house may ask for; more would wait for the door.
    let mut replies = futures::stream::iter(events).buffer_unordered(128);
    while let Some(reply) = replies.next().await {
        assert_eq!(reply.status, StatusCode::ACCEPTED, "{}", reply.text);
    }
}

fn signed(house: &House, merchant_id: &MerchantId, event: &Value) -> Request<Body> {
    let secret = house.api.keyring.derived_secret("events", merchant_id.as_str(), 1);
    let (body, at_s) = (event.to_string(), house.api.now().seconds());
    let signature = sign(&SecretString::from(secret), "msg_1", at_s, body.as_bytes()).unwrap();
    Request::post("/v1/events")
        .header("content-type", "application/json")
        .header(ID_HEADER, "msg_1")
        .header(TIMESTAMP_HEADER, at_s)
        .header(SIGNATURE_HEADER, signature)
        .body(Body::from(body))
        .unwrap()
}

#[tokio::test]
async fn what_is_held_opted_out_and_waiting_is_counted() {
    let house = House::new().await;
    let invoice = house.invoice("1").await;
    let campaign = house.made("/v1/campaigns", json!({"name": "Autumn"})).await;
    house.made(&format!("/v1/campaigns/{campaign}/enrolments"), json!({"invoice_id": invoice})).await;
    house.post("/v1/events", event_input("c_1", &invoice, "send_link")).await;
    house.post("/v1/events", event_input("c_2", &invoice, "dispute")).await;
    house.post("/v1/events", event_input("c_3", "9", "opt_out")).await;
    house.dead_job().await;
    for (series, expected) in [
        (r#"postcall_holds_open{reason="call_dispute"}"#, 1),
        (r#"postcall_holds_open{reason="chargeback"}"#, 0),
        ("postcall_enrolments_paused", 1),
        (r#"postcall_opt_outs{channel="every"}"#, 1),
        (r#"postcall_jobs{kind="resolve_channel",standing="due"}"#, 1),
        (r#"postcall_jobs{kind="send_link",standing="dead"}"#, 1),
        (r#"postcall_attention_items{kind="on_hold"}"#, 1),
        (r#"postcall_attention_items{kind="dead_job"}"#, 1),
        (r#"postcall_attention_items{kind="unmatched_event"}"#, 1),
        (r#"postcall_timeline_total{kind="hold_opened"}"#, 1),
    ] {
        assert_eq!(shown(&house, series).await, expected, "{series}");
    }
    let due = shown(&house, r#"postcall_job_oldest_due_timestamp_seconds{kind="resolve_channel"}"#).await;
    let now_s = house.api.ledger.clock().machine_now().seconds();
    assert!(
        (now_s - 60..=now_s).contains(&due),
        "due at {due}, now {now_s}: the machine's time, not the business's"
    );
}

#[tokio::test]
async fn a_store_that_is_gone_hides_nothing_that_was_counted() {
    let house = House::new().await;
    house.post("/v1/events", json!({})).await;
    house.change("ALTER TABLE jobs RENAME TO elsewhere").await;
    assert_eq!(shown(&house, r#"postcall_events_rejected_total{reason="invalid_field"}"#).await, 1);
    assert_eq!(shown(&house, r#"postcall_census_timestamp_seconds{part="pulse"}"#).await, 0);
}

#[tokio::test]
async fn a_forged_webhook_is_told_from_a_broken_one_and_from_a_key_that_may_not() {
    let house = House::new().await;
    be_hostile(&house, 1).await;
    let key = house.key_with(std::iter::empty()).await;
    house.send(request("POST", "/v1/events", &key, Some(event_input("c", "1", "none")))).await;
    for (series, expected) in [
        (r#"postcall_webhook_in_total{result="invalid_signature",source="stripe"}"#, 1),
        (r#"postcall_webhook_in_total{result="invalid_signature",source="carrier_status"}"#, 1),
        (r#"postcall_webhook_in_total{result="accepted",source="stripe"}"#, 0),
        (r#"postcall_webhook_in_last_timestamp_seconds{source="stripe"}"#, 0),
        (r#"postcall_events_rejected_total{reason="scope_missing"}"#, 1),
    ] {
        assert_eq!(shown(&house, series).await, expected, "{series}");
    }
}
