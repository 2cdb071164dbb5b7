//! Saying the same thing again, and fifty times at once.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::house::{House, Reply, event_input, invoice_input, request};

const AT_ONCE: usize = 50;

fn keyed(house: &House, path: &str, key: &str, body: Value) -> Request<Body> {
    let mut asked = request("POST", path, &house.ours.key, Some(body));
    asked.headers_mut().insert("idempotency-key", key.parse().unwrap());
    asked
}

async fn at_once(house: &House, asked: impl Fn() -> Request<Body>) -> Vec<Reply> {
    futures::future::join_all((0..AT_ONCE).map(|_| house.send(asked()))).await
}

#[tokio::test]
async fn fifty_identical_requests_at_once_have_one_effect_and_one_answer() {
    let house = House::new().await;
    let replies = at_once(&house, || keyed(&house, "/v1/invoices", "k-1", invoice_input("7"))).await;
    let answers: BTreeSet<&str> = replies.iter().map(|reply| reply.text.as_str()).collect();
    assert!(replies.iter().all(|reply| reply.status == StatusCode::CREATED));
    assert_eq!(answers.len(), 1);
    let replayed = replies.iter().filter(|reply| reply.headers.contains_key("idempotency-replayed")).count();
    assert_eq!(replayed, AT_ONCE - 1);
    assert_eq!(
        (house.count("invoices").await, house.count("customers").await, house.count("timeline").await),
        (1, 1, 1)
    );
}

#[tokio::test]
async fn fifty_identical_events_at_once_are_one_event() {
    let house = House::new().await;
    let invoice = house.invoice("7").await;
    let event = event_input("c_1", &invoice, "send_link");
    let replies =
        at_once(&house, || request("POST", "/v1/events", &house.ours.key, Some(event.clone()))).await;
    let accepted = replies.iter().filter(|reply| reply.status == StatusCode::ACCEPTED).count();
    let ids: BTreeSet<String> = replies.iter().map(|reply| reply.json()["id"].to_string()).collect();
    assert_eq!((accepted, ids.len()), (1, 1));
    assert_eq!((house.count("call_events").await, house.count("jobs").await), (1, 1));
}

#[tokio::test]
async fn the_same_key_with_another_request_is_refused() {
    let house = House::new().await;
    let first = house.send(keyed(&house, "/v1/campaigns", "k-1", json!({"name": "Autumn"}))).await;
    assert_eq!(first.status, StatusCode::CREATED);
    for (path, body) in
        [("/v1/campaigns", json!({"name": "Winter"})), ("/v1/customers", json!({"name": "Autumn"}))]
    {
        let (status, code, _) = house.send(keyed(&house, path, "k-1", body)).await.problem();
        assert_eq!((status, code.as_str()), (422, "idempotency_key_reused"));
    }
    // Another merchant's key of the same name is another key.
    let mut theirs = request("POST", "/v1/campaigns", &house.theirs.key, Some(json!({"name": "Autumn"})));
    theirs.headers_mut().insert("idempotency-key", "k-1".parse().unwrap());
    let reply = house.send(theirs).await;
    assert_ne!(reply.json()["id"], first.json()["id"]);
    assert_eq!(house.count("campaigns").await, 2);
}

#[tokio::test]
async fn a_refused_request_leaves_its_key_free() {
    let house = House::new().await;
    let bad = house.send(keyed(&house, "/v1/campaigns", "k-1", json!({"name": ""}))).await;
    assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY);
    let conflict = json!({"name": "Dana", "external_ref": "C-1"});
    house.made("/v1/customers", conflict.clone()).await;
    assert_eq!(
        house.send(keyed(&house, "/v1/customers", "k-2", conflict)).await.problem().1,
        "external_ref_taken"
    );
    assert_eq!(house.count("idempotency_keys").await, 0);
    assert_eq!(
        house.send(keyed(&house, "/v1/campaigns", "k-1", json!({"name": "A"}))).await.status,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn a_key_that_cannot_be_kept_is_named() {
    let house = House::new().await;
    let long = "k".repeat(256);
    for key in ["", " ", "a b", long.as_str()] {
        let reply = house.send(keyed(&house, "/v1/campaigns", key, json!({"name": "Autumn"}))).await;
        assert_eq!(
            reply.problem(),
            (422, "invalid_field".to_owned(), "Idempotency-Key".to_owned()),
            "{key:?}"
        );
    }
    assert_eq!(house.count("campaigns").await, 0);
}

#[tokio::test]
async fn a_call_permission_is_never_replayed() {
    let house = House::new().await;
    let invoice = house.invoice("7").await;
    let asked = || keyed(&house, "/v1/call-permission", "k-1", json!({"invoice_id": invoice}));
    assert_eq!(house.send(asked()).await.json()["decision"], "allow");
    house.made(&format!("/v1/invoices/{invoice}/holds"), json!({})).await;
    assert_eq!(house.send(asked()).await.json()["decision"], "deny");
}

#[tokio::test]
async fn of_two_resends_at_once_one_is_made_and_one_refused() {
    let house = House::new().await;
    let invoice = house.invoice("7").await;
    let path = format!("/v1/invoices/{invoice}/links");
    house.made(&path, json!({})).await;
    let (a, b) = tokio::join!(house.post(&path, json!({})), house.post(&path, json!({})));
    let statuses: BTreeSet<u16> = [a.status.as_u16(), b.status.as_u16()].into();
    assert_eq!(statuses, BTreeSet::from([201, 409]));
    assert_eq!(house.count("links WHERE status IN ('queued', 'sent')").await, 1);
    assert_eq!(house.count("jobs WHERE kind = 'resolve_channel'").await, 2);
}
