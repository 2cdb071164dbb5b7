//! The API reference: an OpenAPI 3.1 document made readable, on one page that loads nothing from elsewhere.

mod operation;
mod prose;
mod schema;

use serde_json::{Map, Value, json};

use crate::{Locale, Templates, assets};

/// The methods of a path item, in the order people look for them.
const METHODS: [&str; 7] = ["get", "post", "put", "patch", "delete", "head", "options"];

impl Templates {
    /// The reference of an API as a page. The document is our own; one with gaps still gives a page.
    #[must_use]
    pub fn page_docs(&self, openapi: &Value) -> String {
        let view = json!({
            "css_url": assets::asset_url("docs.css"),
            "title": text(&openapi["info"]["title"]).unwrap_or("API"),
            "version": text(&openapi["info"]["version"]),
            "description": prose::paragraphs(text(&openapi["info"]["description"])),
            "servers": servers(openapi),
            "security": security(openapi),
            "groups": groups(openapi),
            "schemas": schemas(openapi),
        });
        self.html(Locale::En, "docs", &view)
    }
}

/// Operations under their first tag, tags in the document's order, then those it did not announce.
fn groups(openapi: &Value) -> Vec<Value> {
    let mut groups: Vec<(String, Value, Vec<Value>)> = list(&openapi["tags"])
        .iter()
        .filter_map(|tag| Some((text(&tag["name"])?.to_owned(), tag["description"].clone(), Vec::new())))
        .collect();
    for (path, item) in members(&openapi["paths"]) {
        for method in METHODS.into_iter().filter(|method| item[*method].is_object()) {
            let tag = text(&item[method]["tags"][0]).unwrap_or("Other");
            let view = operation::view(openapi, path, item, method);
            match groups.iter_mut().find(|(name, _, _)| name == tag) {
                Some((_, _, operations)) => operations.push(view),
                None => groups.push((tag.to_owned(), Value::Null, vec![view])),
            }
        }
    }
    groups
        .into_iter()
        .filter(|(_, _, operations)| !operations.is_empty())
        .map(|(name, description, operations)| {
            json!({
                "id": format!("tag-{}", anchor(&name)),
                "name": name,
                "description": prose::paragraphs(text(&description)),
                "operations": operations,
            })
        })
        .collect()
}

fn schemas(openapi: &Value) -> Vec<Value> {
    members(&openapi["components"]["schemas"])
        .map(|(name, schema)| {
            json!({
                "id": schema::anchor_of(name),
                "name": name,
                "description": prose::paragraphs(text(&schema["description"])),
                "kind": schema::kind(schema),
                "rows": schema::rows(openapi, schema),
            })
        })
        .collect()
}

fn servers(openapi: &Value) -> Vec<&str> {
    list(&openapi["servers"]).iter().filter_map(|server| text(&server["url"])).collect()
}

fn security(openapi: &Value) -> Vec<Value> {
    members(&openapi["components"]["securitySchemes"])
        .map(|(name, scheme)| {
            let kind = [&scheme["scheme"], &scheme["in"], &scheme["type"]].into_iter().find_map(text);
            json!({
                "name": name,
                "kind": kind,
                "header": text(&scheme["name"]),
                "description": prose::paragraphs(text(&scheme["description"])),
            })
        })
        .collect()
}

fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.trim().is_empty())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter).map(|(name, value)| (name.as_str(), value))
}

/// A name as part of an address: letters, digits and dashes.
fn anchor(name: &str) -> String {
    let dashed: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    dashed.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

/// Follows `$ref` inside the document; a reference that leads nowhere stays as it is.
fn resolved<'d>(openapi: &'d Value, value: &'d Value) -> &'d Value {
    let mut value = value;
    for _ in 0..8 {
        let Some(pointer) = value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) else {
            return value;
        };
        let Some(target) = openapi.pointer(pointer) else {
            return value;
        };
        value = target;
    }
    value
}
