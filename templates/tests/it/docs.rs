//! The API reference, from a document with every shape we know.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use templates::Templates;

fn sample() -> Value {
    serde_json::from_str(include_str!("../../examples/samples/openapi.json")).unwrap()
}

#[test]
fn every_operation_and_schema_is_on_the_page_and_in_the_navigation() {
    let page = Templates::new().page_docs(&sample());
    for id in [
        "post-v1-events",
        "get-v1-invoices-id",
        "get-healthz",
        "schema-newevent",
        "schema-problem",
        "tag-events",
    ] {
        assert_eq!(page.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
        assert!(page.contains(&format!("href=\"#{id}\"")), "{id}");
    }
    assert!(!page.contains("Unused"));
}

#[test]
fn fields_say_their_type_their_bounds_and_whether_they_are_required() {
    let page = Templates::new().page_docs(&sample());
    assert!(page.contains("<code>intent</code> <small>required</small>"));
    assert!(page.contains("one of pay_online, send_link, dispute"));
    assert!(page.contains("integer (int64)") && page.contains("at least 1"));
    assert!(page.contains("string or null (date)"));
    assert!(page.contains("<a href=\"#schema-invoice\">Invoice</a>"));
    assert!(page.contains("<code>Idempotency-Key</code> <small>header, required</small>"));
}

#[test]
fn an_example_is_given_or_made_up_and_never_markup() {
    let page = Templates::new().page_docs(&sample());
    assert!(page.contains("&quot;call_id&quot;: &quot;call_81&quot;"));
    assert!(page.contains("&quot;at&quot;: &quot;2026-11-30T15:04:05Z&quot;"), "made from the schema");
    assert!(page.contains("&lt;/script&gt;") && !page.contains("<script"));
}

#[test]
fn the_page_loads_nothing_from_elsewhere() {
    let page = Templates::new().page_docs(&sample());
    assert!(!page.contains(" src=") && !page.contains("http://") && !page.contains("href=\"http"));
    assert_eq!(page.matches("rel=\"stylesheet\"").count(), 1);
    assert!(!page.contains(" style="));
}

#[test]
fn a_document_with_gaps_or_in_circles_still_gives_a_page() {
    let circle = json!({ "$ref": "#/components/schemas/A" });
    let schemas =
        json!({ "A": circle, "B": { "properties": { "b": { "$ref": "#/components/schemas/B" } } } });
    for document in [
        json!({}),
        json!(null),
        json!({ "paths": { "/a": { "get": {} } } }),
        json!({ "paths": { "/a": { "get": { "responses": { "200": { "$ref": "#/nowhere" } } } } } }),
        json!({ "components": { "schemas": schemas }, "paths": { "/a": { "post": { "requestBody": {
            "content": { "application/json": { "schema": { "$ref": "#/components/schemas/B" } } } } } } } }),
    ] {
        assert!(Templates::new().page_docs(&document).contains("</html>"), "{document}");
    }
}
