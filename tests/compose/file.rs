//! The compose file, read as `docker compose` reads it with an empty environment.

use serde_json::{Map, Value};

pub(crate) struct ComposeFile {
    pub(crate) root: Value,
}

impl ComposeFile {
    pub(crate) fn read() -> Self {
        let text = with_defaults(include_str!("../../docker-compose.yml"));
        Self { root: serde_saphyr::from_str(&text).unwrap() }
    }

    pub(crate) fn services(&self) -> &Map<String, Value> {
        self.root["services"].as_object().unwrap()
    }

    pub(crate) fn service(&self, name: &str) -> &Value {
        let service = &self.root["services"][name];
        assert!(service.is_object(), "there is no service {name}");
        service
    }

    /// These services, each after those it waits for.
    pub(crate) fn in_order_of_start(&self, wanted: &[&str]) -> Vec<String> {
        let mut order: Vec<String> = Vec::new();
        while order.len() < wanted.len() {
            let ready = wanted.iter().find(|name| {
                let waits_for = keys(&self.service(name)["depends_on"]);
                !order.iter().any(|started| started == *name)
                    && waits_for
                        .iter()
                        .all(|other| order.contains(other) || !wanted.contains(&other.as_str()))
            });
            order.push((*ready.expect("services wait for each other in a circle")).to_owned());
        }
        order
    }
}

/// The names in a mapping or a list.
pub(crate) fn keys(value: &Value) -> Vec<String> {
    match value {
        Value::Object(map) => map.keys().cloned().collect(),
        Value::Array(list) => texts(&Value::Array(list.clone())),
        Value::Null => Vec::new(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => panic!("{value} is no list"),
    }
}

pub(crate) fn texts(value: &Value) -> Vec<String> {
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().map(|text| text.as_str().unwrap_or_else(|| panic!("{text} is no text")).to_owned()).collect()
}

/// `${NAME:-default}` is its default.
fn with_defaults(text: &str) -> String {
    let mut pieces = text.split("${");
    let mut read = pieces.next().unwrap().to_owned();
    for piece in pieces {
        let (variable, rest) = piece.split_once('}').unwrap();
        read.push_str(variable.split_once(":-").expect("every variable has a default").1);
        read.push_str(rest);
    }
    read
}

#[test]
fn variables_of_the_compose_file_have_defaults() {
    assert_eq!(with_defaults("a: ${X:-http://b:1}/c ${Y:-}"), "a: http://b:1/c ");
}
