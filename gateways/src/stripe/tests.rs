#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod creating;
mod knowing;

use domain::money::{Currency, Money};
use serde_json::{Value, json};

use super::*;
use crate::scripted_server::{Act, Heard, ScriptedServer, answer, json as reply, nobody};

const ACCOUNT: &str = "acct_1";

fn gateway(base_url: &str, timeout_ms: u64) -> StripeGateway {
    let secret_key = SecretString::from("sk_test_1");
    StripeGateway::new(StripeConfig { secret_key, base_url: base_url.to_owned(), timeout_ms }).unwrap()
}

fn wanted() -> CreatePaymentIntent {
    let metadata = [("postcall_invoice", "inv_1"), ("postcall_payable", "pbl_1"), ("postcall_revision", "3")];
    CreatePaymentIntent {
        account: ACCOUNT.to_owned(),
        amount: Money { amount_minor: 12_345, currency: Currency::USD },
        application_fee_minor: Some(1_234),
        description: "Invoice INV-7 & more".to_owned(),
        metadata: metadata.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        statement_descriptor_suffix: None,
        payment_method_types: vec![PaymentMethodType::Card],
        idempotency_key: "pi:create:pbl_1".to_owned(),
    }
}

/// Objects with every key that Stripe documents for this API version.
fn fixture(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

fn intent(id: &str, status: &str) -> Value {
    let received = if status == "succeeded" { 12_345 } else { 0 };
    let changes = json!({
        "id": id, "status": status, "client_secret": format!("{id}_secret_x"), "amount_received": received,
    });
    with(fixture(include_str!("fixtures/payment_intent.json")), &changes)
}

fn charge() -> Value {
    fixture(include_str!("fixtures/charge.json"))
}

fn with(mut object: Value, changes: &Value) -> Value {
    for (key, value) in changes.as_object().unwrap() {
        object[key] = value.clone();
    }
    object
}

fn refusal(kind: &str, code: &str) -> Value {
    json!({"error": {"type": kind, "code": code, "message": "no", "request_log_url": "https://dashboard"}})
}

async fn create_against(act: Act) -> (Result<PaymentIntent, StripeError>, ScriptedServer) {
    let server = ScriptedServer::start([act]).await;
    let made = gateway(&server.url, 2_000).create_payment_intent(&wanted()).await;
    (made, server)
}

fn field<'a>(form: &'a [(String, String)], name: &str) -> Option<&'a str> {
    form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn form(heard: &Heard) -> Vec<(String, String)> {
    serde_urlencoded::from_bytes(&heard.body).unwrap()
}

#[tokio::test]
async fn ids_and_keys_that_would_leave_their_place_are_not_sent() {
    let server = ScriptedServer::start([Act::Silence]).await;
    let gateway = gateway(&server.url, 2_000);
    for id in ["", "../accounts", "pi_1?x=1", "pi 1", "pi_1/cancel"] {
        let fetched = gateway.retrieve_payment_intent(ACCOUNT, id).await;
        assert!(matches!(fetched, Err(StripeError::Rejected { .. })), "{id}");
    }
    for key in [String::new(), "k".repeat(256)] {
        let made =
            gateway.create_payment_intent(&CreatePaymentIntent { idempotency_key: key, ..wanted() }).await;
        assert!(matches!(made, Err(StripeError::Rejected { .. })));
    }
    let foreign = CreatePaymentIntent { account: "acct\r\nx: y".to_owned(), ..wanted() };
    assert!(matches!(gateway.create_payment_intent(&foreign).await, Err(StripeError::Rejected { .. })));
    assert_eq!(server.connections(), 0);
}

#[test]
fn settings_that_cannot_work_are_refused_and_the_key_is_not_printed() {
    let config = |key: &str, base_url: &str| StripeConfig {
        secret_key: SecretString::from(key),
        base_url: base_url.to_owned(),
        timeout_ms: 1,
    };
    assert!(StripeGateway::new(config("", "http://stripe")).is_err());
    assert!(StripeGateway::new(config("sk_test_1", "no url at all")).is_err());
    assert!(StripeGateway::new(config("sk\n1", "http://stripe")).is_err());
    assert!(!format!("{:?}", config("sk_test_1", "http://stripe")).contains("sk_test_1"));
}
