//! Two merchants, their keys, and the router between them and a fresh database.

use api::{Api, LimitSettings};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use domain::id::MerchantId;
use domain::scope::Scope;
use entities::{Db, sql};
use http_body_util::BodyExt;
use migration::{Migrate, Migrator};
use queue::Clock;
use sea_orm::{ConnectionTrait, FromQueryResult};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::setup::{account, api, key, unlimited_address};

/// Somewhere nobody answers: a test that reaches a provider without meaning to gets an error at once.
const NOBODY: &str = "http://127.0.0.1:9";

/// A weekday at noon in New York, so that calls are allowed unless a test says otherwise.
const NOON: &str = "2026-11-18T17:00:00Z";

pub(crate) struct Account {
    pub(crate) id: MerchantId,
    /// May do everything.
    pub(crate) key: String,
}

pub(crate) struct House {
    pub(crate) api: Api,
    pub(crate) public: Router,
    pub(crate) private: Router,
    pub(crate) ours: Account,
    pub(crate) theirs: Account,
    _folder: tempfile::TempDir,
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The status, the code and the first field at fault of a problem.
    pub(crate) fn problem(&self) -> (u16, String, String) {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{}", self.text);
        let json = self.json();
        assert_eq!(json["status"], self.status.as_u16());
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (self.status.as_u16(), word(&json["code"]), word(&json["errors"][0]["field"]))
    }
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with_stripe(NOBODY).await
    }

    pub(crate) async fn with_stripe(stripe_url: &str) -> Self {
        Self::with(stripe_url, unlimited_address()).await
    }

    pub(crate) async fn limited(limits: LimitSettings) -> Self {
        Self::with(NOBODY, limits).await
    }

    async fn with(stripe_url: &str, limits: LimitSettings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::connect(&format!("sqlite://{}", folder.path().join("test.db").display())).await.unwrap();
        Migrator::up(&db.write, None).await.unwrap();
        let clock = Clock::default();
        let noon = domain::time::Timestamp::parse(NOON).unwrap();
        clock.advance_ms(noon.since_ms(clock.now()));
        let api = api(db, clock, stripe_url, limits);
        let ours = account(&api, "Alder & Finch", 1).await;
        let theirs = account(&api, "Birch & Co", 2).await;
        let (public, private) = (api::router(api.clone()), api::private_router(api.clone()));
        Self { api, public, private, ours, theirs, _folder: folder }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        reply(&self.public, request).await
    }

    /// A request with our key.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        self.send(request(method, path, &self.ours.key, body)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.call("GET", path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.call("POST", path, Some(body)).await
    }

    /// Posts what must succeed, and says the id of what it made.
    pub(crate) async fn made(&self, path: &str, body: Value) -> String {
        let reply = self.post(path, body).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{path}: {}", reply.text);
        reply.json()["id"].as_str().unwrap().to_owned()
    }

    /// An open invoice of 348.00 USD of a customer with a mobile number and an email.
    pub(crate) async fn invoice(&self, number: &str) -> String {
        self.made("/v1/invoices", invoice_input(number)).await
    }

    /// A key of ours that may do only this.
    pub(crate) async fn key_with(&self, scopes: impl IntoIterator<Item = Scope>) -> String {
        key(&self.api, &self.ours.id, &scopes.into_iter().collect()).await
    }

    /// A job of ours that gave up.
    pub(crate) async fn dead_job(&self) -> String {
        let id = domain::id::JobId::ordered(self.api.now(), [1; 10]).to_string();
        let job = format!(
            "INSERT INTO jobs (id, kind, subject, unique_key, merchant_id, lane, status, due_at_ms, attempts, crashes, fence, \
             last_error, enqueued_at_ms, finished_at_ms) VALUES ('{id}', 'send_link', 'msg_1', 'msg_1', '{}', 'intents', \
             'dead', 0, 60, 0, 0, 'refused', 0, 0)",
            self.ours.id
        );
        self.change(&job).await;
        id
    }

    pub(crate) async fn change(&self, text: &str) {
        self.api.db.write.execute_unprepared(text).await.unwrap();
    }

    pub(crate) async fn count(&self, of: &str) -> i64 {
        #[derive(FromQueryResult)]
        struct Count {
            rows: i64,
        }
        let text = format!("SELECT COUNT(*) AS rows FROM {of}");
        sql::one::<Count, _>(&self.api.db.read, text, []).await.unwrap().unwrap().rows
    }

    /// The one word a query answers.
    pub(crate) async fn word(&self, text: &str) -> String {
        #[derive(FromQueryResult)]
        struct Word {
            word: String,
        }
        sql::one::<Word, _>(&self.api.db.read, text, [])
            .await
            .unwrap()
            .map(|row| row.word)
            .unwrap_or_default()
    }

    /// Everything that is stored, to the letter.
    pub(crate) async fn content(&self) -> String {
        let tables = self
            .word("SELECT group_concat(name) AS word FROM (SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name)")
            .await;
        let mut content = String::new();
        for table in tables.split(',') {
            let columns = format!(
                "SELECT group_concat('quote(' || name || ')', ' || '','' || ') AS word FROM pragma_table_info('{table}')"
            );
            let columns = self.word(&columns).await;
            let rows = format!(
                "SELECT COALESCE(group_concat(line, char(10)), '') AS word FROM (SELECT {columns} AS line FROM {table} ORDER BY 1)"
            );
            content.push_str(&format!("-- {table}\n{}\n", self.word(&rows).await));
        }
        content
    }

    /// Rows in every table a request could fill.
    pub(crate) async fn rows(&self) -> Vec<i64> {
        let mut rows = Vec::new();
        for table in TABLES {
            rows.push(self.count(table).await);
        }
        rows
    }
}

const TABLES: [&str; 14] = [
    "customers",
    "consents",
    "opt_outs",
    "invoices",
    "invoice_lines",
    "campaigns",
    "enrolments",
    "call_events",
    "links",
    "holds",
    "timeline",
    "attention_items",
    "jobs",
    "idempotency_keys",
];

pub(crate) fn invoice_input(number: &str) -> Value {
    json!({
        "number": number, "currency": "USD", "due_on": "2026-11-30",
        "line_items": [{"description": "Hull cleaning", "quantity": 1, "unit_minor": 34_800}],
        "customer": {"name": "Dana Fields", "phone": "+14155550142", "line_type": "mobile", "email": "dana@example.com",
            "time_zone": "America/New_York"},
    })
}

/// A signed-off call about an invoice.
pub(crate) fn event_input(call_id: &str, invoice: &str, intent: &str) -> Value {
    json!({
        "type": "call.completed", "spec_version": "1", "source": "inhouse", "call_id": call_id,
        "occurred_at": "2026-11-18T16:59:00Z", "invoice": {"id": invoice}, "customer": {"phone": "+14155550142"},
        "outcome": {"intent": intent, "reached": "human"},
    })
}

pub(crate) fn request(method: &str, path: &str, key: &str, body: Option<Value>) -> Request<Body> {
    let builder =
        Request::builder().method(method).uri(path).header("authorization", format!("Bearer {key}"));
    match body {
        Some(body) => {
            builder.header("content-type", "application/json").body(Body::from(body.to_string())).unwrap()
        }
        None => builder.body(Body::empty()).unwrap(),
    }
}

pub(crate) async fn reply(router: &Router, request: Request<Body>) -> Reply {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    Reply { status: parts.status, headers: parts.headers, text }
}
