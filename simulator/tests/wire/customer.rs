//! Customers and scanners, against a small pay page that keeps the contract of the real one.

use std::sync::{Arc, Mutex};

use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use simulator::World;
use simulator::bots::Scanner;
use simulator::people::{AtTheBank, Attempt, Card, Customer};

use crate::stripe_calls::create;
use crate::world;

#[derive(Clone)]
struct Shop {
    world: Arc<World>,
    intent: Value,
    log: Arc<Mutex<Vec<String>>>,
}

async fn shop() -> (Shop, String) {
    let world = Arc::new(world().await);
    let intent = create(&world, "500").await;
    let shop = Shop { world, intent, log: Arc::default() };
    let routes = Router::new()
        .route("/p/{token}", get(page))
        .route("/p", get(page_by_cookie))
        .route("/p/opened", post(opened))
        .route("/p/pay", post(pay))
        .route("/p/result", post(result))
        .route("/p/question", post(question))
        .with_state(shop.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let link = format!("http://{}/p/tok", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (shop, link)
}

impl Shop {
    fn note(&self, what: &str) {
        self.log.lock().unwrap().push(what.to_owned());
    }

    fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    fn status(&self) -> String {
        let intent = self.world.stripe().payment_intent(self.intent["id"].as_str().unwrap()).unwrap();
        intent["status"].as_str().unwrap().to_owned()
    }

    fn html(&self) -> Html<String> {
        if self.status() == "succeeded" {
            return Html("<h1>Paid</h1>".into());
        }
        let config = json!({
            "token": "tok", "publishable_key": "pk_test_simulated", "account": "acct_bakery", "amount_minor": 500,
            "currency": "usd", "revision": 1, "stripe_js_url": self.world.stripe_js_url(),
            "return_url": "http://127.0.0.1/p", "locale": "en", "state": "open", "strings": {},
        });
        Html(format!(
            r#"<script type="application/json" id="pay-config">{config}</script>
            <form method="post" action="/p/question"><input type="hidden" name="token" value="tok">
            <textarea name="message"></textarea><button>Send</button></form>"#
        ))
    }
}

async fn page(State(shop): State<Shop>, Path(_): Path<String>) -> Response {
    ([("set-cookie", "pl=tok; Path=/p; HttpOnly; SameSite=Lax")], shop.html()).into_response()
}

fn has_cookie(headers: &HeaderMap) -> bool {
    headers.get("cookie").is_some_and(|cookie| cookie.to_str().unwrap().contains("pl=tok"))
}

fn from_the_page(headers: &HeaderMap) -> bool {
    let origin = headers.get("origin").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let host = headers["host"].to_str().unwrap();
    headers.get("sec-fetch-site").is_some_and(|site| site == "same-origin")
        && origin == format!("http://{host}")
}

async fn page_by_cookie(State(shop): State<Shop>, headers: HeaderMap) -> Response {
    if has_cookie(&headers) { shop.html().into_response() } else { StatusCode::NOT_FOUND.into_response() }
}

async fn opened(State(shop): State<Shop>, headers: HeaderMap, Json(_): Json<Value>) -> StatusCode {
    shop.note("opened");
    if from_the_page(&headers) && has_cookie(&headers) {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::FORBIDDEN
    }
}

async fn pay(State(shop): State<Shop>, headers: HeaderMap, Json(asked): Json<Value>) -> Response {
    shop.note("pay");
    if !from_the_page(&headers) || asked != json!({ "token": "tok", "revision": 1, "amount_minor": 500 }) {
        return StatusCode::FORBIDDEN.into_response();
    }
    if shop.status() == "succeeded" {
        return (StatusCode::CONFLICT, Json(json!({ "code": "already_paid" }))).into_response();
    }
    Json(json!({ "client_secret": shop.intent["client_secret"] })).into_response()
}

async fn result(State(shop): State<Shop>, Json(_): Json<Value>) -> Json<Value> {
    Json(json!({ "state": shop.status() }))
}

async fn question(State(shop): State<Shop>, Form(form): Form<Vec<(String, String)>>) -> StatusCode {
    let message = form.iter().find(|(name, _)| name == "message").map(|(_, value)| value.clone()).unwrap();
    if message.trim().is_empty() {
        return StatusCode::UNPROCESSABLE_ENTITY;
    }
    shop.note(&format!("question: {message}"));
    StatusCode::CREATED
}

#[tokio::test]
async fn a_customer_pays_and_sees_the_receipt() {
    let (shop, link) = shop().await;
    let paid = Customer::new().unwrap().pay(&link, &Card::good()).await.unwrap();
    assert!(matches!(paid, Attempt::Paid(page) if page.body.contains("Paid")));
    assert_eq!(shop.log(), ["opened", "pay"]);
    assert_eq!(shop.world.stripe().payment_views()[0].charges_succeeded, 1);
}

#[tokio::test]
async fn a_declined_customer_can_try_again_and_a_second_tab_is_refused() {
    let (shop, link) = shop().await;
    let (mut ada, mut bob) = (Customer::new().unwrap(), Customer::new().unwrap());
    let other_tab = bob.open(&link).await.unwrap();
    let declined = ada.pay(&link, &Card::declined()).await.unwrap();
    assert!(matches!(declined, Attempt::Declined { code, .. } if code == "card_declined"));
    assert!(matches!(ada.pay(&link, &Card::checked_by_bank()).await.unwrap(), Attempt::Paid(_)));
    let late = bob.pay_on(&other_tab, &Card::good(), AtTheBank::Complete).await.unwrap();
    assert!(matches!(late, Attempt::Refused { status: 409, code } if code == "already_paid"));
    assert_eq!(shop.world.stripe().payment_views()[0].charges_succeeded, 1);
}

#[tokio::test]
async fn failing_at_the_bank_is_a_decline() {
    let (_shop, link) = shop().await;
    let mut ada = Customer::new().unwrap();
    let page = ada.open(&link).await.unwrap();
    let failed = ada.pay_on(&page, &Card::checked_by_bank(), AtTheBank::Fail).await.unwrap();
    assert!(
        matches!(failed, Attempt::Declined { code, .. } if code == "payment_intent_authentication_failure")
    );
}

#[tokio::test]
async fn a_question_goes_through_the_pages_own_form() {
    let (shop, link) = shop().await;
    let thanked = Customer::new().unwrap().ask_question(&link, "Why twice?").await.unwrap();
    assert_eq!((thanked.status, shop.log()), (201, vec!["question: Why twice?".to_owned()]));
}

#[tokio::test]
async fn scanners_fetch_and_post_but_ask_nothing() {
    let (shop, link) = shop().await;
    for scanner in Scanner::ALL {
        scanner.scan(&link).await.unwrap();
    }
    let answers = Scanner::PostForms.scan(&link).await.unwrap();
    assert_eq!(answers.iter().map(|page| page.status).collect::<Vec<_>>(), [200, 422]);
    assert!(shop.log().is_empty());
}
