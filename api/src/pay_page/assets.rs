//! `/assets`: stylesheets and the script of the pages, compiled in, named by their content.

use axum::Router;
use axum::extract::{Path, RawQuery};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{StatusCode, header::CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::Api;

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
/// The address changes with the content.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const FOR_NOW: &str = "public, max-age=300";
const CSS: &str = "text/css; charset=utf-8";

pub(super) fn routes() -> Router<Api> {
    Router::new().route("/assets/{name}", get(named)).route("/assets/brand/{name}", get(brand))
}

async fn named(Path(name): Path<String>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let Some(asset) = templates::asset(&name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let asked_by_content = query.is_some_and(|query| query.starts_with("v="));
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == asset.etag.as_bytes());
    let mut answer = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        served(asset.content_type, asset.body.to_owned())
    };
    let kept = if asked_by_content { FOR_EVER } else { FOR_NOW };
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    if let Ok(tag) = HeaderValue::try_from(asset.etag) {
        answer.headers_mut().insert(header::ETAG, tag);
    }
    answer
}

/// `/assets/brand/0a7d55.css`: a merchant's colour, made readable.
async fn brand(Path(name): Path<String>) -> Response {
    let css = name.strip_suffix(".css").filter(|hex| !hex.starts_with('#')).and_then(templates::brand_css);
    let Some(css) = css else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut answer = served(CSS, css);
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(FOR_EVER));
    answer
}

fn served(content_type: &'static str, body: String) -> Response {
    let nosniff = HeaderValue::from_static("nosniff");
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (header::X_CONTENT_TYPE_OPTIONS, nosniff),
        (RESOURCE_POLICY, HeaderValue::from_static("same-origin")),
    ];
    (headers, body).into_response()
}
