//! JSON in a request: bounded, strict, and typed with the field at fault named.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use domain::strict_json;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::problem::Problem;

/// The largest JSON body of a resource, in bytes.
pub(crate) const BODY_MAX: usize = 256 * 1024;
/// A whole body is here within this, or it is not waited for.
const BODY_WITHIN: Duration = Duration::from_secs(8);

/// Reads a body whole, up to a limit.
pub(crate) async fn bytes(headers: &HeaderMap, body: Body, max: usize) -> Result<Bytes, Problem> {
    expect_plain(headers)?;
    let announced =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > max) {
        return Err(too_large(max));
    }
    let read = tokio::time::timeout(BODY_WITHIN, Limited::new(body, max).collect()).await;
    match read {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(max)),
        Ok(Err(_)) => {
            Err(Problem::new(StatusCode::BAD_REQUEST, "body_torn", "The body ended before its time."))
        }
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "body_too_slow",
            "The body did not arrive in time.",
        )),
    }
}

/// Refuses a body that is compressed: what a few bytes unfold to is nobody's business but the sender's.
pub(crate) fn expect_plain(headers: &HeaderMap) -> Result<(), Problem> {
    let encoded = |value: &HeaderValue| !value.as_bytes().eq_ignore_ascii_case(b"identity");
    if !headers.get_all(header::CONTENT_ENCODING).iter().any(encoded) {
        return Ok(());
    }
    let detail = "Send the body as it is, without Content-Encoding.";
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "encoded_body", detail))
}

pub(crate) fn too_large(max: usize) -> Problem {
    let detail = format!("The body must not exceed {max} bytes.");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
}

/// Refuses what does not say that it is JSON.
pub(crate) fn expect(headers: &HeaderMap) -> Result<(), Problem> {
    let said = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = said.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json")) {
        return Ok(());
    }
    let detail = "Send the body as Content-Type: application/json.";
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", detail))
}

/// Reads JSON that says one thing only.
pub(crate) fn value(body: &[u8]) -> Result<Value, Problem> {
    strict_json::parse(body).map_err(Problem::malformed)
}

/// Reads a value as what was asked for.
pub(crate) fn typed<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    if !value.is_object() {
        return Err(Problem::field("body", "must be a JSON object"));
    }
    serde_path_to_error::deserialize(value).map_err(|error| type_fault(&error))
}

/// Names the field of a type error. A missing or unknown field is named itself, not the object around it.
pub(crate) fn type_fault<E: std::fmt::Display>(error: &serde_path_to_error::Error<E>) -> Problem {
    let message = error.inner().to_string();
    let path = match error.path().to_string() {
        path if path == "." => String::new(),
        path => path.replace('[', ".").replace(']', ""),
    };
    let quoted = message.split('`').nth(1).unwrap_or_default();
    let (field, message) = if message.starts_with("missing field") {
        (beneath(&path, quoted), "is required".to_owned())
    } else if message.starts_with("unknown field") {
        (beneath(&path, quoted), "is not known here".to_owned())
    } else if message.starts_with("duplicate field") {
        (beneath(&path, quoted), "appears twice".to_owned())
    } else {
        (path, in_plain_words(&message))
    };
    let field = if field.is_empty() { "body".to_owned() } else { field };
    Problem::field(field, message)
}

fn beneath(path: &str, field: &str) -> String {
    if path.is_empty() || path == field || path.ends_with(&format!(".{field}")) {
        return if path.is_empty() { field.to_owned() } else { path.to_owned() };
    }
    format!("{path}.{field}")
}

/// The reader's own words about types, without the value: it may be somebody's number.
fn in_plain_words(message: &str) -> String {
    let Some((_, expected)) = message.rsplit_once("expected ") else {
        return message.to_owned();
    };
    if message.starts_with("unknown variant ") {
        return format!("must be {}", expected.replace('`', ""));
    }
    if !message.starts_with("invalid ") {
        return message.to_owned();
    }
    match expected {
        "i64" | "u64" | "u32" => "must be a whole number".to_owned(),
        "a boolean" => "must be true or false".to_owned(),
        "a string" | "a borrowed string" => "must be a string".to_owned(),
        "a sequence" => "must be a list".to_owned(),
        other if other.starts_with("struct ") => "must be an object".to_owned(),
        other => format!("must be {other}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use domain::invoice::LineItem;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "read from JSON, never from here")]
    struct Order {
        number: String,
        paid: Option<bool>,
        by: Option<domain::channel::Channel>,
        lines: Vec<LineItem>,
    }

    fn refused(body: &str) -> String {
        let problem = value(body.as_bytes()).and_then(typed::<Order>).unwrap_err();
        let text = axum::response::IntoResponse::into_response(problem);
        let bytes = futures::executor::block_on(text.into_body().collect()).unwrap().to_bytes();
        let problem: Value = serde_json::from_slice(&bytes).unwrap();
        problem["detail"].as_str().unwrap().to_owned()
    }

    #[test]
    fn a_missing_an_unknown_and_a_mistyped_field_are_named_with_their_path() {
        assert_eq!(refused(r#"{"lines":[]}"#), "number is required");
        assert_eq!(refused(r#"{"number":"1","lines":[],"colour":1}"#), "colour is not known here");
        assert_eq!(refused(r#"{"number":7,"lines":[]}"#), "number must be a string");
        assert_eq!(refused(r#"{"number":"1","lines":{}}"#), "lines must be a list");
        assert_eq!(refused(r#"{"number":"1","paid":"yes","lines":[]}"#), "paid must be true or false");
        let line = r#"{"number":"1","lines":[{"description":"a","quantity":1,"unit_minor":1.5}]}"#;
        assert_eq!(refused(line), "lines.0.unit_minor must be a whole number");
        assert_eq!(refused(r#"{"number":"1","lines":[],"by":"+1415555"}"#), "by must be sms or email");
        let line = r#"{"number":"1","lines":[{"description":"a","quantity":1}]}"#;
        assert_eq!(refused(line), "lines.0.unit_minor is required");
    }

    #[test]
    fn a_body_that_is_no_object_is_named_as_a_whole() {
        assert_eq!(refused("[]"), "body must be a JSON object");
        assert!(refused("{").starts_with("body ends too early"));
    }
}
