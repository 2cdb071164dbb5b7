#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use serde_json::{Value, json};
use simulator::ProductEndpoints;
use simulator::people::Card;
use simulator::stripe::{Knobs, Mode, Order};

use crate::pay_page::tests::house::House;

/// Posts an event; says the status and the disposition, or the problem's code.
async fn post(house: &House, body: &str, signature: Option<String>) -> (u16, String) {
    let client = gateways::http::client(Duration::from_secs(5), gateways::http::Reach::Anywhere).unwrap();
    let mut request = client.post(format!("{}/webhooks/stripe", house.url)).body(body.to_owned());
    if let Some(signature) = signature {
        request = request.header("stripe-signature", signature);
    }
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let said: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    let word = said["disposition"].as_str().or(said["code"].as_str()).unwrap_or_default();
    (status, word.to_owned())
}

fn signed(house: &House, body: &str) -> Option<String> {
    Some(simulator::signatures::stripe("whsec_simulated", house.api.now().seconds(), body))
}

fn event(id: &str, account: &str, intent_id: &str) -> Value {
    json!({
        "id": id, "object": "event", "type": "payment_intent.succeeded", "account": account, "livemode": false,
        "data": {"object": {"id": intent_id, "object": "payment_intent"}},
    })
}

/// A house in which the customer has pressed Pay; says the PaymentIntent.
async fn begun() -> (House, String) {
    let house = House::new().await;
    let mut customer = house.customer();
    let page = customer.open(&house.link).await.unwrap();
    let secret = customer.begin(&page).await.unwrap().unwrap();
    let intent_id = secret.split("_secret_").next().unwrap().to_owned();
    (house, intent_id)
}

#[tokio::test]
async fn an_event_of_a_payable_is_stored_once_and_queues_one_look() {
    let (house, intent_id) = begun().await;
    let body = event("evt_1", "acct_alder", &intent_id).to_string();
    assert_eq!(post(&house, &body, signed(&house, &body)).await, (200, "accepted".to_owned()));
    assert_eq!(post(&house, &body, signed(&house, &body)).await, (200, "duplicate".to_owned()));
    assert_eq!(house.word("SELECT body AS word FROM stripe_events").await, body);
    assert_eq!(house.count("jobs WHERE kind = 'advance_payment' AND unique_key = 'evt_1'").await, 1);
    assert_eq!(house.standing().await, "open 0 sent open", "a hint moves no money");
    let again = event("evt_2", "acct_alder", &intent_id).to_string();
    assert_eq!(post(&house, &again, signed(&house, &again)).await.1, "accepted");
    assert_eq!(house.count("jobs WHERE kind = 'advance_payment'").await, 2);
}

#[tokio::test]
async fn what_is_not_ours_is_stored_and_left_alone() {
    let (house, intent_id) = begun().await;
    let mut live = event("evt_1", "acct_alder", &intent_id);
    live["livemode"] = json!(true);
    let mut of_platform = event("evt_2", "", &intent_id);
    of_platform.as_object_mut().unwrap().remove("account");
    let events = [
        live,
        of_platform,
        event("evt_3", "acct_somebody", &intent_id),
        event("evt_4", "acct_alder", "pi_somebodys"),
        json!({"id": "evt_5", "type": "customer.created", "account": "acct_alder", "livemode": false}),
    ];
    for body in events.map(|event| event.to_string()) {
        assert_eq!(post(&house, &body, signed(&house, &body)).await, (200, "ignored".to_owned()), "{body}");
    }
    assert_eq!((house.count("stripe_events").await, house.count("jobs").await), (5, 0));
}

#[tokio::test]
async fn a_signature_that_does_not_hold_stores_nothing() {
    let (house, intent_id) = begun().await;
    let body = event("evt_1", "acct_alder", &intent_id).to_string();
    let now_s = house.api.now().seconds();
    let signatures = [
        None,
        Some(String::new()),
        Some("t=1,v1=00".to_owned()),
        Some(simulator::signatures::stripe("whsec_other", now_s, &body)),
        Some(simulator::signatures::stripe("whsec_simulated", now_s - 301, &body)),
        Some(simulator::signatures::stripe("whsec_simulated", now_s, "{}")),
    ];
    for signature in signatures {
        assert_eq!(post(&house, &body, signature).await, (400, "invalid_signature".to_owned()));
    }
    assert_eq!(
        post(&house, "not json", signed(&house, "not json")).await,
        (400, "malformed_request".to_owned())
    );
    let large = "x".repeat(1024 * 1024 + 1);
    assert_eq!(post(&house, &large, signed(&house, &large)).await, (413, "body_too_large".to_owned()));
    assert_eq!(house.count("stripe_events").await, 0);
}

#[tokio::test]
async fn stripes_own_deliveries_are_all_taken_in_any_order_and_number() {
    let house = House::new().await;
    let hooks = house.world.stripe().webhooks();
    house.world.connect(ProductEndpoints {
        stripe_webhook_url: Some(format!("{}/webhooks/stripe", house.url)),
        ..ProductEndpoints::default()
    });
    hooks.set_knobs(Knobs { mode: Mode::Hold, ..Knobs::default() });
    house.customer().pay(&house.link, &Card::good()).await.unwrap();
    let sent = hooks.release(Order::Reversed);
    assert!(sent >= 2, "at least the charge and the PaymentIntent");
    let all = |deliveries: &[simulator::stripe::Delivery]| deliveries.len() == sent;
    let arrived = async {
        while !hooks.deliveries().read(|d| all(d)) {
            tokio::task::yield_now().await
        }
    };
    tokio::time::timeout(Duration::from_secs(10), arrived).await.unwrap();
    assert!(hooks.deliveries().read(|all| all.iter().all(|one| one.status == Some(200))));
    assert_eq!(house.count("stripe_events").await, i64::try_from(sent).unwrap());
    assert_eq!(house.standing().await, "paid 12345 used succeeded");
}
