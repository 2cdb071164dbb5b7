//! Every door of the running product, knocked at with words that must not come back.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Map, Value, json};

pub(crate) struct Target<'a> {
    pub(crate) url: &'a str,
    pub(crate) key: &'a str,
}

type Refusals = Vec<(String, String)>;

pub(crate) fn client() -> Client {
    gateways::http::client(Duration::from_secs(20), gateways::http::Reach::Anywhere).unwrap()
}

/// Every described operation with every word in its path, its query, every field of its body and its headers.
pub(crate) async fn every_operation(target: &Target<'_>, words: &[String]) -> Refusals {
    let http = client();
    let description = http.get(format!("{}/openapi.json", target.url)).send().await.unwrap();
    let description: Value = serde_json::from_str(&description.text().await.unwrap()).unwrap();
    let mut refusals = Vec::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        let operations = item.as_object().unwrap().iter();
        let operations = operations.filter(|(_, value)| value["operationId"].is_string());
        for (method, operation) in operations.filter(|(_, value)| value["operationId"] != "stream_changes") {
            let method: Method = method.to_uppercase().parse().unwrap();
            for word in words {
                for asked in spoken(&http, target, &description, (&method, path, operation), word) {
                    refused(asked, &format!("{method} {path}"), &mut refusals).await;
                }
            }
        }
    }
    refusals
}

/// The ways to say a word to an operation so that it has to be refused.
fn spoken(
    http: &Client,
    target: &Target<'_>,
    description: &Value,
    (method, path, operation): (&Method, &str, &Value),
    word: &str,
) -> Vec<RequestBuilder> {
    let encoded: String = url_encoded(word);
    let filled = path.replace("{id}", &encoded).replace("{attempt_id}", &encoded);
    let ask = |path: &str| http.request(method.clone(), format!("{}{path}", target.url));
    let with_key = |path: &str| ask(path).bearer_auth(target.key);
    let mut asked =
        vec![ask(&filled), ask(&filled).bearer_auth(word), with_key(&format!("{filled}/{encoded}"))];
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    for parameter in parameters.filter(|parameter| parameter["in"] == "query") {
        let name = parameter["name"].as_str().unwrap();
        asked.push(with_key(&format!("{filled}?{name}={encoded}&unknown={encoded}")));
    }
    if path.contains('{') {
        asked.push(with_key(&filled));
    }
    for header in
        ["idempotency-key", "webhook-id", "webhook-timestamp", "webhook-signature", "stripe-signature"]
    {
        asked.push(with_key(&filled).header(header, format!("{word} {word}")).body(word.to_owned()));
    }
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    for field in fields(description, schema) {
        asked.push(with_key(&filled).json(&json!({ field.as_str(): word })));
        asked.push(with_key(&filled).json(&json!({ field.as_str(): [word] })));
        if let Some(mut good) = good_body(path) {
            good[&field] = word.into();
            asked.push(with_key(&filled).json(&good));
            good[&field] =
                json!({ "name": "Ann", "phone": word, "email": format!("{word} {word}"), "time_zone": word });
            asked.push(with_key(&filled).json(&good));
        }
    }
    for text in [format!("{{\"a\": {word}"), format!("\"{word}\""), format!("[\"{word}\"]"), word.to_owned()]
    {
        asked.push(with_key(&filled).header("content-type", "application/json").body(text));
    }
    let csv = format!(
        "number,currency,total_minor,due_on,customer_name,customer_phone\n{word},{word},{word},{word},,{word}\n"
    );
    asked.push(with_key(&filled).header("content-type", "text/csv").body(csv));
    asked
}

/// A body that would be taken, so that one bad field in it is judged by itself.
fn good_body(path: &str) -> Option<Value> {
    match path {
        "/v1/customers" => Some(json!({"name": "Ann"})),
        "/v1/campaigns" => Some(json!({"name": "Autumn"})),
        "/v1/opt-outs" => Some(json!({"email": "ann@example.com"})),
        "/v1/invoices" => Some(json!({
            "number": "blast", "currency": "USD", "due_on": "2026-12-24", "customer": {"name": "Ann"},
            "line_items": [{"description": "x", "quantity": 1, "unit_minor": 100}],
        })),
        "/v1/events" => Some(json!({
            "type": "call.completed", "spec_version": "1", "source": "inhouse", "call_id": "blast",
            "occurred_at": "2026-11-18T16:59:00Z", "invoice": {"id": "nobody"}, "customer": {},
            "outcome": {"intent": "none", "reached": "human"},
        })),
        _ => None,
    }
}

/// The names of an object's fields.
fn fields(description: &Value, schema: &Value) -> Vec<String> {
    let target = schema["$ref"].as_str().and_then(|reference| description.pointer(&reference[1..]));
    let named = target.unwrap_or(schema)["properties"].as_object();
    named.unwrap_or(&Map::new()).keys().cloned().collect()
}

/// What is not described: the pages, their posts, forged webhooks, addresses nobody knows.
pub(crate) async fn every_other_door(target: &Target<'_>, words: &[String]) -> Refusals {
    let http = client();
    let mut refusals = Vec::new();
    for word in words {
        let encoded = url_encoded(word);
        for path in [
            "/",
            "/p/",
            "/u/",
            "/assets/",
            "/assets/brand/",
            "/v1/",
            "/webhooks/",
            "/webhooks/carrier/status/",
        ] {
            for method in [Method::GET, Method::POST, Method::PUT] {
                let url = format!("{}{path}{encoded}", target.url);
                refused(http.request(method, url), path, &mut refusals).await;
            }
        }
        for path in ["/p", "/p/opened", "/p/pay", "/p/result", "/p/question", "/p/renew"] {
            let url = format!("{}{path}", target.url);
            let json = json!({"token": word, "revision": word, "amount_minor": word});
            let form = format!("token={encoded}&message={encoded}");
            let cookies = format!("pay_link={word}; pay_payer={word}");
            refused(
                http.get(&url).header("cookie", &cookies).header("accept-language", word),
                path,
                &mut refusals,
            )
            .await;
            refused(http.post(&url).header("cookie", &cookies).json(&json), path, &mut refusals).await;
            let posted =
                http.post(&url).header("content-type", "application/x-www-form-urlencoded").body(form);
            refused(posted, path, &mut refusals).await;
        }
        for path in
            ["/webhooks/stripe", "/webhooks/carrier/inbound", "/webhooks/carrier/status/att_1", "/v1/events"]
        {
            let posted = http.post(format!("{}{path}", target.url)).body(format!("{{\"id\":\"{word}\"}}"));
            let posted = posted.header("stripe-signature", format!("t=1,v1={word}"));
            let posted = posted.header("x-twilio-signature", word).header("content-type", "application/json");
            refused(posted.header("webhook-signature", word).header("user-agent", word), path, &mut refusals)
                .await;
        }
    }
    refusals
}

/// Sends it and keeps what was answered; what is accepted is no refusal, but nothing may be a fault of ours.
async fn refused(asked: RequestBuilder, name: &str, refusals: &mut Refusals) {
    let answer = asked.send().await.unwrap();
    let status = answer.status();
    let headers = format!("{:?}", answer.headers());
    let text = answer.text().await.unwrap();
    assert!(!status.is_server_error(), "{name} answered {status}: {text}");
    if status.is_client_error() {
        refusals.push((name.to_owned(), format!("{headers} {text}")));
    }
}

fn url_encoded(word: &str) -> String {
    word.replace('%', "%25").replace('+', "%2B").replace('@', "%40").replace(' ', "%20")
}
