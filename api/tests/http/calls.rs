//! Call permission: every reason against a call, and the moment it counts from.

use domain::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use serde_json::{Value, json};

use crate::house::{House, event_input};

async fn asked(house: &House, body: Value) -> (String, Value) {
    let answer = house.post("/v1/call-permission", body).await.json();
    (answer["decision"].as_str().unwrap().to_owned(), answer["reasons"].clone())
}

async fn denied(house: &House, invoice: &str, reason: &str) {
    assert_eq!(asked(house, json!({"invoice_id": invoice})).await, ("deny".to_owned(), json!([reason])));
}

async fn allowed(house: &House, invoice: &str) {
    assert_eq!(asked(house, json!({"invoice_id": invoice})).await, ("allow".to_owned(), json!([])));
}

#[tokio::test]
async fn an_open_invoice_may_be_called_about_within_hours() {
    let house = House::new().await;
    let invoice = house.invoice("1").await;
    allowed(&house, &invoice).await;
    house.api.ledger.clock().advance_ms(10 * HOUR_MS);
    denied(&house, &invoice, "outside_hours").await;
}

#[tokio::test]
async fn a_hold_denies_from_its_answer_on_and_other_invoices_stay_allowed() {
    let house = House::new().await;
    let (held, other) = (house.invoice("1").await, house.invoice("2").await);
    let hold = house.made(&format!("/v1/invoices/{held}/holds"), json!({})).await;
    denied(&house, &held, "on_hold").await;
    allowed(&house, &other).await;
    house.post(&format!("/v1/holds/{hold}/resolve"), json!({})).await;
    allowed(&house, &held).await;
}

#[tokio::test]
async fn closed_invoices_deny_with_their_state() {
    let house = House::new().await;
    for (path, reason) in [("cancel", "canceled"), ("paid-elsewhere", "paid")] {
        let invoice = house.invoice(path).await;
        let closed = house.post(&format!("/v1/invoices/{invoice}/{path}"), json!({})).await;
        assert!(closed.status.is_success(), "{}", closed.text);
        denied(&house, &invoice, reason).await;
    }
}

#[tokio::test]
async fn a_spoken_no_and_one_given_by_hand_deny() {
    let house = House::new().await;
    let invoice = house.invoice("1").await;
    house.made("/v1/opt-outs", json!({"email": "DANA@example.com", "channel": "sms"})).await;
    allowed(&house, &invoice).await;
    house.made("/v1/opt-outs", json!({"email": "DANA@example.com"})).await;
    denied(&house, &invoice, "opted_out").await;

    let house = House::new().await;
    let invoice = house.invoice("1").await;
    house.post("/v1/events", event_input("c_1", &invoice, "opt_out")).await;
    denied(&house, &invoice, "opted_out").await;
}

#[tokio::test]
async fn a_promise_denies_until_its_day_is_over() {
    let house = House::new().await;
    let invoice = house.invoice("1").await;
    let mut event = event_input("c_1", &invoice, "promise_to_pay");
    event["outcome"]["promise_to_pay"] = json!({"date": "2026-11-19"});
    house.post("/v1/events", event).await;
    denied(&house, &invoice, "promise_pending").await;
    house.api.ledger.clock().advance_ms(2 * DAY_MS);
    allowed(&house, &invoice).await;
}

#[tokio::test]
async fn a_page_just_opened_is_not_interrupted() {
    let house = House::new().await;
    let invoice = house.invoice("1").await;
    let link = house.made(&format!("/v1/invoices/{invoice}/links"), json!({})).await;
    let now = house.api.now().millis();
    let open = format!(
        "INSERT INTO link_opens (id, link_id, invoice_id, opened_at_ms) VALUES ('o', '{link}', '{invoice}', {now})"
    );
    house.change(&open).await;
    denied(&house, &invoice, "link_just_opened").await;
    house.api.ledger.clock().advance_ms(16 * MINUTE_MS);
    allowed(&house, &invoice).await;
}

#[tokio::test]
async fn a_paused_or_ended_enrolment_or_campaign_denies() {
    let house = House::new().await;
    let invoice = house.invoice("1").await;
    let campaign = house.made("/v1/campaigns", json!({"name": "Autumn"})).await;
    let enrolment =
        house.made(&format!("/v1/campaigns/{campaign}/enrolments"), json!({"invoice_id": invoice})).await;
    allowed(&house, &invoice).await;
    let with = |enrolment: &str| json!({"invoice_id": invoice, "enrolment_id": enrolment});
    assert_eq!(asked(&house, with(&enrolment)).await.0, "allow");
    assert_eq!(asked(&house, with("enr_00000000000000000000000000")).await.1, json!(["enrolment_paused"]));

    let path = format!("/v1/campaigns/{campaign}");
    house.call("PATCH", &path, Some(json!({"status": "paused"}))).await;
    denied(&house, &invoice, "enrolment_paused").await;
    house.call("PATCH", &path, Some(json!({"status": "active"}))).await;
    allowed(&house, &invoice).await;
    house.call("DELETE", &format!("/v1/enrolments/{enrolment}"), None).await;
    denied(&house, &invoice, "enrolment_paused").await;
}

#[tokio::test]
async fn an_unknown_invoice_is_denied_and_the_answer_does_not_last() {
    let house = House::new().await;
    for unknown in ["inv_00000000000000000000000000", "7", ""] {
        denied(&house, unknown, "unknown_invoice").await;
    }
    let answer = house.post("/v1/call-permission", json!({"invoice_id": "7"})).await.json();
    let expires = domain::time::Timestamp::parse(answer["expires_at"].as_str().unwrap()).unwrap();
    assert!((0..=MINUTE_MS).contains(&expires.since_ms(house.api.now())));
}
