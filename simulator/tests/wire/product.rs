//! A listener in the product's place: keeps what it was sent, answers what it was told to.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::IntoResponse;
use tokio::sync::watch;

use crate::PATIENCE;

#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Heard {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap().to_str().unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn form(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }

    pub(crate) fn field(&self, name: &str) -> String {
        self.form().into_iter().find(|(field, _)| field == name).map(|(_, value)| value).unwrap_or_default()
    }
}

#[derive(Clone)]
pub(crate) struct Product {
    heard: Arc<watch::Sender<Vec<Heard>>>,
    answers: Arc<Mutex<VecDeque<(u16, String)>>>,
    pub(crate) url: String,
}

impl Product {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let product = Self {
            heard: Arc::new(watch::channel(Vec::new()).0),
            answers: Arc::default(),
            url: format!("http://{}", listener.local_addr().unwrap()),
        };
        let routes = Router::new().fallback(hear).with_state(product.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        product
    }

    /// The next answer; without any it is 200 and empty.
    pub(crate) fn will_answer(&self, status: u16, body: &str) {
        self.answers.lock().unwrap().push_back((status, body.to_owned()));
    }

    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.borrow().clone()
    }

    /// Waits for `count` requests in all.
    pub(crate) async fn hears(&self, count: usize) -> Vec<Heard> {
        let mut heard = self.heard.subscribe();
        let enough = tokio::time::timeout(PATIENCE, heard.wait_for(|all| all.len() >= count)).await;
        enough.unwrap_or_else(|_| panic!("{count} requests were expected")).unwrap().clone()
    }
}

async fn hear(
    State(product): State<Product>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    let body = String::from_utf8(body.to_vec()).unwrap();
    let heard = Heard { path: uri.to_string(), headers, body };
    let answer = product.answers.lock().unwrap().pop_front().unwrap_or((200, String::new()));
    product.heard.send_modify(|all| all.push(heard));
    (StatusCode::from_u16(answer.0).unwrap(), answer.1)
}
