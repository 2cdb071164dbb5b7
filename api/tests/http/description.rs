//! The API's description is true: every operation in it can be called as it says, and nothing of `/v1` is outside it.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::examples::{Example, examples};
use crate::house::{House, reply, request};

pub(crate) const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// One operation of the description.
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) described: Value,
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method.to_uppercase(), self.path)
    }
}

impl Operation {
    /// Its address, with this id in it.
    pub(crate) fn path_of(&self, id: &str) -> String {
        self.path.replace("{id}", id).replace("{attempt_id}", id)
    }

    /// A request as the description shows it, without a credential.
    pub(crate) fn request(&self, example: Option<&Example>) -> Request<Body> {
        let asked = Request::builder()
            .method(self.method.to_uppercase().as_str())
            .uri(self.path_of(example.map_or("", |example| &example.id)));
        if self.id == "import_invoices" {
            let text = "number,currency,total_minor,due_on,customer_name\nI1,USD,100,2026-11-30,Ann\n";
            return asked.header("content-type", "text/csv").body(Body::from(text)).unwrap();
        }
        match example.and_then(|example| example.body.as_ref()) {
            Some(body) => {
                asked.header("content-type", "application/json").body(Body::from(body.to_string())).unwrap()
            }
            None => asked.body(Body::empty()).unwrap(),
        }
    }
}

pub(crate) fn operations(description: &Value) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for method in METHODS {
            if let Some(described) = item.get(method) {
                let id = described["operationId"].as_str().unwrap().to_owned();
                operations.push(Operation {
                    id,
                    method: method.to_owned(),
                    path: path.clone(),
                    described: described.clone(),
                });
            }
        }
    }
    operations
}

#[tokio::test]
async fn every_documented_operation_can_be_called_as_documented() {
    let house = House::new().await;
    let description = house.get("/openapi.json").await.json();
    assert_eq!(description["openapi"].as_str().map(|version| &version[..3]), Some("3.1"));
    let examples = examples(&house).await;
    let documented = operations(&description);
    // The stream never ends; its own tests listen to it.
    let names: BTreeSet<&str> = documented
        .iter()
        .map(|operation| operation.id.as_str())
        .filter(|id| *id != "stream_changes")
        .collect();
    assert_eq!(names, examples.keys().copied().collect());

    for operation in &documented {
        let Some(example) = examples.get(operation.id.as_str()) else {
            continue;
        };
        let private = operation.described["tags"][0] == "Health";
        let router = if private { &house.private } else { &house.public };
        let mut asked = operation.request(Some(example));
        let key = format!("Bearer {}", house.ours.key);
        asked.headers_mut().insert("authorization", key.parse().unwrap());
        let got = reply(router, asked).await;
        assert_eq!(got.status.as_u16(), example.status, "{operation}: {}", got.text);
        let answers = &operation.described["responses"][got.status.as_str()];
        assert!(answers.is_object(), "{operation} answers {} undocumented", got.status);
        if let Some(schema) = answers["content"]["application/json"]["schema"].as_object() {
            fits(&description, &json!(schema), &got.json(), &operation.id);
        }
    }
}

/// Whether a value has the fields its schema requires and none that it does not know.
fn fits(description: &Value, schema: &Value, value: &Value, at: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        let target =
            description.pointer(&reference[1..]).unwrap_or_else(|| panic!("{reference} leads nowhere"));
        return fits(description, target, value, at);
    }
    assert!(is_of_type(&schema["type"], value), "{at}: {value} is not {}", schema["type"]);
    if let Some(choices) = schema["enum"].as_array() {
        assert!(choices.contains(value), "{at}: {value} is not one of {choices:?}");
    }
    if let (Some(items), Some(values)) = (schema.get("items"), value.as_array()) {
        for value in values {
            fits(description, items, value, at);
        }
    }
    let (Some(properties), Some(object)) = (schema["properties"].as_object(), value.as_object()) else {
        return;
    };
    for required in schema["required"].as_array().into_iter().flatten() {
        assert!(object.contains_key(required.as_str().unwrap()), "{at} lacks {required}: {value}");
    }
    for (name, value) in object {
        let schema = properties.get(name).unwrap_or_else(|| panic!("{at}.{name} is not documented"));
        fits(description, schema, value, &format!("{at}.{name}"));
    }
}

/// Whether a value is of the type a schema names, or of one of its types; no type means any.
fn is_of_type(kind: &Value, value: &Value) -> bool {
    match kind {
        Value::Array(kinds) => kinds.iter().any(|kind| is_of_type(kind, value)),
        Value::String(kind) => match kind.as_str() {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "integer" => value.is_i64(),
            "boolean" => value.is_boolean(),
            "null" => value.is_null(),
            other => panic!("{other} is not used here"),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => true,
    }
}

#[tokio::test]
async fn every_operation_says_how_it_refuses_and_every_reference_leads_somewhere() {
    let house = House::new().await;
    let description = house.get("/openapi.json").await.json();
    for Operation { id, method, path, described } in operations(&description) {
        assert!(described["summary"].as_str().is_some_and(|text| !text.is_empty()), "{id} has no summary");
        assert!(described["tags"][0].is_string(), "{id} has no tag");
        if !path.starts_with("/v1/") {
            continue;
        }
        for status in ["401", "403", "422", "429"] {
            let content = &described["responses"][status]["content"]["application/problem+json"];
            assert!(content.is_object(), "{id} does not document {status}");
        }
        let wait = &described["responses"]["429"]["headers"]["Retry-After"]["schema"]["type"];
        assert_eq!(wait, "integer", "{id}");
        let carries_key = described["parameters"].to_string().contains("Idempotency-Key");
        let wants_key = method == "post" && !["receive_event", "ask_call_permission"].contains(&id.as_str());
        assert_eq!(carries_key, wants_key, "{id}");
    }
    let text = description.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(description.pointer(reference).is_some(), "{reference} leads nowhere");
    }
}

#[tokio::test]
async fn no_route_of_the_api_is_outside_its_description() {
    // Routes that are described are added with `routes!`; a plain `.route("/v1…` would not be.
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let mut folders = vec![std::path::PathBuf::from(folder)];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(!text.contains(".route(\"/v1"), "{}", path.display());
            files += 1;
        }
    }
    assert!(files > 30);
}

#[tokio::test]
async fn the_readable_page_loads_nothing_from_elsewhere() {
    let house = House::new().await;
    let docs = house.get("/docs").await;
    assert!(docs.text.contains("/v1/call-permission"));
    for tag in ["src=\"http", "href=\"http", "url(http", "<script"] {
        assert!(!docs.text.contains(tag), "{tag}");
    }
    let policy = docs.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'self'"), "{policy}");
    assert!(house.get("/robots.txt").await.text.contains("Disallow: /"));
    let stylesheet =
        docs.text.split("href=\"").filter_map(|rest| rest.split('"').next()).find(|url| url.contains(".css"));
    let stylesheet = house.get(stylesheet.unwrap()).await;
    assert_eq!(stylesheet.status.as_u16(), 200);
}

#[tokio::test]
async fn readiness_is_red_without_tables_and_metrics_count_requests() {
    let house = House::new().await;
    let ask = async |path: &str| reply(&house.private, request("GET", path, "", None)).await;
    house.invoice("1").await;
    house.get("/v1/invoices/inv_00000000000000000000000000").await;
    let metrics = ask("/metrics").await.text;
    for line in [
        r#"postcall_http_request_duration_seconds_count{method="POST",route="/v1/invoices",status="2xx"} 1"#,
        r#"postcall_http_request_duration_seconds_count{method="GET",route="/v1/invoices/{id}",status="4xx"} 1"#,
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
    assert_eq!(ask("/readyz").await.status.as_u16(), 200);
    house.change("ALTER TABLE merchants RENAME TO elsewhere").await;
    assert_eq!(ask("/readyz").await.problem().1, "store_unavailable");
    assert_eq!(ask("/healthz").await.status.as_u16(), 200);
}
