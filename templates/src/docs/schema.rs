//! Schemas as tables: a row per property, nested ones indented, named ones linked.

use serde_json::{Map, Value, json};

use super::{anchor, list, members, prose, resolved, text};

/// How deep properties without a name of their own are laid out.
const DEPTH_MAX: usize = 4;

pub(super) fn anchor_of(name: &str) -> String {
    format!("schema-{}", anchor(name))
}

/// What kind of value a schema describes, with the anchor of the schema it names.
pub(super) fn kind(schema: &Value) -> Value {
    if let Some(name) = named(schema) {
        return json!({ "text": name, "link": anchor_of(name) });
    }
    if schema["type"] == "array" {
        let item = kind(&schema["items"]);
        let words = format!("array of {}", item["text"].as_str().unwrap_or("anything"));
        return json!({ "text": words, "link": item["link"] });
    }
    let choices = choices(schema);
    if !choices.is_empty() {
        let kinds: Vec<Value> = choices.into_iter().map(kind).collect();
        let words: Vec<&str> = kinds.iter().filter_map(|kind| kind["text"].as_str()).collect();
        let link = kinds.iter().map(|kind| &kind["link"]).find(|link| link.is_string());
        return json!({ "text": words.join(" or "), "link": link });
    }
    json!({ "text": plain_kind(schema), "link": null })
}

/// `string or null (date-time)`.
fn plain_kind(schema: &Value) -> String {
    let names = match &schema["type"] {
        Value::String(name) => name.clone(),
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            if schema["properties"].is_object() || schema["allOf"].is_array() { "object" } else { "any" }
                .to_owned()
        }
    };
    match text(&schema["format"]) {
        Some(format) => format!("{names} ({format})"),
        None => names,
    }
}

/// Bounds, patterns and the values allowed, in words.
pub(super) fn limits(schema: &Value) -> Vec<String> {
    let mut limits = Vec::new();
    let values: Vec<String> = list(&schema["enum"]).iter().chain(schema.get("const")).map(bare).collect();
    if !values.is_empty() {
        limits.push(format!("one of {}", values.join(", ")));
    }
    for (key, words) in [
        ("minimum", "at least {}"),
        ("exclusiveMinimum", "more than {}"),
        ("maximum", "at most {}"),
        ("exclusiveMaximum", "less than {}"),
        ("minLength", "length at least {}"),
        ("maxLength", "length at most {}"),
        ("minItems", "items at least {}"),
        ("maxItems", "items at most {}"),
        ("pattern", "matches {}"),
        ("default", "default {}"),
    ] {
        if let Some(bound) = schema.get(key).filter(|bound| !bound.is_null()) {
            limits.push(words.replace("{}", &bare(bound)));
        }
    }
    limits
}

/// A row per property. Of a list, its items' properties; of a choice, those of every alternative.
pub(super) fn rows(openapi: &Value, schema: &Value) -> Vec<Value> {
    let mut rows = Vec::new();
    collect_rows(openapi, schema, 0, &mut rows);
    rows
}

fn collect_rows(openapi: &Value, schema: &Value, depth: usize, rows: &mut Vec<Value>) {
    let schema = resolved(openapi, schema);
    if depth > DEPTH_MAX {
        return;
    }
    if schema["items"].is_object() && (depth == 0 || named(&schema["items"]).is_none()) {
        collect_rows(openapi, &schema["items"], depth, rows);
    }
    for part in list(&schema["allOf"]).iter().chain(choices(schema)) {
        if depth == 0 || named(part).is_none() {
            collect_rows(openapi, part, depth, rows);
        }
    }
    let required = list(&schema["required"]);
    for (name, property) in members(&schema["properties"]) {
        let described =
            text(&property["description"]).or_else(|| text(&resolved(openapi, property)["description"]));
        rows.push(json!({
            "name": name,
            "depth": depth,
            "required": required.iter().any(|required| required == name),
            "kind": kind(property),
            "limits": limits(resolved(openapi, property)),
            "description": prose::paragraphs(described),
        }));
        if named(property).is_none() {
            collect_rows(openapi, property, depth + 1, rows);
        }
    }
}

/// A value that fits the schema, for an example nobody wrote.
pub(super) fn sample(openapi: &Value, schema: &Value) -> Option<Value> {
    schema.is_object().then(|| sample_of(openapi, schema, 0))
}

fn sample_of(openapi: &Value, schema: &Value, depth: usize) -> Value {
    let schema = resolved(openapi, schema);
    let given = [
        &schema["example"],
        &schema["examples"][0],
        &schema["const"],
        &schema["default"],
        &schema["enum"][0],
    ];
    if let Some(given) = given.into_iter().find(|given| !given.is_null()) {
        return given.clone();
    }
    if depth > DEPTH_MAX {
        return Value::Null;
    }
    if let Some(choice) = choices(schema).first() {
        return sample_of(openapi, choice, depth + 1);
    }
    let name = schema["type"].as_str().or_else(|| schema["type"][0].as_str());
    match name {
        Some("array") if depth == DEPTH_MAX => json!([]),
        Some("array") => json!([sample_of(openapi, &schema["items"], depth + 1)]),
        Some("string") => sample_text(schema),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
        Some("boolean") => json!(true),
        Some("null") => Value::Null,
        Some(_) | None => sample_object(openapi, schema, depth),
    }
}

fn sample_object(openapi: &Value, schema: &Value, depth: usize) -> Value {
    let mut object = Map::new();
    for part in list(&schema["allOf"]) {
        if let Value::Object(members) = sample_of(openapi, part, depth + 1) {
            object.extend(members);
        }
    }
    for (name, property) in members(&schema["properties"]) {
        object.insert(name.to_owned(), sample_of(openapi, property, depth + 1));
    }
    Value::Object(object)
}

fn sample_text(schema: &Value) -> Value {
    json!(match text(&schema["format"]) {
        Some("date-time") => "2026-11-30T15:04:05Z",
        Some("date") => "2026-11-30",
        Some("email") => "customer@example.com",
        Some("uri" | "url") => "https://example.com/",
        Some(_) | None => "text",
    })
}

/// The alternatives of a schema, "nothing" left out.
fn choices(schema: &Value) -> Vec<&Value> {
    let all = list(&schema["oneOf"]).iter().chain(list(&schema["anyOf"]));
    all.filter(|choice| choice["type"] != "null").collect()
}

fn named(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next())
}

/// A string without its quotes, anything else as JSON writes it.
fn bare(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
