//! One operation: what goes in, what comes out, with an example of each.

use serde_json::{Value, json};

use super::{anchor, list, members, prose, resolved, schema, text};

pub(super) fn view(openapi: &Value, path: &str, item: &Value, method: &str) -> Value {
    let operation = &item[method];
    json!({
        "id": format!("{method}-{}", anchor(path)),
        "method": method.to_ascii_uppercase(),
        "method_class": method,
        "path": path,
        "summary": text(&operation["summary"]).unwrap_or(path),
        "description": prose::paragraphs(text(&operation["description"])),
        "deprecated": operation["deprecated"] == true,
        "security": security(openapi, operation),
        "parameters": parameters(openapi, item, operation),
        "body": body(openapi, &operation["requestBody"]),
        "responses": responses(openapi, &operation["responses"]),
    })
}

/// The names of the ways to authenticate, any of which will do; "none" where the operation is open.
fn security(openapi: &Value, operation: &Value) -> Option<String> {
    let requirements = operation.get("security").or_else(|| openapi.get("security"))?;
    let names: Vec<&str> = list(requirements).iter().flat_map(members).map(|(name, _)| name).collect();
    Some(if names.is_empty() { "none".to_owned() } else { names.join(" or ") })
}

fn parameters(openapi: &Value, item: &Value, operation: &Value) -> Vec<Value> {
    let all = list(&item["parameters"]).iter().chain(list(&operation["parameters"]));
    all.map(|parameter| {
        let parameter = resolved(openapi, parameter);
        let described = text(&parameter["description"]).or_else(|| text(&parameter["schema"]["description"]));
        json!({
            "name": text(&parameter["name"]).unwrap_or_default(),
            "place": text(&parameter["in"]).unwrap_or_default(),
            "required": parameter["required"] == true,
            "kind": schema::kind(&parameter["schema"]),
            "limits": schema::limits(resolved(openapi, &parameter["schema"])),
            "description": prose::paragraphs(described),
        })
    })
    .collect()
}

fn body(openapi: &Value, body: &Value) -> Value {
    let body = resolved(openapi, body);
    if !body.is_object() {
        return Value::Null;
    }
    json!({
        "required": body["required"] == true,
        "description": prose::paragraphs(text(&body["description"])),
        "contents": contents(openapi, &body["content"]),
    })
}

fn responses(openapi: &Value, responses: &Value) -> Vec<Value> {
    members(responses)
        .map(|(status, response)| {
            let response = resolved(openapi, response);
            let class =
                status.chars().next().filter(char::is_ascii_digit).map_or("d".to_owned(), String::from);
            json!({
                "status": status,
                "class": class,
                "description": prose::paragraphs(text(&response["description"])),
                "contents": contents(openapi, &response["content"]),
            })
        })
        .collect()
}

fn contents(openapi: &Value, content: &Value) -> Vec<Value> {
    members(content)
        .map(|(media_type, media)| {
            json!({
                "media_type": media_type,
                "kind": schema::kind(&media["schema"]),
                "rows": schema::rows(openapi, &media["schema"]),
                "example": example(openapi, media_type, media),
            })
        })
        .collect()
}

/// The document's own example, else one made from the schema; only JSON is worth showing.
fn example(openapi: &Value, media_type: &str, media: &Value) -> Option<String> {
    let named = members(&media["examples"]).next().map(|(_, example)| &resolved(openapi, example)["value"]);
    let given = media.get("example").or(named).filter(|example| !example.is_null()).cloned();
    if !media_type.contains("json") {
        return given.and_then(|example| example.as_str().map(str::to_owned));
    }
    let example = given.or_else(|| schema::sample(openapi, &media["schema"]))?;
    serde_json::to_string_pretty(&example).ok()
}
