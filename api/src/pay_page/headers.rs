//! What every page answers beside its text: nobody may keep it, find it, frame it or run a script of their own in it.

use axum::extract::State;
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::response::Response;
use url::Url;

use crate::Settings;

const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const ROBOTS_TAG: HeaderName = HeaderName::from_static("x-robots-tag");
/// Where Stripe.js itself asks and shows its frames, whichever address it was loaded from.
const STRIPE_API: &str = "https://api.stripe.com";
const STRIPE_FRAMES: &str = "https://js.stripe.com https://*.js.stripe.com https://hooks.stripe.com";
const TWO_YEARS: HeaderValue = HeaderValue::from_static("max-age=63072000");

/// The headers of this installation, made once.
#[derive(Debug, Clone)]
pub(super) struct Policy {
    content: HeaderValue,
    permissions: HeaderValue,
    is_https: bool,
}

impl Policy {
    pub(super) fn of(settings: &Settings) -> Self {
        let stripe = origin(&settings.stripe_js_url);
        let content = format!(
            "default-src 'none'; script-src 'self' {stripe}; style-src 'self'; connect-src 'self' {STRIPE_API} {stripe}; \
             frame-src {STRIPE_FRAMES} {stripe}; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; \
             base-uri 'none'"
        );
        let permissions = format!("payment=(self \"{stripe}\")");
        let nothing = HeaderValue::from_static("default-src 'none'");
        Self {
            content: HeaderValue::try_from(content).unwrap_or(nothing),
            permissions: HeaderValue::try_from(permissions)
                .unwrap_or(HeaderValue::from_static("payment=(self)")),
            is_https: settings.public_url.starts_with("https://"),
        }
    }
}

/// Puts them on an answer, whatever it is.
pub(super) async fn secure(State(policy): State<Policy>, mut answer: Response) -> Response {
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy.content);
    headers.insert(PERMISSIONS_POLICY, policy.permissions);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(ROBOTS_TAG, HeaderValue::from_static("noindex, nofollow, noarchive"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    if policy.is_https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, TWO_YEARS);
    }
    answer
}

/// Scheme, host and port of an address; nothing that a policy would match when it is none.
pub(super) fn origin(address: &str) -> String {
    Url::parse(address).map_or_else(|_| "'none'".to_owned(), |url| url.origin().ascii_serialization())
}
