//! Ending or changing an invoice whose payment may have begun: the PaymentIntent dies first, or the payment wins.

use std::collections::BTreeMap;

use domain::money::{Currency, Money};
use gateways::stripe::{CreatePaymentIntent, PaymentMethodType};
use serde_json::{Value, json};
use simulator::{World, WorldConfig};

use crate::house::House;

const ACCOUNT: &str = "acct_alder";

/// A payable of the invoice, and its PaymentIntent if it has one.
async fn begin_payment(house: &House, invoice: &str, status: &str, intent: Option<&str>) {
    let intent = intent.map_or("NULL".to_owned(), |id| format!("'{id}'"));
    house
        .change(&format!(
            "INSERT INTO payables (id, merchant_id, invoice_id, revision, amount_minor, currency, fee_minor, fee_policy, \
             stripe_account, status, payment_intent_id, created_at_ms) VALUES ('pbl_00000000000000000000000001', '{}', \
             '{invoice}', 1, 34800, 'USD', 3480, '{{}}', '{ACCOUNT}', '{status}', {intent}, 0)",
            house.ours.id
        ))
        .await;
}

async fn intent(house: &House) -> String {
    let wanted = CreatePaymentIntent {
        account: ACCOUNT.to_owned(),
        amount: Money { amount_minor: 34_800, currency: Currency::USD },
        application_fee_minor: Some(3_480),
        description: "Invoice 1".to_owned(),
        metadata: BTreeMap::from([("payable_id".to_owned(), "pbl_00000000000000000000000001".to_owned())]),
        statement_descriptor_suffix: None,
        payment_method_types: vec![PaymentMethodType::Card],
        idempotency_key: "pbl_00000000000000000000000001".to_owned(),
    };
    house.api.stripe.create_payment_intent(&wanted).await.unwrap().id
}

/// Everything that ends or reprices an invoice.
fn endings(invoice: &str) -> [(&'static str, String, Value); 3] {
    [
        ("POST", format!("/v1/invoices/{invoice}/cancel"), json!({})),
        ("POST", format!("/v1/invoices/{invoice}/paid-elsewhere"), json!({})),
        ("PATCH", format!("/v1/invoices/{invoice}"), json!({"line_items": [], "total_minor": 100})),
    ]
}

#[tokio::test]
async fn an_open_payment_intent_dies_at_stripe_before_the_invoice_changes() {
    for ending in 0..3 {
        let world = World::start(WorldConfig::default()).await.unwrap();
        let house = House::with_stripe(&world.stripe_url()).await;
        let invoice = house.invoice("1").await;
        let intent = intent(&house).await;
        begin_payment(&house, &invoice, "open", Some(&intent)).await;
        let (method, path, body) = endings(&invoice)[ending].clone();
        let reply = house.call(method, &path, Some(body)).await;
        assert!(reply.status.is_success(), "{path}: {}", reply.text);
        let at_stripe = house.api.stripe.retrieve_payment_intent(ACCOUNT, &intent).await.unwrap();
        assert_eq!(at_stripe.status, domain::payment::IntentStatus::Canceled);
        assert_eq!(house.count("payables WHERE status = 'canceled'").await, 1);
    }
}

#[tokio::test]
async fn a_payment_on_its_way_wins_over_every_ending() {
    let house = House::new().await;
    let invoice = house.invoice("1").await;
    begin_payment(&house, &invoice, "processing", Some("pi_1")).await;
    let before = house.rows().await;
    for (method, path, body) in endings(&invoice) {
        assert_eq!(house.call(method, &path, Some(body)).await.problem().1, "payment_in_progress", "{path}");
    }
    assert_eq!(house.rows().await, before);
    // What does not touch the money may still be said.
    let described =
        house.call("PATCH", &format!("/v1/invoices/{invoice}"), Some(json!({"description": "x"}))).await;
    assert!(described.status.is_success(), "{}", described.text);
}

#[tokio::test]
async fn a_payment_that_stripe_has_taken_wins_though_we_did_not_know() {
    let world = World::start(WorldConfig::default()).await.unwrap();
    let house = House::with_stripe(&world.stripe_url()).await;
    let invoice = house.invoice("1").await;
    let intent = intent(&house).await;
    begin_payment(&house, &invoice, "open", Some(&intent)).await;
    let confirmed = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .post(format!("{}/v1/payment_intents/{intent}/confirm", world.stripe_url()))
        .bearer_auth("sk_test_simulated")
        .header("stripe-account", ACCOUNT)
        .form(&[("payment_method", "pm_card_visa")])
        .send()
        .await
        .unwrap();
    assert!(confirmed.status().is_success(), "{}", confirmed.text().await.unwrap());
    for (method, path, body) in endings(&invoice) {
        assert_eq!(house.call(method, &path, Some(body)).await.problem().1, "payment_in_progress", "{path}");
    }
    assert_eq!(house.count("invoices WHERE status = 'open' AND total_minor = 34800").await, 1);
    // What Stripe knows is fetched at once, not at the next reconcile.
    assert!(house.count("jobs WHERE kind = 'advance_payment'").await > 0);
}

#[tokio::test]
async fn a_payment_intent_that_stripe_does_not_know_leaves_the_invoice_as_it_is() {
    let world = World::start(WorldConfig::default()).await.unwrap();
    let house = House::with_stripe(&world.stripe_url()).await;
    let invoice = house.invoice("1").await;
    begin_payment(&house, &invoice, "open", Some("pi_nobody_knows")).await;
    let refused = house.post(&format!("/v1/invoices/{invoice}/cancel"), json!({})).await;
    assert_eq!(refused.problem().1, "payment_provider_unavailable");
    assert_eq!(house.count("invoices WHERE status = 'open'").await, 1);
}

#[tokio::test]
async fn a_payable_without_a_payment_intent_is_given_up_and_looked_for() {
    let house = House::new().await;
    let invoice = house.invoice("1").await;
    begin_payment(&house, &invoice, "open", None).await;
    let canceled =
        house.post(&format!("/v1/invoices/{invoice}/cancel"), json!({"note": "agreed by phone"})).await;
    assert_eq!(canceled.json()["status"], "canceled", "{}", canceled.text);
    assert_eq!(house.count("payables WHERE status = 'canceled'").await, 1);
    assert_eq!(house.count("jobs WHERE kind = 'cancel_payment'").await, 1);
}

#[tokio::test]
async fn when_stripe_cannot_be_asked_nothing_changes() {
    let house = House::new().await;
    let invoice = house.invoice("1").await;
    begin_payment(&house, &invoice, "open", Some("pi_1")).await;
    let before = house.rows().await;
    for (method, path, body) in endings(&invoice) {
        let (status, code, _) = house.call(method, &path, Some(body)).await.problem();
        assert_eq!((status, code.as_str()), (503, "payment_provider_unavailable"), "{path}");
    }
    assert_eq!(house.rows().await, before);
}

#[tokio::test]
async fn canceling_ends_the_link_the_holds_and_the_enrolment() {
    let house = House::new().await;
    let invoice = house.invoice("1").await;
    let campaign = house.made("/v1/campaigns", json!({"name": "Autumn"})).await;
    house.made(&format!("/v1/campaigns/{campaign}/enrolments"), json!({"invoice_id": invoice})).await;
    house.made(&format!("/v1/invoices/{invoice}/links"), json!({"channel": "email"})).await;
    house.made(&format!("/v1/invoices/{invoice}/holds"), json!({})).await;
    let path = format!("/v1/invoices/{invoice}/cancel");
    let canceled = house.post(&path, json!({})).await.json();
    assert_eq!((&canceled["status"], &canceled["on_hold"]), (&json!("canceled"), &json!(false)));
    for (table, ended) in [("links", "revoked"), ("enrolments", "ended")] {
        assert_eq!(house.count(&format!("{table} WHERE status = '{ended}'")).await, 1, "{table}");
    }
    assert_eq!(house.count("holds WHERE resolution = 'canceled'").await, 1);
    let rows = house.rows().await;
    assert_eq!(house.post(&path, json!({})).await.json(), canceled);
    assert_eq!(house.rows().await, rows);
    let late = house.post(&format!("/v1/invoices/{invoice}/paid-elsewhere"), json!({})).await;
    assert_eq!(late.problem().1, "invoice_closed");
    let late = house.post(&format!("/v1/invoices/{invoice}/links"), json!({})).await;
    assert_eq!(late.problem().1, "invoice_not_payable");
}
