//! How often somebody may ask, what whoever asks more often gets, and who is always heard.

use std::net::{IpAddr, SocketAddr};

use api::LimitSettings;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use domain::scope::Scopes;
use serde_json::json;

use crate::house::{House, Reply, event_input, request};
use crate::setup::key;

/// Ten at once, then one a second.
const TEN: u32 = 60;

fn none() -> LimitSettings {
    LimitSettings {
        key_per_minute: 0,
        address_per_minute: 0,
        events_per_minute: 0,
        recipient_per_hour: 0,
        trusted_proxies: Vec::new(),
    }
}

/// A request from this address.
fn from(address: &str, mut asked: Request<Body>) -> Request<Body> {
    let address: IpAddr = address.parse().unwrap();
    asked.extensions_mut().insert(ConnectInfo(SocketAddr::new(address, 4_711)));
    asked
}

fn held_back(reply: &Reply) -> bool {
    if reply.status.as_u16() != 429 {
        return false;
    }
    let wait: u64 = reply.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=3_600).contains(&wait), "{wait}");
    true
}

/// How many of the next `count` are let through.
async fn let_through(house: &House, count: usize, asked: impl Fn() -> Request<Body>) -> usize {
    let mut through = 0;
    for _ in 0..count {
        through += usize::from(!held_back(&house.send(asked()).await));
    }
    through
}

fn form(path: &str, text: String) -> Request<Body> {
    let asked = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
    asked.body(Body::from(text)).unwrap()
}

#[tokio::test]
async fn a_key_that_asks_too_often_waits_and_no_other_key_with_it() {
    let house = House::limited(LimitSettings { key_per_minute: TEN, ..none() }).await;
    let list = || request("GET", "/v1/invoices", &house.ours.key, None);
    let through = let_through(&house, 20, list).await;
    assert!((10..15).contains(&through), "{through}");
    let refused = house.send(list()).await;
    assert_eq!(refused.problem(), (429, "too_many_requests".to_owned(), String::new()));
    let question = request("POST", "/v1/call-permission", &house.ours.key, Some(json!({"invoice_id": "x"})));
    assert!(held_back(&house.send(question).await));
    let second = key(&house.api, &house.ours.id, &Scopes::all()).await;
    for other in [&second, &house.theirs.key] {
        let answered = house.send(request("GET", "/v1/invoices", other, None)).await;
        assert_eq!(answered.status.as_u16(), 200);
    }
    // Events have a limit of their own.
    let event = event_input("call-1", "INV-1", "none");
    assert_eq!(house.post("/v1/events", event).await.status.as_u16(), 202);
}

#[tokio::test]
async fn only_a_flood_of_events_is_held_back_and_what_was_answered_2xx_is_kept() {
    let house = House::limited(LimitSettings { events_per_minute: TEN, ..none() }).await;
    let mut kept = 0;
    for call in 0..30 {
        let event = event_input(&format!("call-{call}"), "INV-1", "none");
        let reply = house.post("/v1/events", event).await;
        if held_back(&reply) {
            continue;
        }
        assert_eq!(reply.status.as_u16(), 202);
        kept += 1;
    }
    assert!((10..25).contains(&kept), "{kept}");
    assert_eq!(house.count("call_events").await, kept);
    let theirs =
        request("POST", "/v1/events", &house.theirs.key, Some(event_input("call-1", "INV-1", "none")));
    assert_eq!(house.send(theirs).await.status.as_u16(), 202);
}

#[tokio::test]
async fn an_address_that_tries_keys_is_held_back_and_a_good_key_from_there_is_not() {
    let house = House::limited(LimitSettings { address_per_minute: TEN, ..none() }).await;
    let wrong = format!("{}x", &house.ours.key[..house.ours.key.len() - 1]);
    let guess = || from("203.0.113.7", request("GET", "/v1/invoices", &wrong, None));
    let through = let_through(&house, 20, guess).await;
    assert!((10..15).contains(&through), "{through}");
    let unsigned = || {
        let mut event = request("POST", "/v1/events", "", Some(json!({"merchant_id": house.ours.id})));
        event.headers_mut().remove("authorization");
        event.headers_mut().insert("webhook-signature", "v1,x".parse().unwrap());
        from("203.0.113.7", event)
    };
    assert!(held_back(&house.send(unsigned()).await));
    let good = from("203.0.113.7", request("GET", "/v1/invoices", &house.ours.key, None));
    assert_eq!(house.send(good).await.status.as_u16(), 200);
    let elsewhere = from("203.0.113.8", request("GET", "/v1/invoices", &wrong, None));
    assert_eq!(house.send(elsewhere).await.status.as_u16(), 401);
}

#[tokio::test]
async fn an_address_gets_only_so_many_pages_whatever_it_says_of_itself() {
    let house = House::limited(LimitSettings { address_per_minute: TEN, ..none() }).await;
    let number = std::sync::atomic::AtomicUsize::new(0);
    let page = || {
        let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mut asked = request("GET", "/p/unknown", "", None);
        asked.headers_mut().insert("x-forwarded-for", format!("198.51.100.{number}").parse().unwrap());
        from("203.0.113.7", asked)
    };
    let through = let_through(&house, 20, page).await;
    assert!((10..15).contains(&through), "{through}");
    let refused = house.send(page()).await;
    assert_eq!(refused.headers["content-type"], "text/html; charset=utf-8");
    assert!(refused.headers.contains_key("content-security-policy"));
    let mut script = page();
    script.headers_mut().insert("accept", "application/json".parse().unwrap());
    assert_eq!(house.send(script).await.problem().1, "too_many_requests");
    assert!(held_back(&house.send(from("203.0.113.7", request("GET", "/docs", "", None))).await));
    let asset = from("203.0.113.7", request("GET", "/assets/none.css", "", None));
    assert_eq!(house.send(asset).await.status.as_u16(), 404);
}

#[tokio::test]
async fn behind_a_proxy_that_is_known_everybody_has_an_address_of_their_own() {
    let trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    let house = House::limited(LimitSettings { address_per_minute: TEN, trusted_proxies, ..none() }).await;
    let page = |client: &str| {
        let mut asked = request("GET", "/p/unknown", "", None);
        asked.headers_mut().insert("x-forwarded-for", format!("1.1.1.1, {client}").parse().unwrap());
        from("10.0.0.9", asked)
    };
    assert!(let_through(&house, 20, || page("203.0.113.7")).await < 15);
    assert_eq!(house.send(page("203.0.113.8")).await.status.as_u16(), 404);
}

#[tokio::test]
async fn a_question_on_a_link_is_heard_from_anywhere_and_a_guess_is_not() {
    let house = House::limited(LimitSettings { address_per_minute: TEN, ..none() }).await;
    let invoice = house.invoice("1").await;
    let link = house.made(&format!("/v1/invoices/{invoice}/links"), json!({})).await;
    let token = house.api.keyring.link_token("k1", &link.parse().unwrap()).unwrap();
    let guess = || from("203.0.113.7", form("/p/question", format!("token={}&message=Why", "A".repeat(43))));
    let through = let_through(&house, 20, guess).await;
    assert!((10..15).contains(&through), "{through}");
    let asked = form("/p/question", format!("token={}&message=Why", token.expose()));
    assert_eq!(house.send(from("203.0.113.7", asked)).await.status.as_u16(), 201);
    assert_eq!(house.count("holds").await, 1);
}

#[tokio::test]
async fn one_customer_is_not_sent_link_after_link() {
    let house = House::limited(LimitSettings { recipient_per_hour: 6, ..none() }).await;
    let customer = house.made("/v1/customers", json!({"name": "Dana Fields", "phone": "+14155550142"})).await;
    let mut sent = Vec::new();
    for number in 0..5 {
        let invoice = json!({"number": number.to_string(), "currency": "USD", "due_on": "2026-11-30", "customer_id": customer,
            "line_items": [{"description": "Hull cleaning", "quantity": 1, "unit_minor": 34_800}]});
        let invoice = house.made("/v1/invoices", invoice).await;
        let reply = house.post(&format!("/v1/invoices/{invoice}/links"), json!({})).await;
        sent.push(reply.status.as_u16());
        assert!(reply.status.as_u16() != 429 || held_back(&reply));
    }
    assert_eq!(sent, [201, 201, 429, 429, 429]);
    assert_eq!(house.count("links").await, 2);
    let other = house.invoice("other").await;
    house.made(&format!("/v1/invoices/{other}/links"), json!({})).await;
}

#[tokio::test]
async fn the_webhooks_of_carrier_and_stripe_have_no_such_limit() {
    let strict = LimitSettings { key_per_minute: 6, address_per_minute: 6, events_per_minute: 6, ..none() };
    let house = House::limited(strict).await;
    for path in ["/webhooks/stripe", "/webhooks/carrier/inbound", "/webhooks/carrier/status/att_1"] {
        let through = let_through(&house, 100, || from("203.0.113.7", form(path, "a=b".to_owned()))).await;
        assert_eq!(through, 100, "{path}");
    }
}
