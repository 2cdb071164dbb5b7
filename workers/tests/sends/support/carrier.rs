//! A carrier in a few lines, over real HTTP. What it accepted is the judge of duplicates.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::extract::{Form, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::json;
use tokio::sync::Notify;

/// What happens to one request to send.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    Accept,
    Refuse(i32),
    SlowDown,
    /// Takes the text and answers when told to.
    TakeAndHold,
    /// Takes the text and answers 500.
    TakeAndStumble,
    /// Takes nothing and answers 500.
    Stumble,
}

#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub(crate) sid: String,
    pub(crate) to: String,
    pub(crate) from: String,
    pub(crate) body: String,
    pub(crate) callback: String,
    pub(crate) validity_s: i64,
}

#[derive(Default)]
struct Inner {
    fates: VecDeque<Fate>,
    texts: Vec<Text>,
    requests: usize,
    listing_fault: bool,
    told_to_answer: Arc<Notify>,
}

#[derive(Clone, Default)]
pub(crate) struct Carrier(Arc<Mutex<Inner>>);

impl Carrier {
    pub(crate) async fn start(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = Router::new()
            .route("/2010-04-01/Accounts/ACtest/Messages.json", post(send).get(list))
            .with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        format!("http://{address}")
    }

    /// The next requests meet these; later ones are accepted.
    pub(crate) fn script(&self, fates: &[Fate]) {
        self.0.lock().unwrap().fates.extend(fates);
    }

    pub(crate) fn break_listing(&self, broken: bool) {
        self.0.lock().unwrap().listing_fault = broken;
    }

    /// Lets the answer go that is held back.
    pub(crate) fn answer(&self) {
        self.0.lock().unwrap().told_to_answer.notify_one();
    }

    pub(crate) fn texts(&self) -> Vec<Text> {
        self.0.lock().unwrap().texts.clone()
    }

    pub(crate) fn requests(&self) -> usize {
        self.0.lock().unwrap().requests
    }
}

async fn send(State(carrier): State<Carrier>, Form(form): Form<HashMap<String, String>>) -> Response {
    let (fate, text, told_to_answer) = {
        let mut inner = carrier.0.lock().unwrap();
        inner.requests += 1;
        let fate = inner.fates.pop_front().unwrap_or(Fate::Accept);
        (fate, take(&mut inner, fate, &form), Arc::clone(&inner.told_to_answer))
    };
    match (fate, text) {
        (Fate::Refuse(code), _) => {
            (StatusCode::BAD_REQUEST, Json(json!({"code": code, "status": 400}))).into_response()
        }
        (Fate::SlowDown, _) => {
            let wish = [(header::RETRY_AFTER, "1")];
            (StatusCode::TOO_MANY_REQUESTS, wish, Json(json!({"code": 20429}))).into_response()
        }
        (Fate::Accept, Some(text)) => (StatusCode::CREATED, Json(shown(&text))).into_response(),
        (Fate::TakeAndHold, Some(text)) => {
            told_to_answer.notified().await;
            (StatusCode::CREATED, Json(shown(&text))).into_response()
        }
        _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn take(inner: &mut Inner, fate: Fate, form: &HashMap<String, String>) -> Option<Text> {
    if !matches!(fate, Fate::Accept | Fate::TakeAndHold | Fate::TakeAndStumble) {
        return None;
    }
    let text = Text {
        sid: format!("SM{:032}", inner.texts.len() + 1),
        to: form["To"].clone(),
        from: form["From"].clone(),
        body: form["Body"].clone(),
        callback: form["StatusCallback"].clone(),
        validity_s: form["ValidityPeriod"].parse().unwrap(),
    };
    inner.texts.push(text.clone());
    Some(text)
}

fn shown(text: &Text) -> serde_json::Value {
    json!({
        "sid": text.sid, "status": "queued", "to": text.to, "from": text.from, "body": text.body,
        "num_segments": "1", "error_code": null,
    })
}

async fn list(State(carrier): State<Carrier>, Query(query): Query<HashMap<String, String>>) -> Response {
    let inner = carrier.0.lock().unwrap();
    if inner.listing_fault {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let texts = inner.texts.iter().filter(|text| text.to == query["To"] && text.from == query["From"]);
    let messages: Vec<serde_json::Value> = texts.map(shown).collect();
    Json(json!({"messages": messages, "next_page_uri": null})).into_response()
}
