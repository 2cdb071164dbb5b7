//! Who may see what at Stripe, in lists and one by one, and what the journal keeps.

use serde_json::{Value, json};

use crate::stripe_calls::{ACCOUNT, PUBLISHABLE, SECRET, code, confirm, create, get, post};
use crate::{client, world};

#[tokio::test]
async fn an_intent_is_only_on_its_own_account_and_only_for_its_own_secret() {
    let world = world().await;
    let intent = create(&world, "500").await;
    let id = intent["id"].as_str().unwrap();
    let url = format!("{}/v1/payment_intents/{id}", world.stripe_url());
    let elsewhere =
        client().get(&url).bearer_auth(SECRET).header("stripe-account", "acct_other").send().await.unwrap();
    assert_eq!(elsewhere.status(), 404);
    let nowhere = client().get(&url).bearer_auth(SECRET).send().await.unwrap();
    assert_eq!(nowhere.status(), 404);
    let browser = client().get(&url).bearer_auth(PUBLISHABLE).header("stripe-account", ACCOUNT);
    let without = browser.try_clone().unwrap().send().await.unwrap();
    assert_eq!(without.status(), 400);
    let wrong =
        browser.try_clone().unwrap().query(&[("client_secret", "pi_x_secret_y")]).send().await.unwrap();
    assert_eq!(wrong.status(), 400);
    let right =
        browser.query(&[("client_secret", intent["client_secret"].as_str().unwrap())]).send().await.unwrap();
    assert_eq!(right.status(), 200);
}

#[tokio::test]
async fn keys_versions_and_addresses_that_are_wrong_are_refused() {
    let world = world().await;
    let url = format!("{}/v1/payment_intents", world.stripe_url());
    assert_eq!(client().get(&url).send().await.unwrap().status(), 401);
    assert_eq!(client().get(&url).bearer_auth("sk_test_wrong").send().await.unwrap().status(), 401);
    assert_eq!(client().get(&url).bearer_auth(PUBLISHABLE).send().await.unwrap().status(), 403);
    assert_eq!(client().get(&url).basic_auth(SECRET, None::<&str>).send().await.unwrap().status(), 200);
    let old = client().get(&url).bearer_auth(SECRET).header("stripe-version", "2020-08-27");
    assert_eq!(old.send().await.unwrap().status(), 400);
    assert_eq!(get(&world, "/v1/payment_links").await.status, 404);
    let browser =
        post(&world, "/v1/payment_intents", PUBLISHABLE, None, &[("amount", "500"), ("currency", "usd")])
            .await;
    assert_eq!((browser.status, code(&browser)), (403, "secret_key_required"));
}

#[tokio::test]
async fn lists_are_filtered_by_time_and_type_and_stay_on_their_account() {
    let world = world().await;
    let first = create(&world, "500").await;
    world.clock().advance(10_000);
    let second = create(&world, "600").await;
    let since = second["created"].as_i64().unwrap();
    let recent = get(&world, &format!("/v1/payment_intents?created[gte]={since}")).await.body;
    assert_eq!((&recent["data"][0]["id"], recent["data"].as_array().unwrap().len()), (&second["id"], 1));
    confirm(&world, &first, "4242424242424242").await;
    let events = get(&world, "/v1/events?types[]=payment_intent.succeeded").await.body;
    assert_eq!(
        (events["data"].as_array().unwrap().len(), &events["data"][0]["account"]),
        (1, &json!(ACCOUNT))
    );
    let undelivered = get(&world, "/v1/events?delivery_success=false").await.body;
    assert_eq!(undelivered["data"].as_array().unwrap().len(), 4);
    let account = get(&world, &format!("/v1/accounts/{ACCOUNT}")).await.body;
    assert_eq!(account["settings"]["dashboard"]["display_name"], "Simulated business");
}

#[tokio::test]
async fn the_journal_keeps_every_request_and_no_card_number() {
    let world = world().await;
    let intent = create(&world, "500").await;
    confirm(&world, &intent, "4242424242424242").await;
    let lines = world.stripe().requests_jsonl();
    assert_eq!(lines.lines().count(), 2);
    assert!(!lines.contains("4242424242424242"));
    let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&first["path"], &first["tree"]["amount"], &first["status"]),
        (&json!("/v1/payment_intents"), &json!("500"), &json!(200))
    );
    assert_eq!(first["tree"]["allowed_payment_method_types"], json!(["card", "us_bank_account"]));
}

#[tokio::test]
async fn the_script_is_served_and_browsers_of_any_origin_may_call() {
    let world = world().await;
    let script = client().get(world.stripe_js_url()).send().await.unwrap();
    assert!(script.headers()["content-type"].to_str().unwrap().starts_with("text/javascript"));
    assert!(script.text().await.unwrap().contains("window.Stripe"));
    let url = format!("{}/v1/payment_intents/pi_1/confirm", world.stripe_url());
    let asked = client()
        .request(reqwest::Method::OPTIONS, url)
        .header("origin", "http://pay.example")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (asked.status().as_u16(), asked.headers()["access-control-allow-origin"].to_str().unwrap()),
        (204, "*")
    );
}
