//! Stripe's calls, its state machine over the wire, and its errors.

use serde_json::{Value, json};
use simulator::World;

use crate::{client, pairs, world};

pub(crate) const ACCOUNT: &str = "acct_bakery";
pub(crate) const SECRET: &str = "sk_test_simulated";
pub(crate) const PUBLISHABLE: &str = "pk_test_simulated";

pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) replayed: bool,
    pub(crate) body: Value,
}

pub(crate) async fn post(
    world: &World,
    path: &str,
    key: &str,
    idempotency: Option<&str>,
    form: &[(&str, &str)],
) -> Said {
    let mut request = client()
        .post(format!("{}{path}", world.stripe_url()))
        .bearer_auth(key)
        .header("stripe-account", ACCOUNT)
        .header("stripe-version", "2026-09-30.endive")
        .form(&pairs(form));
    if let Some(idempotency) = idempotency {
        request = request.header("idempotency-key", idempotency);
    }
    said(request.send().await.unwrap()).await
}

pub(crate) async fn get(world: &World, path: &str) -> Said {
    let request = client().get(format!("{}{path}", world.stripe_url())).bearer_auth(SECRET);
    said(request.header("stripe-account", ACCOUNT).send().await.unwrap()).await
}

async fn said(answer: reqwest::Response) -> Said {
    Said {
        status: answer.status().as_u16(),
        replayed: answer.headers().contains_key("idempotent-replayed"),
        body: answer.json().await.unwrap(),
    }
}

pub(crate) async fn create(world: &World, amount: &str) -> Value {
    let form = [
        ("amount", amount),
        ("currency", "usd"),
        ("application_fee_amount", "100"),
        ("allowed_payment_method_types[0]", "card"),
        ("allowed_payment_method_types[1]", "us_bank_account"),
        ("metadata[postcall_invoice]", "inv_1"),
    ];
    let said = post(world, "/v1/payment_intents", SECRET, None, &form).await;
    assert_eq!(said.status, 200, "{}", said.body);
    said.body
}

pub(crate) async fn confirm(world: &World, intent: &Value, number: &str) -> Said {
    let path = format!("/v1/payment_intents/{}/confirm", intent["id"].as_str().unwrap());
    let form = [
        ("client_secret", intent["client_secret"].as_str().unwrap()),
        ("payment_method_data[type]", "card"),
        ("payment_method_data[card][number]", number),
        ("payment_method_data[card][exp_month]", "12"),
        ("payment_method_data[card][exp_year]", "40"),
        ("payment_method_data[card][cvc]", "123"),
    ];
    post(world, &path, PUBLISHABLE, None, &form).await
}

async fn answer_bank(world: &World, intent: &Value, outcome: &str) -> Said {
    let form = [
        ("payment_intent", intent["id"].as_str().unwrap()),
        ("client_secret", intent["client_secret"].as_str().unwrap()),
        ("outcome", outcome),
    ];
    post(world, "/v1/3ds2/authenticate", PUBLISHABLE, None, &form).await
}

pub(crate) fn code(said: &Said) -> &str {
    said.body["error"]["code"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_card_payment_leads_to_one_charge_with_its_fees() {
    let world = world().await;
    let intent = create(&world, "12345").await;
    assert_eq!(intent["payment_method_types"], json!(["card", "us_bank_account"]));
    let paid = confirm(&world, &intent, "4242424242424242").await;
    assert_eq!((paid.status, &paid.body["status"]), (200, &json!("succeeded")));
    assert!(paid.body.get("application_fee_amount").is_none(), "a browser is not told the fee");

    let id = intent["id"].as_str().unwrap();
    let path = format!("/v1/payment_intents/{id}?expand[]=latest_charge.balance_transaction");
    let seen = get(&world, &path).await.body;
    let transaction = &seen["latest_charge"]["balance_transaction"];
    assert_eq!((&seen["amount_received"], &seen["latest_charge"]["paid"]), (&json!(12_345), &json!(true)));
    assert_eq!((&transaction["fee"], &transaction["net"]), (&json!(358 + 30 + 100), &json!(12_345 - 488)));

    let charge = seen["latest_charge"]["id"].as_str().unwrap();
    let charge = get(&world, &format!("/v1/charges/{charge}")).await.body;
    let path = format!("/v1/balance_transactions/{}", charge["balance_transaction"].as_str().unwrap());
    assert_eq!(get(&world, &path).await.body["source"], charge["id"]);
    assert_eq!(world.stripe().payment_views()[0].charges_succeeded, 1);
}

#[tokio::test]
async fn a_second_confirmation_of_a_paid_intent_is_an_unexpected_state() {
    let world = world().await;
    let intent = create(&world, "500").await;
    confirm(&world, &intent, "4242424242424242").await;
    let again = confirm(&world, &intent, "4242424242424242").await;
    assert_eq!((again.status, code(&again)), (400, "payment_intent_unexpected_state"));
    assert_eq!(again.body["error"]["payment_intent"]["status"], "succeeded");
    assert_eq!(world.stripe().payment_views()[0].charges_succeeded, 1);
}

#[tokio::test]
async fn a_declined_card_can_be_followed_by_a_good_one() {
    let world = world().await;
    let intent = create(&world, "500").await;
    let declined = confirm(&world, &intent, "4000000000009995").await;
    assert_eq!((declined.status, code(&declined)), (402, "card_declined"));
    assert_eq!(declined.body["error"]["decline_code"], "insufficient_funds");
    assert_eq!(declined.body["error"]["payment_intent"]["status"], "requires_payment_method");
    assert_eq!(confirm(&world, &intent, "4242424242424242").await.body["status"], "succeeded");
    let view = &world.stripe().payment_views()[0];
    assert_eq!((view.charges_succeeded, view.charges_failed), (1, 1));
}

#[tokio::test]
async fn the_bank_may_ask_and_the_customer_may_pass_or_fail() {
    let world = world().await;
    let intent = create(&world, "500").await;
    let asked = confirm(&world, &intent, "4000000000003220").await;
    assert_eq!(
        (&asked.body["status"], &asked.body["next_action"]["type"]),
        (&json!("requires_action"), &json!("use_stripe_sdk"))
    );
    let failed = answer_bank(&world, &intent, "fail").await;
    assert_eq!(failed.body["status"], "requires_payment_method");
    assert_eq!(failed.body["last_payment_error"]["code"], "payment_intent_authentication_failure");
    confirm(&world, &intent, "4000002500003155").await;
    assert_eq!(answer_bank(&world, &intent, "complete").await.body["status"], "succeeded");
    assert_eq!(code(&answer_bank(&world, &intent, "complete").await), "payment_intent_unexpected_state");
}

#[tokio::test]
async fn a_bank_debit_is_processing_until_it_settles_and_cannot_be_canceled() {
    let world = world().await;
    let intent = create(&world, "500").await;
    let id = intent["id"].as_str().unwrap();
    let form = [
        ("client_secret", intent["client_secret"].as_str().unwrap()),
        ("payment_method_data[type]", "us_bank_account"),
        ("payment_method_data[us_bank_account][account_number]", "000123456789"),
        ("payment_method_data[us_bank_account][routing_number]", "110000000"),
        ("payment_method_data[billing_details][name]", "Ada"),
    ];
    let path = format!("/v1/payment_intents/{id}");
    let confirmed = post(&world, &format!("{path}/confirm"), PUBLISHABLE, None, &form).await;
    assert_eq!(confirmed.body["status"], "processing");
    let canceled = post(&world, &format!("{path}/cancel"), SECRET, None, &[]).await;
    assert_eq!(code(&canceled), "payment_intent_unexpected_state");
    world.stripe().settle(id, false).unwrap();
    let returned = get(&world, &path).await.body;
    assert_eq!(
        (&returned["status"], &returned["last_payment_error"]["decline_code"]),
        (&json!("requires_payment_method"), &json!("insufficient_funds"))
    );
    assert!(world.stripe().settle(id, true).is_err());
}

#[tokio::test]
async fn a_canceled_intent_can_no_longer_be_paid() {
    let world = world().await;
    let intent = create(&world, "500").await;
    let path = format!("/v1/payment_intents/{}/cancel", intent["id"].as_str().unwrap());
    let canceled = post(&world, &path, SECRET, None, &[("cancellation_reason", "abandoned")]).await;
    assert_eq!(
        (&canceled.body["status"], &canceled.body["cancellation_reason"]),
        (&json!("canceled"), &json!("abandoned"))
    );
    assert_eq!(code(&confirm(&world, &intent, "4242424242424242").await), "payment_intent_unexpected_state");
}
