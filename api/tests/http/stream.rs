//! The stream of changes: live, resumed, and each merchant's own.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::Request;
use futures::StreamExt;
use serde_json::json;
use tower::ServiceExt;

use crate::house::{House, request};

const PATIENCE: Duration = Duration::from_secs(20);

struct Listener {
    body: BodyDataStream,
    heard: String,
}

impl Listener {
    async fn open(house: &House, key: &str, last: Option<&str>) -> Self {
        let mut asked: Request<Body> = request("GET", "/v1/stream", key, None);
        if let Some(last) = last {
            asked.headers_mut().insert("last-event-id", last.parse().unwrap());
        }
        let response = house.public.clone().oneshot(asked).await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body().into_data_stream(), heard: String::new() }
    }

    /// Reads until the text appears; then says the ids heard so far.
    async fn hear(&mut self, text: &str) -> Vec<String> {
        let reading = async {
            while !self.heard.contains(text) {
                let chunk = self.body.next().await.expect("the stream goes on").unwrap();
                self.heard.push_str(std::str::from_utf8(&chunk).unwrap());
            }
        };
        tokio::time::timeout(PATIENCE, reading)
            .await
            .unwrap_or_else(|_| panic!("{text} was not heard: {}", self.heard));
        self.heard.lines().filter_map(|line| line.strip_prefix("id: ")).map(str::to_owned).collect()
    }
}

#[tokio::test]
async fn a_listener_hears_its_own_changes_and_nobody_elses() {
    let house = House::new().await;
    let mut ours = Listener::open(&house, &house.ours.key, None).await;
    let mut theirs = Listener::open(&house, &house.theirs.key, None).await;
    let invoice = house.invoice("1").await;
    ours.hear(&invoice).await;
    assert!(ours.heard.contains("event: change"), "{}", ours.heard);
    let made = request("POST", "/v1/invoices", &house.theirs.key, Some(crate::house::invoice_input("2")));
    let other = house.send(made).await.json()["id"].as_str().unwrap().to_owned();
    theirs.hear(&other).await;
    assert!(!theirs.heard.contains(&invoice), "{}", theirs.heard);
}

#[tokio::test]
async fn a_listener_that_was_away_hears_what_it_missed() {
    let house = House::new().await;
    let mut first = Listener::open(&house, &house.ours.key, None).await;
    let invoice = house.invoice("1").await;
    let last = first.hear(&invoice).await.pop().unwrap();
    drop(first);
    house.made(&format!("/v1/invoices/{invoice}/holds"), json!({})).await;
    let mut again = Listener::open(&house, &house.ours.key, Some(&last)).await;
    again.hear("hold_opened").await;
    house.post(&format!("/v1/invoices/{invoice}/cancel"), json!({})).await;
    again.hear("invoice_canceled").await;
}

#[tokio::test]
async fn an_unknown_last_event_is_named_and_shutdown_ends_the_stream() {
    let house = House::new().await;
    for last in ["nonsense", "tle_00000000000000000000000000"] {
        let mut asked = request("GET", "/v1/stream", &house.ours.key, None);
        asked.headers_mut().insert("last-event-id", last.parse().unwrap());
        assert_eq!(house.send(asked).await.problem().2, "Last-Event-ID");
    }
    let mut listener = Listener::open(&house, &house.ours.key, None).await;
    house.api.shutdown.cancel();
    let ended = tokio::time::timeout(PATIENCE, async { while listener.body.next().await.is_some() {} }).await;
    assert!(ended.is_ok());
}

#[tokio::test]
async fn a_stream_ends_with_its_key_and_no_other_with_it() {
    let house = House::new().await;
    let second = crate::setup::key(&house.api, &house.ours.id, &domain::scope::Scopes::all()).await;
    let mut leaked = Listener::open(&house, &house.ours.key, None).await;
    let mut good = Listener::open(&house, &second, None).await;
    let keys = entities::api_key::of_merchant(&house.api.db.read, &house.ours.id).await.unwrap();
    let now = house.api.now();
    assert!(entities::api_key::revoke(&house.api.db.write, &keys[0].id, now).await.unwrap());
    let end = async { while leaked.body.next().await.is_some() {} };
    assert!(tokio::time::timeout(Duration::from_secs(10), end).await.is_ok());
    let made = request("POST", "/v1/invoices", &second, Some(crate::house::invoice_input("1")));
    let invoice = house.send(made).await.json()["id"].as_str().unwrap().to_owned();
    good.hear(&invoice).await;
}
